"""Settings that no network has: each is refused when a folder is opened, in bounded time and memory."""

from __future__ import annotations

import copy
import json
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis.checkpoints.saved_network import config_of
from deixis.errors import BadWeights, DeixisError
from deixis.files.declared_fields import checked
from deixis.layers.language.small_decoders import small_language
from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.options import PointerOptions
from tests.systems.ferret.networks import CLIP_TOWER, DINOV2_TOWER
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2, tiny_codec
from tests.systems.pointer.tiny import noise_picture, saved_system

Path_ = tuple[str | int, ...]
LONG_ROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": 64,
    "short_factor": [1.0] * 8,
    "long_factor": [2.0] * 8,
}
RULE = {"nowhere": 0.5, "nowhere_if_open": None, "least": 0.25, "agree": 0.5, "apart": 0.5, "vote": True}
CLAIM = dict.fromkeys(("said", "called", "around", "usual", "shift"), 0.5)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# No field of any system may hold one of these.
NEVER = [float("nan"), float("inf"), 10**30, -(10**30), "x" * 5000, nested(300), {"a": 1}, [None]]
# These are right for some fields, and wrong for most.
SOMETIMES = [
    *(None, True, False, 0, 1, -1, 2, 3, 32, 96, 640, 1_000_000, 320_000, 0.5, -0.5, 1e-9, 1e300),
    *("", "3", "linear", "identity", "mlp99x_gelu", [], [1], [[1, 1]], [1] * 5000, {}),
    *({"kind": "clip"}, {"model_type": "llama"}),
]


def language(kind: str, **changes: Any) -> dict[str, Any]:
    return small_language("tiny", words=len(tiny_codec()), positions=1024) | {"model_type": kind} | changes


def pointer(folder: Path) -> None:
    own: dict[str, Any] = {"place_rule": RULE, "claim_rules": {"name": CLAIM}, "second_side": 96}
    saved_system(folder, candidates=6, region_detail=True, candidate_detail=True, **own)


def ferret(folder: Path) -> None:
    fresh_ferret(tower=CLIP_TOWER, language=language("phi3", pad_token_id=0, rope_parameters=LONG_ROPE)).save(
        folder
    )


def ferret_v2(folder: Path) -> None:
    fresh_ferret_v2(tower=CLIP_TOWER, local_tower=DINOV2_TOWER, merge="spatial_unpad").save(folder)


KINDS: dict[str, tuple[Any, Callable[[Path], None]]] = {
    "pointer": (PointerConfig, pointer),
    "ferret": (FerretConfig, ferret),
    "ferret_v2": (FerretV2Config, ferret_v2),
}


@pytest.fixture(scope="module", params=KINDS)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    kind, make = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    make(folder)
    return kind, folder


@pytest.fixture
def folder(saved: tuple[Any, Path], tmp_path: Path) -> Path:
    """A copy of one system's folder to be spoilt."""
    return shutil.copytree(saved[1], tmp_path / "system")


