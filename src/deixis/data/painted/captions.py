"""Instructions from Flickr30k Entities: a caption that says, or doesn't, how its phrases are marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.data.painted.assignment import distinct_signs
from deixis.data.painted.instruction import Instruction, PaintedRegion
from deixis.data.painted.tables import CAPTION_QUESTIONS, HINT_INTROS
from deixis.painting.draws import Draws
from deixis.painting.kinds import CODE
from deixis.painting.sign import Sign
from deixis.painting.silhouette import Edges, Silhouette
from deixis.text.templates import IMAGE

MODES = ("semantic", "semantic_visual_prompt")
TAG = re.compile(r" <bbox(\d+)>")


def caption_instruction(caption: str, phrases: Sequence[Sequence[Edges]], draws: Draws) -> Instruction:
    """Return a caption to be written. caption: with " <bbox0>" behind phrases; phrases: the boxes of each."""
    mode = MODES[draws.choice(len(MODES))]
    questions = CAPTION_QUESTIONS[mode]
    question = questions[draws.choice(len(questions))]
    signs = distinct_signs(CODE["flickr30k"], len(phrases), draws)
    if draws.random() < 0.5:
        question += f"{HINT_INTROS[draws.choice(len(HINT_INTROS))]} {listed(signs)}."
    answer = finished(tagged(caption, signs if mode == "semantic_visual_prompt" else None))
    regions = tuple(
        PaintedRegion(Silhouette(box), sign)
        for boxes, sign in zip(phrases, signs, strict=True)
        for box in boxes
    )
    return Instruction(((f"{IMAGE}\n{question}", answer),), regions)


def listed(signs: Sequence[Sign]) -> str:
    """Return signs as a list in words.

    >>> from deixis.painting.colours import named
    >>> listed([Sign("arrow", named("red")), Sign("ellipse", named("blue"))])
    'red arrow and blue ellipse'
    """
    words = [" ".join(part for part in (sign.colour.name, sign.kind) if part) for sign in signs]
    if len(words) < 3:
        return " and ".join(words)
    return ", ".join(words[:-1]) + f", and {words[-1]}"


def tagged(caption: str, signs: Sequence[Sign] | None) -> str:
    """Return a caption with its tags spoken, or without them where signs are not given or have no name."""

    def spoken(tag: re.Match[str]) -> str:
        sign = None if signs is None else signs[int(tag[1])]
        return "" if sign is None or sign.colour.name is None else f" {sign.reference()}"

    return TAG.sub(spoken, caption)


def finished(caption: str) -> str:
    """Return a caption as a sentence.

    >>> finished("a man , a dog")
    'A man, a dog.'
    """
    text = caption.replace(" ,", ",").strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
