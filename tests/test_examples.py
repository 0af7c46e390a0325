"""The demo tells right answers from wrong ones, and shows some of both; visual prompts fill a page."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import deixis
from deixis.painting.kinds import KINDS
from deixis.painting.painter import STYLES

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    """An example as a module."""
    pytest.importorskip("skimage")
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    return example("demo")


def answered(text: str, *boxes: tuple[float, float, float, float]) -> deixis.Answer:
    """An answer about a picture of 100 x 100, its first word placed in boxes, best first."""
    picture = deixis.open_picture(np.zeros((100, 100, 3), np.uint8))
    places = tuple(
        deixis.Place(deixis.Box(*box, frame=picture.frame), 0.9 - number / 10)
        for number, box in enumerate(boxes)
    )
    word = text.split()[0]
    spans = (deixis.Span(0, len(word), word, places),) if places else ()
    return deixis.Answer(text, spans, picture, "none", 0.0)


@pytest.mark.parametrize(
    ("answer", "truth", "right"),
    [
        (answered("A cup."), "cup", True),
        (answered("A mug."), "cup", False),
        (answered("Cup here.", (10, 10, 50, 50)), deixis.Box(10, 10, 50, 40), True),
        (answered("Cup here.", (60, 60, 90, 90), (10, 10, 50, 40)), deixis.Box(10, 10, 50, 40), False),
        (answered("Cup? No."), deixis.Box(10, 10, 50, 40), False),
    ],
)
def test_an_answer_is_right_by_its_word_or_its_best_place(demo, answer, truth, right) -> None:
    assert demo.is_right(answer, truth) is right


@pytest.mark.slow
def test_most_answers_are_right_and_a_wrong_one_is_shown_as_such(demo, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.main() == 0
    lines = capsys.readouterr().out.splitlines()
    verdicts = [line.strip().partition(":")[0] for line in lines if line.startswith(("  right", "  wrong"))]
    assert len(verdicts) == len(demo.QUESTIONS) == len(list((tmp_path / "out/demo").glob("*.png")))
    assert verdicts[0] == "right" and verdicts.count("right") > len(verdicts) / 2
    assert "wrong" in verdicts
    assert lines[-1] == f"{verdicts.count('right')} of {len(verdicts)} answers are right."


def test_the_page_of_visual_prompts_has_every_kind_on_every_photo(tmp_path: Path) -> None:
    assert example("painted_photos").main([str(tmp_path)]) == 0
    page = (tmp_path / "index.html").read_text()
    shown = set(re.findall(r'src="([^"]+)"', page))
    assert shown == {path.name for path in tmp_path.glob("*.jpg")}
    kinds = [kind.replace(" ", "-") for kind in KINDS]
    wanted = {
        f"{n}-{s}-{k}-{w}.jpg" for n in (1, 2, 3) for s in STYLES for k in kinds for w in ("mask", "box")
    }
    assert wanted - shown == {f"{n}-published-point-box.jpg" for n in (1, 2, 3)} and shown <= wanted
