"""Vectors of phrases are kept between runs; a file that was cut short is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from deixis.systems.pointer.training.phrase_encoder import kept_vectors


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    cache = tmp_path / "phrase_vectors.safetensors"
    assert kept_vectors(cache, "key") is None
    save_file({"key": torch.ones(2, 3)}, cache)
    found = kept_vectors(cache, "key")
    assert found is not None and torch.equal(found, torch.ones(2, 3))
    assert kept_vectors(cache, "another key") is None


def test_a_file_that_was_cut_short_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = tmp_path / "phrase_vectors.safetensors"
    save_file({"key": torch.ones(2, 3)}, cache)
    cache.write_bytes(cache.read_bytes()[:-5])
    assert kept_vectors(cache, "key") is None
    assert "is damaged" in caplog.text and "made anew" in caplog.text
