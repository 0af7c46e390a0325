"""How a dialogue becomes tokens of the pointer system.

    <picture> x N  <user> what is <region> ? <answer> a dog . <end>
    <picture> x N  <user> where is the dog ? <answer> <p> the dog </p> <place> <found> is here . <end>
    <picture> x N  <user> how many dogs ? <answer> <p> dogs </p> <place> <found> <found> : two . <end>

The hidden state at ``<place>`` is the query for places. The verdict behind it, ``<found>`` or ``<nowhere>``,
is never predicted: it is what the place head decided, told to the language model so that its words agree.
Where ``most_found`` is more than 1 there is a ``<found>`` for each place, up to so many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deixis.english.contractions import spelt_out
from deixis.errors import UsageError
from deixis.records.dialogue import Dialogue, Turn
from deixis.regions.names import split_names, unknown_name
from deixis.regions.shapes import Region
from deixis.text.token_sequence import TokenSequence
from deixis.text.tokenizers.vocabulary import (
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


def dialogue_tokens(dialogue: Dialogue, vocabulary: Vocabulary, *, most_found: int = 1) -> TokenSequence:
    """Return a whole dialogue with labels on the answers.

    A turn without a question whose words are not learnt is a bare phrase: practice in pointing, never asked.
    """
    tokens = TokenSequence()
    for turn in dialogue.turns:
        bare = not turn.question and not dialogue.words_learnt
        if turn.question:
            tokens.add([USER.id], learnt=False)
            before = len(tokens.regions)
            write_question(tokens, turn.question, dict(turn.regions), vocabulary)
            alone = len(tokens.regions) == before + 1 and not turn.marks
            name = turn.answer.removesuffix(".").lower() if alone else None
            tokens.region_names += [name] * (len(tokens.regions) - before)
        if not bare:
            tokens.add([ANSWER.id], learnt=False)
        write_answer(tokens, turn, vocabulary, learnt=dialogue.words_learnt, bare=bare, most_found=most_found)
    return tokens


def prompt_tokens(
    question: str,
    regions: Mapping[str, Region],
    vocabulary: Vocabulary,
    *,
    before: Sequence[Turn] = (),
    said: Sequence[tuple[int, ...] | None] | None = None,
    most_found: int = 1,
) -> TokenSequence:
    """Return the tokens of a question, behind earlier turns, up to where its answer begins.

    said: for each earlier turn what the system wrote in answer, to the letter; None where that isn't known,
    and the answer's words are written anew.
    """
    tokens = TokenSequence()
    for turn, ids in zip(before, said or [None] * len(before), strict=True):
        tokens.add([USER.id], learnt=False)
        write_question(tokens, turn.question, dict(turn.regions), vocabulary)
        tokens.add([ANSWER.id], learnt=False)
        if ids is None:
            write_answer(tokens, turn, vocabulary, learnt=False, bare=False, most_found=most_found)
        else:
            tokens.add(ids, learnt=False)
    tokens.add([USER.id], learnt=False)
    write_question(tokens, question, regions, vocabulary)
    tokens.add([ANSWER.id], learnt=False)
    return tokens


def write_question(
    tokens: TokenSequence, question: str, regions: Mapping[str, Region], vocabulary: Vocabulary
) -> None:
    """Append a question, contractions spelt out; every ``{name}`` becomes a region token."""
    for part in split_names(question):
        tokens.add(vocabulary.encode(spelt_out(part.words)), learnt=False)
        if part.name is None:
            continue
        if part.name not in regions:
            raise UsageError(unknown_name(part.name, sorted(regions)))
        tokens.add([REGION.id], learnt=False)
        tokens.regions.append(regions[part.name])


def write_answer(
    tokens: TokenSequence, turn: Turn, vocabulary: Vocabulary, *, learnt: bool, bare: bool, most_found: int
) -> None:
    """Append an answer: marked phrases are closed by a place token and its verdict."""
    end = 0
    for mark in turn.marks:
        tokens.add(vocabulary.encode(turn.answer[end : mark.start]), learnt=learnt)
        phrase = turn.answer[mark.start : mark.end]
        tokens.add([PHRASE.id, *vocabulary.encode(phrase), PHRASE_END.id, PLACE.id], learnt=learnt)
        tokens.places.append((phrase.lower(), mark.boxes))
        if not bare:
            tokens.add(verdict(len(mark.boxes), most_found=most_found), learnt=False)
        end = mark.end
    if not bare:
        tokens.add([*vocabulary.encode(turn.answer[end:]), END.id], learnt=learnt)


def verdict(places: int, *, most_found: int) -> list[int]:
    """Return the tokens that say how many places were found.

    >>> verdict(0, most_found=5) == [NOWHERE.id], verdict(2, most_found=5) == [FOUND.id] * 2
    (True, True)
    """
    return [FOUND.id] * min(places, most_found) if places else [NOWHERE.id]
