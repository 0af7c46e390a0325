"""Region encoders by their settings, as configurations hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args

from deixis.errors import UsageError
from deixis.layers.regions.region_adapter import RegionAdapter
from deixis.layers.regions.sampler_size import PointOrder, SamplerSize
from deixis.layers.regions.visual_sampler import VisualSampler


def build_sampler(
    settings: Mapping[str, Any] | None, *, width: int, out_width: int, point_order: str
) -> VisualSampler | None:
    """Return a fresh sampler, or None where there are no settings.

    settings: fields of ``SamplerSize``, lists for tuples as JSON has them. UsageError for others.
    """
    if settings is None:
        return None
    known = [field.name for field in dataclasses.fields(SamplerSize)]
    if unknown := sorted(set(settings) - set(known)):
        raise UsageError(f"a sampler has no settings {unknown}; known: {', '.join(known)}")
    size = SamplerSize(**settings)
    return VisualSampler(width=width, out_width=out_width, size=size, point_order=checked_order(point_order))


def build_adapter(wanted: bool, *, width: int, out_width: int, point_order: str) -> RegionAdapter | None:
    """Return a fresh adapter where one is wanted."""
    if not wanted:
        return None
    return RegionAdapter(width=width, out_width=out_width, point_order=checked_order(point_order))


def checked_order(point_order: str) -> PointOrder:
    """Return the point order; UsageError if it is none."""
    if point_order not in get_args(PointOrder):
        raise UsageError(f"point_order is {point_order!r}; expected one of {', '.join(get_args(PointOrder))}")
    return "transposed" if point_order == "transposed" else "xy"
