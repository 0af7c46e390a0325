"""Instructions about one or two painted things: RefCOCOg, relations of Visual Genome, PointQA-LookTwice."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.data.painted.assignment import loose_signs
from deixis.data.painted.instruction import Instruction, PaintedRegion
from deixis.data.painted.tables import (
    LOOK_TWICE,
    OBJECT_PROMPT,
    OBJECT_PROMPTS,
    OBJECT_SUFFIX,
    RELATION_PROMPT,
)
from deixis.painting.colours import named
from deixis.painting.draws import Draws
from deixis.painting.kinds import CODE, PAPER, Kind
from deixis.painting.sign import Sign
from deixis.painting.silhouette import Edges, Silhouette
from deixis.text.templates import IMAGE

Turns = Sequence[tuple[str, str]]
GENERIC = 0.25  # how often a question doesn't say which mark it means


def object_instruction(
    thing: Silhouette, phrase: str, draws: Draws, *, published: bool = False
) -> Instruction:
    """Return what is painted, described by a referring expression (RefCOCOg).

    published: the question has neither a picture nor the words for the mark, as in the released code; such
    samples train on words only.
    """
    (sign,) = loose_signs(kinds_of(thing), 1, draws, apart=False)
    if draws.random() < GENERIC:
        question = OBJECT_PROMPTS[draws.choice(len(OBJECT_PROMPTS))]
    elif published:
        question = OBJECT_PROMPT
    else:
        question = f"Describe the object {sign.reference()}."
    question += OBJECT_SUFFIX
    if not published:
        question = f"{IMAGE}\n{question}"
    return Instruction(((question, phrase),), (PaintedRegion(thing, sign),))


def object_dialogue(thing: Silhouette, turns: Turns, draws: Draws) -> Instruction:
    """Return a dialogue about one painted thing; ``<bbox>`` in it becomes the words for the mark."""
    (sign,) = loose_signs(kinds_of(thing), 1, draws, apart=False)
    spoken = {"<bbox>": sign.reference()}
    return Instruction(with_picture(replaced(turns, spoken)), (PaintedRegion(thing, sign),))


def kinds_of(thing: Silhouette) -> tuple[Kind, ...]:
    """Return which kinds of marks a thing can have: where only its box is known, those that need no more."""
    return CODE["refcocog"] if thing.polygons else PAPER["box"]


def relation_instruction(
    pair: tuple[Edges, Edges], triplet: str, draws: Draws, *, published: bool = False
) -> Instruction:
    """Return how two painted things stand to each other, as "(subject, relation, object)".

    published: no picture in the question, and the second thing may have the colour of the first.
    """
    signs = loose_signs(CODE["vg_rel"], 2, draws, apart=True, inherit=published)
    subject, other = (sign.reference() for sign in signs)
    question = RELATION_PROMPT.format(subject=subject, object=other)
    if not published:
        question = f"{IMAGE}\n{question}"
    return Instruction(((question, triplet),), boxed(pair, signs))


def relation_dialogue(
    pair: tuple[Edges, Edges], turns: Turns, draws: Draws, *, published: bool = False
) -> Instruction:
    """Return a dialogue about two painted things, ``<bbox0>`` and ``<bbox1>`` in it."""
    signs = loose_signs(CODE["vg_rel"], 2, draws, apart=True, inherit=published)
    spoken = {
        f"<bbox{order}>": sign.reference(article=draws.random() < 0.5) for order, sign in enumerate(signs)
    }
    said = replaced(turns, spoken)
    return Instruction(said if IMAGE in said[0][0] else with_picture(said), boxed(pair, signs))


def look_twice_instruction(box: Edges, question: str, answer: str) -> Instruction:
    """Return a question about all things like the one in a red rectangle (PointQA-LookTwice)."""
    sign = Sign("rectangle", named("red"))
    turn = (LOOK_TWICE.format(question=question), answer)
    return Instruction((turn,), (PaintedRegion(Silhouette(box), sign),), constant=True)


def replaced(turns: Turns, spoken: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return turns with the words for marks in the place of their tags."""

    def said(text: str) -> str:
        for tag, words in spoken.items():
            text = text.replace(tag, words)
        return text

    return tuple((said(question), said(answer)) for question, answer in turns)


def with_picture(turns: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return turns whose first question reads the picture."""
    (question, answer), *rest = turns
    return ((f"{IMAGE}\n{question}", answer), *rest)


def boxed(pair: tuple[Edges, Edges], signs: Sequence[Sign]) -> tuple[PaintedRegion, ...]:
    """Return two boxes with their signs."""
    return tuple(PaintedRegion(Silhouette(box), sign) for box, sign in zip(pair, signs, strict=True))
