"""What the pages name exists: files that they link or mention, and modules that their code imports."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FILE = re.compile(r"`([\w./-]*\w\.py)`")
TO_BE_MADE = "NAME"  # a file that the reader makes, in the steps of CONTRIBUTING
DOTTED = re.compile(r"(?:`|^from |^import )(deixis(?:\.\w+)+)", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def files() -> tuple[str, ...]:
    """Every file of the repository that pages may name, with a slash in front."""
    places = ("src/deixis", "tests", "examples", "bench")
    return tuple(f"/{path.relative_to(ROOT)}" for place in places for path in (ROOT / place).rglob("*.*"))


def anchors(page: str) -> set[str]:
    """The ends of links that lead to a page's headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(page))
    return {heading.replace(" ", "-") for heading in plain}


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name of one."""
    words = dotted.split(".")
    for end in range(len(words), 0, -1):
        try:
            if importlib.util.find_spec(".".join(words[:end])) is None:
                continue
        except ModuleNotFoundError:
            continue
        module: object = importlib.import_module(".".join(words[:end]))
        for word in words[end:]:
            if not hasattr(module, word):
                return False
            module = getattr(module, word)
        return True
    return False


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_links_lead_to_files_and_headings(page: Path) -> None:
    dead = []
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
            dead.append(target)
    assert not dead


def test_files_that_are_named_exist(page: Path) -> None:
    named = [name for name in FILE.findall(page.read_text(encoding="utf-8")) if TO_BE_MADE not in name]
    assert not [name for name in named if not any(file.endswith(f"/{name}") for file in files())]


def test_modules_that_are_named_exist(page: Path) -> None:
    named = DOTTED.findall(page.read_text(encoding="utf-8"))
    assert not [name for name in named if not is_there(name)]


def test_what_is_missing_is_found() -> None:
    assert is_there("deixis.records.record.read_records") and not is_there("deixis.records.record.nothing")
    assert not is_there("deixis.nowhere.nothing")
    assert anchors("# With LoRA\n\n## In Python, too") == {"with-lora", "in-python-too"}
