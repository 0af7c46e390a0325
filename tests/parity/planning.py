"""Which golden case is tested by what: families, their checks, and the tests that some folders ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.parity.case import Case
from tests.parity.folders import PENDING, given_folders
from tests.parity.golden import Golden, read_goldens


@dataclass(frozen=True)
class Check:
    """What runs for one kind of case. ``given``: the fields that are inputs; all others are expected."""

    run: Callable[[Case], None]
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """The checks of an implemented family by kind.

    for_reading: kinds whose cases may say ``collect: false``; any other kind that says so fails as unknown.
    """

    checks: Mapping[str, Check]
    for_reading: tuple[str, ...] = ()


Families = Mapping[str, Family]


@dataclass(frozen=True)
class Planned:
    """One test: its id, and what it does (it raises, or calls pytest.fail or pytest.skip)."""

    name: str
    run: Callable[[], None]


@dataclass(frozen=True)
class Plan:
    """The tests for some folders, and the families that nothing implements."""

    tests: list[Planned]
    pending: dict[str, int] = field(default_factory=dict)


def parametrise(metafunc: pytest.Metafunc, *, families: Families, own: Path) -> None:
    """Give a test with the argument ``planned`` the cases of ``own`` and of every ``--parity-dir``."""
    if "planned" not in metafunc.fixturenames:
        return
    plan = make_plan([own, *given_folders(metafunc.config)], families)
    metafunc.config.stash[PENDING] = plan.pending
    metafunc.parametrize("planned", plan.tests, ids=[test.name for test in plan.tests])


def make_plan(folders: Sequence[Path], families: Families) -> Plan:
    """Return what is to be tested of the cases below the folders."""
    goldens = read_goldens(folders)
    tests = [test for golden in goldens if (test := planned(golden, families)) is not None]
    present = {golden.family for golden in goldens}
    looked = ", ".join(map(str, folders))
    tests += [absent(family, looked=looked) for family in families if family not in present]
    pending = Counter(
        golden.family for golden in goldens if golden.collected and golden.family not in families
    )
    return Plan(tests, dict(pending))


def planned(golden: Golden, families: Families) -> Planned | None:
    """Return the test of one case, or None where there is nothing to test."""
    family = families.get(golden.family)
    if family is None:
        return None
    check = family.checks.get(golden.kind)
    if not golden.collected and (check is not None or golden.kind in family.for_reading):
        return None
    if check is None:
        return Planned(golden.name, lambda: unknown_kind(golden, family))
    return Planned(golden.name, lambda: run_check(golden, check))


def run_check(golden: Golden, check: Check) -> None:
    """Run a check; fail if it leaves an expected field or output uncompared, or compares nothing at all."""
    case = Case(golden, check.given)
    assert case.acceptance.collect
    check.run(case)
    if forgotten := case.forgotten():
        pytest.fail(f"{golden.name}: never compared: {', '.join(forgotten)}", pytrace=False)
    if not case.compared:
        pytest.fail(f"{golden.name}: the check compared nothing", pytrace=False)


def unknown_kind(golden: Golden, family: Family) -> None:
    """Fail: an implemented family has to know every kind of its cases."""
    known = ", ".join(sorted(family.checks))
    pytest.fail(
        f"{golden.path}: {golden.family} has no check for kind {golden.kind!r}; known: {known}", pytrace=False
    )


def absent(family: str, *, looked: str) -> Planned:
    """Return a test that skips: no folder holds a case of the family."""
    reason = f"no golden case of {family} in {looked}; give its folder with --parity-dir=DIR"
    return Planned(family, lambda: pytest.skip(reason))
