"""A batch of encoded pictures: the vectors a decoder reads, and the maps that regions are sampled from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class PictureFeatures:
    """One entry a picture; numbers of vectors and sizes of maps may differ from picture to picture."""

    tokens: tuple[Tensor, ...]  # each (N_i, D), of the decoder's width
    maps: tuple[Tensor, ...]  # each (C, H_i, W_i)

    def __len__(self) -> int:
        return len(self.tokens)
