"""Instructions from VCR: a question about people and things in a scene, its answer, and why.

Texts are token sequences: strings, and lists of numbers that stand for instances (vip_llava.md section 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deixis.data.painted.assignment import distinct_signs
from deixis.data.painted.choices import multiple_choice
from deixis.data.painted.instruction import Instruction, PaintedRegion
from deixis.data.painted.tables import (
    ANSWER_ADJECTIVES,
    ANSWER_FORMS,
    ANSWER_PUNCTUATION,
    LETTERS,
    OPTIONS_PREFIXES,
    QUESTION_PREFIXES,
    RATIONALE,
    WHY,
)
from deixis.painting.draws import Draws
from deixis.painting.kinds import CODE
from deixis.painting.sign import Sign
from deixis.painting.silhouette import XY, Edges, Silhouette
from deixis.text.templates import IMAGE

Tokens = Sequence[str | Sequence[int]]
Asked = Literal["train", "vcr_qa", "vcr_qar"]
LEAST_CORNERS = 4
CLOSE_BEFORE = (".", ",", "?", "!", ":", ";")


@dataclass(frozen=True)
class Scene:
    """What VCR's metadata say of a picture: a box, outlines and a class name for each instance."""

    boxes: tuple[Edges, ...]
    outlines: tuple[tuple[tuple[XY, ...], ...], ...]

    def silhouette(self, index: int) -> Silhouette:
        """The silhouette of an instance; outlines of few corners are left out, the last comes first."""
        kept = [outline for outline in self.outlines[index] if len(outline) >= LEAST_CORNERS]
        return Silhouette(self.boxes[index], tuple(reversed(kept)))


@dataclass(frozen=True)
class Question:
    """A question of VCR with four answers and four reasons, one of each right."""

    class_names: tuple[str, ...]
    question: Tokens
    answers: tuple[Tokens, ...]
    answer: int
    reasons: tuple[Tokens, ...]
    reason: int


def scene_of(metadata: Mapping[str, Any]) -> Scene:
    """Return a scene from VCR's metadata: boxes [x0, y0, x1, y1, score], outlines [instance][part][point]."""
    boxes = tuple((x0, y0, x1, y1) for x0, y0, x1, y1, *_ in metadata["boxes"])
    outlines = tuple(
        tuple(tuple((x, y) for x, y in part) for part in instance) for instance in metadata["segms"]
    )
    return Scene(boxes, outlines)


def question_of(record: Mapping[str, Any]) -> Question:
    """Return a question from a record of the published file."""
    return Question(
        tuple(record["class_names"]),
        record["question"],
        tuple(record["answer_choices"]),
        record["answer_label"],
        tuple(record["rationale_choices"]),
        record["rationale_label"],
    )


@dataclass(frozen=True)
class Speaker:
    """Says token sequences, each instance by a noun and its sign. plain: always by its class name."""

    names: Sequence[str]
    signs: dict[int, Sign]
    draws: Draws
    plain: bool

    def said(self, tokens: Tokens) -> str:
        """Return a sequence as text."""
        text = ""
        for place, token in enumerate(tokens):
            if isinstance(token, str):
                text += token if place == 0 or token in CLOSE_BEFORE else f" {token}"
                continue
            for order, index in enumerate(token):
                start = "The " if place == 0 and order == 0 else " the "
                text += (" and" if order else "") + start + self.noun(index) + " " + self.reference(index)
        return text

    def noun(self, index: int) -> str:
        """Return what an instance is called; the coin is tossed where nothing hangs on it, too."""
        by_name = self.draws.random() >= 0.5
        if self.plain or by_name:
            return self.names[index]
        return ("object", "instance")[self.draws.choice(2)]

    def reference(self, index: int) -> str:
        """Return the words for an instance's sign."""
        return self.signs[index].reference(article=self.draws.random() < 0.5)


def instances_of(*texts: Tokens) -> list[int]:
    """Return the instances that texts mention, in the order in which they are painted."""
    return list({index for text in texts for token in text if not isinstance(token, str) for index in token})


