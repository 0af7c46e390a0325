"""How much of what people speak of do systems find before anything is asked? (Groma, section 3 and 4.2.)

Every system proposes at most so many boxes a picture; the boxes of a dataset say which of them were worth it.
All systems get the same pictures and are held against the same boxes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deixis.data.opening import open_scene
from deixis.data.scene import Scene, Thing
from deixis.errors import UsageError
from deixis.evaluation.metrics.detection.matching import LEAST_OVERLAPS, Found, match
from deixis.evaluation.metrics.intervals import EXPLAINED, interval_over_pictures
from deixis.progress import SILENT, Progress

ALL, OBJECTS = "all", "objects"
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "people and animals": ("people", "person", "animals", "animal"),
        OBJECTS: (),
        "clothing and parts": ("clothing", "bodyparts"),
        "scene phrases": ("scene",),
    }
)
"""The sorts of things (``Thing.sort``) that make up each group; all other sorts are objects."""
RULE = (
    "Boxes are matched with true ones as in COCO, all sorts together: in the order of their scores each "
    "takes the free true box that it overlaps most. AR: the share of true boxes found, mean over IoU 0.50, "
    "0.55, …, 0.95; recall: at IoU 0.5. Boxes drawn round several things are left out"
)


class Proposing(Protocol):
    """What is asked of a system. ``propose`` returns places with boxes in pixels of the original."""

    name: str

    def propose(self, picture: Any, *, most: int) -> Sequence[Any]:
        """Return at most so many places, the surest first."""
        ...

    def fingerprint(self) -> str:
        """Return a digest of the weights."""
        ...


@dataclass(frozen=True)
class Rate:
    """A share of true boxes with its 95 % interval; n: how many boxes it is of."""

    value: float
    ci95: tuple[float, float]
    n: int

    def __str__(self) -> str:
        low, high = self.ci95
        return f"{100 * self.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True)
class ProposalRow:
    """What one system found. boxes: how many it proposed a picture, on average; rates: by group.

    recalls: mean over overlaps; halves: at IoU 0.5.
    """

    model: str
    system: str
    weights: str
    boxes: float
    recalls: Mapping[str, Rate]
    halves: Mapping[str, Rate]

    def to_dict(self, most: int) -> dict[str, Any]:
        """Return the row for JSON."""
        own: dict[str, Any] = {
            "model": self.model,
            "system": self.system,
            "weights": self.weights,
            "boxes_a_picture": self.boxes,
        }
        for name, rates in ((f"AR@{most}", self.recalls), ("recall@0.5", self.halves)):
            own[name] = {
                group: {"value": rate.value, "ci95": list(rate.ci95), "n": rate.n}
                for group, rate in rates.items()
            }
        return own


@dataclass(frozen=True)
class ProposalStudy:
    """All rows, and what they were measured on. set_aside: sentences about the dataset's faults."""

    rows: tuple[ProposalRow, ...]
    data: str
    pictures: int
    most: int
    seed: int
    set_aside: Sequence[str] = ()

    def to_json(self) -> str:
        """Return the study as JSON."""
        content = {
            "study": "proposals",
            "data": self.data,
            "pictures": self.pictures,
            "most": self.most,
            "seed": self.seed,
            "rule": RULE,
            "intervals": EXPLAINED,
            "set_aside": list(self.set_aside),
            "rows": [row.to_dict(self.most) for row in self.rows],
        }
        return json.dumps(content, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return two tables, and below them how it was measured."""
        groups = list(self.rows[0].recalls)
        lines = []
        for title, of in ((f"AR@{self.most}", "recalls"), (f"recall@{self.most}, IoU 0.5", "halves")):
            first: Mapping[str, Rate] = getattr(self.rows[0], of)
            heads = [f"{group} (n = {first[group].n:,})" for group in groups]
            lines += ["| " + " | ".join([title, "boxes", *heads]) + " |", "|" + " --- |" * (len(groups) + 2)]
            for row in self.rows:
                rates: Mapping[str, Rate] = getattr(row, of)
                cells = [row.model, f"{row.boxes:.0f}", *(str(rates[group]) for group in groups)]
                lines.append("| " + " | ".join(cells) + " |")
            lines.append("")
        lines.append(
            f"%, with 95 % intervals ({EXPLAINED}), of {self.pictures:,} pictures of {self.data}. {RULE}."
        )
        lines += [f"- {sentence}" for sentence in self.set_aside]
        return "\n".join(lines) + "\n"


def group_of(thing: Thing) -> str:
    """Return the group of a thing.

    >>> from deixis.regions.shapes import Box
    >>> group_of(Thing(1, Box(0, 0, 1, 1), "dog", supercategory="animals"))
    'people and animals'
    """
    return next((group for group, sorts in GROUPS.items() if thing.sort in sorts), OBJECTS)


def true_things(scene: Scene) -> list[Thing]:
    """Return the things of a scene that are one thing each."""
    return [thing for thing in scene.things if not thing.group]


def with_things(scenes: Sequence[Scene]) -> list[Scene]:
    """Return the scenes that have boxes of single things; UsageError for none."""
    kept = [scene for scene in scenes if true_things(scene)]
    if not kept:
        raise UsageError(
            f"none of {len(scenes):,} pictures has a box round a single thing; expected a dataset with boxes"
        )
    return kept


def edges_of(boxes: Sequence[Any]) -> NDArray[np.float64]:
    """Return boxes as x y width height (n, 4)."""
    edges = np.array([box.as_tuple() for box in boxes], dtype=np.float64).reshape(-1, 4)
    return np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], axis=1)


def measured(
    system: Proposing, scenes: Sequence[Scene], *, model: str, most: int, seed: int, progress: Progress
) -> ProposalRow:
    """Return what a system finds in pictures."""
    pictures: list[str] = []
    groups: list[str] = []
    found: list[NDArray[np.bool_]] = []
    proposed = 0
    for scene in progress.track(scenes, model, unit="picture"):
        picture, upright = open_scene(scene)
        things = true_things(upright)
        places = system.propose(picture, most=most)[:most]
        scores = np.array([place.score for place in places], dtype=np.float64)
        boxes = Found(
            edges_of([p.box for p in places]), edges_of([thing.box for thing in things]), scores=scores
        )
        found.append(match(boxes.best_first()).found.T)  # (m, T)
        proposed += len(places)
        groups += [group_of(thing) for thing in things]
        pictures += [scene.id] * len(things)
    every = np.concatenate(found)
    shares, halves = every.mean(axis=1), every[:, LEAST_OVERLAPS.argmin()]
    rates = [
        dict(grouped(column.astype(np.float64), groups, pictures, seed=seed)) for column in (shares, halves)
    ]
    return ProposalRow(model, system.name, system.fingerprint(), proposed / len(scenes), *rates)


def grouped(
    values: NDArray[np.float64], groups: Sequence[str], pictures: Sequence[str], *, seed: int
) -> Iterator[tuple[str, Rate]]:
    """Yield the rate of all true boxes, and of each group that has any. values, groups, pictures: (n,)."""
    names = np.array(groups)
    for name in (ALL, *GROUPS):
        rows = np.flatnonzero((names == name) | (name == ALL))
        if len(rows):
            own = {"found": values[rows]}
            interval = interval_over_pictures(
                own,
                [pictures[row] for row in rows.tolist()],
                measure=lambda drawn: float(drawn["found"].mean()),
                seed=seed,
            )
            yield name, Rate(float(values[rows].mean()), interval, len(rows))


def run_proposals(
    systems: Mapping[str, Proposing],
    scenes: Sequence[Scene],
    *,
    most: int,
    data: str,
    seed: int = 0,
    set_aside: Sequence[str] = (),
    progress: Progress = SILENT,
) -> ProposalStudy:
    """Return the study of systems, by what they are called, on pictures with boxes (``with_things``)."""
    rows = tuple(
        measured(system, scenes, model=model, most=most, seed=seed, progress=progress)
        for model, system in systems.items()
    )
    return ProposalStudy(rows, data, len(scenes), most, seed, set_aside)
