"""Instructions and captions as sources of a recipe: what a recipe may say, and what systems make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError, RecordError
from deixis.systems.sources import Sources
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.source_choice import SourceChoice
from deixis.training.recipes.strict import build


def said(question: str, answer: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "mix" / "images").mkdir(parents=True)
    for name in ("a.png", "1.jpg"):
        Image.new("RGB", (40, 20), (90, 120, 60)).save(folder / "mix" / "images" / name, "PNG")
    rows = [
        {"id": "1", "image": "a.png", "conversations": said("<image>\nWhat?", "a brown dog on a beach")},
        {"id": "2", "conversations": said("Hello?", "Hello, how are you today?")},
        {"id": "3", "image": "a.png", "conversations": said("What?", "a dog " * 9)},
    ]
    (folder / "mix" / "list.json").write_text(json.dumps(rows))
    table = "key,status,vlm_caption\n1,success,A brown dog runs over the sand.\n"
    for number in (0, 1):
        (folder / "mix" / f"part-{number}.csv").write_text(table)
    (folder / "mix" / "faulty.json").write_text(json.dumps([*rows, {"id": "4"}]))
    return folder


def sources(data: Path, *choices: dict[str, Any]) -> Sources:
    built = tuple(build(SourceChoice, {"folder": "mix", **one}, where="s") for one in choices)
    return Sources.of(Recipe("r", "florence_vl", steps=1, batch=2, sources=built), data)


def examples(found: Sources) -> Any:
    return found.examples(phrasebook=Phrasebook([]), side=64)


def test_a_recipe_mixes_them(data: Path) -> None:
    found = sources(data, {"instructions": "list.json"}, {"captions": "part-*.csv", "multiplier": 2.0})
    source = examples(found)
    assert len(source) == 3 + 4 and len(source.lengths()) == 7
    assert [length > 0 for length in source.lengths()] == [True, False, True] + [True] * 4
    assert source.example(6, np.random.default_rng(0)).dialogues[0].kind == "captions"
    assert "Hello?" in list(found.texts())
    assert found.identity().keys() == {
        "samples of source 1 (mix/list.json)",
        "samples of source 2 (mix/part-*.csv)",
    }


def test_filter_quirks_and_faulty_rows_are_said_in_the_recipe(data: Path) -> None:
    kept = sources(data, {"instructions": "list.json", "caption_filter": {"least_words": 5}})
    assert len(examples(kept)) == 2
    quirk = examples(sources(data, {"instructions": "list.json", "published_quirks": True}))
    assert [length > 0 for length in quirk.lengths()] == [True, False, False]
    assert len(examples(sources(data, {"instructions": "faulty.json", "faulty": "pass_over"}))) == 3
    with pytest.raises(RecordError, match=r"faulty\.json\[3\]"):
        sources(data, {"instructions": "faulty.json"})


def test_a_system_of_single_pictures_refuses_words_alone(data: Path) -> None:
    with pytest.raises(RecipeError, match=r"needs a picture for every sample; source 'mix/list\.json' has 1"):
        sources(data, {"instructions": "list.json"}).only_dialogues()
    sources(data, {"captions": "part-0.csv"}).only_dialogues()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"instructions": "a", "captions": "b"}, "is instructions and captions"),
        ({"instructions": "a", "painted": "b"}, "is painted and instructions"),
        ({"faulty": "pass_over"}, "which are for rows of instructions and captions"),
        ({"samples": "a", "caption_filter": {}}, "which are for rows of instructions and captions"),
        ({"instructions": "a", "broken": "pass_over"}, "too many pictures to open"),
        ({"captions": "a", "outside": "cut"}, "has no boxes"),
        ({"captions": "a", "published_quirks": True}, "published_quirks without"),
        ({"captions": "a", "hold_out": 3}, "hold_out 3"),
        ({"captions": "a", "caption_filter": {"least": 3}}, "did you mean 'least_words'"),
    ],
)
def test_choices_that_are_none(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        build(SourceChoice, choice, where="s")


def test_files_outside_of_the_folder(data: Path) -> None:
    for name in ("../../etc/passwd", "../*"):
        with pytest.raises(RecordError, match="leads out of"):
            sources(data, {"instructions": name})
