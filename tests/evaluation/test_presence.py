from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.answers.grounded import Answer, Span
from deixis.data.scene import Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.phrasebook import caption_words, phrases_of, same_word
from deixis.english.nouns import head_noun
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.task import Item
from deixis.evaluation.tasks.grounding import asked_phrase
from deixis.evaluation.tasks.presence import PRESENCE, is_there, items, measure, score
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Region
from tests.evaluation.answering import Fake, said
from tests.evaluation.scenes import captioned
from tests.toy.pack import write_toy_pack

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))
SCENES = [
    captioned("1", "A dog", "two Cats"),
    captioned("2", "the sky", "a dog", "a {red} hat"),
    captioned("3", "a boat"),
]


def answer(text: str, *phrases: str) -> Answer:
    spans = tuple(
        Span(text.index(phrase), text.index(phrase) + len(phrase), phrase, nowhere_score=0.5)
        for phrase in phrases
    )
    return Answer(text, spans, PICTURE, system="fake", seconds=0.0)


def test_every_phrase_is_asked_and_as_many_absent_ones() -> None:
    found = items(SCENES, 0)
    assert [item.truth for item in found] == [True, False] * (len(found) // 2)
    there = {scene.id: [is_there(phrase) for phrase in phrases_of(scene)] for scene in SCENES}
    for scene in SCENES:
        own = [item for item in found if item.picture == scene.id]
        # The split has only two phrases that the second picture lacks, so one of its own is not asked.
        assert [item.question for item in own if item.truth] == there[scene.id][:2]
        missing = [item.question for item in own if not item.truth]
        assert len(set(missing)) == len(missing)
        for question in missing:
            assert question not in there[scene.id]
            assert not same_word(head_noun(asked_phrase(question)), caption_words(scene))
    assert "are there two cats?" in there["1"] and "is there a (red) hat?" in there["2"]


def test_absent_phrases_are_drawn_by_picture_and_seed() -> None:
    many = [*SCENES, *(captioned(str(n), f"a thing{n}", f"an item{n}", f"one part{n}") for n in range(4, 30))]
    first = items(many, 0)
    assert first == items(many, 0) != items(many, 1)
    turned = items(many[::-1], 0)
    assert Counter(first) == Counter(turned)


def test_a_phrase_without_an_absent_one_beside_it_is_left_out() -> None:
    dogs, both = captioned("9", "a dog", "the dogs", "a big dog"), captioned("8", "a dog", "a cat")
    found = [(item.picture, item.question) for item in items([dogs, both], 0)]
    assert found == [("9", "is there a dog?"), ("9", "is there a cat?")]
    assert items([dogs], 0) == []


def test_exhaustive_categories_decide_what_is_absent() -> None:
    scene = replace(
        captioned("1", "a dog", "a red ball"),
        things=(Thing(0, Box(0, 0, 5, 5), "dog"), Thing(1, Box(0, 0, 5, 5), "ball")),
        exhaustive=frozenset({"dog", "cat", "bus", "tram"}),
    )
    missing = [
        item.question for item in items([scene, *SCENES[1:]], 0) if item.picture == "1" and not item.truth
    ]
    assert len(missing) == 3  # of a dog, a red ball and the dog
    assert set(missing) == {"is there the cat?", "is there the bus?", "is there the tram?"}


@pytest.mark.parametrize(
    ("given", "yes"),
    [
        (said(PICTURE, "Yes."), True),
        (said(PICTURE, "no"), False),
        (answer("A dog? Yes, it is in the picture.", "A dog"), True),
        (answer("A dog with no collar? Yes, it is.", "A dog with no collar"), True),
        (said(PICTURE, "A dog with no collar? Yes, it is."), True),
        (answer("The Yes sign? No, there is none.", "The Yes sign"), False),
        (answer("Yes, no doubt."), True),
        (said(PICTURE, "There is nothing, yesterday it was."), None),
        (said(PICTURE, "A no-one"), None),
        (said(PICTURE, ""), None),
        (said(PICTURE, "yes", parse_failures=("cut",)), None),
    ],
)
@pytest.mark.parametrize("truth", [True, False])
def test_the_verdict_is_the_first_yes_or_no_outside_of_phrases(
    given: Answer, yes: bool | None, truth: bool
) -> None:
    item = Item("1", is_there("a dog with no collar"), truth)
    outcome = score(given, item)
    assert outcome.numbers == {
        "right": float(yes is truth),
        "said_yes": float(yes is True),
        "unclear": float(yes is None),
        "present": float(truth),
    }
    assert outcome.parse_failed == bool(given.parse_failures)


def test_numbers_of_both_halves() -> None:
    columns = {
        "right": np.array([1.0, 1.0, 0.0, 0.0, 0.0]),
        "said_yes": np.array([1.0, 1.0, 1.0, 1.0, 0.0]),
        "unclear": np.array([0.0, 0.0, 0.0, 0.0, 1.0]),
        "present": np.array([1.0, 1.0, 0.0, 0.0, 0.0]),
    }
    assert measure(columns) == pytest.approx(
        {"right": 0.4, "right_present": 1.0, "right_absent": 0.0, "said_yes": 0.8, "unclear": 0.2}
    )


class Agreeable(Fake):
    """Says yes to everything."""

    def answer(self, picture: Picture, question: str, regions: dict[str, Region]) -> Answer:  # type: ignore[override]
        return said(picture, "Yes, certainly.")


@pytest.mark.parametrize("limit", [None, 1])
def test_yes_to_everything_earns_the_baseline(tmp_path: Path, limit: int | None) -> None:
    scenes = read_pack(write_toy_pack(tmp_path, pictures=12), "val")
    report = evaluate(Agreeable(), scenes, [PRESENCE], data="toy", split="val", limit=limit)
    result = report.tasks["presence"]
    assert result.value == result.baselines["always_yes"]
    assert result.others["said_yes"] == 1 and result.others["unclear"] == 0
    if limit is None:
        assert result.value == 0.5 and result.ci95[0] <= 0.5 <= result.ci95[1]
        assert (result.others["right_present"], result.others["right_absent"]) == (1.0, 0.0)
    else:
        row = report.to_dict()["tasks"]["presence"]
        assert {row["right_present"], row["right_absent"]} & {None}  # one half has no item
        assert "undefined" in report.to_markdown() and "NaN" not in report.to_json()
