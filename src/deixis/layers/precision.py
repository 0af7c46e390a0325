"""Where numbers of full precision go into layers of a lower one.

Places and what is derived from them (boxes, geometry, masks, masses) are float32 whatever the network is: in
bfloat16 a box of a picture of 352 pixels would be up to a pixel off. Only what a layer reads is rounded.
"""

from __future__ import annotations

from torch import Tensor, nn


def read_by(layer: nn.Module, values: Tensor) -> Tensor:
    """Return values in the type of a layer's weights.

    >>> import torch
    >>> read_by(nn.Linear(2, 2, dtype=torch.bfloat16), torch.zeros(1, 2)).dtype
    torch.bfloat16
    """
    return values.to(next(layer.parameters()).dtype)
