"""What the pointer network learns from: places, boxes, words and, while training, a sentence encoder's
vectors.

Everything here that isn't the network itself (two small maps, the table of phrase vectors) serves training
only and isn't shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.layers.places.box_overlap import generalised_iou, iou_of_pairs
from deixis.layers.places.box_refiner import RefinedBoxes, choose_candidates
from deixis.layers.places.place_map import STRIDE, PlaceMap, location_centres
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.place_head import PlaceScores
from deixis.text.token_sequence import IGNORED
from deixis.training.losses import Loss, Objective
from deixis.training.recipes.ranges import LARGEST, check_numbers

CLOSE, RIGHT = 0.35, 0.85  # IoUs from which a candidate counts as right at all, and fully
NEAR = 0.4  # IoU from which a candidate's box is refined
GOOD = 0.5  # IoU from which a refined box counts as right


@dataclass(frozen=True)
class ObjectiveWeights:
    """How much each loss counts. ``pretrained``: start from the packaged tower, word and phrase vectors."""

    ALIASES: ClassVar[Mapping[str, str]] = {"words": "language_model"}

    places: float = 1.0
    boxes: float = 2.0
    language_model: float = 1.0
    phrases: float = 2.0
    phrase_query: float = 1.0
    regions: float = 2.0
    look: float = 1.0
    refine: float = 1.0
    quality: float = 0.5
    pretrained: bool = True

    def __post_init__(self) -> None:
        names = [field.name for field in fields(self) if field.name != "pretrained"]
        check_numbers(self, dict.fromkeys(names, (0, LARGEST)), what="objective")


class PointerObjective(Objective):
    """The network with its losses; calling it with a batch of ``PointerCollate`` returns their means by name.

    What a loss is the mean of is a matter of the data alone: of the box refiner's, every phrase counts that
    could be looked at, also one that is among no candidate and adds nothing.
    """

    phrase_vectors: Tensor

    def __init__(
        self, network: PointerCore, *, weights: ObjectiveWeights, phrase_vectors: Tensor | None
    ) -> None:
        super().__init__()
        self.network = network
        self.weights = weights
        vectors = torch.zeros(0, 1) if phrase_vectors is None else phrase_vectors
        self.register_buffer("phrase_vectors", vectors, persistent=False)
        width, map_width = network.config.width, network.config.map_width
        self.with_phrases = phrase_vectors is not None
        if self.with_phrases:
            self.to_phrase = nn.Linear(width, vectors.shape[1])
            self.region_to_phrase = nn.Linear(width, vectors.shape[1])
            self.phrase_query = nn.Sequential(
                nn.Linear(vectors.shape[1], width), nn.GELU(), nn.Linear(width, map_width)
            )

    def counts(self, batch: Mapping[str, Any]) -> dict[str, int]:
        """Return how many words, phrases or regions each loss is the mean of."""
        return {name: int(count) for name, count in self.learnt(batch).items()}

    def learnt(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the counts as tensors () of integers on the batch's device."""
        present, boxes = batch["place_present"], batch["place_counts"]
        there = present & (boxes > 0)
        chosen = {
            "places": present,
            "boxes": present & (boxes == 1),
            "language_model": batch["labels"][:, 1:] != IGNORED,
        }
        if self.network.config.candidates:
            chosen |= {"look": present, "refine": there, "quality": there}
        if self.with_phrases:
            known = batch["place_phrases"] >= 0
            chosen |= {"phrases": present & known, "phrase_query": there & known}
            chosen["regions"] = batch["region_present"] & (batch["region_phrases"] >= 0)
        return {name: where.sum() for name, where in chosen.items()}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Loss]:
        """Return the losses by name.

        batch: pixel_values (B, 3, S, S) uint8; input_ids, labels, segments, position_ids (B, T);
        region_masks (B, R, H, W), region_geometry (B, R, G), region_present (B, R), region_phrases (B, R),
        the rows of what the regions are called, -1 where that isn't known; place_slots,
        place_present, place_phrases, place_counts (B, P) and place_boxes (B, P, M, 4), xyxy in pixels of the
        square picture.
        """
        network = self.network
        places = network.encode(batch["pixel_values"].float() / 255)
        regions = network.encode_regions(
            places, batch["region_masks"], batch["region_geometry"], batch["region_present"]
        )
        embeds = network.embed(batch["input_ids"], picture=network.reader(places), regions=regions)
        hidden = network.decode_rows(
            embeds, batch["segments"], position_ids=batch["position_ids"]
        )  # (B, T, W)
        slots = batch["place_slots"][..., None].expand(-1, -1, hidden.shape[-1])
        at_places = hidden.gather(1, slots)  # (B, P, W)
        targets = place_targets(batch, places)
        scores = network.place_head(at_places, places.keys)
        means = {
            "places": place_loss(scores, targets, batch),
            "boxes": box_loss(places.boxes, targets, batch),
            "language_model": word_loss(network, hidden, batch["labels"]),
        }
        if network.config.candidates:
            means |= self.refiner_losses(at_places, places, scores, batch)
        if self.with_phrases:
            means |= self.phrase_encoder_losses(at_places, places, targets, batch)
            means["regions"] = self.region_losses(regions, batch)
        counts = self.learnt(batch)
        return {name: Loss(mean, counts[name], getattr(self.weights, name)) for name, mean in means.items()}

    def refiner_losses(
        self, at_places: Tensor, places: PlaceMap, scores: PlaceScores, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the losses of the box refiner: which candidate, how its box is refined, and is it right.

        A phrase that is in the picture but among no candidate teaches nothing about their order; it counts
        all the same, for what a mean is taken over must be known before the network is asked.
        """
        network = self.network
        candidates = choose_candidates(
            scores.locations, scores.nowhere, places.boxes, count=network.config.candidates
        )
        looks = network.second_look(at_places, places, candidates)
        # Every look is judged by the boxes that it was shown.
        shown = [candidates.boxes, *(look.boxes.detach() for look in looks[:-1])]
        losses = [self.look_losses(look, boxes, batch) for look, boxes in zip(looks, shown, strict=True)]
        return {name: torch.stack([one[name] for one in losses]).mean() for name in losses[0]}

    def look_losses(self, look: RefinedBoxes, shown: Tensor, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the losses of one look at the boxes ``shown`` (B, P, K, 4)."""
        real = torch.arange(batch["place_boxes"].shape[2], device=shown.device)
        real = real < batch["place_counts"][..., None]  # (B, P, M)
        overlaps = iou_of_pairs(shown, batch["place_boxes"]) * real[:, :, None]  # (B, P, K, M)
        best, which = overlaps.max(dim=-1)  # (B, P, K)
        fit = ((best - CLOSE) / (RIGHT - CLOSE)).clamp(0, 1)
        absent = batch["place_counts"] == 0
        targets = torch.cat([fit, absent.float()[..., None]], dim=-1)
        total = targets.sum(dim=-1)
        targets = targets / total.clamp(min=1e-6)[..., None]
        joint = torch.cat([look.scores, look.none[..., None]], dim=-1).log_softmax(dim=-1)
        cross = -(targets * joint).sum(dim=-1)
        chosen = (best > NEAR) & batch["place_present"][..., None]
        truth = batch["place_boxes"].gather(2, which[..., None].expand(-1, -1, -1, 4))
        # A phrase's own candidates are averaged first, so that the phrases with a place are what counts.
        near = chosen.sum(dim=-1, keepdim=True).clamp(min=1).expand_as(chosen)[chosen]  # (N,)
        away = (1 - generalised_iou(look.boxes[chosen], truth[chosen])) / near
        there = batch["place_present"] & ~absent
        fits = (iou_of_pairs(look.boxes.detach(), batch["place_boxes"]) * real[:, :, None]).amax(dim=-1)
        wrong = functional.binary_cross_entropy_with_logits(
            look.quality, (fits >= GOOD).float(), reduction="none"
        ).mean(dim=-1)
        decided = batch["place_present"] & (total > 0)
        return {
            "look": (cross * decided).sum() / batch["place_present"].sum().clamp(min=1),
            "refine": away.sum() / there.sum().clamp(min=1),
            "quality": mean_where(wrong, there),
        }

    def phrase_encoder_losses(
        self, at_places: Tensor, places: PlaceMap, targets: Tensor, batch: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        """Return the losses against the sentence encoder's vectors of the phrases."""
        known = batch["place_present"] & (batch["place_phrases"] >= 0)
        vectors = self.phrase_vectors[batch["place_phrases"].clamp(min=0)]  # (B, P, E)
        away = 1 - functional.cosine_similarity(self.to_phrase(at_places), vectors, dim=-1)
        # A unit vector's entries are tiny; a query is made of entries of size 1.
        queries = self.phrase_query(vectors * vectors.shape[-1] ** 0.5)
        locations = torch.bmm(queries, places.keys) * places.keys.shape[1] ** -0.5
        present = known & (batch["place_counts"] > 0)
        cross = -(targets[..., :-1] * locations.float().log_softmax(dim=-1)).sum(dim=-1)
        return {"phrases": mean_where(away.float(), known), "phrase_query": mean_where(cross, present)}

    def region_losses(self, regions: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return how far regions (K, W) are from the vectors of what they are called."""
        rows = batch["region_phrases"][batch["region_present"]]  # (K,)
        vectors = self.phrase_vectors[rows.clamp(min=0)]
        away = 1 - functional.cosine_similarity(self.region_to_phrase(regions), vectors, dim=-1)
        return mean_where(away.float(), rows >= 0)


def place_targets(batch: Mapping[str, Any], places: PlaceMap) -> Tensor:
    """Return what each place token should choose: (B, P, L + 1), "nowhere" last, each row sums to 1.

    Every box spreads its share evenly over the locations in its central half, at least one cell wide.
    """
    boxes = batch["place_boxes"][:, :, :, None]  # (B, P, M, 1, 4)
    height, width = places.fine.shape[-2:]
    centres = location_centres(height, width, device=boxes.device)  # (L, 2)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    reach = ((boxes[..., 2:] - boxes[..., :2]) / 4).clamp(min=STRIDE / 2)
    near = ((centres - middle).abs() <= reach).all(dim=-1).float()  # (B, P, M, L)
    real = torch.arange(boxes.shape[2], device=boxes.device) < batch["place_counts"][..., None]  # (B, P, M)
    shares = near / near.sum(dim=-1, keepdim=True).clamp(min=1) * real[..., None]
    located = shares.sum(dim=2) / batch["place_counts"].clamp(min=1)[..., None]  # (B, P, L)
    nowhere = (batch["place_counts"] == 0).float()[..., None]
    return torch.cat([located, nowhere], dim=-1)


def place_loss(scores: PlaceScores, targets: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Return the cross entropy between the choice of each place token and its target."""
    cross = -(targets * scores.joint().float().log_softmax(dim=-1)).sum(dim=-1)  # (B, P)
    return mean_where(cross, batch["place_present"])


def box_loss(boxes: Tensor, targets: Tensor, batch: Mapping[str, Any]) -> Tensor:
    """Return 1 - GIoU of the boxes (B, L, 4) at the target locations of phrases with exactly one box."""
    single = batch["place_present"] & (batch["place_counts"] == 1)
    shares = targets[..., :-1] * single[..., None]
    picture, place, location = shares.nonzero(as_tuple=True)
    if len(picture) == 0:
        return boxes.sum() * 0.0
    truth = batch["place_boxes"][picture, place, 0]
    away = 1 - generalised_iou(boxes[picture, location], truth)
    return (shares[picture, place, location] * away).sum() / single.sum()


def word_loss(network: PointerCore, hidden: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy of the next token where one is learnt."""
    learnt = labels[:, 1:] != IGNORED
    if not learnt.any():
        return hidden.sum() * 0.0
    logits = network.words.logits(hidden[:, :-1][learnt])
    return functional.cross_entropy(logits.float(), labels[:, 1:][learnt])


def mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of ``values`` where ``chosen``; 0 where nothing is."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)
