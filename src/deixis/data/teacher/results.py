"""The files that come of lessons: samples, rejects with their reasons, and a card of the samples."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deixis.data.scene import Scene
from deixis.data.teacher.lesson import Kind
from deixis.data.teacher.spending import Spending
from deixis.data.teacher.teaching import Result
from deixis.files.writing import write_whole

UNKNOWN = "not stated: read the terms at the source"
COCO = "annotations CC BY 4.0; pictures under the licences of their Flickr owners"
# What is known of datasets by their layout (docs/grit.md).
LICENCES: Mapping[str, str] = MappingProxyType(
    {"coco": COCO, "lvis": COCO, "refcoco": COCO, "flickr30k_entities": "non-commercial research"}
)
READERS: Mapping[str, str] = MappingProxyType({"regions": "painted", "grit": "grit", "groma": "groma"})
OPENAI = "api.openai.com"
OPENAI_TERMS = "OpenAI's terms of use, which restrict what output may be used to develop other models"


@dataclass(frozen=True)
class Origin:
    """Where samples come from, for their card.

    data: name of the dataset's folder. licence: of the data, None for what is known of the layout. teacher:
    the model; address: of its endpoint. terms: the teacher's, None for what is known of the address.
    """

    data: str
    split: str
    layout: str
    teacher: str
    address: str
    licence: str | None = None
    terms: str | None = None
    seed: int = 0
    temperature: float = 0.0

    def to_dict(self, sources: Sequence[str]) -> dict[str, Any]:
        """Return the part of a card that says what samples may be used for."""
        licence = self.licence or LICENCES.get(self.layout, UNKNOWN)
        known = OPENAI_TERMS if f"//{OPENAI}/" in self.address else UNKNOWN
        return {
            "sources": [{"name": name, "terms": licence} for name in sources],
            "teacher": {"model": self.teacher, "endpoint": self.address, "terms": self.terms or known},
        }


@dataclass
class Results:
    """What has come of lessons so far. out: the file of samples; all others are named after it."""

    kind: Kind
    out: Path
    origin: Origin
    samples: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Result] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Take a result."""
        self.states[result.state] += 1
        self.samples += result.samples
        if result.state in ("rejected", "failed") or (result.reasons and result.state == "made"):
            self.rejects.append(result)

    def write(self, scenes: Sequence[Scene], *, spending: Spending, images: Path) -> None:
        """Write all files. images: the folder that samples' pictures are named from."""
        card = self.card(scenes, spending=spending, images=images)
        lines = ",\n".join(json.dumps(sample, ensure_ascii=False) for sample in self.samples)
        write_whole(self.out, f"[\n{lines}\n]\n" if lines else "[]\n")
        rejects = "".join(json.dumps(one.to_dict(), ensure_ascii=False) + "\n" for one in self.rejects)
        write_whole(rejects_file(self.out), rejects)
        write_whole(card_file(self.out), json.dumps(card, indent=1, ensure_ascii=False) + "\n")

    def card(self, scenes: Sequence[Scene], *, spending: Spending, images: Path) -> dict[str, Any]:
        """Return what the samples are, what they were made of, and under which terms."""
        sources = sorted({scene.source or self.origin.data for scene in scenes}) or [self.origin.data]
        counts = {state: self.states[state] for state in ("made", "rejected", "failed", "unasked")}
        return {
            "made_by": "deixis teach",
            "kind": self.kind.name,
            "title": self.kind.title,
            "read_by": f"deixis.data.{READERS[self.kind.file]}.records",
            "written_by_a_language_model": True,
            "licence": self.origin.to_dict(sources),
            "data": {"name": self.origin.data, "split": self.origin.split, "layout": self.origin.layout},
            "pictures": str(images),
            "seed": self.origin.seed,
            "temperature": self.origin.temperature,
            "instruction_sha256": hashlib.sha256(self.kind.instruction.encode()).hexdigest(),
            "samples": len(self.samples),
            "lessons": counts,
            "reasons": reasons_of(self.rejects),
            "tokens": {"prompt": spending.used.prompt, "completion": spending.used.completion},
            "cost_usd": None if spending.cost is None else round(spending.cost, 6),
        }


def reasons_of(rejects: Sequence[Result]) -> dict[str, int]:
    """Return how often there was each kind of reason: what stands before the colon."""
    counts = Counter(reason.split(":")[0] for result in rejects for reason in result.reasons)
    return dict(counts.most_common())


def rejects_file(out: Path) -> Path:
    """Return the file of rejects beside a file of samples."""
    return out.with_name(f"{out.stem}.rejects.jsonl")


def card_file(out: Path) -> Path:
    """Return the card beside a file of samples."""
    return out.with_name(f"{out.stem}.card.json")


def replies_folder(out: Path) -> Path:
    """Return the folder of replies beside a file of samples."""
    return out.with_name(f"{out.stem}.replies")
