"""The ten ways in which records become dialogues (groma.md section 13), one function each.

Words of a file are words: texts in them that would act as tokens are taken apart, apart from the marks that
Groma Instruct's answers are written with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from deixis.data.groma.boxes import first_of_each, suppressed
from deixis.data.groma.draws import Draws
from deixis.data.groma.instructions import INSTRUCTIONS, instruction
from deixis.data.groma.records import GromaRecord
from deixis.text.prompt_tokens import neutralised
from deixis.text.region_marks import (
    GROUND_BOX,
    GROUNDING,
    MARKS,
    PHRASE,
    PHRASE_END,
    ROI,
    ROI_END,
    USER_REGION,
    ground_marks,
    phrase_marks,
)
from deixis.text.templates import IMAGE

MOST_CATEGORIES = 3
MOST_QUESTIONS = 10
OVERLAP = 0.6
ACTING = (*MARKS, "<s>", "</s>", "<unk>", *(f"<r{number}>" for number in range(100)))
MARKED_PHRASE = re.compile(
    rf"{PHRASE}(?P<phrase>(?:(?!{PHRASE}|{PHRASE_END}).)*){PHRASE_END}(?P<gap>\s*)"
    rf"{ROI}(?P<places>(?:{GROUND_BOX})+){ROI_END}",
    re.DOTALL,
)


@dataclass
class Built:
    """A dialogue with Groma's marks. refer, ground: the note behind each mark of a box, in order.

    surplus: notes whose boxes the published program hands on although no mark stands for them.
    """

    turns: list[tuple[str, str]] = field(default_factory=list)
    refer: list[int] = field(default_factory=list)
    ground: list[int] = field(default_factory=list)
    surplus: list[int] = field(default_factory=list)


Builder = Callable[[GromaRecord, Sequence[int], Draws], Built]
"""Makes a dialogue of a record. Its notes of which the box is large enough are given by their numbers."""


def words(text: str) -> str:
    """Return a text of a file in which nothing acts as a token."""
    return neutralised(text, ACTING)


def sentence(text: str) -> str:
    """Return a caption as an answer: in lower case, with a capital at its beginning.

    >>> sentence(" A Red Bus on THE street ")
    'A red bus on the street'
    """
    return words(text.strip().capitalize())


def asked(name: str, about: str, draws: Draws) -> str:
    """Return one of the instructions of a list, about a phrase or a region."""
    templates = INSTRUCTIONS[name]
    return instruction(templates[draws.choice(len(templates))], about)


def refcoco_rec(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask where the thing is that an expression means."""
    question = asked("rec_refcoco", phrase_marks(words(record.caption.strip())), draws)
    return Built([(question, ground_marks(1))], ground=list(kept[:1]), surplus=list(kept[1:]))


