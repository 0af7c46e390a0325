"""Opening a saved network with every field of its settings and every tensor accounted for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from deixis.checkpoints.buffers import fill_buffers
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.generation_fields import read_generation
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.checkpoints.skeleton import check_header, saved_tensors, skeleton_of
from deixis.errors import BadWeights, DeixisError
from deixis.files.declared_fields import EVERYWHERE, Fields, OneOf, checked

CONFIG = "config.json"
LARGEST = 1 << 20  # bytes of config.json


def open_network(
    kind: type[PreTrainedModel],
    folder: Path,
    *,
    what: str | None = None,
    dtype: torch.dtype | None = torch.float32,
) -> Any:
    """Return the network of class ``kind`` saved in ``folder``.

    what: its name in messages, if not that of the class. dtype: of its numbers; None is the one that
    config.json names, or that of the file. Buffers that no file holds are as the constructor makes them.
    Only safetensors are read. BadWeights where settings are not of the declared types and bounds, or tensors
    are missing, left over, misshapen or not finite; before memory is taken for the network, as far as the
    headers of its files can tell.
    """
    config = read_config(kind.config_class, folder / CONFIG)
    generation = read_generation(folder)
    skeleton: Any = skeleton_of(lambda: kind(config), where=folder / CONFIG)
    try:
        tensors = saved_tensors(folder)
    except DeixisError as fault:
        raise BadWeights(f"{folder} is not a complete {what or kind.__name__}: {fault}") from fault
    check_header(skeleton, tensors, folder=folder)
    try:
        with quiet_transformers():
            opened: Any = kind.from_pretrained(
                folder,
                config=config,
                generation_config=generation or getattr(skeleton, "generation_config", None),
                dtype="auto" if dtype is None else dtype,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are in the report, with all others
                output_loading_info=True,
            )
            network, report = opened
            fill_buffers(network)
    except DeixisError:
        raise
    except Exception as fault:  # safetensors and transformers raise kinds of their own, or Exception itself
        raise BadWeights(f"{folder} is not a complete {what or kind.__name__}: {fault}") from fault
    wrong = {name: sorted(map(str, found)) for name, found in report.items() if found}
    if wrong:
        raise BadWeights(f"the weights in {folder} don't fit its config.json: {wrong}")
    broken = [name for name, tensor in network.state_dict().items() if not tensor.isfinite().all()]
    if broken:
        raise BadWeights(f"the weights in {folder} hold infinity or NaN: {', '.join(broken)}")
    return network


def read_config(kind: Any, path: Path) -> Any:
    """Return the settings of class ``kind`` in a file.

    BadWeights unless the file is of that class and every field is as ``kind.fields()`` declares it.
    """
    return config_of(kind, read_settings(path, largest=LARGEST), where=str(path))


def config_of(kind: Any, values: Mapping[str, Any], *, where: str) -> Any:
    """Return the settings of class ``kind`` that a file's values stand for; BadWeights as ``read_config``."""
    stated = OneOf((kind.model_type,))
    stated.check(values.get("model_type"), name="model_type", where=where)
    own: Fields = kind.fields()
    taken = {name for name, one in inspect.signature(kind).parameters.items() if one.kind is one.KEYWORD_ONLY}
    if undeclared := taken - own.keys():
        raise TypeError(f"{kind.__name__}.fields() doesn't declare {', '.join(sorted(undeclared))}")
    known = checked(values, {**EVERYWHERE, **own}, where=where)
    earlier = known.pop("torch_dtype", None)
    if known.get("dtype") is None:
        known["dtype"] = earlier
    try:
        return kind(**known)
    except Exception as fault:  # the class or the library refuses in its own way
        raise BadWeights(f"{where}: {fault!s:.500}") from fault
