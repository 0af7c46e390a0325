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

from deixis.data.dialogue import Dialogue, Mark, Turn
from deixis.data.phrasebook import Phrasebook, caption_words, phrases_of
from deixis.data.scene import Scene
from deixis.language.packing import packed_attention
from deixis.language.vocabulary import PICTURE, PLACE, Vocabulary
from deixis.pictures.opening import open_picture
from deixis.pictures.padding import letterbox
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box
from deixis.systems.pointer.collate import lay_out
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.places import (
    NEVER_SURE,
    PlaceRule,
    picture_part,
    places_in,
    read_places,
)
from deixis.systems.pointer.prompts import draft_dialogue

RIGHT = 0.5  # IoU
AGREE = (0.5, 0.6, 0.7, 0.8)
NOWHERE = tuple(round(0.05 * step, 2) for step in range(2, 20))
PRESENT = 0.85  # how many of the things that people ask for are taken to be in the picture
LEAST = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
WHERE, THERE = "where is {}?", "is there {}?"
ROUNDS = 30  # of Newton's method


@dataclass(frozen=True)
class Judged:
    """What the network says about one phrase, and where the phrase's boxes are (none: it is absent)."""

    locations: Tensor
    nowhere: Tensor
    boxes: Tensor
    inside: tuple[float, float, float, float]
    view: Frame
    original: Frame
    truth: tuple[Box, ...]


def choose_rule(
    network: PointerNetwork, vocabulary: Vocabulary, scenes: Sequence[Scene], *, phrasebook: Phrasebook
) -> PlaceRule:
    """Return the rule that does best on ``scenes``; the default rule where there are none."""
    items, open_items = (
        [
            item
            for scene in scenes
            for item in judge(network, vocabulary, scene, phrasebook=phrasebook, asked=question)
        ]
        for question in (WHERE, THERE)
    )
    present = [item for item in items if item.truth]
    absent = [item for item in items if not item.truth]
    if not present or not absent:
        return PlaceRule()
    open_minded = [
        PlaceRule(nowhere=1.0, agree=agree, vote=vote) for agree, vote in product(AGREE, (False, True))
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


def denied_from(items: Sequence[Judged]) -> float:
    """Return the share of "nowhere" from which "no" is right most often, were half of all things there."""
    shares = nowhere_shares(items)
    there = torch.tensor([bool(item.truth) for item in items])

    def right(threshold: float) -> float:
        return float(
            (shares[there] <= threshold).float().mean() + (shares[~there] > threshold).float().mean()
        )

    return max(NOWHERE, key=right)


def trust_in(items: Sequence[Judged], rule: PlaceRule) -> tuple[float, float]:
    """Return the scale and shift of the log odds of a top place's mass that best tell whether it is right."""
    masses, right = [], []
    for item in items:
        reading = read_places(item.locations, item.nowhere, item.boxes, inside=item.inside, rule=rule)
        places = places_in(replace(reading, scores=None), view=item.view, original=item.original)
        if places:
            masses.append(float(reading.masses[0]))
            right.append(any(places[0].box.iou(truth) >= RIGHT for truth in item.truth))
    return fitted_odds(np.array(masses), np.array(right, dtype=float))


def fitted_odds(masses: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Return scale and shift of a logistic regression of ``right`` (n,) on the log odds of ``masses`` (n,).

    One observation of either kind is added at either end, so that it stays finite whatever the data.
    """
    clipped = np.clip(np.concatenate([masses, [0.1, 0.9, 0.1, 0.9]]), NEVER_SURE, 1 - NEVER_SURE)
    wanted = np.concatenate([right, [0.0, 1.0, 1.0, 0.0]])
    inputs = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(clipped))], axis=1)  # (n, 2)
    weights = np.zeros(2)
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (wanted - likely)
        curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(curve, slope)
    # A larger mass is never less trusted: the order of places would contradict their scores.
    return max(float(weights[0]), 0.0), float(weights[1])


@torch.inference_mode()
def judge(
    network: PointerNetwork,
    vocabulary: Vocabulary,
    scene: Scene,
    *,
    phrasebook: Phrasebook,
    asked: str = WHERE,
) -> Iterator[Judged]:
    """Yield every phrase of a scene, and as many absent ones, as the network sees them.

    asked: the question, with a slot for the phrase.
    """
    picture = open_picture(scene.picture.read())
    view = letterbox(picture, network.config.side)
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
    drafts = [
        draft_dialogue(
            Dialogue("judged", (Turn(asked.format(text), text, (Mark(0, len(text), ()),)),)), vocabulary
        )
        for text in truths
    ]
    row = lay_out(drafts, network.config.picture_tokens)
    ids, segments = torch.tensor([row.ids]), torch.tensor([row.segments])
    pixels = torch.from_numpy(view.pixels).permute(2, 0, 1)[None].float() / 255
    places = network.perceive(pixels)
    embeds = network.words(ids)
    embeds[ids == PICTURE.id] = network.reader(places)[0]
    hidden = network.decoder(
        inputs_embeds=embeds,
        attention_mask=packed_attention(segments, dtype=embeds.dtype),
        position_ids=torch.tensor([row.positions]),
        use_cache=False,
    ).last_hidden_state
    slots = [slot for slot, token in enumerate(row.ids) if token == PLACE.id]
    pointed = network.point(hidden[:, slots], places)
    inside = picture_part(view.frame, picture.frame)
    for number, truth in enumerate(truths.values()):
        yield Judged(
            pointed.scores[0, number],
            pointed.nowhere[0, number],
            pointed.boxes[0, number],
            inside,
            view.frame,
            picture.frame,
            truth,
        )


def found(item: Judged, rule: PlaceRule) -> list[Box]:
    """Return the boxes that a rule reads, best first."""
    reading = read_places(item.locations, item.nowhere, item.boxes, inside=item.inside, rule=rule)
    return [place.box for place in places_in(reading, view=item.view, original=item.original)]


def hit(item: Judged, rule: PlaceRule) -> bool:
    """Tell whether the top place is one of the phrase's boxes."""
    boxes = found(item, rule)
    return bool(boxes) and any(boxes[0].iou(truth) >= RIGHT for truth in item.truth)


def f1(items: Sequence[Judged], rule: PlaceRule) -> float:
    """Return the F1 of all places against all boxes, each box matched at most once."""
    matched = given = wanted = 0
    for item in items:
        boxes, left = found(item, rule), list(item.truth)
        given, wanted = given + len(boxes), wanted + len(left)
        for box in boxes:
            best = max(left, key=box.iou, default=None)
            if best is not None and box.iou(best) >= RIGHT:
                left.remove(best)
                matched += 1
    return 2 * matched / max(given + wanted, 1)


def nowhere_shares(items: Sequence[Judged]) -> Tensor:
    """Return the share (n,) of "nowhere" of each item."""
    return torch.stack([torch.cat([item.locations, item.nowhere[None]]).softmax(dim=0)[-1] for item in items])
