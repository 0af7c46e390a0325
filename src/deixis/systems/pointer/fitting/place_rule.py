"""Choosing the rule by which places are read, on pictures held out of training.

The question is "where is ...?", its phrase given, so that only places are judged. Each choice maximises what
it is for. How mass is counted: the share of right top places. The threshold of "nowhere": right places on
present phrases and right refusals on absent ones, weighed by how often either is asked for; and once more
for "is there ...?", where yes and no are equally likely. The least mass of a later place: F1 against all
boxes. What a mass is worth: logistic regression on whether top places are right (Platt, 1999).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words, phrases_of
from deixis.progress import SILENT, Progress
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.records.intents import Intent
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.place_reading import (
    UNCHANGED,
    PlaceReading,
    PlaceRule,
    evidence_of,
    picture_part,
    places_in,
    read_places,
)
from deixis.systems.pointer.prompts import dialogue_tokens
from deixis.systems.prompt import Prompt
from deixis.text.tokenizers.word_pieces.vocabulary import PLACE, Vocabulary

RIGHT = 0.5  # IoU
AGREE = (0.5, 0.6, 0.7, 0.8)
# Networks that know their own pictures too well are sure of "none" elsewhere: finer steps near 1.
NEARLY_SURE = (0.97, 0.98, 0.985, 0.99, 0.993, 0.995, 0.997, 0.998)
NOWHERE = (*(round(0.05 * step, 2) for step in range(2, 20)), *NEARLY_SURE)
PRESENT = 0.9  # how many of the things that people ask for are taken to be in the picture
WEIGH = (0.0, 0.5, 1.0)
LEAST = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
WHERE, THERE = "where is {}?", "is there {}?"
ROUNDS = 30  # of Newton's method
PRIOR = 0.1  # how firmly weights are held near 0


@dataclass(frozen=True)
class JudgedPhrase:
    """What the network says about one phrase, and where the phrase's boxes are (none: it is absent)."""

    locations: Tensor
    nowhere: Tensor
    boxes: Tensor
    inside: tuple[float, float, float, float]
    view: Frame
    original: Frame
    truth: tuple[Box, ...]
    quality: Tensor | None = None

    def read(self, rule: PlaceRule) -> PlaceReading:
        """Return what a rule reads."""
        return read_places(
            self.locations, self.nowhere, self.boxes, inside=self.inside, rule=rule, quality=self.quality
        )


def choose_rule(
    system: PointerSystem,
    scenes: Sequence[Scene],
    *,
    phrasebook: Phrasebook,
    progress: Progress = SILENT,
) -> PlaceRule:
    """Return the rule that does best on ``scenes``; the default rule where there are none."""
    items, open_items = (
        [
            item
            for scene in progress.track(scenes, f"fitting: {question.format('...')}", unit="picture")
            for item in phrase_scores(system, scene, phrasebook=phrasebook, asked=question)
        ]
        for question in (WHERE, THERE)
    )
    present = [item for item in items if item.truth]
    absent = [item for item in items if not item.truth]
    if not present or not absent:
        return PlaceRule()
    weights = WEIGH if any(item.quality is not None for item in items) else WEIGH[:1]
    open_minded = [
        PlaceRule(nowhere=1.0, agree=agree, vote=vote, weigh=weigh)
        for agree, vote, weigh in product(AGREE, (False, True), weights)
    ]
    rule = max(open_minded, key=lambda candidate: sum(hit(item, candidate) for item in present))
    right = torch.tensor([hit(item, rule) for item in present])
    shares, refused = nowhere_shares(present), nowhere_shares(absent)

    def kept(threshold: float) -> float:
        found_share = float((right & (shares <= threshold)).float().mean())
        return PRESENT * found_share + (1 - PRESENT) * float((refused > threshold).float().mean())

    rule = replace(rule, nowhere=max(NOWHERE, key=kept))
    rule = replace(rule, nowhere_if_open=denied_from(open_items), trust=trust_in(present, rule))
    return max((replace(rule, least=least) for least in LEAST), key=lambda candidate: f1(present, candidate))


def denied_from(items: Sequence[JudgedPhrase]) -> float:
    """Return the share of "nowhere" from which "no" is right most often, were half of all things there."""
    shares = nowhere_shares(items)
    there = torch.tensor([bool(item.truth) for item in items])

    def right(threshold: float) -> float:
        return float(
            (shares[there] <= threshold).float().mean() + (shares[~there] > threshold).float().mean()
        )

    return max(NOWHERE, key=right)


