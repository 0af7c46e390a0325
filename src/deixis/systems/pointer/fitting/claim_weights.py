"""Choosing how evidence for claims adds up, on pictures held out of training.

Every thing that some phrase means alone is said to be what it is, and something that it is not, as often, and
so with what it is like; the weights are those of a logistic regression on what is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.data.synthesis.claims import YES, Claim, claims_about
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.data.synthesis.qualities import Qualities
from deixis.engine.starting import first_logits, tried_out
from deixis.progress import SILENT, Progress
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.claim_verdicts import ClaimRule, Sort, VerdictWords, Weighed
from deixis.systems.pointer.decoding.openings import first_scores
from deixis.systems.pointer.decoding.policy import weighed_claims
from deixis.systems.pointer.fitting.place_rule import fitted_odds
from deixis.systems.pointer.prompts import opening_ids
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from deixis.text.tokenizers.word_pieces.opening_tokens import JUDGE

QUESTION = "is {{it}} {}?"
BATCH = 64
SEED = 0
Claimed = Callable[[Scene], Iterable[Claim]]


def choose_claim_rules(
    system: PointerSystem,
    scenes: Sequence[Scene],
    *,
    book: Phrasebook,
    qualities: Qualities,
    progress: Progress = SILENT,
) -> dict[Sort, ClaimRule]:
    """Return the rules that do best on ``scenes``, by sort; none where nothing can be said."""
    rules: dict[Sort, ClaimRule] = {}
    claimed: dict[Sort, Claimed] = {
        "name": partial(claims_about, book=book, seed=SEED),
        "quality": partial(qualities.claims_about, seed=SEED),
    }
    for sort, claims in claimed.items():
        tracked = progress.track(scenes, f"fitting: claims by {sort}", unit="picture")
        rows = [
            row for scene in tracked for row in evidence_of(system, scene, list(claims(scene)), sort=sort)
        ]
        right = np.array([true for _, true in rows], dtype=float)
        if 0 < right.sum() < len(right):
            said, called, around, usual, shift = fitted_odds(np.array([row for row, _ in rows]), right)
            rules[sort] = ClaimRule(said=said, called=called, around=around, usual=usual, shift=shift)
    return rules


@torch.inference_mode()
def evidence_of(
    system: PointerSystem, scene: Scene, claims: Sequence[Claim], *, sort: Sort
) -> Iterator[tuple[list[float], bool]]:
    """Yield what speaks for each claim of a sort of a scene, as ClaimRule has it, and whether it is true."""
    words = VerdictWords.of(system.vocabulary)
    if words is None or not claims:
        return
    picture, scene = open_scene(scene)
    prompts = system.prompts(
        [
            checked_question(
                QUESTION.format(claim.said),
                {"it": scene.thing(claim.thing).box.bind(picture.frame)},
                picture,
            )
            for claim in claims
        ]
    )
    for first in range(0, len(prompts), BATCH):
        lot = prompts[first : first + BATCH]
        weighed_lot = weighed_all(system, lot, claims[first : first + BATCH])
        for claim, (weighed, scores) in zip(claims[first:], weighed_lot, strict=False):
            if weighed is None or weighed.sort != sort:
                continue
            ((_, evidence),) = weighed.each
            yield [float(scores[words.yes] - scores[words.no]), *evidence, 1.0], claim.truth == YES


def weighed_all(
    system: PointerSystem, prompts: Sequence[Prompt], claims: Sequence[Claim] = ()
) -> list[tuple[Weighed | None, Tensor]]:
    """Return what prompts claim, weighed, and the log-probabilities (V,) of what answers begin with.

    claims: of each prompt, read where answers have an opening that says it; it is put there.
    """
    opening = system.vocabulary.opening
    each = [prompt.own.claims for prompt in prompts]
    if opening is not None:
        each = [(claim.said,) for claim in claims]
        begun = [opening_ids(JUDGE, said, system.vocabulary) for said in each]
        prompts = [
            replace(prompt, ids=(*prompt.ids, *ids)) for prompt, ids in zip(prompts, begun, strict=True)
        ]
    readings = system.read(prompts)
    scores = [first_scores(own, opening) for own in first_logits(readings).unbind(0)]
    asked = zip(prompts, each, strict=True)
    weighed = tried_out(readings, [weighed_claims(system, *one) for one in asked])
    return list(zip(weighed, scores, strict=True))
