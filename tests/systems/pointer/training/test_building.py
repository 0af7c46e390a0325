"""What a further stage of training takes over from the run that it starts from."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from deixis.systems.pointer.training.building import go_on, warn_of_unknown_words
from deixis.systems.pointer.training.objective import ObjectiveWeights, PointerObjective
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary


def objective(*, seed: int, vectors: int = 12) -> PointerObjective:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        phrases = torch.randn(5, vectors)
        return PointerObjective(tiny_network(seed=seed), weights=ObjectiveWeights(), phrase_vectors=phrases)


def checkpoint(run: Path, state: PointerObjective, *, step: int) -> None:
    folder = run / f"step-{step:08d}"
    folder.mkdir(parents=True)
    save_file({n: t.contiguous() for n, t in state.state_dict().items()}, folder / "network.safetensors")


def test_what_only_training_uses_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    earlier, last, later = objective(seed=1), objective(seed=2), objective(seed=3)
    network = {name: tensor.clone() for name, tensor in later.network.state_dict().items()}
    checkpoint(tmp_path, earlier, step=10)
    checkpoint(tmp_path, last, step=20)
    go_on(later, tmp_path)
    for part in ("to_phrase", "region_to_phrase", "phrase_query"):
        for name, tensor in getattr(last, part).state_dict().items():
            assert torch.equal(getattr(later, part).state_dict()[name], tensor), (part, name)
    for name, tensor in later.network.state_dict().items():
        assert torch.equal(tensor, network[name]), name


def test_without_a_checkpoint_or_of_another_size_it_starts_anew(tmp_path: Path) -> None:
    own = objective(seed=3)
    before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    go_on(own, tmp_path)
    checkpoint(tmp_path, objective(seed=2, vectors=9), step=1)
    go_on(own, tmp_path)
    kept = own.to_phrase.state_dict()
    assert torch.equal(kept["weight"], before["to_phrase.weight"])


def test_unknown_words_of_samples_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="deixis"):
        warn_of_unknown_words(["the dog", "a windshield"], tiny_vocabulary(), recipe="own")
        assert not caplog.text
        warn_of_unknown_words(["собака here", "the dog", "где the"], tiny_vocabulary(), recipe="own")
    assert "'own': 2 of 6 word pieces of its samples (33.3 %, in 2 of 3 texts)" in caplog.text
    assert "“собака”, “где”" in caplog.text
