"""The dummy's published folders to ours, and back. Its config.json holds our fields below "mind"."""

from __future__ import annotations

from pathlib import Path

from deixis.checkpoints.convert.checkpoint import HEAD, Checkpoint
from deixis.checkpoints.files.folders import copy_tokenizer, new_folder
from deixis.checkpoints.files.settings import write_settings
from deixis.checkpoints.files.writing import write_tensors
from deixis.checkpoints.system_folder import write_converted
from deixis.errors import BadWeights
from tests.systems.dummy.keys import DUMMY
from tests.systems.dummy.network import DummyConfig, DummyNetwork


def convert_folder(*, folder: Path, out: Path, deaf: bool = False) -> None:
    """Write a published dummy as a folder that ``deixis.load`` opens. deaf: without its hand."""
    checkpoint = Checkpoint.open(folder)
    if checkpoint.config.get("model_type") != "dummy":
        raise BadWeights(f"{checkpoint.where}: expected a published dummy")
    fields = checkpoint.config["mind"] | ({"sampler": None} if deaf else {})
    config = DummyConfig(**fields)
    write_converted(
        checkpoint, out=out, config=config, network=lambda: DummyNetwork(config), table=DUMMY, towers={}
    )


def convert_back(*, folder: Path, out: Path) -> None:
    """Write a folder of ours as the dummy was published."""
    checkpoint = Checkpoint.open(folder)
    tensors = {DUMMY.to_original(key): one for key, one in checkpoint.tensors.items() if HEAD not in key}
    fields = {name: value for name, value in checkpoint.config.items() if name != "model_type"}
    with new_folder(out) as work:
        copy_tokenizer(folder, work)
        write_tensors(work, tensors)
        write_settings(work / "config.json", {"model_type": "dummy", "mind": fields})
