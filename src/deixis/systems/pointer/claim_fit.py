"""Choosing how evidence for claims adds up, on pictures held out of training.

Every thing that some phrase means alone is said to be what it is, and something that it is not, as often, and
so with what it is like; the weights are those of a logistic regression on what is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch

from deixis.data.claims import YES, Claim, claims_about
from deixis.data.phrasebook import Phrasebook
from deixis.data.qualities import Qualities
from deixis.data.scene import Scene
from deixis.pictures.opening import open_picture
from deixis.systems.contract import checked_question
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.calibration import fitted_odds
from deixis.systems.pointer.claims import ClaimRule, Sort, VerdictWords
from deixis.systems.pointer.decoding import begin, embedded

QUESTION = "is {{it}} {}?"
BATCH = 64
SEED = 0
Claimed = Callable[[Scene], Iterable[Claim]]


def choose_claim_rules(
    system: PointerSystem, scenes: Sequence[Scene], *, book: Phrasebook, qualities: Qualities
) -> dict[Sort, ClaimRule]:
    """Return the rules that do best on ``scenes``, by sort; none where nothing can be said."""
    rules: dict[Sort, ClaimRule] = {}
    claimed: dict[Sort, Claimed] = {
        "name": partial(claims_about, book=book, seed=SEED),
        "quality": partial(qualities.claims_about, seed=SEED),
    }
    for sort, claims in claimed.items():
        rows = [row for scene in scenes for row in evidence_of(system, scene, list(claims(scene)), sort=sort)]
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
    perception = system.perceive(open_picture(scene.picture.read()))
    frame = perception.picture.frame
    prompts = [
        system.write(
            checked_question(
                QUESTION.format(claim.said),
                {"it": scene.thing(claim.thing).box.bind(frame)},
                perception.picture,
            ),
            perception,
        )
        for claim in claims
    ]
    for first in range(0, len(prompts), BATCH):
        batch = prompts[first : first + BATCH]
        weighed = system.weigh_claims(perception, dict(enumerate(batch)))
        start = begin(system.network, perception.tensors, embedded(system.network, perception.tensors, batch))
        for number, one in weighed.items():
            if one.sort != sort:
                continue
            said = float(start.scores[number, words.yes] - start.scores[number, words.no])
            ((_, evidence),) = one.each
            yield [said, *evidence, 1.0], claims[first + number].truth == YES
