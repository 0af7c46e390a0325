"""From a tower's width to a decoder's: the projectors of LLaVA and its relatives, by name."""

from __future__ import annotations

import re

from torch import nn

from deixis.errors import UsageError

PERCEPTRON = re.compile(r"mlp([1-9]\d?)x_gelu")


def build_projector(kind: str, *, inputs: int, outputs: int) -> nn.Module:
    """Return a fresh projector.

    kind: "linear"; "mlp2x_gelu", or any other number of linear maps with GELU between them; "identity", which
    needs equal widths. UsageError for anything else.

    >>> [name for name, _ in build_projector("mlp2x_gelu", inputs=4, outputs=8).named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """
    if kind == "linear":
        return nn.Linear(inputs, outputs)
    if matched := PERCEPTRON.fullmatch(kind):
        parts: list[nn.Module] = [nn.Linear(inputs, outputs)]
        for _ in range(int(matched.group(1)) - 1):
            parts += [nn.GELU(), nn.Linear(outputs, outputs)]
        return nn.Sequential(*parts)
    if kind == "identity":
        if inputs != outputs:
            raise UsageError(
                f"projector 'identity' needs equal widths; the tower has {inputs}, the decoder {outputs}"
            )
        return nn.Identity()
    raise UsageError(f"projector {kind!r} is not known; known: linear, identity, mlp2x_gelu (mlpNx_gelu)")
