"""Conversations as files, checked before they go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deixis.errors import BadRegion, UsageError
from deixis.regions.shapes import Mask
from deixis.studio.conversation import check_conversation, corrected, for_the_page
from tests.studio.answers import PICTURE, answer, box

PLACED = answer(places=(box(1, 2, 30, 31),)).to_dict()


def conversation(**kept: Any) -> dict[str, Any]:
    """Return a conversation with one answer."""
    size = {"name": "a.jpg", "width": 60, "height": 40, "digest": PICTURE.frame.content}
    turn = {"all": False, "answers": [{"model": "pointer", "checked": True, "answer": PLACED, **kept}]}
    return {
        "format": "deixis conversation",
        "version": 1,
        "picture": size,
        "regions": {"a": {"box": [1, 2, 30, 31]}},
        "turns": [turn],
    }


def test_a_conversation_is_returned_as_it_is() -> None:
    assert check_conversation(conversation()) == conversation()


def test_the_page_gets_questions_in_parts_and_runs_of_masks_as_numbers() -> None:
    mask = Mask.from_array(np.eye(40, 60, dtype=bool), frame=PICTURE.frame)
    given = conversation()
    given["regions"]["m"] = {"mask": mask.to_coco()}
    shown = for_the_page(check_conversation(given))
    assert shown["regions"]["a"] == given["regions"]["a"]
    assert Mask.from_coco(shown["regions"]["m"]["mask"]) == Mask.from_coco(mask.to_coco())
    assert isinstance(shown["regions"]["m"]["mask"]["counts"], list)
    assert shown["turns"][0]["answers"][0]["parts"] == ["Where is the dog?"]


def test_a_corrected_answer_is_checked_as_one() -> None:
    spans = [PLACED["spans"][0] | {"start": 0, "end": 7, "phrase": "The cat"}]
    assert check_conversation(conversation(text="The cat is here.", spans=spans))
    with pytest.raises(UsageError, match="should read"):
        check_conversation(conversation(text="The dog is here.", spans=spans))
    with pytest.raises(UsageError, match="only one of them"):
        check_conversation(conversation(text="The cat."))


def test_a_corrected_answer_says_what_follows_from_its_spans() -> None:
    gone = PLACED["spans"][0] | {"places": [], "nowhere": True, "nowhere_score": 1.0}
    made = corrected(PLACED | {"raw": {"text": "", "ids": []}}, PLACED["text"], [gone])
    assert (made["nowhere"], made["nowhere_score"], "raw" in made) == (True, 1.0, False)


def spoilt(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = conversation()
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("turns"), "missing: turns"),
        (lambda c: c.update(more=1), "unknown: more"),
        (lambda c: c.update(version=2), "version 2"),
        (lambda c: c["picture"].pop("digest"), "which picture"),
        (lambda c: c["picture"].update(width=0), "picture"),
        (lambda c: c["picture"].update(digest="0" * 32), "another picture"),
        (lambda c: c["regions"].update({"1": {"box": [1, 1, 2, 2]}}), "begins with no digit"),
        (lambda c: c["turns"][0].update(answers=[]), "no answer"),
        (lambda c: c["turns"][0]["answers"][0].update(answer={}), "missing"),
        (lambda c: c["turns"][0]["answers"][0].update(answer=3), "an object"),
        (lambda c: c["turns"][0]["answers"][0].update(checked=1), "true or false"),
        (lambda c: c.update(turns=3), "a list"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_conversation(spoilt(change))


def test_regions_outside_of_the_picture_are_refused() -> None:
    with pytest.raises(BadRegion):
        check_conversation(spoilt(lambda c: c["regions"].update(b={"point": [900, 1]})))


@pytest.mark.parametrize("content", [None, [], "x", {"format": "deixis conversation"}])
def test_anything_else_is_refused(content: Any) -> None:
    with pytest.raises(UsageError):
        check_conversation(content)
