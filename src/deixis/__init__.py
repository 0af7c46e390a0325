"""Point at part of a picture and ask; answers in plain words, with the places they speak of.

>>> import deixis
>>> deixis.Box(10, 20, 110, 220).area
20000.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer, Place, Span
    from deixis.painting.painter import paint
    from deixis.pictures.opening import Picture, open_picture
    from deixis.regions.frames import PIXELS, THOUSANDTHS, UNIT, Frame
    from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble
    from deixis.systems import load

__version__ = "0.1.0"

# Where each name lives. They are imported when first used, so that `import deixis` stays quick.
_HOMES = {
    "load": "deixis.systems",
    "Point": "deixis.regions.shapes",
    "Box": "deixis.regions.shapes",
    "Polygon": "deixis.regions.shapes",
    "Scribble": "deixis.regions.shapes",
    "Mask": "deixis.regions.shapes",
    "Frame": "deixis.regions.frames",
    "PIXELS": "deixis.regions.frames",
    "UNIT": "deixis.regions.frames",
    "THOUSANDTHS": "deixis.regions.frames",
    "Picture": "deixis.pictures.opening",
    "open_picture": "deixis.pictures.opening",
    "Answer": "deixis.answers.grounded",
    "Span": "deixis.answers.grounded",
    "Place": "deixis.answers.grounded",
    "paint": "deixis.painting.painter",
}

__all__ = [
    "load",
    "Point",
    "Box",
    "Polygon",
    "Scribble",
    "Mask",
    "Frame",
    "PIXELS",
    "UNIT",
    "THOUSANDTHS",
    "Picture",
    "open_picture",
    "Answer",
    "Span",
    "Place",
    "paint",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'deixis' has no attribute {name!r}; it offers: {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
