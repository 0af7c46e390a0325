"""How answers begin: the first word chosen together with the second, names by two opinions, claims judged.

Taken alone, the article "a" beats every word that needs none, and no answer would ever be "people".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from deixis.language.place_grammar import State, forbid, next_state
from deixis.language.vocabulary import END
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.stepping import step

FIRST_WORDS = 6  # first tokens that are tried out
SURE = math.log(0.9)  # a first token as likely as this is taken as it is
PROBABLY = math.log(0.5)
NAMER_WEIGHT = 1.5  # the decoder's opinion counts as 1: it is too sure of its own


@dataclass(frozen=True)
class Opinion:
    """What the namer thinks that a region is called."""

    pieces: Tensor  # (N,) ids of the word pieces that begin a name
    likely: Tensor  # (N,) log-probabilities
    qualities: Tensor  # (M,) ids of the word pieces that tell what something is like
    articles: tuple[int, ...]  # ids of the words that may stand in front of one


@dataclass(frozen=True)
class Claims:
    """What a question says that a region is, or the likeliest of what there is to choose from."""

    phrase: tuple[int, ...]  # ids, up to the end of the answer
    odds: float  # log odds that it is so, before the decoder's yes and no
    instead: list[int]  # ids of how an answer says what else it is
    a_choice: bool
    counts: float  # how much the decoder's log odds of yes against no count beside ``odds``
    yes: int
    no: int
    comma: int


@dataclass(frozen=True)
class Beginning:
    """Answers of which nothing is written yet."""

    network: PointerNetwork
    scores: Tensor  # (B, V) log-probabilities of the first token; never the end: silence is no answer
    cache: DynamicCache
    keys_seen: Tensor  # (B, keys)
    position: Tensor  # (B, 1) of the last prompt token

    @classmethod
    def of(
        cls,
        network: PointerNetwork,
        logits: Tensor,
        cache: DynamicCache,
        *,
        keys_seen: Tensor,
        position: Tensor,
    ) -> Beginning:
        """Return the beginning of answers whose first tokens have these logits (B, V)."""
        scores = logits.index_fill(1, torch.tensor([END.id]), float("-inf")).log_softmax(dim=-1)
        return cls(network, scores, cache, keys_seen, position)

    def after(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """Return log-probabilities (N, V) of what follows ``tokens`` (N,) in the answers ``rows`` (N,)."""
        branches = DynamicCache(config=self.network.decoder.config)
        layers: list[Any] = list(self.cache.layers)
        for number, layer in enumerate(layers):
            branches.update(layer.keys[rows], layer.values[rows], number)
        visible = torch.cat([self.keys_seen[rows], torch.ones(len(rows), 1, dtype=torch.bool)], dim=1)
        hidden = step(
            self.network,
            self.network.words(tokens[:, None]),
            visible[:, None],
            self.position[rows] + 1,
            branches,
        )[:, -1]
        states = [next_state(State.WORDS, token) or State.ENDED for token in tokens.tolist()]
        return forbid(self.network.words.logits(hidden), states).log_softmax(dim=-1)

    def ways(self, rows: Tensor, articles: Tensor) -> Tensor:
        """Return log-probabilities (N, 1 + A, V) of words that answers begin with: bare, or behind articles.

        rows (N,), articles (A,): an article alone is no word.
        """
        behind = self.after(rows.repeat_interleave(len(articles)), articles.repeat(len(rows)))
        alone = self.scores[rows].index_fill(1, articles, float("-inf"))
        after = self.scores[rows][:, articles, None] + behind.unflatten(0, (len(rows), len(articles)))
        return torch.cat([alone[:, None], after], dim=1)


def openings(
    start: Beginning, opinions: Mapping[int, Opinion], claims: Mapping[int, Claims]
) -> list[list[int]]:
    """Return the first token or tokens of each answer.

    opinions: by row, for answers to questions about one region. claims: by row, for those of them that say
    what it is.
    """
    said = judgements(start, claims)
    said |= names(start, {row: opinion for row, opinion in opinions.items() if row not in said})
    said |= first_words(start, [row for row in range(len(start.scores)) if row not in said])
    return [said[row] for row in range(len(start.scores))]


def first_words(start: Beginning, rows: Sequence[int]) -> dict[int, list[int]]:
    """Return, for each of the rows, the token that is likeliest together with its best second token."""
    said = {row: [int(start.scores[row].argmax())] for row in rows}
    doubtful = torch.tensor([row for row in rows if start.scores[row].max() < SURE], dtype=torch.long)
    if len(doubtful) == 0:
        return said
    best = start.scores[doubtful].topk(FIRST_WORDS)
    second = start.after(doubtful.repeat_interleave(FIRST_WORDS), best.indices.flatten()).amax(dim=-1)
    together = best.values + second.view_as(best.values)
    chosen = best.indices.gather(1, together.argmax(dim=-1, keepdim=True))[:, 0]
    return said | {row: [token] for row, token in zip(doubtful.tolist(), chosen.tolist(), strict=True)}


def names(start: Beginning, opinions: Mapping[int, Opinion]) -> dict[int, list[int]]:
    """Return the openings of the answers that begin with a name, by what both opinions make of it.

    An answer begins with a name where the decoder's likeliest first word, whatever article stands in front,
    begins one, or tells a quality that is likelier than each name, but not than all of them ("a pink" would
    be no name); all others (yes, no, descriptions) are none of the namer's business.
    """
    if not opinions:
        return {}
    rows = torch.tensor(list(opinions))
    articles = torch.tensor(next(iter(opinions.values())).articles, dtype=torch.long)
    said: dict[int, list[int]] = {}
    for ways, (row, opinion) in zip(start.ways(rows, articles), opinions.items(), strict=True):
        words = ways.logsumexp(dim=0)
        first = words.argmax()
        a_name = words[opinion.pieces].logsumexp(dim=0) > PROBABLY
        if first in opinion.pieces or (first in opinion.qualities and a_name):
            said[row] = named(ways, opinion)
    return said


def named(ways: Tensor, opinion: Opinion, *, never: int | None = None) -> list[int]:
    """Return the article, if any, and the word piece of the name that both opinions like best.

    ways (1 + A, V): the decoder's opinion, as of ``Beginning.ways``. never: a piece that it is not.
    """
    both = ways.logsumexp(dim=0)[opinion.pieces] + NAMER_WEIGHT * opinion.likely
    if never is not None:
        both = both.masked_fill(opinion.pieces == never, float("-inf"))
    piece = int(opinion.pieces[both.argmax()])
    way = int(ways[:, piece].argmax())
    return [piece] if way == 0 else [opinion.articles[way - 1], piece]


def judgements(start: Beginning, claims: Mapping[int, Claims]) -> dict[int, list[int]]:
    """Return the openings of answers to claims: "yes, a dog", "no, a cat", or the likeliest of a choice.

    Where there is no choice and the decoder would begin with neither yes nor no, the answer is left alone.
    """
    said: dict[int, list[int]] = {}
    for row, claimed in claims.items():
        yes, no = start.scores[row, claimed.yes], start.scores[row, claimed.no]
        if claimed.a_choice:
            said[row] = list(claimed.phrase)
        elif torch.logaddexp(yes, no) < PROBABLY:
            continue
        elif claimed.odds + claimed.counts * float(yes - no) > 0:
            said[row] = [claimed.yes, claimed.comma, *claimed.phrase]
        else:
            said[row] = [claimed.no, claimed.comma, *claimed.instead]
    return said
