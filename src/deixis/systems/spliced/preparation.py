"""A picture as Ferret sees it: resized to one square, proportions not kept (ferret.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from deixis.pictures.normalising import Normalisation
from deixis.pictures.opening import Picture
from deixis.pictures.resizing import resize


class Preparation(Protocol):
    """How a member of the family turns pictures into its network's input; travels to loader workers."""

    def view(self, picture: Picture) -> tuple[Picture, Any]:
        """Return what the network sees, with its frame, and the same prepared."""

    def stack(self, prepared: Sequence[Any]) -> Any:
        """Return prepared pictures as one batch of ``pixels``."""


@dataclass(frozen=True)
class SquarePreparation:
    """Pictures resized to ``side`` x ``side`` pixels and normalised."""

    side: int
    normalisation: Normalisation

    def view(self, picture: Picture) -> tuple[Picture, Tensor]:
        """Return the square with its frame, and its pixels (3, S, S)."""
        view = resize(picture, self.side, self.side)
        return view, self.normalisation.tensor(view.pixels)

    def stack(self, prepared: Sequence[Tensor]) -> Tensor:
        """Return pixels (B, 3, S, S)."""
        return torch.stack(list(prepared))
