"""The eight kinds of visual prompts, and which of them an annotation allows (vip_llava.md section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from deixis.errors import UsageError

Kind = Literal["rectangle", "ellipse", "triangle", "point", "scribble", "mask contour", "mask", "arrow"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ANNOTATIONS = ("box", "mask")
# How words say which thing a mark means: "the dog WITHIN the red RECTANGLE".
WORDS: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        "rectangle": ("within", "rectangle"),
        "ellipse": ("within", "ellipse"),
        "triangle": ("with", "triangle"),
        "point": ("at", "point"),
        "scribble": ("with", "scribble"),
        "mask contour": ("with", "mask contour"),
        "mask": ("with", "mask"),
        "arrow": ("pointed to by", "arrow"),
    }
)


# The paper: a box allows what needs no outline, a mask everything.
PAPER: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {"box": ("rectangle", "ellipse", "arrow"), "mask": KINDS}
)
# The published code: by source of the data, at training and where it differs at test.
CODE: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "refcocog": KINDS,
        "vcr": tuple(kind for kind in KINDS if kind != "point"),
        "vg_rel": ("rectangle", "ellipse"),
        "flickr30k": ("rectangle", "ellipse", "arrow"),
        "v7w": ("rectangle",),
        "pointQA_twice": ("rectangle",),
        "vcr_qa": ("point",),
        "vcr_qar": ("point",),
    }
)
CONSTANT_WIDTH = ("v7w", "pointQA_twice", "vcr_qa", "vcr_qar")


def kind_of(name: str) -> Kind:
    """Return a kind by its name; "mask_contour" and "contour" mean "mask contour"."""
    spoken = {"mask_contour": "mask contour", "mask-contour": "mask contour", "contour": "mask contour"}
    wanted = spoken.get(name, name)
    for kind in KINDS:
        if kind == wanted:
            return kind
    raise UsageError(f"no visual prompt {name!r}; the kinds are {', '.join(KINDS)}")
