"""Looking systems up and opening saved folders: whatever is wrong is said, and nothing unsafe is read."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis import systems
from deixis.checkpoints.convert.converters import FOLDER, VISION_ENCODER, Converter, Option, Way
from deixis.cli.commands.convert import all_options
from deixis.errors import BadWeights, DeixisError, MissingWeights, UsageError
from deixis.systems import SYSTEMS, entry, load, registry, resolve, weights_folder
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.registry import Entry, converters
from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary
from tests.systems.pointer.tiny import saved_system


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    saved_system(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A folder of its own, to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "system"))


def with_entry(monkeypatch: pytest.MonkeyPatch, name: str, known: Entry) -> None:
    """Let a system be in the table for the time of a test."""
    monkeypatch.setattr(registry, "SYSTEMS", {**registry.SYSTEMS, name: known})


def changed_config(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_saved_folder_opens(folder: Path) -> None:
    assert isinstance(load(folder), PointerSystem)
    assert isinstance(load(str(folder)), PointerSystem)


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_saved_folder_can_be_shared_like_any_other(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        saved_system(tmp_path / "system")
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "system").iterdir()}
    assert modes == dict.fromkeys(modes, mode) and "model.safetensors" in modes


def test_the_table_names_functions_that_exist() -> None:
    for name, known in SYSTEMS.items():
        assert callable(resolve(known.answering)) and callable(resolve(known.training)), name
        assert known.how_to_get and known.model_type
    assert len({known.model_type for known in SYSTEMS.values()}) == len(SYSTEMS)
    assert systems.DEFAULT in SYSTEMS


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SYSTEMS["other"] = SYSTEMS["pointer"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        SYSTEMS["pointer"].weights = None  # type: ignore[misc]


def test_what_can_be_converted_is_said_by_the_systems() -> None:
    assert [converter.name for converter in converters()] == [
        "ferret",
        "ferret-ui",
        "ferret-v2",
        "vip-llava",
        "florence-vl",
        "groma",
    ]
    names = [option.name for option in all_options(converters())]
    assert len(set(names)) == len(names) and "out" not in names


def test_nothing_heavy_is_imported_to_know_it() -> None:
    """The command line is built before anything is asked; it must not wait for torch."""
    code = "import sys; from deixis.cli import build_parser; build_parser(); print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def nothing(given: Namespace) -> str:
    return "nothing"


@pytest.mark.parametrize(
    ("options", "ways"),
    [
        ((FOLDER,), ()),
        ((FOLDER,), (Way(nothing, needed=(FOLDER,), allowed=(VISION_ENCODER,)),)),
        ((FOLDER,), (Way(nothing, needed=(), chosen_by=FOLDER),)),
    ],
    ids=["no way", "an option of a way is not listed", "no way where nothing is asked for"],
)
def test_a_converter_that_cannot_be(options: tuple[Option, ...], ways: tuple[Way, ...]) -> None:
    with pytest.raises(ValueError, match="converter 'other'"):
        Converter("other", options, ways)


def test_an_option_of_two_systems_is_there_once() -> None:
    def other(option: Option) -> Converter:
        return Converter("other", (option,), (Way(nothing, needed=(option,)),))

    assert all_options([other(VISION_ENCODER), other(VISION_ENCODER)]) == [VISION_ENCODER]
    (both,) = all_options([other(VISION_ENCODER), other(dataclasses.replace(VISION_ENCODER, help="more"))])
    assert both.help == f"{VISION_ENCODER.help}; more"
    with pytest.raises(
        ValueError, match="--vision-encoder is a folder of one system and a switch of another"
    ):
        all_options([other(VISION_ENCODER), other(dataclasses.replace(VISION_ENCODER, kind="switch"))])


@pytest.mark.parametrize("name", ["no-such-system", "Pointer", "", "../pointer", "no/such/folder"])
def test_an_unknown_name_is_told_the_known_ones(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "a" / "b"
    empty.mkdir(parents=True)
    monkeypatch.chdir(empty)
    with pytest.raises((UsageError, MissingWeights), match=r"known systems: pointer|no config.json"):
        load(name)
    with pytest.raises(UsageError, match="known systems: pointer"):
        entry(name)


def test_a_known_name_without_weights_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for nowhere in (None, "pointer/not_here"):
        without = dataclasses.replace(SYSTEMS["pointer"], weights=nowhere)
        with_entry(monkeypatch, "pointer", without)
        with pytest.raises(
            MissingWeights, match=r"'pointer' are not on this machine; .*deixis train"
        ) as caught:
            load("pointer")
        assert caught.value.exit_code == 4
        with pytest.raises(MissingWeights):
            load()


def test_a_known_name_is_never_a_folder_without_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that happens to be called like a system doesn't hide it."""
    (tmp_path / "pointer").mkdir()
    monkeypatch.chdir(tmp_path)
    with_entry(monkeypatch, "pointer", dataclasses.replace(SYSTEMS["pointer"], weights=None))
    with pytest.raises(MissingWeights, match="deixis train"):
        weights_folder("pointer")


