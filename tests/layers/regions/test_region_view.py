"""Closer views of regions: what is cut out, how large, and that it says nothing to begin with."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from deixis.layers.places.place_map import STRIDE, PlaceMap
from deixis.layers.regions.region_encoder import GEOMETRY
from deixis.layers.regions.region_view import (
    AROUND,
    LEAST,
    POINTED,
    SIDE,
    RegionView,
    pointed_boxes,
    square_views,
    units_within,
)

CELLS, HEAD, WIDTH = 8, 3, 12
INPUT = CELLS * STRIDE


class Glass(nn.Module):
    """A tower whose last map is the picture itself, four cells a side; keeps what it was shown."""

    def forward(self, pixels: Tensor) -> list[Tensor]:
        self.shown = pixels
        return [pixels, pixels, pixels, nn.functional.adaptive_avg_pool2d(pixels, 4), pixels]


def seen(picture: Tensor, *, proposed: tuple[float, ...] = (0, 0, INPUT, INPUT)) -> PlaceMap:
    batch = len(picture)
    features = torch.zeros(batch, 2, CELLS, CELLS)
    boxes = torch.tensor(proposed).float().expand(batch, CELLS * CELLS, 4)
    return PlaceMap(features, features, features, features.flatten(2), boxes, picture=picture)


def geometry_of(*boxes: tuple[float, float, float, float]) -> Tensor:
    """Return the geometry (1, R, GEOMETRY) of boxes in pixels."""
    units = torch.tensor(boxes).float() / INPUT
    middle, size = (units[:, :2] + units[:, 2:]) / 2, units[:, 2:] - units[:, :2]
    found = torch.cat([units, middle, size], dim=-1)[None]
    assert found.shape[-1] == GEOMETRY
    return found


def masks_of(regions: int, *, batch: int = 1) -> Tensor:
    return torch.full((batch, regions, CELLS, CELLS), 1 / CELLS**2)


def shown(
    picture: Tensor, *boxes: tuple[float, float, float, float], **proposed: tuple[float, ...]
) -> Tensor:
    """Return what the tower is shown of boxes of one picture (3, H, W): (R, 3, SIDE, SIDE)."""
    glass, present = Glass(), torch.ones(1, len(boxes), dtype=torch.bool)
    view = RegionView(head_width=HEAD, out_width=WIDTH)
    view(glass, seen(picture[None], **proposed), masks_of(len(boxes)), geometry_of(*boxes), present)
    return glass.shown


def quarters() -> Tensor:
    """Return a picture (3, INPUT, INPUT) whose quarters are 0.1, 0.2 (right), 0.3 (below) and 0.4."""
    return (
        torch.tensor([[0.1, 0.2], [0.3, 0.4]])
        .repeat_interleave(INPUT // 2, 0)
        .repeat_interleave(INPUT // 2, 1)[None]
        .expand(3, -1, -1)
    )


def test_it_adds_nothing_to_begin_with() -> None:
    view, present = RegionView(head_width=HEAD, out_width=WIDTH), torch.tensor([[True, True, False]])
    geometry = geometry_of((8, 8, 30, 30), (0, 0, 9, 9), (0, 0, 0, 0))
    found = view(Glass(), seen(quarters()[None]), masks_of(3), geometry, present)
    assert found.shape == (2, WIDTH) and not found.any()


@pytest.mark.parametrize(
    ("box", "shade"),
    [((2, 2, 20, 20), 0.1), ((42, 5, 58, 20), 0.2), ((4, 40, 12, 60), 0.3), ((40, 40, 60, 60), 0.4)],
)
def test_the_view_shows_what_is_in_and_around_the_box(box: tuple[float, ...], shade: float) -> None:
    (view,) = shown(quarters(), box)  # type: ignore[arg-type]
    assert view.shape == (3, SIDE, SIDE)
    torch.testing.assert_close(view, torch.full_like(view, shade))


def test_a_view_is_upright_and_not_mirrored() -> None:
    (view,) = shown(quarters(), (0, 0, INPUT, INPUT))
    near, far = SIDE // 4, 3 * SIDE // 4
    corners = [round(float(view[0, y, x]), 3) for y in (near, far) for x in (near, far)]
    assert corners == [0.1, 0.2, 0.3, 0.4]


def test_fine_patterns_are_averaged_not_skipped() -> None:
    # Stripes of half a pixel of the view, laid so that one sample a pixel would see only light ones.
    stripes = torch.zeros(3, 8 * INPUT, 8 * INPUT)
    stripes[:, :, 1::4] = stripes[:, :, 2::4] = 1.0
    places = seen(stripes[None])
    glass, present = Glass(), torch.ones(1, 1, dtype=torch.bool)
    RegionView(head_width=HEAD, out_width=WIDTH)(
        glass, places, masks_of(1), geometry_of((0, 0, INPUT, INPUT)), present
    )
    assert glass.shown[..., 8:-8, 8:-8].sub(0.5).abs().amax() < 0.01


def test_a_point_is_shown_as_the_box_that_the_map_proposes() -> None:
    (view,) = shown(quarters(), (1, 1, 1.05, 1.05), proposed=(42, 42, 60, 60))
    torch.testing.assert_close(view, torch.full_like(view, 0.4))


def test_regions_of_several_pictures_are_cut_from_their_own() -> None:
    pictures = torch.stack([torch.full((3, INPUT, INPUT), shade) for shade in (0.2, 0.7)])
    present = torch.tensor([[True, False], [True, True]])
    geometry = geometry_of((0, 0, 9, 9), (5, 5, 40, 40)).expand(2, -1, -1)
    glass = Glass()
    RegionView(head_width=HEAD, out_width=WIDTH)(
        glass, seen(pictures), masks_of(2, batch=2), geometry, present
    )
    assert [round(float(view.mean()), 3) for view in glass.shown] == [0.2, 0.7, 0.7]


def test_inside_and_around_are_told_apart() -> None:
    torch.manual_seed(0)
    view, present = RegionView(head_width=HEAD, out_width=WIDTH), torch.ones(1, 1, dtype=torch.bool)
    nn.init.normal_(view.out.weight)
    picture = torch.zeros(1, 3, INPUT, INPUT)
    picture[..., 24:40, 24:40] = 1.0
    box, moved = geometry_of((24, 24, 40, 40)), geometry_of((24, 24, 40, 32))
    one, other = (view(Glass(), seen(picture), masks_of(1), where, present) for where in (box, moved))
    assert not torch.allclose(one, other)


def test_no_region_gives_no_vector() -> None:
    view = RegionView(head_width=HEAD, out_width=WIDTH)
    none = torch.zeros(1, 2, dtype=torch.bool)
    found = view(Glass(), seen(quarters()[None]), masks_of(2), geometry_of((0, 0, 9, 9), (0, 0, 9, 9)), none)
    assert found.shape == (0, WIDTH)


corner = st.floats(-0.25, 1.25, width=32)


@given(x0=corner, y0=corner, x1=corner, y1=corner)
def test_views_are_squares_inside_the_picture_around_what_they_show(
    x0: float, y0: float, x1: float, y1: float
) -> None:
    units = torch.tensor([[[min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)]]])
    geometry = torch.cat([units, torch.zeros(1, 1, GEOMETRY - 4)], dim=-1)
    boxes = pointed_boxes(seen(quarters()[None]), masks_of(1), geometry)[0]
    (view,), (box,) = square_views(boxes), boxes
    wide, high = (view[2:] - view[:2]).tolist()
    assert wide == pytest.approx(high, abs=1e-5) and LEAST - 1e-5 <= wide <= 1 + 1e-5
    assert view.min() >= -1e-5 and view.max() <= 1 + 1e-5
    assert wide >= min(AROUND * float((box[2:] - box[:2]).amax()), 1.0) - 1e-5
    inside = units_within(boxes, view[None])[0]
    assert inside.min() >= -1e-3 and inside.max() <= 1 + 1e-3
    assert (box[2:] - box[:2] >= POINTED - 1e-5).all()


def test_views_that_fill_a_lot_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU; black pictures beside the views must not reach what is said of them."""
    torch.manual_seed(0)
    view, present = RegionView(head_width=HEAD, out_width=WIDTH), torch.ones(1, 2, dtype=torch.bool)
    nn.init.normal_(view.out.weight)
    arguments = (seen(torch.rand(1, 3, INPUT, INPUT)), masks_of(2), geometry_of((0, 0, 9, 9), (5, 5, 50, 50)))
    alone = view(Glass(), *arguments, present)
    monkeypatch.setattr("deixis.layers.regions.region_view.LOT", {"cpu": 8})
    glass = Glass()
    torch.testing.assert_close(view(glass, *arguments, present), alone)
    assert len(glass.shown) == 8
