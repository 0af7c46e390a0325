"""Folders of shards: both formats, with and without an index, and everything that can be wrong with them."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from deixis.checkpoints.files.shards import open_shards
from deixis.errors import BadWeights, DeixisError, MissingWeights
from tests.checkpoints.tiny_checkpoints import write_bin, write_json, write_safetensors

Write = Callable[..., None]
WRITERS: list[Write] = [write_bin, write_safetensors]


def state() -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(0)
    kinds = (torch.float16, torch.float32, torch.bfloat16)
    return {f"model.part.{i}": torch.randn(3, i + 1, generator=draw).to(kinds[i % 3]) for i in range(7)}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(("shards", "index"), [(1, False), (3, True), (3, False)])
def test_all_tensors_come_back(tmp_path: Path, write: Write, shards: int, index: bool) -> None:
    write(tmp_path, state(), shards=shards, index=index)
    opened = open_shards(tmp_path)
    assert set(opened) == set(state())
    for key, tensor in state().items():
        assert opened[key].shape == tuple(tensor.shape) and opened[key].dtype == tensor.dtype
        assert torch.equal(opened[key].read(), tensor) and opened[key].bytes == tensor.nbytes


@pytest.mark.parametrize("write", WRITERS)
def test_what_was_read_can_be_changed_and_is_whole(tmp_path: Path, write: Write) -> None:
    write(tmp_path, {"model.turned": torch.arange(6.0).reshape(2, 3).T.contiguous()})
    lazy = open_shards(tmp_path)["model.turned"]
    lazy.read().add_(1)
    assert lazy.read().is_contiguous()
    assert torch.equal(lazy.read(), torch.arange(6.0).reshape(2, 3).T)


def test_safetensors_come_before_pickles_and_other_files_are_left(tmp_path: Path) -> None:
    write_safetensors(tmp_path, {"a": torch.ones(2)})
    write_bin(tmp_path, {"a": torch.zeros(2)})
    torch.save({"x": 1}, tmp_path / "training_args.bin")
    assert open_shards(tmp_path)["a"].read().tolist() == [1, 1]


@pytest.mark.parametrize("write", WRITERS)
def test_buffers_of_old_libraries_are_dropped(tmp_path: Path, write: Write) -> None:
    write(tmp_path, {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4), "a": torch.ones(1)})
    assert set(open_shards(tmp_path)) == {"a"}


def test_a_tied_tensor_of_a_pickle_is_read_under_both_names(tmp_path: Path) -> None:
    one = torch.randn(4, 2)
    write_bin(tmp_path, {"a": one, "b": one, "c": one[1:3]})
    opened = open_shards(tmp_path)
    assert torch.equal(opened["a"].read(), one) and torch.equal(opened["b"].read(), one)
    assert torch.equal(opened["c"].read(), one[1:3])


def fails(folder: Path, *words: str, kind: type[DeixisError] = BadWeights) -> None:
    """Expect an error with these words and the exit code for weights."""
    with pytest.raises(kind) as caught:
        for tensor in open_shards(folder).values():
            tensor.read()
    for word in words:
        assert word in str(caught.value)
    assert caught.value.exit_code == 4


def test_folders_without_weights(tmp_path: Path) -> None:
    fails(tmp_path / "none", "is no folder", kind=MissingWeights)
    fails(tmp_path, "holds no weights", "model*.safetensors", kind=MissingWeights)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("index", [True, False])
def test_a_missing_shard(tmp_path: Path, write: Write, index: bool) -> None:
    write(tmp_path, state(), shards=3, index=index)
    lost = next(tmp_path.glob("*-00002-of-00003*"))
    lost.unlink()
    fails(tmp_path, str(lost), "is missing", kind=MissingWeights)


def test_a_count_in_a_name_is_not_counted_up_to(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model-00001-of-99999.safetensors")
    fails(tmp_path, "model-00002-of-99999.safetensors is missing", kind=MissingWeights)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kept", [0, 5, 40, -60, -1])
def test_a_shard_cut_short(tmp_path: Path, write: Write, kept: int) -> None:
    write(tmp_path, {"model.part": torch.randn(50, 50)})
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:kept] if kept else b"")
    fails(tmp_path, str(path), "cut short or changed on the way")


@pytest.mark.parametrize("write", WRITERS)
def test_a_shard_of_other_bytes(tmp_path: Path, write: Write) -> None:
    write(tmp_path, {"model.part": torch.randn(50, 50)})
    path = next(tmp_path.iterdir())
    path.write_bytes(b"<html>404 not found</html>" * 400)
    fails(tmp_path, str(path), "changed on the way")


class Acts:
    """What runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("nested", [False, True])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, nested: bool) -> None:
    sign = tmp_path / "sign"
    bad = Acts(f"touch {sign}")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    torch.save({"a": torch.ones(1), "b": [bad] if nested else bad}, folder / "pytorch_model.bin")
    fails(folder, "is refused and was not run", "posix.system" if os.name == "posix" else "system")
    assert not sign.exists()