def trust_in(items: Sequence[JudgedPhrase], rule: PlaceRule) -> tuple[float, float, float, float]:
    """Return how the evidence for a top place is best added up to the log odds of its being right."""
    evidence, right = [], []
    for item in items:
        reading = item.read(rule)
        places = places_in(replace(reading, scores=None), view=item.view, original=item.original)
        if places:
            quality = None if reading.quality is None else reading.quality[:1]
            evidence.append(evidence_of(reading.masses[:1], reading.nowhere_share, quality)[0].numpy())
            right.append(any(places[0].box.iou(truth) >= RIGHT for truth in item.truth))
    mass, nowhere, quality_counts, shift = fitted_odds(
        np.array(evidence).reshape(-1, len(UNCHANGED)), np.array(right, dtype=float)
    )
    return mass, nowhere, quality_counts, shift


def fitted_odds(evidence: np.ndarray, right: np.ndarray) -> list[float]:
    """Return the weights (f,) of a logistic regression of ``right`` (n,) on ``evidence`` (n, f).

    Weights are held near 0 as by a few observations, so that they stay finite whatever the data.
    """
    weights = np.zeros(evidence.shape[1])
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-(evidence @ weights)))
        slope = evidence.T @ (right - likely) - PRIOR * weights
        curve = (evidence * (likely * (1 - likely))[:, None]).T @ evidence + PRIOR * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return [float(weight) for weight in weights]


@torch.inference_mode()
def phrase_scores(
    system: PointerSystem, scene: Scene, *, phrasebook: Phrasebook, asked: str = WHERE
) -> Iterator[JudgedPhrase]:
    """Yield every phrase of a scene, and as many absent ones, as the network sees them.

    asked: the question, with a slot for the phrase.
    """
    picture, scene = open_scene(scene)
    truths = {
        text: tuple(scene.thing(number).box.bind(picture.frame) for number in things)
        for text, things in phrases_of(scene).items()
    }
    rng, words = np.random.default_rng(int.from_bytes(scene.id.encode()[-8:])), caption_words(scene)
    if not scene.exhaustive:
        drawn = [phrasebook.absent(words, rng) for _ in truths]
        truths |= {text: () for text in drawn if text is not None}
    if not truths:
        return
    encoded = system.encode_one(EncoderInput(picture))
    prompts = [asking_for(text, asked, encoded, system.vocabulary) for text in truths]
    hidden = torch.stack(system.read(prompts).hidden)  # (P, W)
    pointed = system.network.point(hidden[None], encoded.tensors.places)
    quality = None if pointed.quality is None else pointed.quality[0].cpu()
    scores, nowhere, boxes = (one[0].cpu() for one in (pointed.scores, pointed.nowhere, pointed.boxes))
    view, inside = encoded.view.frame, picture_part(encoded.view.frame, picture.frame)
    for number, truth in enumerate(truths.values()):
        own = None if quality is None else quality[number]
        seen = scores[number], nowhere[number], boxes[number]
        yield JudgedPhrase(*seen, inside, view, picture.frame, truth, own)


def asking_for(phrase: str, question: str, encoded: Encoded, vocabulary: Vocabulary) -> Prompt:
    """Return a question for a phrase, whose answer has begun with it, up to its place token."""
    intent: Intent = "where" if question == WHERE else "whether"
    turn = Turn(question.format(phrase), phrase, (Mark(0, len(phrase), ()),), intent=intent)
    tokens = dialogue_tokens(Dialogue("judged", (turn,)), vocabulary)
    end = tokens.ids.index(PLACE.id) + 1
    return Prompt(tuple(tokens.ids[:end]), tuple(tokens.labels[:end]), (), (encoded,))


def boxes_read(item: JudgedPhrase, rule: PlaceRule) -> list[Box]:
    """Return the boxes that a rule reads, best first."""
    reading = item.read(rule)
    return [place.box for place in places_in(reading, view=item.view, original=item.original)]


def hit(item: JudgedPhrase, rule: PlaceRule) -> bool:
    """Tell whether the top place is one of the phrase's boxes."""
    boxes = boxes_read(item, rule)
    return bool(boxes) and any(boxes[0].iou(truth) >= RIGHT for truth in item.truth)


def f1(items: Sequence[JudgedPhrase], rule: PlaceRule) -> float:
    """Return the F1 of all places against all boxes, each box matched at most once."""
    matched = given = wanted = 0
    for item in items:
        boxes, left = boxes_read(item, rule), list(item.truth)
        given, wanted = given + len(boxes), wanted + len(left)
        for box in boxes:
            best = max(left, key=box.iou, default=None)
            if best is not None and box.iou(best) >= RIGHT:
                left.remove(best)
                matched += 1
    return 2 * matched / max(given + wanted, 1)


def nowhere_shares(items: Sequence[JudgedPhrase]) -> Tensor:
    """Return the share (n,) of "nowhere" of each item."""
    return torch.stack([torch.cat([item.locations, item.nowhere[None]]).softmax(dim=0)[-1] for item in items])
