"""Pages with output, checked or written anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.documentation.blocks import Block, parts_of
from tests.documentation.comparing import alike, same_picture
from tests.documentation.place import make_place
from tests.documentation.running import Runner

ROOT = Path(__file__).parents[2]


def pages() -> list[Path]:
    """Return the pages that have output in them."""
    every = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if parts_of(page.read_text(encoding="utf-8"))]


def renewed(page: Path, *, write: bool) -> list[str]:
    """Run all that a page shows and return what is out of date, a line each; write: bring it up to date."""
    text = page.read_text(encoding="utf-8")
    stale: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_place(folder)
        runner = Runner(folder)
        new, end = "", 0
        for part in parts_of(text):
            line = text.count("\n", 0, part.start) + 1
            if isinstance(part, Block):
                if part.before:
                    runner.shell(part.before)
                output = runner.output_of(part.shown)
                same = alike(part.shown, output)
                new += text[end : part.start] + (part.shown if same else output)
                end = part.end
                if not same:
                    stale.append(f"{page.name}:{line}: today it reads\n{output}")
                continue
            said = runner.shell(part.command)
            made, shown = folder / Path(part.path).name, page.parent / part.path
            if not made.is_file():
                raise AssertionError(f"{page.name}:{line}: {part.command} wrote no {made.name}: {said}")
            if not same_picture(made, shown):
                stale.append(f"{page.name}:{line}: {part.path} shows something else")
                if write:
                    shutil.copyfile(made, shown)
    if write and stale:
        page.write_text(new + text[end:], encoding="utf-8")
    return stale
