"""Places that are no part of an answer: what only some systems can do, and the refusal of all others.

Florence-2's own decoder locates by its tasks; a proposer finds places before anything is asked.
"""

from __future__ import annotations

from typing import Any, Self

from deixis.answers.grounded import Answer, Place
from deixis.errors import UsageError

MOST_PROPOSED = 100


class LocatedAnswers:
    """What a system says that has neither Florence-2 inside nor a proposer.

    name: of the system.
    """

    name: str

    def locate(self, picture: Any, task: str, **given: Any) -> Answer:
        """Return what one of Florence-2's tasks finds in a picture, by its own decoder.

        picture: one, as ``open_picture`` takes it. task: such as "object-detection" or
        "caption-to-phrase-grounding", or its authors' token ("<OD>"). given: text or region, where the task
        takes one; num_beams (3) and max_new_tokens. UsageError: a system without Florence-2 inside.
        """
        raise UsageError(f"system {self.name!r} has no tasks of Florence-2 (asked for: {task!r:.60})")

    def ground(self, answer: Answer, **given: Any) -> Answer:
        """Return an answer in words with places of its phrases, by Florence-2's own decoder.

        given: num_beams (3) and max_new_tokens. What cannot be told in the words is a parse failure; spans
        that the answer has stay. UsageError: a system without Florence-2 inside.
        """
        raise groundless(self.name)

    def require_places(self) -> None:
        """Open what ``ground`` needs, so that what is missing shows before anything is asked.

        UsageError: a system without Florence-2 inside. MissingWeights: its decoder's files are not there.
        """
        raise groundless(self.name)

    def in_words(self) -> Self:
        """Return the system as one that answers in words alone, where it names places without being asked to.

        It shares its network and what it knows of pictures with this one, which stays as it is.
        """
        return self

    def propose(self, picture: Any, *, most: int = MOST_PROPOSED) -> tuple[Place, ...]:
        """Return places of whatever there is in a picture, found before anything is asked; the surest first.

        Places that overlap a surer one too much are left out, none for being unsure. picture: one, as
        ``open_picture`` takes it. most: how many at most. UsageError: a system that only finds what it is
        asked for.
        """
        raise UsageError(
            f"system {self.name!r} finds only what it is asked for; pointer, groma and groma's proposer find "
            "places before that"
        )


def groundless(name: str) -> UsageError:
    """Return the error of a system that has no places of Florence-2's decoder."""
    return UsageError(f"system {name!r} has no decoder of Florence-2 that could ground its answers")
