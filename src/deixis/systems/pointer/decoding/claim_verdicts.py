"""Whether a region is what a question says it is: judged by what the network calls it when it isn't told.

Asked "is {it} a dog?", the decoder's own yes or no is hardly better than chance: it learnt to say names, not
to doubt them. Asked "what is {it}?", it says how likely "dog" is; that is compared with how often things are
called dogs, and with how likely the whole picture is to be called one. So it is with "is {it} red?", by what
the answer to "what is {it} like?" begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from deixis.engine.embedded import Embedded
from deixis.engine.policy import Probe
from deixis.english.nouns import head_noun
from deixis.english.word_classes import ARTICLES_AND_SOME
from deixis.layers.regions.region_classifier import NEVER, RegionClassifier
from deixis.systems.pointer.decoding.openings import (
    JudgedClaim,
    RegionNames,
    by_article,
    first_scores,
    likeliest,
    likeliest_name,
    scores_behind,
)
from deixis.text.tokenizers.word_pieces.vocabulary import END, SPECIAL, Vocabulary

Sort = Literal["name", "quality"]
SORTS: tuple[Sort, ...] = get_args(Sort)
QUESTIONS: dict[Sort, str] = {"name": "what is {it}?", "quality": "what is {it} like?"}
INTENTS: dict[Sort, str] = {"name": "name", "quality": "tell"}  # of these questions
LEAST_LIKELY = -15.0  # log-probabilities below this are all alike


@dataclass(frozen=True)
class ClaimRule:
    """How the evidence for a claim adds up to log odds (logistic regression), from pictures held out.

    said: weight of the decoder's log odds of yes against no. called: of the log-probability of the name, or
    quality, where the region's is asked for. around: of the same where that of the whole picture is asked
    for. usual: of the log of how often things have it. shift: what is added.
    """

    said: float
    called: float
    around: float
    usual: float
    shift: float


class Evidence(NamedTuple):
    """What speaks for a claim, see ClaimRule; before yes and no."""

    called: float
    around: float
    usual: float


@dataclass(frozen=True)
class KnownClaim:
    """One thing that a question says of a region: its ids, the id that its noun or quality begins with."""

    phrase: tuple[int, ...]
    piece: int


@dataclass(frozen=True)
class Weighed:
    """What a question says of a region, all of one sort, with the evidence for each."""

    sort: Sort
    each: tuple[tuple[KnownClaim, Evidence], ...]
    said: Tensor  # (1 + A, V): what else the region may be called, see ``openings.by_article``


Weighing = Generator[Sequence[Probe], Tensor, Weighed | None]
"""Yields what is to be tried out, is sent logits, and returns the evidence."""


@dataclass(frozen=True)
class VerdictWords:
    """The words of a verdict, as ids; None of them where the vocabulary has to spell them."""

    yes: int
    no: int
    comma: int
    stop: int

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> VerdictWords | None:
        """Return the ids of yes, no, the comma and the full stop, if each is one piece."""
        ids = [vocabulary.encode(word) for word in ("yes", "no", ",", ".")]
        if any(len(pieces) != 1 or pieces[0] < len(SPECIAL) for pieces in ids):
            return None
        return cls(*(pieces[0] for pieces in ids))


def weigh(
    claims: Sequence[str],
    vocabulary: Vocabulary,
    classifier: RegionClassifier,
    *,
    prompts: Callable[[str], tuple[Embedded, Embedded]],
    articles: Sequence[int],
) -> Weighing:
    """Return what the network makes of what a question claims; None unless it knows all of it.

    prompts: turns a question about {it} into prompts about the region and about all of the picture.
    articles: ids of words that may stand before names. An answer that has an opening begins with that of the
    question that is asked instead.
    """
    sort, each = known_claims(claims, vocabulary, classifier)
    if not each:
        return None
    said, opening = [], vocabulary.opening
    before = () if opening is None else (opening.intents[INTENTS[sort]],)
    for prompt in prompts(QUESTIONS[sort]):
        logits = yield [Probe(before, prompt)]
        behind = yield from scores_behind(articles, instead=prompt, before=before, opening=opening)
        said.append(by_article(first_scores(logits[0], opening), behind, articles))
    likely = torch.stack(said).logsumexp(dim=1).log_softmax(dim=-1).clamp(min=LEAST_LIKELY)  # (2, V)
    usual = usual_of(classifier, sort)
    evidence = [
        Evidence(float(likely[0, one.piece]), float(likely[1, one.piece]), float(usual[one.piece]))
        for one in each
    ]
    return Weighed(sort, tuple(zip(each, evidence, strict=True)), said[0])


def usual_of(classifier: RegionClassifier, sort: Sort) -> Tensor:
    """Return the log shares (V,) of names, or of qualities."""
    return classifier.usual_names if sort == "name" else classifier.usual_qualities


def known_claims(
    claims: Sequence[str], vocabulary: Vocabulary, classifier: RegionClassifier
) -> tuple[Sort, list[KnownClaim]]:
    """Return what is claimed, and of which sort it is; nothing unless all of it can be judged.

    A word that mostly stands in front of nouns is one itself behind an article ("an orange"), else a quality
    ("orange"). "A red shirt or a blue shirt?" can't be told apart by "shirt".
    """
    nouns = set(classifier.pieces.tolist())
    sorts: set[Sort] = set()
    said = []
    for claim in claims:
        phrase, pieces = tuple(vocabulary.encode(claim)), vocabulary.encode(head_noun(claim))
        if not pieces or min(phrase) < len(SPECIAL):
            return "name", []
        piece = pieces[0]
        sort: Sort = "name" if piece in nouns or claim.split()[0] in ARTICLES_AND_SOME else "quality"
        if usual_of(classifier, sort)[piece] <= NEVER / 2:
            return sort, []
        sorts.add(sort)
        said.append(KnownClaim(phrase, piece))
    if len(sorts) != 1 or len({one.piece for one in said}) < len(said):
        return "name", []
    return sorts.pop(), said


def judged(
    weighed: Weighed,
    rules: Mapping[Sort, ClaimRule],
    *,
    names: RegionNames,
    words: VerdictWords,
) -> JudgedClaim:
    """Return claims with the log odds that a rule makes of their evidence.

    names: what the region classifier says of the region.
    """
    rule = rules[weighed.sort]
    odds = [
        rule.called * own.called + rule.around * own.around + rule.usual * own.usual + rule.shift
        for _, own in weighed.each
    ]
    best = max(range(len(odds)), key=odds.__getitem__)
    said = weighed.each[best][0]
    others = names.qualities[names.qualities != said.piece]
    if weighed.sort == "name" or len(others) == 0:
        instead = likeliest_name(weighed.said, names, likeliest, never=said.piece)
    else:
        quality = others[likeliest(weighed.said.logsumexp(dim=0)[others])]
        instead = [int(quality), words.stop, END.id]
    return JudgedClaim(
        (*said.phrase, words.stop, END.id),
        odds[best],
        instead,
        a_choice=len(odds) > 1,
        counts=rule.said,
        yes=words.yes,
        no=words.no,
        comma=words.comma,
    )
