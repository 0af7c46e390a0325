"""Training examples of scenes: a random view of a picture and dialogues about what is visible in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deixis.data.augment import Augmentation, View, draw_view
from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.data.synthesis.dialogue_mix import ABSENT, KINDS, DialogueMix
from deixis.data.synthesis.dialogue_writer import write_dialogues
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words
from deixis.data.synthesis.qualified import all_qualified
from deixis.data.synthesis.skills.skill_book import SkillBook
from deixis.data.synthesis.templates.questions import all_words, spelt_out
from deixis.data.synthesis.templates.skills import ALL as SKILL_TEMPLATES
from deixis.data.synthesis.templates.unanswerable import ANSWERS, UNANSWERABLE
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.counting import NUMBERS
from deixis.records.dialogue import Example
from deixis.records.lengths import words_in

SKETCH = 64  # longer side in pixels of a view that only its words are wanted of


class DialogueSource:
    """Training examples of scenes: a random view of a picture and dialogues about what is visible in it."""

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        phrasebook: Phrasebook,
        mix: DialogueMix,
        augmentation: Augmentation,
        side: int,
    ) -> None:
        self.scenes = scenes
        self.phrasebook = phrasebook
        self.mix = mix
        self.augmentation = augmentation
        self.side = side
        self.words = [caption_words(scene) for scene in scenes]
        self.skills = SkillBook(scenes, read=mix.parsed) if mix.skills else None
        self.qualified = all_qualified(scenes) if mix.qualified or mix.qualified_bare else ()

    def __len__(self) -> int:
        return len(self.scenes)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return a view of scene ``index`` with its dialogues; the same for the same state of ``rng``."""
        picture, scene = open_scene(self.scenes[index])
        view = draw_view(picture.pixels, boxes_of(scene), side=self.side, how=self.augmentation, rng=rng)
        return self.seen(index, view, rng, scene=scene)

    def lengths(self) -> list[int]:
        """Return how many words are asked and answered about each scene, in one drawing that stands for all.

        No picture is opened: the words only depend on where its things are.
        """
        found = []
        for index, scene in enumerate(self.scenes):
            rng, scale = np.random.default_rng(index), SKETCH / max(scene.width, scene.height)
            size = max(round(scene.height * scale), 1), max(round(scene.width * scale), 1)
            sketch = np.zeros((*size, 3), dtype=np.uint8)
            view = draw_view(sketch, boxes_of(scene) * scale, side=SKETCH, how=self.augmentation, rng=rng)
            turns = [
                turn
                for dialogue in self.seen(index, view, rng, scene=scene).dialogues
                for turn in dialogue.turns
            ]
            found.append(words_in(text for turn in turns for text in (turn.question, turn.answer)))
        return found

    def seen(self, index: int, view: View, rng: np.random.Generator, *, scene: Scene) -> Example:
        """Return a view of scene ``index`` with its dialogues; ``scene``: that one, upright."""
        words, kinds = self.words[index], (*KINDS, *self.mix.skills)
        if self.mix.blank and rng.random() < self.mix.blank:
            # Nothing is there: neither what other pictures show nor what this one did.
            view, words, kinds = blank(view, rng), frozenset(), ABSENT
        seen = VisibleScene(
            scene,
            view=view,
            words=words,
            phrasebook=self.phrasebook,
            qualified=self.qualified,
            skills=self.skills,
            facts=None if self.skills is None else self.skills.facts[index],
        )
        dialogues = [
            dialogue
            for kind in kinds
            for dialogue in write_dialogues(seen, kind, self.mix.draw(kind, rng), rng)
        ]
        return Example(name=scene.id, pictures=(view.picture,), dialogues=tuple(dialogues))


def boxes_of(scene: Scene) -> np.ndarray:
    """Return the boxes (n, 4) float64 xyxy of a scene's things, in pixels of its picture."""
    return np.array([thing.box.as_tuple() for thing in scene.things], dtype=np.float64).reshape(-1, 4)


def blank(view: View, rng: np.random.Generator) -> View:
    """Return a view in which there is nothing to see: an even colour, no boxes."""
    colour = rng.integers(0, 256, size=3) if rng.random() < 0.5 else np.repeat(rng.integers(0, 256), 3)
    pixels = np.broadcast_to(colour.astype(np.uint8), view.picture.pixels.shape).copy()
    nothing = np.zeros(len(view.kept), dtype=bool)
    return replace(view, picture=replace(view.picture, pixels=pixels), kept=nothing)


def template_texts() -> list[str]:
    """Return the words of every question and answer, for a vocabulary to cover."""
    answers = (
        "yes, it is in the picture.",
        "no, they are not in the picture.",
        "it is here, they are here.",
        "no: both: no, the first is larger; the second is larger; both are of one size.",
        "within around at the same place as to the left of to the right of above below",
        " ".join(NUMBERS),
    )
    return [*all_words(), *answers, "the and a an"]


def skill_texts() -> list[str]:
    """Return the words of every question and answer of the skills that captions teach."""
    refused = [template for templates in UNANSWERABLE.values() for template in templates]
    answers = [text for texts in ANSWERS.values() for text in texts]
    said = "it is outdoors, outside. it is indoors, inside. people: wearing and"
    return [*map(spelt_out, (*SKILL_TEMPLATES, *refused)), *answers, said]
