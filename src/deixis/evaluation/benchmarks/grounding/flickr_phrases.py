"""Phrase grounding on Flickr30k Entities (Plummer et al., 2015), a question for each phrase of a caption.

Recall at 1 with merged boxes, the one box around all boxes of a phrase, as papers print it; beside it with
any of them. Papers ask for all phrases of a caption at once; ``metrics.flickr_entities`` scores that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.data.opening import upright_scenes
from deixis.data.sources import read_scenes
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Scoring,
    Shown,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.grounding.grounded_captions import shown_source
from deixis.evaluation.benchmarks.marking import row
from deixis.evaluation.metrics.edges import around
from deixis.regions.overlap import Edges, iou

INSTRUCTION = "Locate {} in the image."
LEAST = 0.5  # IoU; as much is enough
DEFAULT_SPLIT = "val"


@dataclass(frozen=True)
class SaidBoxes:
    """The boxes of a phrase, x0 y0 x1 y1 in pixels."""

    boxes: tuple[Edges, ...]


def read(path: Path) -> list[BenchmarkItem[SaidBoxes]]:
    """Return the phrases of the split ``val``."""
    return read_split(path, DEFAULT_SPLIT)


def read_split(path: Path, split: str) -> list[BenchmarkItem[SaidBoxes]]:
    """Return every phrase with boxes of every caption of a split; RecordError where there is none."""
    items = []
    for scene in upright_scenes(read_scenes(path, split)):
        shown = Shown(scene.picture.name, shown_source(scene))
        for number, caption in enumerate(scene.captions):
            for phrase in caption.phrases:
                if phrase.things:
                    boxes = tuple(scene.thing(thing).box.as_tuple() for thing in phrase.things)
                    items.append(
                        BenchmarkItem(
                            id=f"{scene.id}/{number}/{phrase.start}",
                            pictures=(shown,),
                            question=phrase.text,
                            truth=SaidBoxes(boxes),
                        )
                    )
    if not items:
        raise RecordError(f"{path} has no captions with boxed phrases in its split {split!r}")
    return items


def prompt(item: BenchmarkItem[SaidBoxes]) -> str:
    """Return what is asked."""
    return INSTRUCTION.format(item.question.lower())


def score(item: BenchmarkItem[SaidBoxes], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether the surest place hits the one box around all that are meant."""
    if not reply.places or reply.failures:
        why = reply.failures[0] if reply.failures else "the reply has no place"
        return unparsed(why, numbers={"any": 0.0})
    best = max(reply.places, key=lambda place: place.score or 0.0).box
    any_hit = any(iou(best, box) >= LEAST for box in item.truth.boxes)
    merged = iou(best, around(list(item.truth.boxes))) >= LEAST
    return Mark(float(merged), read=str(best), numbers={"any": float(any_hit)})


def tabulate(items: Sequence[BenchmarkItem[SaidBoxes]], marks: Sequence[Mark]) -> Table:
    """Return recall at 1 with merged boxes, and with any of them."""
    any_box = [Mark(one.numbers.get("any", 0.0), fault=one.fault) for one in marks]
    return Table({"merged": row(marks), "any box": row(any_box)})


FLICKR_PHRASES = Benchmark(
    name="flickr30k",
    title="Flickr30k Entities, phrase by phrase",
    layout="folder with Annotations/, Sentences/, flickr30k-images/ and val.txt (--split), or another one "
    "with boxed phrases",
    prompt_text=INSTRUCTION.format("<phrase>"),
    metric="recall at 1: the surest place overlaps (IoU) by 0.5 or more with the one box around all boxes "
    "of the phrase (merged), or with any of them; every phrase of every caption counts",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Ferret-v2, table 3, where all phrases of a caption are asked at once",
    unread="wrong, and counted as unparsed: no place, or malformed ones",
    places=True,
    read_split=read_split,
)
