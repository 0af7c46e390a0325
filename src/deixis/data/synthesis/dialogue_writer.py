"""Writes dialogues about one view of one scene, in plain English.

Whether a phrase is in the picture never shows in how the question is worded: absent phrases are present
phrases of other pictures, put into the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deixis.data.augment import View
from deixis.data.lots import draw, pick
from deixis.data.perturbation import perturbed_region
from deixis.data.scene import Caption, Scene
from deixis.data.synthesis.counting import NUMBERS, countable
from deixis.data.synthesis.histories import histories
from deixis.data.synthesis.pairs import pair_turns
from deixis.data.synthesis.phrasebook import Phrasebook, phrases_of
from deixis.data.synthesis.phrasing import definite, sided, tells_more, verdict, without_article
from deixis.data.synthesis.qualified import Qualified
from deixis.data.synthesis.qualified_dialogues import qualified_dialogues
from deixis.data.synthesis.question_templates import (
    ANY_SORT,
    CAPTION,
    COUNT,
    DESCRIBE,
    LIST,
    NAME,
    NAME_KIND,
    PRESENCE,
    PRESENCE_ANY,
    SORTS,
    WHERE,
    WHERE_MANY,
)
from deixis.data.synthesis.question_writer import worded
from deixis.data.synthesis.verification import verification_turns
from deixis.english.nouns import head_noun, is_plural, plural
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.regions.shapes import Box

ANY = 0.2  # how often a yes/no question speaks of "any", where the phrase has an article to replace
SORT_TOLD = 0.25  # how often a question for a name says what sort of thing is meant
SEVERAL = 0.5  # how often "how many" asks for a kind of which there are several, where there is one
KNOWN = 0.85  # how often "how many" asks for what is there


class DialogueWriter:
    """Writes dialogues about one view of one scene."""

    def __init__(
        self,
        scene: Scene,
        *,
        view: View,
        words: frozenset[str],
        phrasebook: Phrasebook,
        qualified: Sequence[Qualified] = (),
    ) -> None:
        self.scene, self.view, self.words, self.phrasebook = scene, view, words, phrasebook
        self.all_qualified = qualified
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
        # A description says more than a name.
        self.telling = {
            thing: longest
            for thing, texts in self.described.items()
            if tells_more(longest := max(texts, key=len))
        }
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
            things = draw(list(self.telling if kind == "describe" else self.names), count, rng)
            return [Dialogue(kind, (self.about_region(thing, kind, rng),)) for thing in things]
        if kind in ("qualified", "qualified_bare"):
            return qualified_dialogues(self, kind, count, rng)
        if kind == "count":
            return [Dialogue(kind, (turn,)) for turn in self.counts(count, rng)]
        if kind in ("relate", "compare"):
            return [Dialogue(kind, (turn,)) for turn in pair_turns(self, kind, count, rng)]
        if kind == "presence":
            return [Dialogue(kind, (turn,)) for turn in self.presences(count, rng)]
        if kind == "verify":
            return [Dialogue(kind, (turn,)) for turn in verification_turns(self, count, rng)]
        if kind == "two_turns":
            return histories(self, count, rng)
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
            return self.bare(kind, text, things)
        return Dialogue(kind, (self.where(text, things, rng),))

    def bare(self, kind: str, text: str, things: tuple[int, ...]) -> Dialogue:
        """Return a phrase and its place without a question."""
        return Dialogue(
            kind, (Turn("", text, (Mark(0, len(text), self.places(things)),)),), words_learnt=False
        )

    def where(
        self, text: str, things: tuple[int, ...], rng: np.random.Generator, *, many: bool | None = None
    ) -> Turn:
        """Return a question for a phrase with its answer; ``many`` is guessed where it isn't known."""
        many = is_plural(text) if many is None else many
        phrase = definite(text) if rng.random() < 0.5 else text
        verb = "are" if many else "is"
        ending = "here." if things else "not in the picture."
        question = worded(pick(WHERE_MANY if many else WHERE, rng), rng, phrase=phrase, many=many)
        return Turn(question, f"{phrase} {verb} {ending}", (Mark(0, len(phrase), self.places(things)),))

    def about_region(self, thing: int, kind: str, rng: np.random.Generator) -> Turn:
        """Ask for the name (a noun) or a description (the longest phrase) of a thing pointed at."""
        region = perturbed_region(self.boxes[thing], rng)
        if kind == "describe":
            answer = self.telling[thing]
            question = worded(pick(DESCRIBE, rng), rng)
        else:
            answer = self.phrasebook.name(pick(self.names[thing], rng))
            question = "{it}" if kind == "name_bare" else self.asked_name(thing, rng)
        return Turn(question, f"{answer}.", regions=(("it", region),))

    def asked_name(self, thing: int, rng: np.random.Generator) -> str:
        """Ask what a thing pointed at is, sometimes with a word for what sort of thing it is."""
        if rng.random() < SORT_TOLD:
            sort = pick(SORTS.get(self.scene.thing(thing).supercategory or "", ANY_SORT), rng)
            return worded(pick(NAME_KIND, rng).replace("{kind}", sort), rng)
        return worded(pick(NAME, rng), rng)

    def presences(self, count: int, rng: np.random.Generator) -> list[Turn]:
        """Ask yes/no questions, as many of each."""
        turns = []
        for _ in range(count):
            there = rng.random() < 0.5 and len(self.phrases) > 0
            text = pick(list(self.phrases), rng) if there else self.absent(rng)
            if text is None:
                continue
            turns.append(self.presence(text, self.phrases[text] if there else (), rng))
        return turns

    def presence(self, text: str, things: tuple[int, ...], rng: np.random.Generator) -> Turn:
        """Ask whether a phrase is there; no ``things`` means that it is not."""
        many = is_plural(text)
        phrase = text
        if rng.random() < ANY and (bare := without_article(text)):
            phrase = bare
            question = worded(pick(PRESENCE_ANY, rng), rng, phrase=phrase, many=many)
        else:
            question = worded(pick(PRESENCE, rng), rng, phrase=phrase, many=many)
        mark = Mark(0, len(phrase), self.places(things))
        return Turn(question, f"{phrase}? {verdict(things, many=many)}", (mark,))

    def captions(self, count: int, rng: np.random.Generator) -> list[Turn]:
        """Return captions with the places of their phrases."""
        usable = [c for c in self.scene.captions if not (self.view.mirrored and sided(c.text))]
        return [
            Turn(worded(pick(CAPTION, rng), rng), caption.text, self.caption_marks(caption))
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
        return [Turn(worded(pick(LIST, rng), rng), answer + ".", tuple(marks))]

    def counts(self, count: int, rng: np.random.Generator) -> list[Turn]:
        """Ask how many of a kind there are: kinds whose number is known, sometimes one that is absent."""
        known = self.known_numbers()
        turns = []
        for _ in range(count):
            if known and rng.random() < KNOWN:
                text = self.counted_kind(known, rng)
            else:
                text = plural(head_noun(self.absent(rng) or ""))
            if text:
                turns.append(self.count(text, known.get(text, ()), rng))
        return turns

    def count(self, text: str, things: tuple[int, ...], rng: np.random.Generator) -> Turn:
        """Ask how many of a kind there are; no ``things`` means none."""
        question = worded(pick(COUNT, rng), rng, phrase=text, many=True)
        mark = Mark(0, len(text), self.places(things))
        return Turn(question, f"{text}: {NUMBERS[len(things)]}.", (mark,))

    def counted_kind(self, known: Mapping[str, tuple[int, ...]], rng: np.random.Generator) -> str:
        """Draw a kind to count, mostly one of several things: most kinds of a picture have only one."""
        several = [text for text, things in known.items() if len(things) > 1]
        return pick(several if several and rng.random() < SEVERAL else list(known), rng)

    def known_numbers(self) -> dict[str, tuple[int, ...]]:
        """Return the kinds of which it is known how many are there, all of them in view."""
        return {
            text: things
            for text, things in countable(self.scene).items()
            if all(thing in self.boxes for thing in things) and not (self.view.mirrored and sided(text))
        }

    def places(self, things: tuple[int, ...]) -> tuple[Box, ...]:
        """Return the boxes of things, in the frame of the view."""
        return tuple(self.boxes[thing] for thing in things)
