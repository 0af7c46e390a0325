"""Every registered system keeps all promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deixis.systems import SYSTEMS
from tests.contract.promises import PROMISES, Promise
from tests.contract.subjects import SUBJECTS, VARIANTS

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize(
    "name", [*SYSTEMS, *(pytest.param(name, marks=pytest.mark.slow) for name in VARIANTS)]
)
def test_promise(name: str, promise: Promise, tmp_path: Path) -> None:
    promise((SUBJECTS | VARIANTS)[name](), tmp_path)


def test_every_registered_system_is_a_subject() -> None:
    assert set(SUBJECTS) == set(SYSTEMS), "add the system to tests/contract/subjects.py"


def test_the_promises_are_those_of_the_documentation() -> None:
    section = ARCHITECTURE.read_text(encoding="utf-8").split("## The promises")[1].split("\n## ")[0]
    written = re.findall(r"^(\d+\. .+)$", section, flags=re.MULTILINE)
    assert [promise.__doc__ for promise in PROMISES] == written
    assert len(written) == len(PROMISES)
