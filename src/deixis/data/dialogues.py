"""Dialogues drawn from scenes: naming, describing, locating, absence, captions, lists, presence, two turns.

Answers are plain English. Whether a phrase is in the picture never shows in how the question is worded:
absent phrases are present phrases of other pictures, put into the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from deixis.data.augment import Augmentation, View, draw_view
from deixis.data.dialogue import Dialogue, Example, Mark, Turn
from deixis.data.perturbation import perturbed_region
from deixis.data.phrasebook import Phrasebook, caption_words, phrases_of
from deixis.data.scene import Caption, Scene
from deixis.language.nouns import is_plural, words_of
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box

WHERE = (
    "where is {}?", "where is {} in the picture?", "find {}.", "point at {}.", "locate {}.", "show me {}.",
    "can you see {}?", "can you find {}?", "where can i see {}?", "point to {} please.",
)  # fmt: skip
WHERE_MANY = (
    "where are {}?",
    "find all of {}.",
    "point at {}.",
    "locate {}.",
    "show me {}.",
    "where can i see {}?",
)
NAME = (
    "what is {it}?", "what is this? {it}", "name {it}.", "what do you see at {it}?", "who or what is {it}?",
    "what is in {it}?", "what thing is {it}?",
)  # fmt: skip
DESCRIBE = ("describe {it}.", "what does {it} look like?", "tell me about {it}.", "say more about {it}.")
CAPTION = (
    "describe the picture.", "what is happening?", "what do you see?", "caption this picture.",
    "what is going on here?", "what is this picture about?",
)  # fmt: skip
LIST = (
    "what is in the picture?",
    "list what is there.",
    "name everything you see.",
    "what things are there?",
)
PRESENCE = ("is there {}?", "is there {} in the picture?", "do you see {}?", "does the picture show {}?")
PRESENCE_MANY = (
    "are there {}?",
    "are there {} in the picture?",
    "do you see {}?",
    "does the picture show {}?",
)


T = TypeVar("T")


@dataclass(frozen=True)
class DialogueMix:
    """How many dialogues of each kind a picture gets in one step; fractions are chances of one more.

    ``locate_bare`` and ``absent_bare`` are a phrase and its place without a question: cheap practice in
    pointing. ``name_bare`` is a region and its name without a question.
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

    def count(self, kind: str, rng: np.random.Generator) -> int:
        """Draw how many dialogues of ``kind`` this picture gets."""
        amount = float(getattr(self, kind))
        return int(amount) + int(rng.random() < amount - int(amount))


