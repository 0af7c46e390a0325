"""A step's loss and gradient don't depend on how its examples are cut into passes and processes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import torch
from torch import Tensor, multiprocessing

from deixis.errors import RecordError
from deixis.training.loop import train
from deixis.training.losses import Loss, added_up, weighted
from tests.training.toy_objective import ToyObjective, collate, logged, parts, recipe, weights
from tests.training.whole_and_cut import ALONE, CASES, learnt, one_of_two, toy

Result = tuple[dict[str, Tensor], dict[str, float]]


def assert_same(found: Result, expected: Result) -> None:
    """Compare gradients, relative to the largest of each tensor, and losses."""
    (ours, losses), (theirs, others) = found, expected
    assert losses == pytest.approx(others, rel=1e-6, abs=1e-6)
    largest = max(float(gradient.abs().max()) for gradient in theirs.values())
    for name, gradient in theirs.items():
        scale = max(largest, 1.0)
        away = float((ours.get(name, torch.zeros_like(gradient)) - gradient).abs().max())
        # 1e-6 and less with AVX2; processors without it add up in another order (1.02e-6 measured).
        assert away <= 2e-6 * scale, f"{name}: {away:.2e} of {scale:.2e}"


@pytest.mark.parametrize("name", CASES)
def test_two_passes_of_one_are_one_pass_of_two(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    whole = learnt(case, [case.whole], ALONE, tmp_path)
    counts = [case.objective.counts(batch) for batch in case.cut]
    assert added_up(counts) == case.objective.counts(case.whole)
    assert counts[0]["language_model"] != counts[1]["language_model"], "a mean of means would be another one"
    assert_same(learnt(case, case.cut, ALONE, tmp_path), whole)
    one, two = (learnt(case, [batch], ALONE, tmp_path)[0] for batch in case.cut)
    words = next(name for name in whole[0] if name in one and name in two)
    mean_of_means = (one[words] + two[words]) / 2
    assert (mean_of_means - whole[0][words]).norm() > 1e-3 * whole[0][words].norm()


@pytest.mark.parametrize("name", CASES)
def test_what_is_counted_is_what_losses_say(name: str) -> None:
    case = CASES[name]()
    for batch in (case.whole, *case.cut):
        losses = case.objective.losses(batch)
        assert {name: int(loss.count) for name, loss in losses.items()} == case.objective.counts(batch)
        means = case.objective(batch)
        assert torch.equal(means.pop("total"), weighted(losses)) and means.keys() == losses.keys()


@pytest.mark.slow
def test_two_processes_of_one_are_one_of_two(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(one_of_two, (port, tmp_path), nprocs=2)
    for name, make in CASES.items():
        case = make()
        assert_same(torch.load(tmp_path / f"{name}.pt"), learnt(case, [case.whole], ALONE, tmp_path))


def test_runs_that_hold_less_at_once_learn_the_same(tmp_path: Path) -> None:
    for held in (4, 2, 1):
        train(parts(), recipe(per_device_batch=held), out=tmp_path / str(held), world=ALONE)
    whole = weights(tmp_path / "4")
    for held in ("2", "1"):
        for name, tensor in weights(tmp_path / held).items():
            torch.testing.assert_close(tensor, whole[name], rtol=0, atol=1e-5)
        rows = zip(logged(tmp_path / held), logged(tmp_path / "4"), strict=True)
        assert all(ours == pytest.approx(theirs, abs=1e-5) for ours, theirs in rows)


SILENT = ("silent", [1], [])


def test_a_pass_that_learns_nothing_adds_nothing(tmp_path: Path) -> None:
    case = toy()
    gradients, losses = learnt(case, [case.whole], ALONE, tmp_path)
    padded = learnt(case, [collate([SILENT]), case.whole, collate([SILENT])], ALONE, tmp_path)
    assert_same(padded, (gradients, losses))
    assert all(torch.isfinite(loss.mean) for loss in case.objective.losses(collate([SILENT])).values())


def test_a_loss_that_nothing_is_learnt_for_is_zero(tmp_path: Path) -> None:
    case = toy()
    gradients, losses = learnt(case, [collate([("worthless", [1, 2, 3], [])])], ALONE, tmp_path)
    assert losses["worth"] == 0 and losses["language_model"] > 0 and not gradients["value.weight"].any()
    assert all(gradient.isfinite().all() for gradient in gradients.values())


def test_a_step_that_learns_nothing_names_its_pictures(tmp_path: Path) -> None:
    case = toy()
    quiet = collate([("other", [2], [])])
    with pytest.raises(RecordError, match=r"no answer in this batch .* pictures: \['silent', 'other'\]"):
        learnt(case, [collate([SILENT]), quiet], ALONE, tmp_path)
    with pytest.raises(RecordError, match="silent"):
        ToyObjective()(collate([SILENT]))


def test_a_share_of_a_whole_step_is_exact() -> None:
    loss = Loss(torch.tensor(0.1), torch.tensor(3), weight=0.3)
    assert torch.equal(weighted({"language_model": loss}, {"language_model": 3}), 0.3 * loss.mean), (
        "one pass: the mean itself"
    )
    assert weighted({"language_model": Loss(torch.tensor(0.0), 0)}, {"language_model": 0}) == 0
