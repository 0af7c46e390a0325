"""Golden cases as files: a JSON with the keys family, kind and case, and perhaps tensors of the same stem."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pytest
from safetensors.torch import load_file
from torch import Tensor

Order = Literal["width_first", "pillow13"]
ORDERS: tuple[Order, ...] = ("width_first", "pillow13")


@dataclass(frozen=True)
class Bound:
    """How far a float tensor may be: ``atol + rtol * |golden| + rtol_of_max * max|golden|``."""

    atol: float
    rtol: float
    rtol_of_max: float


@dataclass(frozen=True)
class Acceptance:
    """When a case counts as passed; a bound that is None allows no floats to be compared under it."""

    collect: bool
    values: Bound | None
    gradients: Bound | None
    resize: Order

    @classmethod
    def read(cls, block: Any) -> Acceptance:
        """Return a case's ``acceptance`` block, checked; ValueError says what is wrong with it."""
        known = {"collect", "values", "gradients", "resize", "why", "note"}
        if not isinstance(block, dict) or not isinstance(block.get("collect"), bool):
            raise ValueError("the case needs an 'acceptance' block with 'collect': true or false")
        if unknown := set(block) - known:
            raise ValueError(f"acceptance has unknown keys {sorted(unknown)}; known: {sorted(known)}")
        bounds = {name: Bound(**block[name]) if name in block else None for name in ("values", "gradients")}
        resize = block.get("resize", ORDERS[0])
        if resize not in ORDERS:
            raise ValueError(f"acceptance says resize {resize!r}; expected one of {ORDERS}")
        return cls(block["collect"], bounds["values"], bounds["gradients"], resize)


@dataclass(frozen=True)
class Golden:
    """One case as it lies in its folder; ``fields`` is the whole JSON."""

    path: Path
    fields: Mapping[str, Any]

    @property
    def family(self) -> str:
        """Whose behaviour the case records."""
        return str(self.fields["family"])

    @property
    def kind(self) -> str:
        """What is recorded; it chooses the check."""
        return str(self.fields["kind"])

    @property
    def name(self) -> str:
        """The test id, ``family/kind/case``."""
        return f"{self.family}/{self.kind}/{self.fields['case']}"

    @property
    def collected(self) -> bool:
        """Whether the case is to be tested; one with a broken acceptance block is, and fails."""
        block = self.fields.get("acceptance")
        return not (isinstance(block, dict) and block.get("collect") is False)

    @cached_property
    def acceptance(self) -> Acceptance:
        """The case's own bounds."""
        return Acceptance.read(self.fields.get("acceptance"))

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by their full names, such as ``outputs/logits``; empty if the case has none."""
        beside = self.path.with_suffix(".safetensors")
        return load_file(beside) if beside.is_file() else {}


def read_goldens(folders: Sequence[Path]) -> list[Golden]:
    """Return the cases below the folders, sorted by id; a file found through two folders counts once."""
    paths = {path.resolve() for folder in folders for path in folder.rglob("*.json")}
    found = [golden for path in sorted(paths) if (golden := read_golden(path)) is not None]
    return sorted(found, key=lambda golden: golden.name)


def read_golden(path: Path) -> Golden | None:
    """Return the case of one JSON file, or None if the file is something that cases refer to."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        raise pytest.UsageError(f"{path} among the golden cases cannot be read as JSON: {fault}") from fault
    is_case = isinstance(fields, dict) and {"family", "kind", "case"} <= set(fields)
    return Golden(path, fields) if is_case else None
