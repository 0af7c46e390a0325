"""What README and guide show is run: Python as it stands, commands on a toy dataset, training for one step.

Blocks that show their output are run and compared by tests/documentation.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deixis.cli import main
from deixis.training.recipes.recipe import read_recipe
from tests.client.real_server import serving
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
OUTPUT = "<!-- output"
SERVE = "deixis serve"  # goes on until it is stopped
ADDRESS = "http://127.0.0.1:8000"  # where it answers


def blocks(language: str, text: str) -> list[str]:
    """The blocks of a language that don't show their output."""
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    shown = [text[: match.start()].rstrip().splitlines()[-1].startswith(OUTPUT) for match in found]
    every = re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return [block for block, is_output in zip(every, shown, strict=True) if not is_output]


def commands(text: str) -> list[str]:
    lines = [line.split("   #")[0].strip() for block in blocks("sh", text) for line in block.splitlines()]
    return [line for line in lines if line.startswith("deixis ")]


@pytest.fixture(scope="module", params=[README, GUIDE], ids=["README", "guide"])
def page(request):
    return request.param


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, page):
    """A folder with everything that the examples of a page name."""
    folder = tmp_path_factory.mktemp("page")
    dataset = write_toy_pack(folder / "DIR", pictures=8)
    # As large as the regions of the examples need it.
    Image.open(next((dataset / "images").glob("*.jpg"))).resize((480, 360)).save(folder / "photo.jpg")
    (folder / "samples.jsonl").write_text(blocks("json", page)[0])
    (folder / "recipe.yaml").write_text(yaml.safe_dump({**TOY, "steps": 1}))
    return folder


def test_python(workplace, page, monkeypatch):
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    for block in blocks("python", page):
        exec(compile(block, "page", "exec"), names)
    assert (workplace / "out.png").is_file() == ("out.png" in page)


def test_commands(workplace, page, monkeypatch):
    monkeypatch.chdir(workplace)
    lines = [line for line in commands(page) if line != SERVE and ADDRESS not in line]
    assert lines
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, line


def test_commands_that_ask_a_server(workplace, page, monkeypatch):
    monkeypatch.chdir(workplace)
    asking = [line for line in commands(page) if ADDRESS in line]
    assert bool(asking) == (SERVE in commands(page))
    if not asking:
        return
    with serving({"pointer": "pointer"}) as running:
        for line in asking:
            assert main(shlex.split(line.replace(ADDRESS, running.address))[1:]) == 0, line


def test_recipes_of_the_guide_can_be_read(tmp_path):
    first, lora = blocks("yaml", GUIDE)
    for text in (first, first + lora):
        (tmp_path / "recipe.yaml").write_text(text)
        recipe = read_recipe(tmp_path / "recipe.yaml")
        assert recipe.starts_from == "pointer" and (recipe.lora is not None) == (text is not first)
