"""How a dialogue becomes tokens of the pointer system, and its tokens an answer's text again.

    <picture> x N  <user> what is <region> ? <answer> a dog . <end>
    <picture> x N  <user> where is the dog ? <answer> <p> the dog </p> <place> <found> is here . <end>

The hidden state at ``<place>`` is the query for places. The verdict behind it, ``<found>`` or ``<nowhere>``,
is never predicted: it is what the place head decided, told to the language model so that its words agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deixis.data.dialogue import Dialogue, Turn
from deixis.errors import UsageError
from deixis.language.vocabulary import (
    ANSWER,
    END,
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    REGION,
    USER,
    Vocabulary,
)
from deixis.regions.shapes import Box, Region

IGNORED = -100
NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass
class Written:
    """Tokens under construction, with what stands behind region and place tokens, in order."""

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    places: list[tuple[str, tuple[Box, ...]]] = field(default_factory=list)

    def add(self, ids: Sequence[int], *, learnt: bool) -> None:
        """Append tokens; those that are not learnt get the ignored label."""
        self.ids += ids
        self.labels += ids if learnt else [IGNORED] * len(ids)


def write_dialogue(dialogue: Dialogue, vocabulary: Vocabulary) -> Written:
    """Return a whole dialogue with labels on the answers."""
    written = Written()
    for turn in dialogue.turns:
        if turn.question:
            written.add([USER.id], learnt=False)
            write_question(written, turn.question, dict(turn.regions), vocabulary)
        if turn.question or dialogue.words_learnt:
            written.add([ANSWER.id], learnt=False)
        write_answer(written, turn, vocabulary, learnt=dialogue.words_learnt)
    return written


def write_prompt(
    question: str,
    regions: Mapping[str, Region],
    vocabulary: Vocabulary,
    *,
    before: Sequence[tuple[str, str]] = (),
) -> Written:
    """Return the tokens of a question up to where the answer begins; nothing in them is learnt.

    before: earlier (question, answer) turns of the same dialogue.
    """
    written = Written()
    for earlier, answer in before:
        written.add([USER.id], learnt=False)
        write_question(written, earlier, regions, vocabulary)
        written.add([ANSWER.id, *vocabulary.encode(answer), END.id], learnt=False)
    written.add([USER.id], learnt=False)
    write_question(written, question, regions, vocabulary)
    written.add([ANSWER.id], learnt=False)
    return written


def write_question(
    written: Written, question: str, regions: Mapping[str, Region], vocabulary: Vocabulary
) -> None:
    """Append a question; every ``{name}`` becomes a region token."""
    end = 0
    for match in NAME.finditer(question):
        name = match.group(1)
        if name not in regions:
            known = ", ".join(sorted(regions)) or "none"
            raise UsageError(f"the question refers to {{{name}}}; regions given: {known}. Pass {name}=Box(...)")
        written.add(vocabulary.encode(question[end : match.start()]), learnt=False)
        written.add([REGION.id], learnt=False)
        written.regions.append(regions[name])
        end = match.end()
    written.add(vocabulary.encode(question[end:]), learnt=False)


def write_answer(written: Written, turn: Turn, vocabulary: Vocabulary, *, learnt: bool) -> None:
    """Append an answer: marked phrases are closed by a place token and its verdict."""
    end = 0
    for mark in turn.marks:
        written.add(vocabulary.encode(turn.answer[end : mark.start]), learnt=learnt)
        phrase = turn.answer[mark.start : mark.end]
        written.add([PHRASE.id, *vocabulary.encode(phrase), PHRASE_END.id, PLACE.id], learnt=learnt)
        written.places.append((phrase.lower(), mark.boxes))
        if learnt:
            written.add([FOUND.id if mark.boxes else NOWHERE.id], learnt=False)
        end = mark.end
    if learnt:
        written.add([*vocabulary.encode(turn.answer[end:]), END.id], learnt=True)
