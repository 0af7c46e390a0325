"""Deeds of other pictures, to ask wrongly about: as frequent there as the right ones are here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from deixis.data.lots import pick
from deixis.data.synthesis.skills.facts import Deed
from deixis.data.synthesis.skills.opposites import askable, surely_not

TRIES = 40
SORTS = ("wearing", "holding", "doing")


def sort_of(deed: Deed) -> str:
    """Return the sort of a deed: wearing, holding, or any other."""
    return {"wearing": "wearing", "holding": "holding", "carrying": "holding"}.get(deed.verb, "doing")


class WrongDeeds:
    """Draws deeds that are surely not someone's."""

    def __init__(self, deeds: Iterable[Deed]) -> None:
        able = [deed for deed in deeds if askable(deed)]
        self.deeds = {
            (doer, sort): [d for d in able if doer in d.who.types and sort_of(d) == sort]
            for doer in ("people", "animals")
            for sort in SORTS
        }

    def draw(
        self,
        own: Sequence[Deed],
        like: Deed,
        *,
        words: frozenset[str],
        doings: frozenset[str],
        rng: np.random.Generator,
    ) -> Deed | None:
        """Draw a deed that is surely none of the doer's, of the sort of one of their own; None for none.

        own: all that the doer does. words: every word that captions of the picture use; doings: its verbs in
        "-ing".
        """
        others = self.deeds["people" if "people" in like.who.types else "animals", sort_of(like)]
        for _ in range(TRIES if others else 0):
            deed = pick(others, rng)
            if surely_not(deed, own, words=words, doings=doings):
                return deed
        return None