def refcoco_cap(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for a description of a region, which is the expression."""
    question = asked("region_caption_refcocog", USER_REGION, draws)
    return Built([(question, sentence(record.caption))], refer=list(kept[:1]), surplus=list(kept[1:]))


def single_vg(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for a caption of a region; the first, where a record has several."""
    question = asked("region_caption_vg", USER_REGION, draws)
    answer = sentence(record.notes[kept[0]].caption)
    return Built([(question, answer)], refer=list(kept[:1]), surplus=list(kept[1:]))


def multi_vg(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for captions of up to ten regions that overlap little, chosen by chance."""
    boxes = [record.notes[index].edges for index in kept]
    different = [kept[place] for place in first_of_each(boxes)]
    boxes = [record.notes[index].edges for index in different]
    order = suppressed(boxes, draws.scores(len(boxes)), above=OVERLAP)[:MOST_QUESTIONS]
    built = Built()
    for index in (different[place] for place in order):
        question = asked("region_caption_vg", USER_REGION, draws)
        built.turns.append((question, sentence(record.notes[index].caption)))
        built.refer.append(index)
    return built


def all_of(name: str, category: str, indices: Sequence[int], draws: Draws, built: Built) -> None:
    """Add the question for all things of a category."""
    question = asked(name, phrase_marks(words(category)), draws)
    built.turns.append((question, ground_marks(len(indices))))
    built.ground += indices


def by_category(record: GromaRecord, kept: Sequence[int]) -> dict[str, list[int]]:
    """Return the notes of each category, categories in the order in which they first come up."""
    found: dict[str, list[int]] = {}
    for index in kept:
        found.setdefault(record.notes[index].category, []).append(index)
    return found


def coco(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for all things of one category of the picture."""
    categories = by_category(record, kept)
    chosen = list(categories)[draws.choice(len(categories))]
    built = Built()
    all_of("detection_coco", chosen, categories[chosen], draws, built)
    return built


def lvis(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for all things of up to three categories of the picture, one after the other."""
    categories = by_category(record, kept)
    names = list(categories)
    built = Built()
    for place in draws.order(len(names))[:MOST_CATEGORIES]:
        all_of("detection_lvis", names[place].replace("_", " "), categories[names[place]], draws, built)
    return built


def flickr30k(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask for a caption with places: behind each phrase all boxes that mean it."""
    spans: dict[tuple[int, int], list[int]] = {}
    for index in kept:
        for span in record.notes[index].spans:
            spans.setdefault(span, []).append(index)
    text, end = "", 0
    built = Built()
    for (start, stop), indices in sorted(spans.items()):
        if start < end or stop > len(record.caption):  # it lies in another phrase, or behind the caption
            continue
        text += words(record.caption[end:start]) + phrase_marks(words(record.caption[start:stop]))
        text += ground_marks(len(indices))
        built.ground += indices
        end = stop
    question = GROUNDING + asked("grounded_caption_flickr", "", draws)
    built.turns.append((question, text + words(record.caption[end:])))
    return built


def grit(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Ask where the things are that one phrase of a caption means."""
    (start, end), *_ = record.notes[kept[draws.choice(len(kept))]].spans
    meant = [index for index in kept if record.notes[index].spans == ((start, end),)]
    question = asked("rec_grit", phrase_marks(words(record.caption[start:end])), draws)
    return Built([(question, ground_marks(len(meant)))], ground=meant)


def llava_instruct(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Return a dialogue about the whole picture."""
    turns = [(plain(said.question), plain(said.answer)) for said in record.said]
    return Built(turns)


def plain(text: str) -> str:
    """Return a turn of LLaVA without the mark of its picture and without line ends.

    >>> plain("What is this?\\n<image>")
    'What is this? '
    """
    return words(text.replace(IMAGE, "").replace("\n", " "))


def groma_instruct(record: GromaRecord, kept: Sequence[int], draws: Draws) -> Built:
    """Return a dialogue that is written already; places whose box was too small are taken out of it."""
    built = Built()
    for said in record.said:
        answer, meant = marked_answer(said.answer, said.boxes, frozenset(kept))
        built.turns.append((GROUNDING + words(said.question), answer))
        built.ground += meant
    return built


def marked_answer(answer: str, boxes: Sequence[int], kept: frozenset[int]) -> tuple[str, list[int]]:
    """Return an answer with the marks of those of its boxes that are kept, and these boxes.

    A phrase of which no box is left is plain words, and so is a mark that stands elsewhere.

    >>> marked_answer("<p>cars</p><roi><ground_box><ground_box></roi>.", [4, 2], frozenset([2]))
    ('<p>cars</p><roi><ground_box></roi>.', [2])
    """
    text, found, end, used = "", list[int](), 0, 0
    for match in MARKED_PHRASE.finditer(answer):
        named = match["places"].count(GROUND_BOX)
        meant = [index for index in boxes[used : used + named] if index in kept]
        used += named
        phrase = words(match["phrase"])
        text += words(answer[end : match.start()])
        text += phrase_marks(phrase) + match["gap"] + ground_marks(len(meant)) if meant else phrase
        found += meant
        end = match.end()
    return text + words(answer[end:]), found


BUILDERS: Mapping[str, Builder] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            refcoco_rec,
            refcoco_cap,
            single_vg,
            multi_vg,
            coco,
            lvis,
            flickr30k,
            grit,
            llava_instruct,
            groma_instruct,
        )
    }
)
