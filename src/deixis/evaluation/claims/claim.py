"""Published numbers with their tables, protocols and sources, read from the files of this folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from deixis.errors import RecordError, UsageError

PAPERS = ("ferret", "ferret_v2", "vip_llava", "florence_vl", "groma")
NOT_REPRODUCED = "not reproduced here"


@dataclass(frozen=True)
class Claim:
    """One published number.

    paper: the file, which is also the system's name. model: as printed; own: whether it is the paper's, or
    one that it compares with. table: where it is printed. benchmark, split: what it is of. metric: what is
    counted, and on which scale. protocol: how, as far as it is said; our reading where it isn't. source:
    where the number was read. here: what was measured here, None where nothing was, with its interval and
    what has to be said beside it.
    """

    paper: str
    model: str
    own: bool
    table: str
    benchmark: str
    split: str
    metric: str
    value: float
    protocol: str
    source: str
    here: float | None = None
    here_ci95: tuple[float, float] | None = None
    here_note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the claim for JSON."""
        return asdict(self)

    @property
    def measured(self) -> str:
        """What was measured here, in words."""
        if self.here is None:
            return NOT_REPRODUCED
        note = f"; {self.here_note}" if self.here_note else ""
        if self.here_ci95 is None:
            return f"{self.here:g}{note}"
        low, high = self.here_ci95
        return f"{self.here:.2f} ({low:.2f} to {high:.2f}){note}"


def read_claims(papers: Iterable[str] = PAPERS) -> list[Claim]:
    """Return the claims of some papers, in the order of their files; UsageError for an unknown one."""
    return [claim for paper in papers for claim in claims_in(paper)]


def claims_in(paper: str) -> list[Claim]:
    """Return the claims of one paper."""
    if paper not in PAPERS:
        raise UsageError(f"there are no claims of {paper!r}; the papers are {', '.join(PAPERS)}")
    import yaml

    text = (files("deixis.evaluation.claims") / f"{paper}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return [claim for table in content["tables"] for claim in claims_of(table, paper)]


def claims_of(table: dict[str, Any], paper: str) -> list[Claim]:
    """Return the claims of one table; RecordError for a row that doesn't fit its columns, or no number.

    A cell may be null where the paper prints none.
    """
    where, found = f"{paper}.yaml {table['table']}", list[Claim]()
    told: dict[str, Any] = {
        name: str(table[name]) for name in ("table", "benchmark", "metric", "protocol", "source")
    }
    for row in table["rows"]:
        values: Sequence[Any] = row["values"]
        if len(values) != len(table["columns"]):
            raise RecordError(
                f"{where}: {row['model']} has {len(values)} values for {len(table['columns'])} columns"
            )
        here = row.get("here") or {}
        for split, value in zip(table["columns"], values, strict=True):
            if value is None:
                continue
            if type(value) not in (int, float) or not math.isfinite(value):
                raise RecordError(f"{where}: {row['model']} has {value!r} for {split}; expected a number")
            own = bool(row.get("own", False))
            measured = here.get(split)
            found.append(
                Claim(paper, row["model"], own, split=split, value=float(value), here=measured, **told)
            )
    return found


def chosen_claims(claims: Iterable[Claim], *, benchmark: str | None = None, own: bool = False) -> list[Claim]:
    """Return the claims about benchmarks whose name has some words, in any case; own: the paper's alone.

    UsageError: there is none.
    """
    listed = list(claims)
    words = (benchmark or "").casefold()
    found = [
        one for one in listed if words in f"{one.benchmark} {one.split}".casefold() and (one.own or not own)
    ]
    if not found:
        known = ", ".join(dict.fromkeys(one.benchmark for one in listed))
        raise UsageError(f"no claim is about {benchmark!r}; there are some about: {known}")
    return found
