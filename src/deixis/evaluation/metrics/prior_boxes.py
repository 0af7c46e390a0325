"""Where things usually are: for every noun the one box that is right most often. It never sees a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deixis.errors import UsageError
from deixis.regions.frames import Frame
from deixis.regions.overlap import Edges, areas, shared_lengths
from deixis.regions.shapes import Box

STEPS = 8  # edges of candidates lie at eighths of width and height; finer grids find no better boxes
CHUNK = 4096  # examples that are compared with all candidates at once
Named = tuple[str, Sequence[Box]]


@dataclass(frozen=True)
class PriorBoxes:
    """The best box of each noun and the best of all, as shares of width and height."""

    by_noun: Mapping[str, Edges]
    of_all: Edges

    def box(self, noun: str, frame: Frame) -> Box:
        """Return the box of a noun in a picture; that of all, where the noun is not known."""
        width, height = frame.size
        x0, y0, x1, y1 = self.by_noun.get(noun, self.of_all)
        return Box(x0 * width, y0 * height, x1 * width, y1 * height, frame=frame)


def learn_prior_boxes(named: Sequence[Named]) -> PriorBoxes:
    """Return the candidates that most often have IoU >= 0.5 with any of the boxes of a noun's examples.

    named: a noun and the boxes that it means, bound to their picture's frame, for every example. Where
    several candidates of a noun are equally often right, that one wins which is right most often over all
    nouns. UsageError without examples.
    """
    if not named:
        raise UsageError("there is no phrase with a box to learn prior boxes from; is it the right split?")
    named = sorted(named, key=lambda example: example[0])
    names, noun_of = np.unique([noun for noun, _ in named], return_inverse=True)
    spans = grid_spans()
    times = np.zeros((len(names), len(spans) ** 2))  # (nouns, candidates)
    for start in range(0, len(named), CHUNK):
        hit = hit_by([boxes for _, boxes in named[start : start + CHUNK]], spans)
        nouns, first = np.unique(noun_of[start : start + CHUNK], return_index=True)
        times[nouns] += np.add.reduceat(hit, first, axis=0, dtype=np.float64)
    over_all = times.sum(axis=0) / len(named)
    # Times are whole numbers, so that half a share decides between equal ones only.
    best = (times + over_all / 2).argmax(axis=1)
    return PriorBoxes(
        {str(name): candidate(spans, index) for name, index in zip(names, best, strict=True)},
        of_all=candidate(spans, over_all.argmax()),
    )


def grid_spans() -> NDArray[np.float64]:
    """Return every stretch between two steps of a side, as shares of it: (spans, 2), from and to."""
    return np.stack(np.triu_indices(STEPS + 1, k=1), axis=1) / STEPS


def candidate(spans: NDArray[np.float64], index: np.intp) -> Edges:
    """Return candidate ``index``: a span of the width and, changing faster, one of the height."""
    (x0, x1), (y0, y1) = spans[index // len(spans)].tolist(), spans[index % len(spans)].tolist()
    return x0, y0, x1, y1


def hit_by(examples: Sequence[Sequence[Box]], spans: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which candidates hit any box of each example: (examples, spans x spans)."""
    boxes = np.array([shares(box) for boxes in examples for box in boxes])  # (boxes, 4)
    wide, high = (
        shared_lengths(boxes[:, 0::2], spans),
        shared_lengths(boxes[:, 1::2], spans),
    )  # (boxes, spans)
    lengths = spans[:, 1] - spans[:, 0]
    # shared / (a + b - shared) >= 1/2, without a division. Shares of sides don't change it.
    sums = areas(boxes)[:, None, None] + lengths[:, None] * lengths  # (boxes, spans, spans)
    hit = (3 * wide[:, :, None] * high[:, None, :] >= sums).reshape(len(boxes), -1)
    first = np.cumsum([0, *(len(own) for own in examples[:-1])])
    return np.logical_or.reduceat(hit, first, axis=0)


def shares(box: Box) -> tuple[float, float, float, float]:
    """Return a box's edges as shares of its picture's sides."""
    width, height = box.frame.size
    return box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height
