"""A picture as the family sees it: one square, by one of the published ways (vip_llava.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from deixis.pictures.normalising import Normalisation
from deixis.pictures.opening import Picture
from deixis.pictures.padding import pad_to_square
from deixis.pictures.resizing import Order, resize
from deixis.pictures.tiling import crop

Aspect = Literal["pad", "resize", "crop"]


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


@dataclass(frozen=True)
class SquareView:
    """Pictures as squares of ``side`` pixels, normalised.

    aspect: "pad" lays a picture in the middle of a square of the mean colour; "resize" doesn't keep its
    proportions; "crop" resizes its shorter side and takes the middle. order: which pass comes first.
    """

    side: int
    normalisation: Normalisation
    aspect: Aspect = "pad"
    order: Order = "width_first"

    def view(self, picture: Picture) -> tuple[Picture, Tensor]:
        """Return the square with its frame, and its pixels (3, S, S)."""
        if self.aspect == "pad":
            red, green, blue = (int(255 * mean) for mean in self.normalisation.mean)
            picture = pad_to_square(picture, fill=(red, green, blue))
        if self.aspect == "crop":
            view = middle(picture, self.side, order=self.order)
        else:
            view = resize(picture, self.side, self.side, order=self.order)
        return view, self.normalisation.tensor(view.pixels)

    def stack(self, prepared: Sequence[Tensor]) -> Tensor:
        """Return pixels (B, 3, S, S)."""
        return torch.stack(list(prepared))


def middle(picture: Picture, side: int, *, order: Order) -> Picture:
    """Return the middle square of a picture whose shorter side is resized to ``side`` pixels."""
    short = min(picture.width, picture.height)
    width, height = (max(int(edge * side / short), side) for edge in (picture.width, picture.height))
    resized = resize(picture, width, height, order=order)
    left, top = (width - side) // 2, (height - side) // 2
    return crop(resized, left, top, left + side, top + side)


def central_square(picture: Picture) -> Picture:
    """Return the largest square in the middle of a picture, which the ViP-Bench script can ask for."""
    side = min(picture.width, picture.height)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return crop(picture, left, top, left + side, top + side)
