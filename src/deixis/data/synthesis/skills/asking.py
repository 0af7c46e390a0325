"""Questions about one part of a fact: by words that mean it alone, or by pointing at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deixis.data.lots import pick
from deixis.data.perturbation import perturbed_region
from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.skills.facts import Part
from deixis.data.synthesis.skills.wording import callings, in_view
from deixis.data.synthesis.templates.skills import KEPT
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.english.nouns import is_plural
from deixis.regions.shapes import Region

POINTED = 0.4  # how often a single thing is asked about by pointing at it


@dataclass(frozen=True)
class AskedOf:
    """How a question speaks of something: by words or ``{it}``, a region. called: how answers speak of it."""

    words: str
    called: str
    many: bool
    regions: tuple[tuple[str, Region], ...] = ()

    def question(
        self, template: str, rng: np.random.Generator, slots: Mapping[str, str] | None = None
    ) -> str:
        """Return a question made of a template, its further slots filled in."""
        return question_from(template, rng, phrase=self.words, many=self.many, slots=slots, kept=KEPT)


def asked_of(
    seen: VisibleScene, part: Part, rng: np.random.Generator, *, without_colours: bool = False
) -> AskedOf | None:
    """Return how to ask of a part of a fact; None where it isn't in view or no words mean it alone."""
    if not in_view(seen, part):
        return None
    texts = callings(seen, part, without_colours=without_colours)
    single = len(part.things) == 1
    if single and rng.random() < POINTED:
        called = pick(texts, rng) if texts else f"the {part.noun}"
        region = perturbed_region(seen.boxes[part.things[0]], rng)
        return AskedOf("{it}", called, False, (("it", region),))
    if not texts:
        return None
    called = pick(texts, rng)
    return AskedOf(called, called, is_plural(called))
