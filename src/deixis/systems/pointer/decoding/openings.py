"""How answers begin: first words by two tokens, names with the region classifier, claims judged.

Taken alone, the article "a" beats every word that needs none, and no answer would ever be "people". What is
tried out is read by the decoding loop (``engine.policy.Probe``); numbers are compared on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.engine.embedded import Embedded
from deixis.engine.policy import Probe
from deixis.systems.pointer.decoding.place_grammar import State, forbid, next_state
from deixis.text.tokenizers.word_pieces.opening_tokens import OpeningTokens
from deixis.text.tokenizers.word_pieces.vocabulary import END

FIRST_WORDS = 6  # first tokens that are tried out
SURE = math.log(0.9)  # a first token as likely as this is taken as it is
PROBABLY = math.log(0.5)
CLASSIFIER_WEIGHT = 1.5  # what the decoder says counts as 1: it is too sure

Choice = Callable[[Tensor], int]
"""Returns one of some log-probabilities, by its number: the likeliest, or one that is drawn."""

Trial = Generator[Sequence[Probe], Tensor, Tensor]
"""Yields what is to be tried out, is sent logits, and returns log-probabilities."""


@dataclass(frozen=True)
class RegionNames:
    """What the region classifier says that a region is called; all on the CPU."""

    pieces: Tensor  # (N,) ids of the word pieces that begin a name
    likely: Tensor  # (N,) log-probabilities
    qualities: Tensor  # (M,) ids of the word pieces that tell what something is like
    articles: tuple[int, ...]  # ids of the words that may stand in front of one


@dataclass(frozen=True)
class JudgedClaim:
    """What a question says that a region is, or the likeliest of what there is to choose from."""

    phrase: tuple[int, ...]  # ids, up to the end of the answer
    odds: float  # log odds that it is so, before the decoder's yes and no
    instead: list[int]  # ids of how an answer says what else it is
    a_choice: bool
    counts: float  # how much the decoder's log odds of yes against no count beside ``odds``
    yes: int
    no: int
    comma: int


def first_scores(logits: Tensor, opening: OpeningTokens | None = None) -> Tensor:
    """Return log-probabilities (V,) of the first word; never the end: silence is no answer."""
    allowed = forbid(logits.float().cpu()[None], [State.WORDS], opening)[0]
    return allowed.index_fill(0, torch.tensor([END.id]), float("-inf")).log_softmax(dim=-1)


def scores_behind(
    tokens: Sequence[int],
    *,
    instead: Embedded | None = None,
    before: Sequence[int] = (),
    opening: OpeningTokens | None = None,
) -> Trial:
    """Return log-probabilities (N, V) of what follows each of ``tokens`` as the first word of the answer.

    instead: another prompt than the one that is being answered. before: the answer's opening.
    """
    logits = yield [Probe((*before, token), instead) for token in tokens]
    states = [next_state(State.WORDS, token, opening) or State.ENDED for token in tokens]
    return forbid(logits.float().cpu(), states, opening).log_softmax(dim=-1)


def likeliest(scores: Tensor) -> int:
    """Return the number of the largest score."""
    return int(scores.argmax())


def by_article(scores: Tensor, behind: Tensor, articles: Sequence[int]) -> Tensor:
    """Return log-probabilities (1 + A, V) of words that an answer begins with: bare, or behind articles.

    scores (V,) of the first token, behind (A, V) of what follows each article. An article alone is no word.
    """
    which = torch.tensor(articles, dtype=torch.long)
    alone = scores.index_fill(0, which, float("-inf"))
    return torch.cat([alone[None], scores[which, None] + behind])


def word_opening(
    scores: Tensor, choose: Choice, *, before: Sequence[int] = (), opening: OpeningTokens | None = None
) -> Generator[Sequence[Probe], Tensor, list[int]]:
    """Return the token that is likeliest together with its best second token, or one drawn by that."""
    if scores.max() >= SURE:
        return [choose(scores)]
    best = scores.topk(FIRST_WORDS)
    second = yield from scores_behind(best.indices.tolist(), before=before, opening=opening)
    together = best.values + second.amax(dim=-1)
    return [int(best.indices[choose(together)])]


def name_opening(said: Tensor, names: RegionNames, choose: Choice) -> list[int] | None:
    """Return the beginning of an answer that begins with a name, chosen by both; None for others.

    said (1 + A, V): what the decoder says, see ``by_article``. names: what the region classifier says.
    choose: takes the name by what both make of each. An answer begins with a name where the decoder's
    likeliest first word, whatever article stands in front, begins one, or tells a quality that is likelier
    than each name, but not than all of them ("a pink" would be no name); all others (yes, no, descriptions)
    are not for the classifier to say.
    """
    words = said.logsumexp(dim=0)
    first = words.argmax()
    a_name = words[names.pieces].logsumexp(dim=0) > PROBABLY
    if first in names.pieces or (first in names.qualities and a_name):
        return likeliest_name(said, names, choose, words=words)
    return None


def likeliest_name(
    said: Tensor,
    names: RegionNames,
    choose: Choice,
    *,
    words: Tensor | None = None,
    never: int | None = None,
) -> list[int]:
    """Return the article, if any, and the word piece of the name that is likeliest by decoder and classifier.

    said (1 + A, V): what the decoder says, see ``by_article``; words (V,) its log-probabilities whatever
    article stands in front, if they are known. never: a piece that it is not.
    """
    words = said.logsumexp(dim=0) if words is None else words
    both = words[names.pieces] + CLASSIFIER_WEIGHT * names.likely
    if never is not None:
        both = both.masked_fill(names.pieces == never, float("-inf"))
    piece = int(names.pieces[choose(both)])
    way = int(said[:, piece].argmax())
    return [piece] if way == 0 else [names.articles[way - 1], piece]


def verdict_opening(scores: Tensor, claimed: JudgedClaim) -> list[int] | None:
    """Return how an answer to a claim begins: "yes, a dog", "no, a cat", or the likeliest of a choice.

    None where there is no choice and the decoder would begin with neither yes nor no.
    """
    yes, no = scores[claimed.yes], scores[claimed.no]
    if claimed.a_choice:
        return list(claimed.phrase)
    if torch.logaddexp(yes, no) < PROBABLY:
        return None
    if claimed.odds + claimed.counts * float(yes - no) > 0:
        return [claimed.yes, claimed.comma, *claimed.phrase]
    return [claimed.no, claimed.comma, *claimed.instead]
