"""Whether a region is what a question says it is: judged by what the network calls it when it isn't told.

Asked "is {it} a dog?", the decoder's own yes or no is hardly better than chance: it learnt to say names, not
to doubt them. Asked "what is {it}?", it says how likely "dog" is; that is compared with how often things are
called dogs, and with how likely the whole picture is to be called one. So it is with "is {it} red?", by what
the answer to "what is {it} like?" begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from deixis.language.claims import ARTICLES
from deixis.language.nouns import head_noun
from deixis.language.vocabulary import END, SPECIAL, Vocabulary
from deixis.layers.region_namer import NEVER, RegionNamer
from deixis.regions.shapes import Region
from deixis.systems.contract import Written
from deixis.systems.pointer.decoding import Seen, begin, embedded
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.openings import Claims, Opinion, named
from deixis.systems.pointer.prompts import draft_prompt

Sort = Literal["name", "quality"]
SORTS: tuple[Sort, ...] = get_args(Sort)
QUESTIONS: dict[Sort, str] = {"name": "what is {it}?", "quality": "what is {it} like?"}
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
class Said:
    """One thing that a question says of a region: its ids, the id that its noun or quality begins with."""

    phrase: tuple[int, ...]
    piece: int


@dataclass(frozen=True)
class Weighed:
    """What a question says of a region, all of one sort, with the evidence for each."""

    sort: Sort
    each: tuple[tuple[Said, Evidence], ...]
    ways: Tensor  # (1 + A, V): what else the region may be called, as of ``Beginning.ways``


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
    network: PointerNetwork,
    vocabulary: Vocabulary,
    seen: Seen,
    prompts: Mapping[int, Written],
    *,
    whole: Region,
    articles: Sequence[int],
) -> dict[int, Weighed]:
    """Return, by number, what the network makes of what prompts claim, where it knows all names.

    whole: all of the picture, in the frame of the view. articles: ids of words that may stand before names.
    """
    namer = network.region_namer
    known: dict[Sort, dict[int, list[Said]]] = {sort: {} for sort in SORTS}
    for number, prompt in prompts.items():
        sort, said = known_claims(prompt.claims, vocabulary, namer)
        if said:
            known[sort][number] = said
    weighed = {}
    for sort, asked in known.items():
        if not asked:
            continue
        regions = list(dict.fromkeys([whole, *(prompts[number].regions[-1] for number in asked)]))
        ways = ways_to_call(network, vocabulary, seen, regions, question=QUESTIONS[sort], articles=articles)
        likely = ways.logsumexp(dim=1).log_softmax(dim=-1).clamp(min=LEAST_LIKELY)  # (R, V)
        usual = usual_of(namer, sort)
        for number, each in asked.items():
            row = regions.index(prompts[number].regions[-1])
            evidence = [
                Evidence(float(likely[row, one.piece]), float(likely[0, one.piece]), float(usual[one.piece]))
                for one in each
            ]
            weighed[number] = Weighed(sort, tuple(zip(each, evidence, strict=True)), ways[row])
    return weighed


def usual_of(namer: RegionNamer, sort: Sort) -> Tensor:
    """Return the log shares (V,) of names, or of qualities."""
    return namer.usual_names if sort == "name" else namer.usual_qualities


def known_claims(
    claims: Sequence[str], vocabulary: Vocabulary, namer: RegionNamer
) -> tuple[Sort, list[Said]]:
    """Return what is claimed, and of which sort it is; nothing unless all of it can be judged.

    A word that mostly stands in front of nouns is one itself behind an article ("an orange"), else a quality
    ("orange"). "A red shirt or a blue shirt?" can't be told apart by "shirt".
    """
    nouns = set(namer.pieces.tolist())
    sorts: set[Sort] = set()
    said = []
    for claim in claims:
        phrase, pieces = tuple(vocabulary.encode(claim)), vocabulary.encode(head_noun(claim))
        if not pieces or min(phrase) < len(SPECIAL):
            return "name", []
        piece = pieces[0]
        sort: Sort = "name" if piece in nouns or claim.split()[0] in ARTICLES else "quality"
        if usual_of(namer, sort)[piece] <= NEVER / 2:
            return sort, []
        sorts.add(sort)
        said.append(Said(phrase, piece))
    if len(sorts) != 1 or len({one.piece for one in said}) < len(said):
        return "name", []
    return sorts.pop(), said


def ways_to_call(
    network: PointerNetwork,
    vocabulary: Vocabulary,
    seen: Seen,
    regions: Sequence[Region],
    *,
    question: str,
    articles: Sequence[int],
) -> Tensor:
    """Return how likely words begin the answer about each region (R, 1 + A, V), as of ``Beginning.ways``."""
    prompts = [
        Written(tuple(draft.ids), tuple(draft.labels), tuple(draft.regions))
        for draft in (draft_prompt(question, {"it": region}, vocabulary) for region in regions)
    ]
    start = begin(network, seen, embedded(network, seen, prompts))
    return start.ways(torch.arange(len(regions)), torch.tensor(articles, dtype=torch.long))


def judged(
    weighed: Weighed,
    rules: Mapping[Sort, ClaimRule],
    *,
    opinion: Opinion,
    words: VerdictWords,
) -> Claims:
    """Return claims with the log odds that a rule makes of their evidence.

    opinion: the namer's, of the region.
    """
    rule = rules[weighed.sort]
    odds = [
        rule.called * own.called + rule.around * own.around + rule.usual * own.usual + rule.shift
        for _, own in weighed.each
    ]
    best = max(range(len(odds)), key=odds.__getitem__)
    said = weighed.each[best][0]
    others = opinion.qualities[opinion.qualities != said.piece]
    if weighed.sort == "name" or len(others) == 0:
        instead = named(weighed.ways, opinion, never=said.piece)
    else:
        likeliest = others[weighed.ways.logsumexp(dim=0)[others].argmax()]
        instead = [int(likeliest), words.stop, END.id]
    return Claims(
        (*said.phrase, words.stop, END.id),
        odds[best],
        instead,
        a_choice=len(odds) > 1,
        counts=rule.said,
        yes=words.yes,
        no=words.no,
        comma=words.comma,
    )
