"""The detector's criterion: batches, nothing to find, broken numbers, and whose head learns."""

from __future__ import annotations

import pytest
import torch

from deixis.errors import UsageError
from deixis.layers.proposals.region_proposer import ProposerSize, RegionProposer
from deixis.training.detection.criterion import DetectionCriterion
from tests.layers.proposals.test_region_proposer import SMALL


def found_in(seed: int = 0) -> tuple[RegionProposer, torch.Tensor]:
    torch.manual_seed(seed)
    return RegionProposer(12, ProposerSize(**SMALL, dropout=0.0)), torch.randn(3, 12, 6, 6)


def boxes(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, 4, generator=torch.Generator().manual_seed(seed)) * 0.4 + 0.2


def test_a_batch_is_the_sum_of_its_pictures() -> None:
    proposer, features = found_in()
    objects = [boxes(3, 1), boxes(0, 2), boxes(7, 3)]  # more than there are queries
    criterion = DetectionCriterion()
    whole = criterion(proposer.detect(features), objects, source="coco")
    parts = [
        criterion(proposer.detect(features[n : n + 1]), objects[n : n + 1], source="coco") for n in range(3)
    ]
    summed = sum(
        float(part.total.detach()) * max(len(own), 1) for part, own in zip(parts, objects, strict=True)
    )
    assert float(whole.total.detach()) == pytest.approx(summed / 10, rel=1e-5)
    assert [len(own[0]) for own in whole.matchings["last"]] == [3, 0, 5]


def test_only_the_head_of_the_source_learns() -> None:
    proposer, features = found_in()
    DetectionCriterion()(proposer.detect(features), [boxes(2, 1)] * 3, source="sa1b").total.backward()
    learnt = {name for name, one in proposer.named_parameters() if one.grad is not None}
    assert any("class_embed_sa1b" in name for name in learnt)
    assert not any("class_embed_coco" in name for name in learnt)


def test_pictures_with_nothing_in_them_have_a_loss() -> None:
    proposer, features = found_in()
    loss = DetectionCriterion()(proposer.detect(features), [boxes(0, 1)] * 3, source="coco")
    assert bool(loss.total.isfinite()) and loss.cardinality == 0


def test_flat_objects_give_no_nan() -> None:
    proposer, features = found_in()
    flat = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.2, 0.2, 0.1, 0.0]])
    loss = DetectionCriterion()(proposer.detect(features), [flat] * 3, source="coco")
    loss.total.backward()
    assert bool(loss.total.isfinite())
    assert all(bool(one.grad.isfinite().all()) for one in proposer.parameters() if one.grad is not None)


def test_broken_numbers_and_sources_are_told() -> None:
    proposer, features = found_in()
    criterion = DetectionCriterion()
    with pytest.raises(UsageError, match="no finite numbers"):
        criterion(proposer.detect(features), [torch.full((1, 4), float("nan"))] * 3, source="coco")
    with pytest.raises(UsageError, match="source 'lvis'"):
        criterion(proposer.detect(features), [boxes(1, 1)] * 3, source="lvis")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="1 lists of objects came with 3 pictures"):
        criterion(proposer.detect(features), [boxes(1, 1)], source="coco")
