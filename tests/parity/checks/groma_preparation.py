"""Checks of how Groma's pictures and boxes are prepared: both ways of resizing, and the filters of boxes."""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import Tensor

from deixis.data.groma.boxes import MIN_SIDE, SA1B_AREAS, SizeFilter, centred, on_square
from deixis.pictures.normalising import statistics
from deixis.pictures.opening import open_picture
from deixis.systems.groma.preparation import GromaPreparation, Route
from tests.parity.case import Case
from tests.parity.planning import Check

ROUTES: dict[str, Route] = {"pil": "pillow", "cv2": "opencv"}
SIDES = re.compile(r"FilterAnnotations(?:Flickr)?_min_wh_(\d+)")
AREAS = re.compile(r"CustomFilter_area_(\d+)_(\d+)")


def filter_of(name: str) -> SizeFilter:
    """Return the filter that a case names."""
    if (found := SIDES.fullmatch(name)) is not None:
        return SizeFilter(least_side=float(found[1]))
    areas = AREAS.fullmatch(name)
    assert areas is not None, f"no filter is called {name}"
    return SizeFilter(least_area=float(areas[1]), most_area=float(areas[2]))


def check_preprocess(case: Case) -> None:
    """Pictures through both routes, and boxes through the second."""
    side = case.given("config", "size")
    normalisation = statistics(case.given("config", "mean"), case.given("config", "std"))
    count = sum(name.startswith("inputs/rgb_") for name in case.golden.tensors)
    for number in range(count):
        picture = open_picture(case.input(f"rgb_{number}").numpy())
        views: dict[str, Tensor] = {}
        for name, route in ROUTES.items():
            preparation = GromaPreparation(side, route, normalisation, case.acceptance.resize)
            view, pixels = preparation.view(picture)
            views[name] = pixels
            case.output(f"{name}_{number}_stride16", pixels[:, ::16, ::16])
            case.output(f"{name}_{number}_mean_std", torch.stack([pixels.mean(), pixels.std()]))
            written = "uint8_stride16" if name == "pil" else "uint8_rgb_stride16"
            case.output(f"{name}_{number}_{written}", torch.from_numpy(view.pixels[::16, ::16].copy()))
        apart = (views["pil"] - views["cv2"]).abs()
        case.output(f"diff_pil_cv2_{number}", torch.stack([apart.mean(), apart.max()]))
        boxes = case.input(f"boxes_xyxy_{number}").numpy()
        seen = on_square(boxes, width=picture.width, height=picture.height, side=side)
        case.output(f"cv2_{number}_boxes_resized_xyxy", torch.from_numpy(seen))
        case.output(f"cv2_{number}_boxes_norm_cxcywh", torch.from_numpy(centred(seen, side=side)))


def check_filters(case: Case) -> None:
    """Boxes that are kept by size; none left of some is no sample at all."""
    assert filter_of("FilterAnnotations_min_wh_2") == MIN_SIDE
    assert filter_of("CustomFilter_area_196_160000") == SA1B_AREAS
    for row in case.rows("cases"):
        boxes = np.array(row.given("boxes_xyxy"), dtype=np.float32).reshape(-1, 4)
        kept = filter_of(row.given("filter")).kept(boxes)
        if len(boxes) and not kept.any():
            row.expect("result", ours=None)
            continue
        ours = {"boxes": boxes[kept].tolist(), "labels": np.nonzero(kept)[0].tolist()}
        row.expect("result", ours=ours, under="values")


PREPARATION: dict[str, Check] = {
    "preprocess": Check(check_preprocess, given=("config", "weights")),
    "box_filters": Check(check_filters, given=("cases/*/filter", "cases/*/boxes_xyxy")),
}
