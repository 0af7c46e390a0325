"""Safetensors written piece by piece are what the library writes; folders appear when they are complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from deixis.checkpoints.files.folders import copy_tokenizer, new_folder
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.checkpoints.files.writing import write_tensors
from deixis.errors import BadWeights, MissingWeights, UsageError

KINDS = (torch.float16, torch.float32, torch.bfloat16, torch.int64, torch.float64)


def lazies(state: dict[str, Tensor]) -> dict[str, LazyTensor]:
    return {key: held(tensor, where="here") for key, tensor in state.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 5), max_size=3), st.sampled_from(KINDS)), min_size=1, max_size=8
    ),
    st.integers(1, 300),
)
def test_the_library_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[list[int], torch.dtype]], largest: int
) -> None:
    folder = tmp_path_factory.mktemp("written")
    state = {f"name é {i}": torch.randint(-9, 9, shape).to(kind) for i, (shape, kind) in enumerate(parts)}
    paths = write_tensors(folder, lazies(state), largest=largest)
    read = {
        key: tensor
        for path in paths
        if path.suffix == ".safetensors"
        for key, tensor in load_file(path).items()
    }
    assert set(read) == set(state)
    assert all(torch.equal(read[key], state[key]) and read[key].dtype == state[key].dtype for key in state)


def test_shards_above_the_limit_and_their_index(tmp_path: Path) -> None:
    state = {key: torch.ones(10) for key in "abcde"}  # 40 bytes each
    paths = write_tensors(tmp_path, lazies(state | {"huge": torch.ones(100)}), largest=80)
    assert [path.name for path in paths] == [
        *(f"model-0000{number}-of-00004.safetensors" for number in (1, 2, 3, 4)),
        "model.safetensors.index.json",
    ]
    index = json.loads(paths[-1].read_text())
    assert index["metadata"] == {"total_size": 600}
    assert index["weight_map"]["c"] == "model-00002-of-00004.safetensors"
    assert index["weight_map"]["huge"] == "model-00004-of-00004.safetensors"
    with safe_open(paths[0], framework="pt") as file:
        assert file.metadata() == {"format": "pt"} and set(file.keys()) == {"a", "b"}


def test_one_file_needs_no_index(tmp_path: Path) -> None:
    assert [path.name for path in write_tensors(tmp_path, lazies({"a": torch.ones(3)}))] == [
        "model.safetensors"
    ]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_are_none_are_not_written(tmp_path: Path, value: float) -> None:
    with pytest.raises(BadWeights, match=r"here: a \[2\] holds infinity or NaN; the file was changed"):
        write_tensors(tmp_path, lazies({"a": torch.tensor([1.0, value])}))


def test_a_tensor_that_is_not_what_it_said(tmp_path: Path) -> None:
    wrong = LazyTensor((2,), torch.float32, "here", lambda: torch.ones(3))
    with pytest.raises(BadWeights, match=r"a is \[3\] torch.float32, but was announced as \[2\]"):
        write_tensors(tmp_path, {"a": wrong})


def test_weights_larger_than_the_disk(tmp_path: Path) -> None:
    huge = LazyTensor((1 << 50,), torch.float32, "here", lambda: torch.ones(1))
    with pytest.raises(UsageError, match="GB left; give a folder on another disk"):
        write_tensors(tmp_path, {"a": huge})
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with new_folder(out) as work:
        (work / "config.json").write_text("{}", encoding="utf-8")
        assert not out.exists()
    assert (out / "config.json").is_file()
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert out.stat().st_mode == (tmp_path / "deep").stat().st_mode


def test_a_folder_vanishes_where_something_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadWeights), new_folder(tmp_path / "out") as work:
        (work / "half").write_text("", encoding="utf-8")
        raise BadWeights("broken")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", encoding="utf-8")
    for out in (tmp_path, tmp_path / "mine"):
        with pytest.raises(UsageError, match="is there already"), new_folder(out):
            pass
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as work:
        (work / "a").write_text("", encoding="utf-8")
    assert (tmp_path / "empty" / "a").is_file()
    with pytest.raises(UsageError, match="cannot write"), new_folder(tmp_path / "mine" / "below"):
        pass


def test_tokenizers_are_copied_from_where_they_are(tmp_path: Path) -> None:
    one, other, out = (tmp_path / name for name in ("one", "other", "out"))
    for folder in (one, other, out):
        folder.mkdir()
    with pytest.raises(MissingWeights, match=r"has no tokenizer; expected tokenizer.model or tokenizer.json"):
        copy_tokenizer(one, out, otherwise=other)
    (other / "tokenizer.model").write_bytes(b"other")
    (other / "secret.txt").write_bytes(b"no part of it")
    (one / "tokenizer_config.json").write_bytes(b"{}")
    copy_tokenizer(one, out, otherwise=other)
    assert [path.name for path in out.iterdir()] == ["tokenizer.model"]
    (one / "tokenizer.model").write_bytes(b"one")
    copy_tokenizer(one, out, otherwise=other)
    assert (out / "tokenizer.model").read_bytes() == b"one" and (out / "tokenizer_config.json").is_file()
