"""What a region is marked with, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.painting.colours import Colour
from deixis.painting.kinds import WORDS, Kind


@dataclass(frozen=True)
class Sign:
    """A kind of visual prompt in a colour; an unnamed colour is never spoken of."""

    kind: Kind
    colour: Colour

    def reference(self, *, article: bool = True) -> str:
        """Return the words that say which thing is meant.

        >>> from deixis.painting.colours import named
        >>> Sign("arrow", named("red")).reference(), Sign("mask", Colour((1, 2, 3))).reference(article=False)
        ('pointed to by the red arrow', 'with mask')
        """
        preposition, noun = WORDS[self.kind]
        parts = (preposition, "the" if article else None, self.colour.name, noun)
        return " ".join(part for part in parts if part)
