"""Reports beside claims: a number counts as a reproduction only where its card is that of the claim.

The benchmark, the rules and the number of items have to be the claim's, everything has to have been asked and
nothing taken away, and the system has to be the paper's. Which of a paper's models it was no card can tell:
reports lie in a folder of the model's name, as printed ("Groma-7B").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from deixis.errors import RecordError, UsageError
from deixis.evaluation.claims.claim import Claim
from deixis.files.json_files import Fields, read_json

LARGEST_REPORT = 1 << 30
UNCONFIRMED = "the published split's number of items is not confirmed"


@dataclass(frozen=True)
class Reading:
    """Where a report has the number that a claim is about, and what its card has to say.

    items: how many the published split has; None where that isn't known, and no report is of the claim.
    counted: where their number was read; None where it could not be confirmed. card: further lines.
    """

    split: str
    benchmark: str
    row: str
    rules: str
    papers: tuple[str, ...]
    items: int | None
    counted: str | None = None
    card: Mapping[str, Any] = field(default_factory=dict)

    def is_of(self, card: Mapping[str, Any]) -> bool:
        """Tell whether a card is of the same benchmark."""
        return card.get("name") == self.benchmark

    def why_not(self, card: Mapping[str, Any]) -> str:
        """Return what in a card is not the claim's; "" for nothing."""
        if self.items is None:
            return "how many items the published split has isn't known"
        wanted = {
            "name": self.benchmark,
            "rules": self.rules,
            "items": self.items,
            "limit": None,
            **self.card,
        }
        other = [
            f"{name} is {card.get(name)!r:.60}, the claim's {value!r}"
            for name, value in wanted.items()
            if card.get(name) != value
        ]
        return "; ".join(other)


@dataclass(frozen=True)
class ModelReport:
    """A benchmark's report, and the name of the model whose folder it lies in."""

    path: Path
    model: str
    protocol: Mapping[str, Any]
    table: Mapping[str, Any]


def readings() -> list[Reading]:
    """Return the readings that come with the package."""
    import yaml

    text = (files("deixis.evaluation.claims") / "readings.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    sources = {None: None, **content["sources"]}
    return [
        Reading(**{**row, "papers": tuple(row["papers"]), "counted": sources[row["counted"]]})
        for row in content["readings"]
    ]


def reports_in(folder: Path) -> list[ModelReport]:
    """Return the reports of benchmarks in the folders of a folder; other JSON files are passed over.

    UsageError: there is no such folder, or no report in it.
    """
    if not folder.is_dir():
        raise UsageError(f"--reports {folder} is no folder; expected one with a folder for each model")
    found = []
    for path in sorted(folder.glob("*/*.json")):
        try:
            fields = read_json(path, largest=LARGEST_REPORT)
        except RecordError:
            continue
        if (one := report_of(fields, path)) is not None:
            found.append(one)
    if not found:
        raise UsageError(
            f"--reports {folder} has no report of a benchmark; expected MODEL/NAME.json, as deixis evaluate "
            "--benchmark NAME --json writes them, with the model's name as the paper prints it"
        )
    return found


def report_of(fields: Fields, path: Path) -> ModelReport | None:
    """Return the report that some fields are, None if they aren't one of a benchmark."""
    protocol, table = fields.values.get("protocol"), fields.values.get("table")
    if not isinstance(protocol, dict) or not isinstance(table, dict):
        return None
    return ModelReport(path, path.parent.name, protocol, table)


def measured(
    claims: Iterable[Claim], reports: Sequence[ModelReport]
) -> tuple[list[Claim], list[tuple[ModelReport, str]]]:
    """Return the claims with what was measured of them here, and the reports of no claim with the reason.

    RecordError: two reports are of one claim.
    """
    listed, known = list(claims), {(one.split, paper): one for one in readings() for paper in one.papers}
    used: dict[Path, str] = {}
    found = []
    for claim in listed:
        reading = known.get((claim.split, claim.paper))
        if reading is None or not claim.own:
            found.append(claim)
            continue
        fitting = []
        for report in reports:
            if report.model != claim.model:
                continue
            why = unfit(report, claim, reading)
            if not why:
                fitting.append(report)
                used[report.path] = ""
            elif report.path not in used or (used[report.path] and reading.is_of(report.protocol)):
                used[report.path] = why  # of its own benchmark, where there is such a claim
        if len(fitting) > 1:
            raise RecordError(
                f"{fitting[0].path} and {fitting[1].path} are both of {claim.split} of {claim.model}"
            )
        if fitting:
            note = "" if reading.counted else UNCONFIRMED
            claim = with_measured(claim, fitting[0].table[reading.row], note=note)
        found.append(claim)
    unused = [
        (report, used.get(report.path, "no claim is of this model and benchmark"))
        for report in reports
        if used.get(report.path) != ""
    ]
    return found, unused


def unfit(report: ModelReport, claim: Claim, reading: Reading) -> str:
    """Return why a report is not of a claim; "" where it is."""
    if report.protocol.get("system") != claim.paper:
        return f"system is {report.protocol.get('system')!r:.60}, the claim's {claim.paper!r}"
    row = report.table.get(reading.row)
    if not isinstance(row, dict) or type(row.get("value")) not in (int, float):
        return f"its table has no number {reading.row!r}"
    return reading.why_not(report.protocol)


def with_measured(claim: Claim, row: Mapping[str, Any], *, note: str = "") -> Claim:
    """Return a claim with the number of a report's row."""
    interval = row.get("ci95")
    return replace(
        claim,
        here=float(row["value"]),
        here_ci95=None if interval is None else tuple(interval),
        here_note=note,
    )
