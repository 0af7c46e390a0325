"""Checks of Ferret's weights: a delta applied to its base, bit for bit."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from deixis.checkpoints.convert.checkpoint import Checkpoint
from deixis.checkpoints.convert.delta import apply_delta
from deixis.checkpoints.convert.tower_folder import CLIP_FIELDS, TowerFiles
from deixis.checkpoints.files.lazy import LazyTensor, held
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.files.writing import write_tensors
from deixis.systems.ferret.keys import ADDED
from deixis.systems.ferret.weights import our_config, published_config
from tests.parity.case import Case
from tests.parity.planning import Check

# Fields of a written config.json that ours doesn't hold; it is kept beside ours for them.
KEPT_BESIDE = ("mm_vision_tower", "mm_use_im_patch_token", "mm_use_im_start_end")
SHARD = 20_000


def check_apply_delta(case: Case) -> None:
    """Base and delta, through several shards, give the target; its configuration survives both ways."""
    base, delta = below(case, "inputs/base/"), below(case, "inputs/delta/")
    with TemporaryDirectory() as folder:
        write_tensors(Path(folder), apply_delta(base, delta, added=ADDED), largest=SHARD)
        written = open_shards(Path(folder))
        for key, tensor in written.items():
            case.output(key, tensor.read())
    resized = [key for key, part in delta.items() if key in base and base[key].shape != part.shape]
    for name, ours in (
        ("keys_only_in_delta", [key for key in delta if key not in base]),
        ("resized_keys", resized),
    ):
        case.settle(
            name, agrees=sorted(case.lookup(case.full((name,)))) == sorted(ours), how="the set of keys"
        )
    check_configuration(case, apply_delta(base, delta, added=ADDED))


def check_configuration(case: Case, tensors: dict[str, LazyTensor]) -> None:
    """The written config.json is read, and written again with the same meaning."""
    original = case.given("written_config_json")
    tower = {
        **CLIP_FIELDS,
        "kind": "clip",
        "hidden_size": original.get("mm_hidden_size", 1024),
        "image_size": 336,
    }
    checkpoint = Checkpoint(Path("delta"), original, tensors)
    ours = our_config(checkpoint, tower=TowerFiles(tower, {}))
    again = published_config(ours)
    for name in set(original) & set(again) - set(KEPT_BESIDE):
        assert again[name] == original[name], f"{name}: {again[name]!r}, golden {original[name]!r}"


def below(case: Case, start: str) -> dict[str, LazyTensor]:
    """Return the case's tensors whose names begin so."""
    named: dict[str, Tensor] = case.golden.tensors
    return {
        key.removeprefix(start): held(tensor, where="case")
        for key, tensor in named.items()
        if key.startswith(start)
    }


CHECKS: dict[str, Check] = {
    "apply_delta": Check(
        check_apply_delta,
        given=("config", "written_config_json", "dtype", "roundtrip_error_vs_original_target"),
    )
}
