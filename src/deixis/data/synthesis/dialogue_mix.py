"""How many dialogues of each kind are drawn about a picture."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class DialogueMix:
    """How many dialogues of each kind a picture gets in one step; fractions are chances of one more.

    count: how many of a kind there are. relate, compare: two regions. blank: the chance that a picture is
    shown as an even colour and nothing of what is asked for is there.
    ``locate_bare`` and ``absent_bare`` are a phrase and its place without a question: cheap practice in
    pointing. ``name_bare`` is a region and its name without a question. ``qualified`` asks for or after a
    phrase such as "a man in a red hat", whose halves need not belong together; ``qualified_bare`` without a
    question. ``verify`` asks whether a thing pointed at is what it is said to be.

    Those behind ``blank`` are skills; the first five need the extra ``skills``, whose parser reads the
    captions. colour: which colour. deed: what someone does, wears, holds or sits on. doer: who does it.
    relation: yes or no about that. whole: indoors or outdoors, how many people. choose: which of two a thing
    pointed at is. quality: whether it is red. refuse: what can't be told.
    """

    locate: float = 3.0
    locate_bare: float = 9.0
    absent: float = 1.5
    absent_bare: float = 3.5
    name: float = 2.0
    name_bare: float = 3.5
    describe: float = 1.0
    presence: float = 1.0
    caption: float = 0.5
    list: float = 0.25
    two_turns: float = 0.3
    count: float = 0.0
    relate: float = 0.0
    compare: float = 0.0
    qualified: float = 0.0
    qualified_bare: float = 0.0
    verify: float = 0.0
    blank: float = 0.0
    colour: float = 0.0
    deed: float = 0.0
    doer: float = 0.0
    relation: float = 0.0
    whole: float = 0.0
    choose: float = 0.0
    quality: float = 0.0
    refuse: float = 0.0

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills that are asked for, in order."""
        return tuple(kind for kind in SKILLS if getattr(self, kind) > 0)

    @property
    def parsed(self) -> bool:
        """Whether captions have to be parsed for what is asked for."""
        return not PARSED.isdisjoint(self.skills)

    def draw(self, kind: str, rng: np.random.Generator) -> int:
        """Draw how many dialogues of ``kind`` this picture gets."""
        amount = float(getattr(self, kind))
        return int(amount) + int(rng.random() < amount - int(amount))


NAMES = tuple(field.name for field in fields(DialogueMix))
KINDS = NAMES[: NAMES.index("blank")]
SKILLS = NAMES[NAMES.index("blank") + 1 :]
PARSED = frozenset(("colour", "deed", "doer", "relation", "whole"))


ABSENT = ("absent", "absent_bare", "presence")  # what can be asked of a picture that shows nothing