def config(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return read


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the place of every value inside another, but for those of long lists."""
    if isinstance(value, dict):
        for name in value:
            yield from ((*path, name), *places(value[name], (*path, name)))
    elif isinstance(value, list) and len(value) < 5:
        for number, one in enumerate(value):
            yield from ((*path, number), *places(one, (*path, number)))


def changed(settings: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    settings = copy.deepcopy(settings)
    inner: Any = settings
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return settings


def declared(settings: dict[str, Any]) -> list[Path_]:
    ours = ("architectures", "transformers_version")  # of the library; nothing depends on them
    return [path for path in places(settings) if path[0] not in ours]


def test_no_field_takes_what_is_never_right(saved: tuple[Any, Path]) -> None:
    kind, folder = saved
    settings = config(folder)
    for path in declared(settings):
        for value in NEVER:
            with pytest.raises(BadWeights, match=r"config"):
                config_of(kind, changed(settings, path, value), where="config.json")


def test_every_field_is_declared_and_every_default_is_sound(saved: tuple[Any, Path]) -> None:
    kind, folder = saved
    own = kind.fields()
    stored = {name: one for name, one in config(folder).items() if name in own}
    assert own.keys() == stored.keys()
    assert checked(stored, own, where="config.json") == stored


def test_options_of_the_pointer_are_declared() -> None:
    assert set(PointerOptions.names()) == set(PointerOptions.fields())
    assert checked(PointerOptions().as_dict(), PointerOptions.fields(), where="defaults")


@pytest.mark.slow
def test_what_is_opened_can_be_asked(saved: tuple[Any, Path], tmp_path: Path) -> None:
    kind, original = saved
    folder = shutil.copytree(original, tmp_path / "system")
    settings, picture = config(folder), noise_picture(100, 70)
    it = Box(10, 10, 50, 50, frame=picture.frame)
    for path in declared(settings):
        for value in SOMETIMES:
            spoilt = changed(settings, path, value)
            try:
                config_of(kind, spoilt, where="config.json")
            except BadWeights:
                continue
            (folder / "config.json").write_text(json.dumps(spoilt))
            begun = time.monotonic()
            try:
                system = load(folder, device="cpu")
            except BadWeights:
                continue
            finally:
                assert time.monotonic() - begun < 60, (path, value)
            system.ask(picture, "what is {it}?", regions={"it": it}, max_new_tokens=4)


LARGE: list[tuple[str, Path_, Any]] = [
    ("pointer", ("side",), 320_000),
    ("pointer", ("side",), 704),
    ("pointer", ("second_side",), 320_000),
    ("pointer", ("map_width",), 4096),
    ("pointer", ("picture_grid",), 64),
    ("pointer", ("vocab_size",), 1_000_000),
    ("pointer", ("decoder_name",), "small"),
    ("ferret", ("language", "num_hidden_layers"), 1_000_000),
    ("ferret", ("language", "num_hidden_layers"), 100),
    ("ferret", ("language", "hidden_size"), 65_536),
    ("ferret", ("language", "vocab_size"), 4_000_000),
    ("ferret", ("tower", "image_size"), 320_000),
    ("ferret", ("tower", "num_hidden_layers"), 100),
    ("ferret", ("side",), 320_000),
    ("ferret", ("sampler", "points"), 10**9),
    ("ferret", ("projector",), "mlp99x_gelu"),
    ("ferret_v2", ("grids",), [[1000, 1000]]),
    ("ferret_v2", ("grids",), [[8, 8]] * 100_000),
    ("ferret_v2", ("crop",), 320_000),
    ("ferret_v2", ("global_side",), 2048),
    ("ferret_v2", ("max_tokens",), 20),
    ("ferret_v2", ("max_text",), 20),
    ("ferret_v2", ("tower",), {"kind": "davit"}),
    ("ferret_v2", ("template",), "no such template"),
    ("ferret_v2", ("codec",), "bytes"),
]


@pytest.mark.parametrize(("path", "value"), [(path, value) for _, path, value in LARGE], ids=str)
def test_large_networks_are_refused_by_the_header(
    saved: tuple[Any, Path], folder: Path, path: Path_, value: Any
) -> None:
    kind = {one[0].model_type: name for name, one in KINDS.items()}[saved[0].model_type]
    if (kind, path, value) not in LARGE:
        pytest.skip("a field of another system")
    (folder / "config.json").write_text(json.dumps(changed(config(folder), path, value)))
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadWeights):
        load(folder, device="cpu")
    assert time.monotonic() - begun < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10  # kB


FILES = ["", "{", "[]", "null", "\0", "{}", '{"model_type": 3}', '{"model_type": "llama"}', "[" * 100_000]
FILES += ['{"model_type": ' + "[" * 10_000 + "]" * 10_000 + "}", '{"a": "' + "x" * 2_000_000 + '"}']


@pytest.mark.parametrize("content", FILES, ids=lambda text: text[:20])
def test_files_that_hold_no_settings(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(BadWeights, match=r"config\.json") as told:
        load(folder, device="cpu")
    assert told.value.exit_code == 4


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "[" * 100_000, '{"do_sample": "yes"}', '{"eos_token_id": -1}', '{"eos_token_id": 1e400}'),
        *('{"max_length": true}', '{"temperature": NaN}', '{"num_beams": 1000000000}'),
        '{"suppress_tokens": {"a": 1}}',
    ],
    ids=lambda text: text[:20],
)
def test_generation_settings(folder: Path, content: str) -> None:
    (folder / "generation_config.json").write_text(content)
    with pytest.raises(BadWeights, match=r"generation_config\.json"):
        load(folder, device="cpu")


@pytest.mark.parametrize("weight_map", [[], "x", {}, {"a": 3}, {"a": "../x.safetensors"}, {"a": "b" * 5000}])
def test_index_files(folder: Path, weight_map: Any) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    with pytest.raises(DeixisError) as told:
        load(folder, device="cpu")
    assert told.value.exit_code == 4


def test_fields_of_other_programs_are_ignored(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "config.json").write_text(json.dumps(config(folder) | {"note": "mine", "num_labels": 10**9}))
    load(folder, device="cpu")
    assert "unknown fields are ignored: 'note', 'num_labels'" in caplog.text