def test_a_bare_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Acts(f"touch {sign}")))
    fails(folder, "pytorch_model.bin")
    assert not sign.exists()


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
@pytest.mark.parametrize(
    ("content", "word"),
    [
        ([torch.ones(1)], "holds a list"),
        ({"a": {"b": torch.ones(1)}}, "'a' is a dict"),
        ({"epoch": 3}, "'epoch' is a int"),
        ({3: torch.ones(1)}, "entry 3 is a Tensor"),
        ({"a": torch.ones(1).expand(1000, 1000)}, "declares [1000, 1000] (4000000 bytes), but only 4 bytes"),
        ({"a": torch.empty(1 << 20, 1 << 20, device="meta")}, "expected a plain one"),
        ({"a": torch.eye(3).to_sparse()}, "expected a plain one"),
        ({"a": torch.ones(3, dtype=torch.int8)}, "is the checkpoint quantised?"),
    ],
)
def test_pickles_of_something_else(tmp_path: Path, content: object, word: str) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    fails(tmp_path, "pytorch_model.bin", word)


def test_a_pickle_that_declares_more_than_it_stores(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1000)}, tmp_path / "small.bin")
    path = tmp_path / "pytorch_model.bin"
    # 1000 is "M\xe8\x03" in a pickle; 60,000 takes as many bytes.
    with (
        zipfile.ZipFile(tmp_path / "small.bin") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"M\xe8\x03", b"M\x60\xea"))
    fails(tmp_path, str(path))


def test_a_header_that_declares_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for shape, ends in (([1 << 30, 1 << 30], [0, 1 << 62]), ([1000], [0, 4000]), ([1 << 62, 8], [0, 16])):
        header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": ends}}).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
        fails(tmp_path, str(path))
    path.write_bytes((1 << 62).to_bytes(8, "little") + bytes(100))
    fails(tmp_path, str(path))


@pytest.mark.parametrize(
    "name",
    [
        "../secret.safetensors",
        "/etc/passwd",
        "sub/x.safetensors",
        "..",
        ".",
        "",
        "a\\b.bin",
        "c:x.bin",
        7,
        None,
    ],
)
def test_an_index_that_leads_elsewhere_is_not_followed(tmp_path: Path, name: object) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "secret.safetensors")
    folder = tmp_path / "checkpoint"
    (folder / "sub").mkdir(parents=True)
    save_file({"a": torch.ones(1)}, folder / "sub" / "x.safetensors")
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"a": name}})
    fails(folder, "model.safetensors.index.json", "an index that points elsewhere is not followed")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {}}'])
def test_an_index_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(content, encoding="utf-8")
    fails(tmp_path, "model.safetensors.index.json")


def test_an_index_of_another_checkpoint(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model-1.safetensors")
    mapped = {"a": "model-1.safetensors", "b": "model-1.safetensors"}
    write_json(tmp_path / "model.safetensors.index.json", {"weight_map": mapped})
    fails(tmp_path, "says that b is in model-1.safetensors, but it is not there")
    write_json(tmp_path / "model.safetensors.index.json", {"weight_map": {"a": "notes.txt"}})
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    fails(tmp_path, "notes.txt is no weights file")


def test_a_key_in_two_files(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model-one.safetensors")
    save_file({"a": torch.ones(2)}, tmp_path / "model-two.safetensors")
    fails(tmp_path, "a is in", "[1]", "[2]", "mixes two checkpoints")


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    write_bin(tmp_path, {"a": torch.ones(4)})
    lazy = open_shards(tmp_path)["a"]
    write_bin(tmp_path, {"a": torch.ones(5)})
    with pytest.raises(BadWeights, match=r"a is \[5\], but was \[4\]: the file has changed"):
        lazy.read()


def test_other_numbers_of_safetensors(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2).to(torch.float8_e4m3fn)}, tmp_path / "model.safetensors")
    fails(tmp_path, "a holds numbers of type F8_E4M3", "quantised?")


def test_old_files_of_torch(tmp_path: Path) -> None:
    content = io.BytesIO()
    torch.save({"a": torch.ones(1)}, content, _use_new_zipfile_serialization=False)
    (tmp_path / "pytorch_model.bin").write_bytes(content.getvalue())
    fails(tmp_path, "written before torch 1.6")
