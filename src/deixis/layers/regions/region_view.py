"""A closer view of a region: cut out of the picture, enlarged and seen by the same tower.

Towers learnt from pictures that one thing fills. On the place map a ball is a cell or two; enlarged, it is
seen the way the tower learnt to see things. Everything around the cut stays the business of the maps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deixis.layers.places.candidate_detail import HEAD_SIZE
from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.box_sampling import mean_inside
from deixis.layers.regions.region_detail import widened

SIDE = 128  # pixels of a view
AROUND = 1.5  # the side of a view over the longer side of the region's box
LEAST = 0.2  # of the picture's side: no view shows less
# A GPU plans its convolutions anew for every number of pictures, which takes seconds: few numbers, then.
LOT, MANY = {"cpu": 1}, 128
# Of the picture's side: a region that is nowhere larger is a point, and its box says nothing.
POINTED = 0.0125


class RegionView(nn.Module):
    """Turn regions into further vectors of the language model's width, zero to begin with.

    head_width: channels of the tower's last map.
    """

    def __init__(self, *, head_width: int, out_width: int, hidden: int = 384) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.Linear(2 * head_width, hidden), nn.GELU())
        self.out = nn.Linear(hidden, out_width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, tower: nn.Module, places: PlaceMap, masks: Tensor, geometry: Tensor, present: Tensor
    ) -> Tensor:
        """Return the vectors (K, out_width) of the regions marked ``present`` (B, R), picture by picture.

        tower: maps pixels (K, 3, S, S) to maps of which the fourth is its last. The other arguments are those
        of RegionEncoder.
        """
        assert places.picture is not None, "a network with region_view keeps the picture"
        if not present.any():
            return self.out.bias.new_zeros(0, self.out.out_features)
        units = pointed_boxes(places, masks, geometry)[present]  # (K, 4)
        views = square_views(units)
        pictures = present.nonzero()[:, :1].to(units.dtype)  # (K, 1)
        with torch.autocast(units.device.type, enabled=False), torch.no_grad():
            rois = torch.cat([pictures, views * places.picture.shape[-1]], dim=-1)
            from torchvision.ops import roi_align  # imported late: it takes seconds

            seen = roi_align(places.picture.float(), rois, SIDE, sampling_ratio=2, aligned=True)
        lot = LOT.get(seen.device.type, MANY)
        seen = filled(seen, lot).contiguous(memory_format=torch.channels_last)
        head = tower(seen)[3][: len(units)] / HEAD_SIZE  # (K, C, h, w)
        inside = mean_inside(head, units_within(units, views)[:, None])[:, 0]
        return self.out(self.read(torch.cat([inside.to(head.dtype), head.mean(dim=(-2, -1))], dim=-1)))


def filled(views: Tensor, lot: int) -> Tensor:
    """Return views (K, 3, S, S) and as many black ones as make their number a multiple of ``lot``.

    >>> [len(filled(torch.ones(count, 3, 2, 2), 4)) for count in (0, 3, 4, 5)]
    [0, 4, 4, 8]
    """
    return torch.cat([views, views.new_zeros(-len(views) % lot, *views.shape[1:])])


@torch.no_grad()
def pointed_boxes(places: PlaceMap, masks: Tensor, geometry: Tensor) -> Tensor:
    """Return the boxes (B, R, 4) that regions stand for, as fractions of the picture's side.

    Their own bounds; for points the box that the map proposes there.
    """
    own = geometry[..., :4].float()
    side = STRIDE * places.fine.shape[-1]
    proposed = torch.bmm(masks.flatten(2).float(), places.boxes.float()) / side  # (B, R, 4)
    longer = (own[..., 2:] - own[..., :2]).amax(dim=-1, keepdim=True)
    return widened(torch.where(longer > POINTED, own, proposed), POINTED)


def square_views(units: Tensor) -> Tensor:
    """Return the squares (K, 4) inside the picture that show boxes (K, 4) with something around them.

    >>> square_views(torch.tensor([[0.0, 0.25, 0.5, 0.5]])).tolist()
    [[0.0, 0.0, 0.75, 0.75]]
    """
    middle = (units[:, :2] + units[:, 2:]) / 2
    half = (AROUND * (units[:, 2:] - units[:, :2]).amax(dim=-1, keepdim=True)).clamp(LEAST, 1.0) / 2
    middle = torch.minimum(torch.maximum(middle, half), 1 - half)
    return torch.cat([middle - half, middle + half], dim=-1)


def units_within(units: Tensor, views: Tensor) -> Tensor:
    """Return boxes (K, 4) as fractions of the sides of views (K, 4); both are fractions of the picture's.

    >>> units_within(torch.tensor([[0.25, 0.25, 0.5, 0.5]]), torch.tensor([[0.0, 0.0, 0.5, 0.5]])).tolist()
    [[0.5, 0.5, 1.0, 1.0]]
    """
    low, size = views[:, :2], views[:, 2:] - views[:, :2]
    return (units - torch.cat([low, low], dim=-1)) / torch.cat([size, size], dim=-1)
