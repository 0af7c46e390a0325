"""What one view of one scene shows, and what may be said of it: the ground that dialogues are written on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deixis.data.augment import View
from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, phrases_of
from deixis.data.synthesis.phrasing import sided, tells_more
from deixis.data.synthesis.qualified import Qualified
from deixis.data.synthesis.skills.facts import SceneFacts
from deixis.data.synthesis.skills.skill_book import SkillBook
from deixis.regions.shapes import Box


class VisibleScene:
    """One view of one scene: its boxes in the frame of the view, and phrases that are true of it.

    words: those that the picture's captions and categories use. qualified: phrases of any pictures, for their
    halves to be put to other halves. facts: what the captions say, by ``skills``, which knows others', too.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        view: View,
        words: frozenset[str],
        phrasebook: Phrasebook,
        qualified: Sequence[Qualified] = (),
        skills: SkillBook | None = None,
        facts: SceneFacts | None = None,
    ) -> None:
        self.scene, self.view, self.words, self.phrasebook = scene, view, words, phrasebook
        self.all_qualified = qualified
        self.skills = SkillBook([]) if skills is None else skills
        self.facts = SceneFacts() if facts is None else facts
        frame = view.picture.frame
        self.boxes: Mapping[int, Box] = {
            thing.id: Box(*(float(v) for v in box), frame=frame)
            for thing, box, kept in zip(scene.things, view.boxes, view.kept, strict=True)
            if kept
        }
        spoken = phrases_of(scene)
        # A phrase is asked about only when everything it means is still in view, and when mirroring
        # the picture did not make it false.
        self.phrases = {text: things for text, things in spoken.items() if self.holds(text, things)}
        self.described: dict[int, list[str]] = {}
        for text, things in self.phrases.items():
            if len(things) == 1:
                self.described.setdefault(things[0], []).append(text)
        # A description says more than a name.
        self.telling = {
            thing: longest
            for thing, texts in self.described.items()
            if tells_more(longest := max(texts, key=len))
        }
        # What is never spoken of alone goes by the words for all of them: one of "two dogs" by "dogs".
        self.names = dict(self.described)
        for text, things in spoken.items():
            for thing in things:
                if thing not in self.described and self.holds(text, (thing,)):
                    self.names.setdefault(thing, []).append(text)

    def holds(self, text: str, things: Sequence[int]) -> bool:
        """Tell whether what a text of the scene says of things is true in this view, and all are in it."""
        return all(thing in self.boxes for thing in things) and not (self.view.mirrored and sided(text))

    def places(self, things: Sequence[int]) -> tuple[Box, ...]:
        """Return the boxes of things, in the frame of the view."""
        return tuple(self.boxes[thing] for thing in things)

    def absent(self, rng: np.random.Generator) -> str | None:
        """Draw a phrase that is not in the picture; None if there is none.

        Where every instance of some categories is boxed, only these are surely absent: captions (if there
        are any) need not mention what is there.
        """
        if self.scene.exhaustive:
            missing = sorted(self.scene.exhaustive - {thing.category for thing in self.scene.things})
            return f"the {pick(missing, rng)}" if missing else None
        return self.phrasebook.absent(self.words, rng)