KINDS = tuple(field.name for field in fields(DialogueMix))


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

    def __len__(self) -> int:
        return len(self.scenes)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return a view of scene ``index`` with its dialogues; the same for the same state of ``rng``."""
        scene = self.scenes[index]
        pixels = open_picture(scene.picture.read()).pixels
        boxes = np.array([thing.box.as_tuple() for thing in scene.things], dtype=np.float64).reshape(-1, 4)
        view = draw_view(pixels, boxes, side=self.side, how=self.augmentation, rng=rng)
        writer = DialogueWriter(scene, view=view, words=self.words[index], phrasebook=self.phrasebook)
        dialogues = [
            dialogue for kind in KINDS for dialogue in writer.write(kind, self.mix.count(kind, rng), rng)
        ]
        return Example(name=scene.id, picture=view.picture, dialogues=tuple(dialogues))


class DialogueWriter:
    """Writes dialogues about one view of one scene."""

    def __init__(self, scene: Scene, *, view: View, words: frozenset[str], phrasebook: Phrasebook) -> None:
        self.scene, self.view, self.words, self.phrasebook = scene, view, words, phrasebook
        frame = view.picture.frame
        self.boxes: Mapping[int, Box] = {
            thing.id: Box(*(float(v) for v in box), frame=frame)
            for thing, box, kept in zip(scene.things, view.boxes, view.kept, strict=True)
            if kept
        }
        # A phrase is asked about only when everything it means is still in view, and when mirroring
        # the picture did not make it false.
        self.phrases = {
            text: things
            for text, things in phrases_of(scene).items()
            if all(thing in self.boxes for thing in things) and not (view.mirrored and sided(text))
        }
        self.described: dict[int, list[str]] = {}
        for text, things in self.phrases.items():
            if len(things) == 1:
                self.described.setdefault(things[0], []).append(text)
        # What is never spoken of alone goes by the words for all of them: one of "two dogs" by "dogs".
        self.names = dict(self.described)
        for text, things in phrases_of(scene).items():
            for thing in things:
                if (
                    thing in self.boxes
                    and thing not in self.described
                    and not (view.mirrored and sided(text))
                ):
                    self.names.setdefault(thing, []).append(text)

    def write(self, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
        """Return up to ``count`` dialogues of ``kind``: fewer where the picture has less to ask about."""
        if count == 0:
            return []
        if kind in ("locate", "locate_bare"):
            chosen = draw(list(self.phrases), count, rng)
            return [self.locate(text, self.phrases[text], kind, rng) for text in chosen]
        if kind in ("absent", "absent_bare"):
            drawn = [self.absent(rng) for _ in range(count)]
            return [self.locate(text, (), kind, rng) for text in drawn if text is not None]
        if kind in ("name", "name_bare", "describe"):
            things = draw(list(self.described if kind == "describe" else self.names), count, rng)
            return [Dialogue(kind, (self.about_region(thing, kind, rng),)) for thing in things]
        if kind == "presence":
            return [Dialogue(kind, (turn,)) for turn in self.presences(count, rng)]
        if kind == "two_turns":
            return self.two_turns(count, rng)
        turns = self.captions(count, rng) if kind == "caption" else self.lists(rng)
        return [Dialogue(kind, (turn,)) for turn in turns]

    def absent(self, rng: np.random.Generator) -> str | None:
        """Draw a phrase that is not in the picture; None if there is none.

        Where every instance of some categories is boxed, only these are surely absent: captions (if there
        are any) need not mention what is there.
        """
        if self.scene.exhaustive:
            missing = sorted(self.scene.exhaustive - {thing.category for thing in self.scene.things})
            return f"the {pick(missing, rng)}" if missing else None
        return self.phrasebook.absent(self.words, rng)

    def locate(self, text: str, things: tuple[int, ...], kind: str, rng: np.random.Generator) -> Dialogue:
        """Ask for a phrase; no ``things`` means that it is not there."""
        if kind.endswith("_bare"):
            turn = Turn("", text, (Mark(0, len(text), self.places(things)),))
            return Dialogue(kind, (turn,), words_learnt=False)
        return Dialogue(kind, (self.where(text, things, rng),))

    def where(self, text: str, things: tuple[int, ...], rng: np.random.Generator) -> Turn:
        """Return a question for a phrase with its answer."""
        many = is_plural(text)
        phrase = definite(text) if rng.random() < 0.5 else text
        verb = "are" if many else "is"
        ending = "here." if things else "not in the picture."
        question = pick(WHERE_MANY if many else WHERE, rng).format(phrase)
        return Turn(question, f"{phrase} {verb} {ending}", (Mark(0, len(phrase), self.places(things)),))

    def about_region(self, thing: int, kind: str, rng: np.random.Generator) -> Turn:
        """Ask for the name (a noun) or a description (the longest phrase) of a thing pointed at."""
        region = perturbed_region(self.boxes[thing], rng)
        if kind == "describe":
            answer = max(self.described[thing], key=len)
            question = pick(DESCRIBE, rng)
        else:
            answer = self.phrasebook.name(pick(self.names[thing], rng))
            question = "{it}" if kind == "name_bare" else pick(NAME, rng)
        return Turn(question, f"{answer}.", regions=(("it", region),))

    def presences(self, count: int, rng: np.random.Generator) -> list[Turn]:
        """Ask yes/no questions, as many of each."""
        turns = []
        for _ in range(count):
            there = rng.random() < 0.5 and len(self.phrases) > 0
            text = pick(list(self.phrases), rng) if there else self.absent(rng)
            if text is None:
                continue
            things = self.phrases[text] if there else ()
            many = is_plural(text)
            pronoun = "they are" if many else "it is"
            verdict = f"yes, {pronoun} in the picture." if there else f"no, {pronoun} not in the picture."
            question = pick(PRESENCE_MANY if many else PRESENCE, rng).format(text)
            turns.append(Turn(question, f"{text}? {verdict}", (Mark(0, len(text), self.places(things)),)))
        return turns

    def captions(self, count: int, rng: np.random.Generator) -> list[Turn]:
        """Return captions with the places of their phrases."""
        usable = [c for c in self.scene.captions if not (self.view.mirrored and sided(c.text))]
        return [
            Turn(pick(CAPTION, rng), caption.text, self.caption_marks(caption))
            for caption in draw(usable, count, rng)
        ]

    def caption_marks(self, caption: Caption) -> tuple[Mark, ...]:
        """Mark the phrases of a caption whose things are all in view."""
        return tuple(
            Mark(phrase.start, phrase.end, self.places(phrase.things))
            for phrase in sorted(caption.phrases, key=lambda p: p.start)
            if phrase.things and all(thing in self.boxes for thing in phrase.things)
        )

    def lists(self, rng: np.random.Generator) -> list[Turn]:
        """Name up to four different things with their places."""
        chosen: dict[str, tuple[int, ...]] = {}
        for text in draw(list(self.phrases), len(self.phrases), rng):
            taken = {thing for things in chosen.values() for thing in things}
            if taken.isdisjoint(self.phrases[text]) and len(chosen) < 4:
                chosen[text] = self.phrases[text]
        if not chosen:
            return []
        answer, marks = "", []
        for index, (text, things) in enumerate(chosen.items()):
            answer += "" if index == 0 else (" and " if index == len(chosen) - 1 else ", ")
            marks.append(Mark(len(answer), len(answer) + len(text), self.places(things)))
            answer += text
        return [Turn(pick(LIST, rng), answer + ".", tuple(marks))]

    def two_turns(self, count: int, rng: np.random.Generator) -> list[Dialogue]:
        """Point at a thing, then ask on: about the same region, or for something else."""
        dialogues = []
        for thing in draw(list(self.described), count, rng):
            first = self.about_region(thing, "name", rng)
            if rng.random() < 0.5 and self.phrases:
                text = pick(list(self.phrases), rng)
                second = self.where(text, self.phrases[text], rng)
            else:
                second = Turn("what does it look like?", max(self.described[thing], key=len) + ".")
            dialogues.append(Dialogue("two_turns", (first, second)))
        return dialogues

    def places(self, things: tuple[int, ...]) -> tuple[Box, ...]:
        """Return the boxes of things, in the frame of the view."""
        return tuple(self.boxes[thing] for thing in things)


def template_texts() -> list[str]:
    """Return the wording of every question and answer, for a vocabulary to cover."""
    questions = WHERE + WHERE_MANY + NAME + DESCRIBE + CAPTION + LIST + PRESENCE + PRESENCE_MANY
    answers = ("yes, it is in the picture.", "no, they are not in the picture.", "it is here, they are here.")
    return [*questions, *answers, "what does it look like?", "the and a an"]


def pick(choices: Sequence[T], rng: np.random.Generator) -> T:
    """Draw one of ``choices``."""
    return choices[int(rng.integers(len(choices)))]


def draw(choices: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """Draw up to ``count`` different ones of ``choices``, in random order."""
    order = rng.permutation(len(choices))[:count]
    return [choices[int(index)] for index in order]


def sided(text: str) -> bool:
    """Tell whether a text speaks of left or right."""
    return not {"left", "right"}.isdisjoint(part for word in words_of(text) for part in word.split("-"))


def definite(phrase: str) -> str:
    """Return the phrase with "the" for its article.

    >>> definite("a red hat"), definite("two dogs")
    ('the red hat', 'the two dogs')
    """
    first, _, rest = phrase.partition(" ")
    if first in ("a", "an") and rest:
        return f"the {rest}"
    if first in ("the", "his", "her", "its", "their", "some", "another", "this", "that"):
        return phrase
    return f"the {phrase}"
