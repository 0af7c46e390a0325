"""A picture with what was asked and answered about it, as the page hands it over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deixis.answers.grounded import Answer
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_object, region_of_object
from deixis.regions.frames import PIXELS
from deixis.studio.conversation import FORMAT, VERSION, as_it_stands, check_conversation


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it stands, as an object and as plain values; checked: somebody said that it is right."""

    answer: Answer
    content: Mapping[str, Any]
    checked: bool = False


@dataclass(frozen=True)
class Turn:
    """The answers to one question; of_regions: to the same question about each region instead."""

    kept: tuple[KeptAnswer, ...]
    of_regions: bool = False


@dataclass(frozen=True)
class Dialogue:
    """A picture, its file's name, and the turns about it, oldest first; conversation: all of it as a file."""

    picture: Picture
    name: str
    turns: tuple[Turn, ...]
    conversation: Mapping[str, Any]

    @property
    def kept(self) -> tuple[KeptAnswer, ...]:
        """All answers."""
        return tuple(kept for turn in self.turns for kept in turn.kept)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, without what is known of them."""
        return tuple(kept.answer for kept in self.kept)

    def lessons(self, *, checked: bool) -> tuple[Answer, ...]:
        """Return what is learnt from; checked: only what somebody said is right.

        Of several models' answers to one question the first counts.
        """
        found: list[Answer] = []
        for turn in self.turns:
            right = [kept.answer for kept in turn.kept if kept.checked or not checked]
            found += right if turn.of_regions else right[:1]
        return tuple(found)


def dialogue_of(picture: Picture, name: str, *, regions: Any, turns: Any) -> Dialogue:
    """Return the dialogue of plain values; UsageError says what is wrong where."""
    size = {"width": picture.width, "height": picture.height, "digest": picture.frame.content}
    whole = check_conversation(
        {
            "format": FORMAT,
            "version": VERSION,
            "picture": {"name": name, **size},
            "regions": regions,
            "turns": turns,
        }
    )
    whole["regions"] = {
        name: region_object(region_of_object(value, PIXELS)) for name, value in whole["regions"].items()
    }
    made = tuple(
        Turn(tuple(kept_answer(kept, picture) for kept in turn["answers"]), turn["all"])
        for turn in whole["turns"]
    )
    return Dialogue(picture, name, made, whole)


def kept_answer(kept: Mapping[str, Any], picture: Picture) -> KeptAnswer:
    """Return an answer of a conversation that was checked."""
    content = as_it_stands(kept)
    return KeptAnswer(Answer.from_json(json.dumps(content), picture), content, kept["checked"])
