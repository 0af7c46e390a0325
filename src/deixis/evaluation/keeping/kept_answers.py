"""A system whose answers are kept by the content of what was asked: nothing is asked of it twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deixis import __version__
from deixis.answers.grounded import Answer
from deixis.evaluation.keeping.answer_log import AnswerLog, digest_of
from deixis.pictures.opening import Picture
from deixis.regions.as_objects import region_object
from deixis.regions.shapes import Region


class KeptAnswers:
    """A system with a log of its answers; those that it lacks are asked as one batch and kept at once.

    What counts as the same question: its words, its regions, the pixels of its pictures, the answers before
    it, the bound of tokens, the system with the fingerprint of its weights, and the version of this package.
    Answers come from their written form, fresh ones too, so that a run that went on is equal to one that was
    never stopped.
    """

    def __init__(self, system: Any, log: AnswerLog, *, weights: str) -> None:
        self.system, self.log, self.weights = system, log, weights

    @property
    def name(self) -> str:
        """The system's name."""
        return str(self.system.name)

    def fingerprint(self) -> str:
        """Return the fingerprint of the system's weights."""
        return self.weights

    def ask(
        self,
        picture: Any,
        question: Any,
        *,
        regions: Any = None,
        before: Any = (),
        **settings: Any,
    ) -> list[Answer]:
        """Return an answer to each question; errors as of the system's own ``ask``."""
        pictures = pictures_of(picture)
        digests = [
            digest_of(self._asked(pictures, text, own, before, settings))
            for text, own in zip(question, regions, strict=True)
        ]
        kept = {digest: self.log.find(digest) for digest in digests}
        missing = [n for n, digest in enumerate(digests) if kept[digest] is None]
        if missing:
            earlier = {"before": list(before)} if before else {}
            answers = self.system.ask(
                picture,
                [question[n] for n in missing],
                regions=[regions[n] for n in missing],
                **earlier,
                **settings,
            )
            fresh = {digests[n]: answer.to_dict() for n, answer in zip(missing, answers, strict=True)}
            self.log.keep(fresh)
            kept |= fresh
        shown = pictures[0] if pictures else None
        return [Answer.from_json(json.dumps(kept[digest]), shown) for digest in digests]

    def _asked(
        self,
        pictures: Sequence[Picture],
        text: str,
        regions: Mapping[str, Region],
        before: Sequence[Answer],
        settings: Mapping[str, Any],
    ) -> dict[str, Any]:
        return {
            "question": text,
            "regions": {name: [str(one.frame), region_object(one)] for name, one in regions.items()},
            "pictures": [one.frame.content or one.name for one in pictures],
            "before": [said(answer) for answer in before],
            "settings": dict(settings),
            "system": self.name,
            "weights": self.weights,
            "deixis": __version__,
        }


def pictures_of(picture: Any) -> list[Picture]:
    """Return the pictures that are asked about: one, several or none."""
    if picture is None:
        return []
    return list(picture) if isinstance(picture, list | tuple) else [picture]


def said(answer: Answer) -> dict[str, Any]:
    """Return an earlier answer without the time that it took, which says nothing about it."""
    return {name: value for name, value in answer.to_dict().items() if name != "seconds"}
