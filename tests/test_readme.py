"""What the README shows is run: Python as it stands, commands on a toy pack, training for one step."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deixis.cli import main
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> list[str]:
    lines = [line.split("   #")[0].strip() for block in blocks("sh", text) for line in block.splitlines()]
    return [line for line in lines if line.startswith("deixis ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with everything that the README's examples name."""
    folder = tmp_path_factory.mktemp("readme")
    pack = write_toy_pack(folder / "DIR", pictures=8)
    # As large as the regions of the examples need it.
    Image.open(next((pack / "images").glob("*.jpg"))).resize((480, 360)).save(folder / "photo.jpg")
    (folder / "records.jsonl").write_text(blocks("json")[0])
    (folder / "recipe.yaml").write_text(yaml.safe_dump({**TOY, "steps": 1}))
    return folder


def test_python(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})
    assert (workplace / "out.png").is_file()


@pytest.mark.parametrize("line", commands(README))
def test_command(workplace, monkeypatch, line):
    monkeypatch.chdir(workplace)
    assert main(shlex.split(line)[1:]) == 0


def test_every_link_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
        for target in targets:
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
