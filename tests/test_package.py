"""The package as a whole: quick to import, honest about its names, made of short files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import deixis
from deixis import errors

SOURCES = Path(deixis.__file__).parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What a fresh Python says."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60
    )


@pytest.mark.parametrize("arguments", [("-c", "import deixis"), ("-m", "deixis", "--help")])
def test_starting_is_quick(arguments: tuple[str, ...]) -> None:
    fastest = float("inf")
    for _ in range(5):  # seconds of a processor: those on the clock depend on what else runs
        before = os.times()
        run(*arguments)
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        fastest = min(fastest, spent)
    assert fastest < 0.5


@pytest.mark.parametrize(
    "code",
    [
        "import deixis",
        "import deixis; deixis.Box(0, 0, 1, 1); deixis.Frame, deixis.open_picture, deixis.Answer",
        "from deixis.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from deixis.cli import main\ntry: main(['ask', '--help'])\nexcept SystemExit: pass",
        "from deixis.cli import main\ntry: main(['chat', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_torch_waits_until_it_is_needed(code: str) -> None:
    heavy = run(
        "-c", f"{code}\nimport sys; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    assert heavy.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command() -> None:
    said = run("-m", "deixis", "--help").stdout
    assert all(f"    {command} " in said for command in ("ask", "chat", "train", "evaluate", "data"))
    assert run("-m", "deixis", "--version").stdout.strip() == f"deixis {deixis.__version__}"


@pytest.mark.parametrize("name", deixis.__all__)
def test_offered_names_are_there(name: str) -> None:
    assert getattr(deixis, name) is not None
    assert name in dir(deixis)


def test_a_name_that_is_not_offered_says_which_are() -> None:
    with pytest.raises(
        AttributeError, match=r"module 'deixis' has no attribute 'Bocks'; it offers: load, Point, Box"
    ):
        _ = deixis.Bocks


def test_an_import_of_a_name_that_is_not_offered_fails() -> None:
    with pytest.raises(ImportError, match="Bocks"):
        exec("from deixis import Bocks")


@pytest.mark.parametrize(
    "path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES))
)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_reference_has_every_offered_name() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")
    missing = [name for name in deixis.__all__ if f"deixis.{name}" not in page and f"`{name}" not in page]
    assert missing == []


def test_the_reference_has_every_error() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference.md").read_text(encoding="utf-8")
    names = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert [name for name in names if f"`{name}`" not in page] == []
