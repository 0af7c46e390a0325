"""A golden case as its check sees it: what is given can be read, what is expected can only be compared.

Every expected field and every output tensor is remembered once it has been compared; one that never was makes
the case fail, however well the rest agreed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from tests.parity.golden import Acceptance, Bound, Golden

Key = str | int
Under = Literal["values", "gradients"]

# What a case says about itself rather than about the system; names that begin with these are remarks too.
REMARKS = {"family", "kind", "case", "acceptance", "tensors", "what", "source", "description"}
REMARKS |= {"why", "note", "notes", "observed", "versions"}
REMARK_STARTS = ("tolerance", "measured_")


@dataclass(frozen=True)
class Case:
    """A case, or one part of it (``rows``), with the memory of what has been compared.

    patterns: which fields are given, as paths like ``cases/*/box`` (each covers all that lies below it).
    at: where in the JSON this part lies.
    """

    golden: Golden
    patterns: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    compared: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def acceptance(self) -> Acceptance:
        """The bounds and the order of resizing that the case states."""
        return self.golden.acceptance

    def given(self, *path: Key) -> Any:
        """Return a field that the check's table entry declares as given."""
        full = self.full(path)
        for leaf in self.leaves_below(full):
            assert self.is_given(leaf), f"{shown(leaf)} is not declared as given: it can only be compared"
        return self.lookup(full)

    def has(self, *path: Key) -> bool:
        """Return whether the case has this field."""
        try:
            self.lookup(self.full(path))
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def rows(self, *path: Key) -> list[Case]:
        """Return the parts of a list or of an object, to be read and compared one by one."""
        full = self.full(path)
        return [replace(self, at=(*full, key)) for key in keys_of(self.lookup(full))]

    def file(self, name: str) -> Path:
        """Return a file that the case refers to, such as a toy tokenizer."""
        path = self.golden.path.parent / name
        assert path.exists(), f"the case refers to {name}, but there is no {path}"
        return path

    def input(self, name: str) -> Tensor:
        """Return the tensor ``inputs/name``."""
        return self.tensor(f"inputs/{name}")

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors below ``weights/``, by their original names."""
        start = "weights/"
        return {key.removeprefix(start): t for key, t in self.golden.tensors.items() if key.startswith(start)}

    def fed(self, name: str) -> Tensor:
        """Return ``outputs/name`` to be fed in, as stored choices are; it still has to be settled."""
        return self.tensor(f"outputs/{name}")

    def expect(self, *path: Key, ours: Any, under: Under | None = None) -> None:
        """Compare a field and all below it: exactly, or its floats under the case's own bound."""
        full = self.full(path)
        difference = unlike(self.lookup(full), ours, bound=None if under is None else self.bound(under))
        assert difference is None, f"{shown(full)}: {difference}"
        self.compared.update(self.leaves_below(full))

    def output(
        self, name: str, ours: Tensor, *, under: Under = "values", where: Tensor | None = None
    ) -> None:
        """Compare ``outputs/name``: whole numbers exactly, floats under a bound. ``where``: what counts."""
        golden = self.tensor(f"outputs/{name}")
        ours = ours.detach().cpu()
        assert ours.shape == golden.shape, (
            f"outputs/{name}: shape {list(ours.shape)}, golden {list(golden.shape)}"
        )
        if where is not None:
            assert where.any(), f"outputs/{name}: the mask leaves nothing to compare"
            ours, golden = ours[where], golden[where]
        if golden.is_floating_point():
            assert ours.is_floating_point(), f"outputs/{name}: {ours.dtype}, golden {golden.dtype}"
            compare_floats(f"outputs/{name}", ours, golden, self.bound(under))
        else:
            assert not ours.is_floating_point(), f"outputs/{name}: {ours.dtype}, golden {golden.dtype}"
            wrong = int((ours.long() != golden.long()).sum())
            assert not wrong, f"outputs/{name}: {wrong} of {golden.numel()} whole numbers differ"
        self.compared.add((f"outputs/{name}",))

    def settle(self, *path: Key, agrees: bool, how: str) -> None:
        """Count a field or an ``outputs/…`` tensor as compared in another way, which ``how`` names."""
        first = str(path[0])
        names = [(first,)] if first in self.golden.tensors else list(self.leaves_below(self.full(path)))
        assert agrees, f"{shown(tuple(map(str, path)))}: {how} does not agree"
        self.compared.update(names)

    def forgotten(self) -> list[str]:
        """Return the expected fields and output tensors that nothing has been compared with."""
        tensors = [(name,) for name in self.golden.tensors if name.startswith("outputs/")]
        fields = [leaf for leaf in self.leaves_below(()) if not self.is_given(leaf) and not is_remark(leaf)]
        return [shown(leaf) for leaf in (*fields, *tensors) if leaf not in self.compared]

    def tensor(self, name: str) -> Tensor:
        """Return a tensor by its full name."""
        assert name in self.golden.tensors, f"the case has no tensor {name}"
        return self.golden.tensors[name]

    def bound(self, under: Under) -> Bound:
        """Return one of the case's bounds."""
        bound = self.acceptance.values if under == "values" else self.acceptance.gradients
        assert bound is not None, f"the case states no bound for {under}"
        return bound

    def full(self, path: tuple[Key, ...]) -> tuple[str, ...]:
        return (*self.at, *map(str, path))

    def lookup(self, full: tuple[str, ...]) -> Any:
        value: Any = self.golden.fields
        for key in full:
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    def leaves_below(self, full: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        value = self.lookup(full)
        if isinstance(value, dict | list) and value:
            for key in keys_of(value):
                yield from self.leaves_below((*full, key))
        else:
            yield full

    def is_given(self, leaf: tuple[str, ...]) -> bool:
        return any(covers(pattern.split("/"), leaf) for pattern in self.patterns)


def keys_of(value: Any) -> list[str]:
    """Return the keys of an object or the positions of a list."""
    return list(value) if isinstance(value, dict) else [str(index) for index in range(len(value))]


def covers(pattern: list[str], leaf: tuple[str, ...]) -> bool:
    """Return whether a pattern names the leaf or something above it.

    >>> covers(["cases", "*", "box"], ("cases", "3", "box", "0"))
    True
    """
    return len(pattern) <= len(leaf) and all(map(fnmatchcase, leaf, pattern))


def is_remark(leaf: tuple[str, ...]) -> bool:
    """Return whether a leaf belongs to what a case says about itself."""
    return leaf[0] in REMARKS or leaf[0].startswith(REMARK_STARTS)


def shown(leaf: tuple[str, ...]) -> str:
    """Return a path for messages."""
    return "/".join(leaf)


def compare_floats(name: str, ours: Tensor, golden: Tensor, bound: Bound) -> None:
    """Raise AssertionError, with the worst place, where ours is further from golden than the bound allows."""
    a, b = ours.double(), golden.double()
    finite = b.abs()[b.isfinite()]
    largest = float(finite.max()) if finite.numel() else 0.0
    allowed = bound.atol + bound.rtol * b.abs() + bound.rtol_of_max * largest
    same = (a == b) | (a.isnan() & b.isnan())
    excess = torch.where(same, torch.full_like(a, -1.0), ((a - b).abs() - allowed).nan_to_num(nan=torch.inf))
    # An infinite golden value allows nothing but itself.
    excess = torch.where(~same & ~b.isfinite(), torch.full_like(a, torch.inf), excess)
    wrong = int((excess > 0).sum())
    if wrong:
        worst = int(excess.argmax())
        raise AssertionError(
            f"{name}: {wrong} of {b.numel()} values are beyond {bound}; "
            f"worst: ours {float(a.flatten()[worst]):.8g}, golden {float(b.flatten()[worst]):.8g}"
        )


def unlike(golden: Any, ours: Any, *, bound: Bound | None) -> str | None:
    """Return how ``ours`` differs from a JSON value, or None; a tuple counts as a list."""
    if isinstance(golden, dict) and isinstance(ours, dict):
        if set(golden) != set(ours):
            return f"keys {sorted(ours)}, golden {sorted(golden)}"
        parts = [(key, golden[key], ours[key]) for key in golden]
    elif isinstance(golden, list) and isinstance(ours, list | tuple):
        if len(golden) != len(ours):
            return f"{len(ours)} entries, golden {len(golden)}"
        parts = [
            (str(index), one, other) for index, (one, other) in enumerate(zip(golden, ours, strict=True))
        ]
    elif bound is not None and isinstance(golden, float) and isinstance(ours, float):
        allowed = bound.atol + (bound.rtol + bound.rtol_of_max) * abs(golden)
        return None if abs(golden - ours) <= allowed else f"{ours!r}, golden {golden!r}, beyond {bound}"
    else:
        same = isinstance(golden, bool) == isinstance(ours, bool) and golden == ours
        return None if same else f"{ours!r}, golden {golden!r}"
    for key, one, other in parts:
        if (difference := unlike(one, other, bound=bound)) is not None:
            return f"{key}: {difference}"
    return None