def test_a_folder_called_like_a_system_does_not_hide_it(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pointer", "ferret", "mine"):
        shutil.copytree(saved, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    packaged = Path(systems.__file__).parent / "pointer" / "packaged"
    with_entry(monkeypatch, "pointer", dataclasses.replace(SYSTEMS["pointer"], weights="pointer/packaged"))
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: path == packaged / "config.json" or is_file(path))
    assert weights_folder(systems.DEFAULT) == weights_folder("pointer") == packaged
    for written in ("./pointer", "pointer/", str(tmp_path / "pointer"), Path("pointer"), "mine"):
        assert weights_folder(written).resolve() in (tmp_path / "pointer", tmp_path / "mine")
    assert weights_folder("ferret") == Path("ferret")  # nothing is packaged under that name


def test_a_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"has no config\.json; expected the folder of a saved system"):
        load(tmp_path)


def test_an_unknown_model_type_is_told_the_known_ones(folder: Path) -> None:
    changed_config(folder, model_type="llama")
    with pytest.raises(BadWeights, match="is of type 'llama'; this version opens: deixis_pointer"):
        load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", "{}", '{"model_type": 3}', "\0", "[" * 100_000])
def test_a_config_that_is_none(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(DeixisError, match=r"config\.json"):
        load(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"map_width": 24},
        {"map_width": 13},
        {"map_width": "wide"},
        {"decoder_name": "small"},
        {"picture_grid": 0},
        {"picture_grid": 5},
        {"vocab_size": 50},
        {"tower": "efficientnet_lite0"},
        {"side": 128},
        {"side": 0},
        {"place_rule": {"nowhere": 0.5, "no_such_threshold": 1}},
        {"place_rule": {"trust": [1.0]}},
        {"claim_rules": {"name": {"said": 1.0}}},
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_the_weights(folder: Path, changes: dict[str, object]) -> None:
    changed_config(folder, **changes)
    with pytest.raises(BadWeights, match="system"):
        load(folder)


def test_unknown_parts_are_told_the_known_ones(folder: Path) -> None:
    changed_config(folder, tower="clip")
    with pytest.raises(DeixisError, match=r"'tower' is .* expected one of efficientnet_lite0"):
        load(folder)
    changed_config(folder, tower="efficientnet_tiny", decoder_name="large")
    with pytest.raises(DeixisError, match="'decoder_name' is 'large'; expected one of small"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.99])
def test_weights_that_are_cut(folder: Path, keep: float) -> None:
    file = folder / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: keep if isinstance(keep, int) else int(len(content) * keep)])
    with pytest.raises(BadWeights, match="is not a complete pointer system"):
        load(folder)


def test_weights_that_are_noise(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(BadWeights, match="is not a complete pointer system"):
        load(folder)


def test_weights_that_are_missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadWeights, match="is not a complete pointer system"):
        load(folder)


@pytest.mark.parametrize("what", ["missing", "left over", "another shape", "not a number"])
def test_tensors_that_do_not_fit(folder: Path, what: str) -> None:
    file = folder / "model.safetensors"
    tensors = load_file(file)
    if what == "missing":
        del tensors["words.bias"]
    elif what == "left over":
        tensors["words.bias_too"] = torch.zeros(3)
    elif what == "another shape":
        tensors["words.bias"] = tensors["words.bias"][:-1].clone()
    else:
        tensors["words.bias"][3] = float("nan")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(BadWeights, match=r"words\.bias"):
        load(folder)


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"version": "1.0", "model": {"type": "none"}}'])
def test_a_tokenizer_that_is_none(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(BadWeights, match="is not a complete pointer system"):
        load(folder)


def test_a_tokenizer_that_is_missing(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(BadWeights, match="is not a complete pointer system"):
        load(folder)


def test_a_tokenizer_of_another_size(folder: Path) -> None:
    build_vocabulary(["dog"], {"[UNK]": 0, "dog": 1, "d": 2}, at_least=1).save(folder)
    with pytest.raises(BadWeights, match=r"tokenizer\.json has 14 pieces, config\.json says \d+"):
        load(folder)


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.bin", "model.safetensors", "tokenizer.pkl"])
def test_a_pickle_is_never_loaded(folder: Path, tmp_path: Path, name: str) -> None:
    sprung = tmp_path / "sprung"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(BadWeights):
        load(folder)
    torch.save({"words.bias": Trap(sprung)}, folder / name)
    with pytest.raises(BadWeights):
        load(folder)
    assert not sprung.exists()


def test_code_beside_the_weights_is_never_run(folder: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (folder / "trap.py").write_text(f"import os\nos.mkdir({str(sprung)!r})\nclass PointerNetwork: pass\n")
    changed_config(folder, auto_map={"AutoConfig": "trap.PointerNetwork", "AutoModel": "trap.PointerNetwork"})
    assert isinstance(load(folder), PointerSystem)
    assert not sprung.exists()
