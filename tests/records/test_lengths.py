"""How long examples are said to be, beside how long they are, with no picture in reach."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.systems.sources import Sources
from tests.data.grit.made import values, write_list
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path, pictures=6)


def source(data: Path, *sources: dict[str, Any]) -> Any:
    made = Sources.of(toy_recipe(sources=list(sources), augmentation={"square": False}), data)
    return made.examples(phrasebook=Phrasebook(made.scenes), side=64)


def words_of(example: Any) -> int:
    turns = [turn for dialogue in example.dialogues for turn in dialogue.turns]
    return sum(len(f"{turn.question} {turn.answer}".split()) for turn in turns)


def without_pictures(data: Path, source: Any) -> list[int]:
    shutil.rmtree(data / "images")
    lengths: list[int] = source.lengths()
    return lengths


def test_drawn_dialogues_are_about_as_long_as_one_drawing(data: Path) -> None:
    made = source(data, {})
    drawn = [[words_of(made.example(i, np.random.default_rng(n))) for n in range(30)] for i in range(6)]
    lengths = without_pictures(data, made)
    assert lengths == made.lengths() and len(lengths) == 6
    for length, words in zip(lengths, drawn, strict=True):
        assert min(words) * 0.7 <= length <= max(words) * 1.3


def test_dense_questions(data: Path) -> None:
    made = source(data, {"dense": True})
    drawn = [words_of(made.example(index, np.random.default_rng(0))) for index in range(len(made))]
    lengths = without_pictures(data, made)
    assert np.corrcoef(drawn, lengths)[0, 1] > 0.8


def test_records_of_both_kinds_and_how_often_they_come_up(data: Path) -> None:
    line = {
        "picture": next((data / "images").iterdir()).relative_to(data).as_posix(),
        "frame": "unit",
        "regions": {"a": {"box": [0.1, 0.1, 0.6, 0.7]}},
        "turns": [{"user": "What is {a}?", "assistant": "It is [a gizmo](a)."}],
    }
    (data / "own.jsonl").write_text(json.dumps(line) + "\n")
    seen = values("<image>\nWhat is <bbox_location0>?", "a zebra", box_x1y1x2y2=[[[5, 5, 20, 20]], []])
    told = values("Tell me of cats, and of dogs.", "no.", box_x1y1x2y2=[[], []])
    told.pop("image"), told.pop("image_w"), told.pop("image_h")
    write_list(data / "vg_objects.json", seen, told)
    made = source(data, {"records": "own.jsonl"}, {"grit": "vg_objects.json", "multiplier": 2.0})
    lengths = without_pictures(data, made)
    assert lengths[0] == 7 and len(lengths) == 5
    once = lengths[1:3]
    assert once == lengths[3:] and once[0] > 0 and once[1] == -8, "one without a picture is negative"
