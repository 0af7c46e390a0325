"""Groma's dialogues as texts: the fixed first exchange, regions in questions, links in answers.

    USER: Here is an image with region crops from it. Image: <image>. Regions: <region>. ASSISTANT: Thank …
    USER: What is <roi><refer_box></roi><refer_feat>? ASSISTANT: …

Words may come from anyone: texts in them that would act as tokens are taken apart, so that a typed ``<r3>``
points at nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from deixis.answers.grounded import Answer
from deixis.data.groma.instructions import DETECTION, REC, SLOT
from deixis.errors import UsageError
from deixis.records.dialogue import Mark, Turn
from deixis.regions.names import names_in, split_names, unknown_name
from deixis.regions.shapes import Box, Region
from deixis.text.prompt_tokens import neutralised
from deixis.text.region_marks import GROUNDING, USER_REGION, ground_marks, phrase_marks
from deixis.text.templates import TEMPLATES, Exchange, Template

FIRST_QUESTION = "Here is an image with region crops from it. Image: <image>. Regions: <region>."
FIRST_ANSWER = "Thank you for the image! How can I assist you with it?"
FIRST_EXCHANGE: Exchange = (FIRST_QUESTION, FIRST_ANSWER)

PUBLISHED = {
    "llava": "vicuna_v1",
    "default": "groma_default",
    "simple": "groma_simple",
    "llama_2": "llava_llama_2",
}
"""The published names of Groma's templates and ours: "llava" answers, "default" is the second stage's."""

Grounding = Literal["auto", "always", "never"]
"""Which questions get ``[grounding]`` in front: "auto" is those that point at no region themselves, nor ask
for the place of a phrase in one of the ways that the network was taught."""
GROUNDINGS: tuple[Grounding, ...] = ("auto", "always", "never")
LONGEST_ASKED = 120
LOCATING = re.compile(
    "|".join(
        re.escape(before) + f"(?P<phrase{number}>.+)" + re.escape(after)
        for number, (before, _, after) in enumerate(text.partition(SLOT) for text in (*DETECTION, *REC))
    ),
    re.DOTALL,
)


@dataclass(frozen=True)
class Written:
    """A dialogue with Groma's marks, the fixed first exchange apart.

    refer: the region behind each ``<refer_box>``; ground: the box behind each ``<ground_box>``; in order.
    """

    turns: tuple[Exchange, ...]
    refer: tuple[Region, ...] = ()
    ground: tuple[Box, ...] = ()


def groma_template(name: str) -> Template:
    """Return a template by its published name or ours; UsageError names those there are.

    >>> groma_template("llava").name
    'vicuna_v1'
    """
    found = TEMPLATES.get(PUBLISHED.get(name, name))
    if found is None:
        raise UsageError(f"there is no template {name!r}; Groma's are {', '.join(PUBLISHED)}")
    return found


def rendered(turns: Sequence[Exchange], template: Template) -> str:
    """Return a dialogue as one text, the fixed exchange in front; an answer that is to come is None."""
    return template.render([FIRST_EXCHANGE, *turns])


def asked(
    question: str,
    regions: Mapping[str, Region],
    *,
    specials: Sequence[str],
    grounding: Grounding = "auto",
) -> tuple[str, list[Region]]:
    """Return a question whose ``{names}`` became marks of regions, and these regions in their order.

    A region that is named twice is there twice. The phrase of a question for its place is marked, where the
    question is put in a way that the network was taught. UsageError for a name without a region.

    >>> asked("What is {it}?", {"it": Box(0, 0, 2, 2)}, specials=["<r3>"])[0]
    'What is <roi><refer_box></roi><refer_feat>?'
    >>> asked("Where is the <r3>?", {}, specials=["<r3>"])[0]
    '[grounding]Where is the < r3>?'
    >>> asked("Locate the red car in the image.", {}, specials=[])[0]
    'Locate <p>the red car</p> in the image.'
    """
    if grounding not in GROUNDINGS:
        raise UsageError(f"grounding is {grounding!r:.40}; expected one of {', '.join(GROUNDINGS)}")
    if grounding == "auto" and (parts := parts_asked(question)) is not None:
        before, phrase, after = parts
        return before + phrase_marks(neutralised(phrase, specials)) + after, []
    text, found = "", []
    for part in split_names(question):
        text += neutralised(part.words, specials)
        if part.name is None:
            continue
        if part.name not in regions:
            raise UsageError(unknown_name(part.name, sorted(regions)))
        text += USER_REGION
        found.append(regions[part.name])
    wanted = grounding == "always" or (grounding == "auto" and not names_in(question))
    return (GROUNDING if wanted else "") + text.strip(), found


def phrase_asked(question: str) -> str | None:
    """Return the phrase whose place a question asks for in one of the ways that the network was taught.

    >>> phrase_asked("Find all instances of dog in the image."), phrase_asked("Where is the dog?")
    ('dog', None)
    """
    parts = parts_asked(question)
    return None if parts is None else parts[1]


def parts_asked(question: str) -> tuple[str, str, str] | None:
    """Return what stands before that phrase, the phrase, and what stands behind it."""
    text = unnamed(question).strip()
    found = None if names_in(question) else LOCATING.fullmatch(text)
    if found is None or found.lastgroup is None or not found[found.lastgroup].strip():
        return None
    start, end = found.span(found.lastgroup)
    return text[:start], text[start:end].strip(), text[end:]


def words_asked(question: str) -> str:
    """Return the words of a question, whatever language it is in: its regions by their names, on one line.

    An answer that is a place and nothing else is called so, where it isn't known which of the words mean the
    place. Marks at the end go; what is longer than ``LONGEST_ASKED`` characters is cut between words.

    >>> words_asked("Wo ist  {der}, bitte?"), words_asked("?!")
    ('Wo ist der, bitte', '')
    """
    text = "".join(part.words + (part.name or "") for part in split_names(question))
    text = " ".join(text.split())
    while text and not text[-1].isalnum():
        text = text[:-1]
    if len(text) <= LONGEST_ASKED:
        return text
    return f"{text[:LONGEST_ASKED].rpartition(' ')[0] or text[:LONGEST_ASKED]} …"


def unnamed(text: str) -> str:
    """Return a text that names no region as it reads.

    >>> unnamed("a {{b}}")
    'a {b}'
    """
    return "".join(part.words for part in split_names(text))


def locating(phrase: str, instruction: str = "Locate {} in the image.", *, specials: Sequence[str]) -> str:
    """Return the question for the place of a phrase, as the network was trained to be asked.

    >>> locating("the red car", specials=[])
    'Locate <p>the red car</p> in the image.'
    """
    return instruction.replace("{}", phrase_marks(neutralised(phrase, specials)))


def answered(answer: str, marks: Sequence[Mark], *, specials: Sequence[str]) -> tuple[str, list[Box]]:
    """Return an answer with the marks of phrases and places, and the boxes of these places in their order.

    A phrase for what is not in the picture gets a list of places without any: ``<p>a cat</p><roi></roi>``.
    """
    text, boxes, end = "", list[Box](), 0
    for mark in marks:
        text += neutralised(answer[end : mark.start], specials)
        phrase = neutralised(answer[mark.start : mark.end], specials)
        text += phrase_marks(phrase) + ground_marks(len(mark.boxes))
        boxes += mark.boxes
        end = mark.end
    return text + neutralised(answer[end:], specials), boxes


def written(turns: Sequence[Turn], *, specials: Sequence[str], grounding: Grounding = "auto") -> Written:
    """Return turns as texts with marks, and what stands behind the marks."""
    texts: list[Exchange] = []
    refer, ground = list[Region](), list[Box]()
    for turn in turns:
        question, own = asked(turn.question, dict(turn.regions), specials=specials, grounding=grounding)
        answer, boxes = answered(turn.answer, turn.marks, specials=specials)
        texts.append((question, answer))
        refer += own
        ground += boxes
    return Written(tuple(texts), tuple(refer), tuple(ground))


def turn_of(answer: Answer) -> Turn:
    """Return an earlier answer as a turn, with its places as marks."""
    marks = tuple(
        Mark(span.start, span.end, tuple(place.box for place in span.places)) for span in answer.spans
    )
    return Turn(answer.question, answer.text, marks, answer.regions)
