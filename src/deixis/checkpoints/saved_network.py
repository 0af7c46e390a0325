"""Opening a saved network with every tensor accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from deixis.checkpoints.buffers import fill_buffers
from deixis.checkpoints.library_logging import quiet_transformers
from deixis.errors import BadWeights, DeixisError


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
    Only safetensors are read. BadWeights where tensors are missing, left over, misshapen or not finite.
    """
    try:
        with quiet_transformers():
            opened: Any = kind.from_pretrained(
                folder,
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