def vcr_instruction(asked: Question, scene: Scene, draws: Draws, *, form: Asked = "train") -> Instruction:
    """Return the dialogue about a question. form: training, or the two questions of the test."""
    builders = {"train": in_training, "vcr_qa": choosing_answer, "vcr_qar": choosing_reason}
    return builders[form](asked, scene, draws)


def signed(indices: Sequence[int], draws: Draws, *, source: str) -> dict[int, Sign]:
    """Draw a sign for each instance."""
    return dict(zip(indices, distinct_signs(CODE[source], len(indices), draws), strict=True))


def painted(signs: dict[int, Sign], scene: Scene) -> tuple[PaintedRegion, ...]:
    """Return what is painted."""
    return tuple(PaintedRegion(scene.silhouette(index), sign) for index, sign in signs.items())


def in_training(asked: Question, scene: Scene, draws: Draws) -> Instruction:
    """A question and its answer, then why; both with or without options."""
    options_first, options_then = draws.random() < 0.5, draws.random() < 0.5
    answers = asked.answers if options_first else (asked.answers[asked.answer],)
    reasons = asked.reasons if options_then else (asked.reasons[asked.reason],)
    signs = signed(instances_of(asked.question, *answers, *reasons), draws, source="vcr")
    speaker = Speaker(asked.class_names, signs, draws, plain=False)
    question = speaker.said(asked.question)
    said_answers = [speaker.said(answer) for answer in answers]
    said_reasons = [speaker.said(reason) for reason in reasons]
    question = QUESTION_PREFIXES[draws.choice(len(QUESTION_PREFIXES))] + question
    question, answer = with_options(question, said_answers, asked.answer, draws)
    why, reason = with_options(WHY[draws.choice(len(WHY))], said_reasons, asked.reason, draws)
    turns = ((f"{IMAGE}\n{question}", answer), (why, reason))
    return Instruction(turns, painted(signs, scene))


def with_options(question: str, options: Sequence[str], right: int, draws: Draws) -> tuple[str, str]:
    """Return a question and its answer; with several options they are listed, and the answer is styled."""
    if len(options) == 1:
        return question, options[0]
    listed = " ".join(f"({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))
    question += f" {OPTIONS_PREFIXES[draws.choice(len(OPTIONS_PREFIXES))]}{listed}"
    return question, styled(LETTERS[right], options[right], draws)


def styled(letter: str, text: str, draws: Draws) -> str:
    """Return an answer in one of the published forms; what all forms need is drawn before one is chosen."""
    forms = []
    for form in ANSWER_FORMS:
        adjective = punctuation = ""
        if "{adjective}" in form:
            adjective = ANSWER_ADJECTIVES[draws.choice(len(ANSWER_ADJECTIVES))]
        if "{mark}" in form:
            punctuation = ANSWER_PUNCTUATION[draws.choice(len(ANSWER_PUNCTUATION))]
        lower = text[:1].lower() + text[1:]
        forms.append(form.format(letter=letter, adjective=adjective, mark=punctuation, text=lower))
    return forms[draws.choice(len(forms))].replace("\N{EM DASH}", "-")


def choosing_answer(asked: Question, scene: Scene, draws: Draws) -> Instruction:
    """Which answer is right, by its letter."""
    signs = signed(instances_of(asked.question, *asked.answers), draws, source="vcr_qa")
    speaker = Speaker(asked.class_names, signs, draws, plain=True)
    question = speaker.said(asked.question)
    choices = [speaker.said(answer) for answer in asked.answers]
    turn = (f"{IMAGE}\n{multiple_choice(question, choices)}", LETTERS[asked.answer])
    return Instruction((turn,), painted(signs, scene), constant=True)


def choosing_reason(asked: Question, scene: Scene, draws: Draws) -> Instruction:
    """Which reason is right, given the right answer."""
    right = asked.answers[asked.answer]
    signs = signed(instances_of(asked.question, right, *asked.reasons), draws, source="vcr_qar")
    speaker = Speaker(asked.class_names, signs, draws, plain=True)
    question, answer = speaker.said(asked.question), speaker.said(right)
    reasons = [speaker.said(reason) for reason in asked.reasons]
    text = RATIONALE.format(question=question, answer=answer, choices=multiple_choice("", reasons))
    return Instruction(((text, LETTERS[asked.reason]),), painted(signs, scene), constant=True)
