"""Readers of datasets: one explicit table, layout name to reader; every reader returns scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from deixis.data.opening import sound_scenes, with_max_pixels
from deixis.data.scene import Scene
from deixis.data.sources.boxes import Boxes
from deixis.data.sources.coco import read_coco
from deixis.data.sources.detection.open_images import read_open_images
from deixis.data.sources.detection.sa1b import read_sa1b
from deixis.data.sources.detection.v3det import read_v3det
from deixis.data.sources.flickr30k_entities import read_flickr30k_entities
from deixis.data.sources.lvis import read_lvis
from deixis.data.sources.objects365 import read_objects365
from deixis.data.sources.pack import read_pack
from deixis.data.sources.refcoco import read_refcoco
from deixis.data.sources.visual_genome import read_visual_genome
from deixis.errors import RecordError
from deixis.pictures.broken import REFUSE as REFUSE_BROKEN
from deixis.pictures.opening import LARGEST_PIXELS
from deixis.regions.outside import CUT, REFUSE


class Reader(Protocol):
    """What reads a layout. outside: what is done with boxes that stick out of their pictures."""

    def __call__(self, folder: Path, split: str, *, outside: str | Boxes = ...) -> list[Scene]: ...


SOURCES: Mapping[str, Reader] = MappingProxyType(
    {
        "pack": read_pack,
        "flickr30k_entities": read_flickr30k_entities,
        "coco": read_coco,
        "refcoco": read_refcoco,
        "visual_genome": read_visual_genome,
        "objects365": read_objects365,
        "lvis": read_lvis,
        "open_images": read_open_images,
        "v3det": read_v3det,
        "sa1b": read_sa1b,
    }
)
WITH_MASKS = ("coco", "refcoco", "lvis", "sa1b")  # whose readers take ``masks``
OWN_RULES: Mapping[str, str] = MappingProxyType({"visual_genome": CUT})  # where boxes stick out; else REFUSE
# What a folder of each layout holds; the first layout of which something is there is taken.
SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "flickr30k_entities": ("Sentences/*.txt",),
        "pack": ("*_captions.jsonl",),
        "coco": ("annotations/instances_*.json", "*_instances.json"),
        "refcoco": ("refs(*).p",),
        "visual_genome": ("image_data.json",),
        "objects365": tuple(
            place + name
            for place in ("annotations/", "")
            for name in ("objects365_*.json", "zhiyuan_objv2_*.json")
        ),
        "open_images": ("*-annotations-bbox.csv", "annotations/*-annotations-bbox.csv"),
        "v3det": ("annotations/v3det_2023_v1_*.json", "v3det_2023_v1_*.json"),
        "sa1b": ("sa_*.json", "*/sa_*.json"),
        # Last: LVIS annotates COCO's pictures and may lie in COCO's folder.
        "lvis": ("lvis_*.json", "annotations/lvis_*.json"),
    }
)


def read_scenes(
    folder: Path,
    split: str,
    *,
    layout: str | None = None,
    outside: str | None = None,
    broken: str = REFUSE_BROKEN,
    max_pixels: int = LARGEST_PIXELS,
) -> list[Scene]:
    """The scenes of one split of a dataset folder, whose layout is detected unless it is named.

    outside: "refuse", "cut" or "pass_over" boxes that stick out of their pictures; None is the reader's own
    rule, to cut those of Visual Genome and refuse all others. How many there were is logged.
    broken: "pass_over" opens every picture and leaves out those that are damaged, logging how many; else they
    are an error once they are needed ("refuse").
    max_pixels: how large pictures may be that are opened; larger ones are broken.
    RecordError: no layout fits, the layout is unknown, or the reader found a mistake in a file.
    """
    dataset = read_dataset(folder, split, layout=layout, outside=outside, max_pixels=max_pixels)
    return sound_scenes(dataset.scenes, source=Path(folder), broken=broken)


@dataclass(frozen=True)
class Dataset:
    """The scenes of one split, the layout that they were read in, and what became of boxes that stick out."""

    scenes: list[Scene]
    layout: str
    boxes: Boxes


def read_dataset(
    folder: Path,
    split: str,
    *,
    layout: str | None = None,
    outside: str | None = None,
    masks: bool = False,
    max_pixels: int = LARGEST_PIXELS,
) -> Dataset:
    """The scenes of one split and how they were read; arguments and errors as of ``read_scenes``.

    masks: things have theirs, in layouts that know any.
    """
    chosen = detect_layout(Path(folder)) if layout is None else layout
    if chosen not in SOURCES:
        raise RecordError(f"unknown layout {chosen!r}; expected one of {', '.join(SOURCES)}")
    boxes = Boxes(OWN_RULES.get(chosen, REFUSE) if outside is None else outside)
    asked: dict[str, Any] = {"masks": True} if masks and chosen in WITH_MASKS else {}
    scenes = SOURCES[chosen](Path(folder), split, outside=boxes, **asked)
    return Dataset(with_max_pixels(scenes, max_pixels), chosen, boxes)


def detect_layout(folder: Path) -> str:
    """The name of the layout that a folder is in, by the files it holds; RecordError if it is in none."""
    if not folder.is_dir():
        raise RecordError(f"there is no dataset folder {str(folder)!r}")
    for layout, patterns in SIGNS.items():
        if any(next(folder.glob(pattern), None) is not None for pattern in patterns):
            return layout
    signs = "; ".join(f"{layout}: {' or '.join(patterns)}" for layout, patterns in SIGNS.items())
    raise RecordError(f"{folder} is in no layout that we read; expected one of these files. {signs}")
