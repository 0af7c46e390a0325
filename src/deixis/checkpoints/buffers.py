"""Buffers that no file holds: a network opened from one gets the values that its constructor gives them.

``transformers`` makes an opened network without numbers first, and room for such buffers later; only its own
networks then compute them again. In all others they would be whatever the memory held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from transformers import PreTrainedModel

from deixis.errors import BadWeights


def fill_buffers(network: PreTrainedModel) -> None:
    """Give all buffers that are never stored, but those that ``transformers`` computes, their first values.

    BadWeights where a value follows from weights, so that no constructor knows it.
    """
    names = list(left_empty(network))
    if not names:
        return
    fresh = without_weights(lambda: type(network)(network.config))
    for name in names:
        module, _, leaf = name.rpartition(".")
        value, empty = fresh.get_buffer(name), network.get_buffer(name)
        if value.is_meta or value.shape != empty.shape:
            raise BadWeights(
                f"buffer {name} of {type(network).__name__} is in no file, and doesn't follow from "
                "config.json; expected it to be stored (persistent=True), or to be made from settings alone"
            )
        setattr(network.get_submodule(module), leaf, value.to(network.device, empty.dtype))


def left_empty(network: PreTrainedModel) -> Iterator[str]:
    """Return the names of buffers that are neither stored nor computed by a network of ``transformers``."""
    stored = network.state_dict().keys()
    for name, _ in network.named_buffers(remove_duplicate=False):
        if name not in stored and not computed_by_library(network, name):
            yield name


def computed_by_library(network: PreTrainedModel, name: str) -> bool:
    """Return whether the innermost network around a buffer is one of ``transformers``."""
    while name:
        name = name.rpartition(".")[0]
        owner = network.get_submodule(name)
        if isinstance(owner, PreTrainedModel):
            return type(owner).__module__.startswith("transformers.")
    return False


def without_weights(build: Callable[[], nn.Module]) -> nn.Module:
    """Return a network with the buffers of its constructor, whose weights take no room and no time.

    Random numbers that the constructor draws are not missed by anybody else.
    """
    thread = get_ident()

    def dropped(module: nn.Module, name: str, parameter: nn.Parameter) -> Any:  # torch says None
        if get_ident() != thread:  # the hook is for all threads; others build networks that they need
            return None
        return nn.Parameter(parameter.detach().to("meta"), requires_grad=parameter.requires_grad)

    hook = register_module_parameter_registration_hook(dropped)
    try:
        with torch.random.fork_rng(devices=[]):
            return build()
    finally:
        hook.remove()
