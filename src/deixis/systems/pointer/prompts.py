"""How a dialogue becomes tokens of the pointer system.

    <picture> x N  <user> what is <region> ? <answer> a dog . <end>
    <picture> x N  <user> where is the dog ? <answer> <p> the dog </p> <place> <found> is here . <end>
    <picture> x N  <user> how many dogs ? <answer> <p> dogs </p> <place> <found> <found> : two . <end>

The hidden state at ``<place>`` is the query for places. The verdict behind it, ``<found>`` or ``<nowhere>``,
is never predicted: it is what the place head decided, told to the language model so that its words agree.
Where ``most_found`` is more than 1 there is a ``<found>`` for each place, up to so many.

Where the vocabulary has opening tokens, an answer begins with what its question is meant to get:

    <user> where is the dog ? <answer> <where> <p> the dog </p> <place> <found> is here . <end>
    <user> is <region> a cat ? <answer> <judge> a cat <claimed> no , a dog . <end>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deixis.english.contractions import without_contractions
from deixis.errors import UsageError
from deixis.records.dialogue import Dialogue, Turn
from deixis.regions.names import split_names, unknown_name
from deixis.regions.shapes import Region
from deixis.text.plain_characters import plain_characters
from deixis.text.token_sequence import TokenSequence
from deixis.text.tokenizers.word_pieces.opening_tokens import JUDGE, TELL
from deixis.text.tokenizers.word_pieces.unknown_words import listed, unknown_words
from deixis.text.tokenizers.word_pieces.vocabulary import (
    ANSWER,
    END,
    FOUND,
    LONGEST_WORD,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    REGION,
    USER,
    Vocabulary,
)


@dataclass(frozen=True)
class AskedAbout:
    """What a prompt asks.

    presumes: whether the question takes for granted that what it asks for is in the picture. claims: what it
    says that its only region is, or offers to choose from, see ``english.claim_parser``.
    """

    presumes: bool = True
    claims: tuple[str, ...] = ()


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
            write_opening(tokens, turn, vocabulary, learnt=dialogue.words_learnt)
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
    and the answer's words are written anew. UsageError for words that the vocabulary can't spell.
    """
    tokens = TokenSequence()
    for turn, ids in zip(before, said or [None] * len(before), strict=True):
        tokens.add([USER.id], learnt=False)
        write_question(tokens, turn.question, dict(turn.regions), vocabulary)
        tokens.add([ANSWER.id], learnt=False)
        if ids is None:
            write_opening(tokens, turn, vocabulary, learnt=False)
            write_answer(tokens, turn, vocabulary, learnt=False, bare=False, most_found=most_found)
        else:
            tokens.add(ids, learnt=False)
    for asked in (*(turn.question for turn in before), question):
        check_readable(asked, vocabulary)
    tokens.add([USER.id], learnt=False)
    write_question(tokens, question, regions, vocabulary)
    tokens.add([ANSWER.id], learnt=False)
    return tokens


def write_question(
    tokens: TokenSequence, question: str, regions: Mapping[str, Region], vocabulary: Vocabulary
) -> None:
    """Append a question, contractions spelt out; every ``{name}`` becomes a region token."""
    for part in split_names(question):
        tokens.add(vocabulary.encode(read_as(part.words)), learnt=False)
        if part.name is None:
            continue
        if part.name not in regions:
            raise UsageError(unknown_name(part.name, sorted(regions)))
        tokens.add([REGION.id], learnt=False)
        tokens.regions.append(regions[part.name])


def read_as(words: str) -> str:
    """Return the words of a question as they are read: contractions spelt out, typography plain."""
    return without_contractions(plain_characters(words))


def check_readable(question: str, vocabulary: Vocabulary) -> None:
    """Raise UsageError where a question has words that can't be spelt: an answer would be a guess."""
    parts = [read_as(part.words) for part in split_names(question)]
    words = list(dict.fromkeys(word for part in parts for word in unknown_words(part, vocabulary)))
    if words:
        raise UsageError(
            f"the question has words that this system doesn't know and can't spell: {listed(words)}. It "
            f"reads English in the letters a to z, words of up to {LONGEST_WORD} letters; ask in English"
        )


def write_opening(tokens: TokenSequence, turn: Turn, vocabulary: Vocabulary, *, learnt: bool) -> None:
    """Append what a question is meant to get and what it claims, where the vocabulary has tokens for it.

    Where nobody says what a question is meant to get, an answer tells something, and that is not learnt.
    """
    if vocabulary.opening is not None:
        learnt = learnt and turn.intent is not None
        tokens.add(opening_ids(turn.intent or TELL, turn.claims, vocabulary), learnt=learnt)


def opening_ids(intent: str, claims: Sequence[str], vocabulary: Vocabulary) -> list[int]:
    """Return the tokens of an opening. claims: what a question to judge says that a region is."""
    opening = vocabulary.opening
    assert opening is not None
    if intent != JUDGE or not claims:
        return [opening.intents[TELL if intent == JUDGE else intent]]
    ids = [opening.intents[JUDGE]]
    for number, claim in enumerate(claims):
        ids += [opening.either] * (number > 0) + vocabulary.encode(claim)
    return [*ids, opening.claimed]


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


def asks_about_one(ids: Sequence[int]) -> bool:
    """Tell whether the last question of a prompt is about exactly one region.

    >>> asks_about_one([USER.id, REGION.id, USER.id, 20]), asks_about_one([USER.id, 20, REGION.id])
    (False, True)
    """
    question = ids[len(ids) - ids[::-1].index(USER.id) :]
    return question.count(REGION.id) == 1
