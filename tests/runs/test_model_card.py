"""The terms of data end up in the card of what is trained on them, through all stages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.errors import RecordError
from deixis.runs.model_card import cell, terms_of, write_card
from deixis.runs.training import run_recipes
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe

LINE = {
    "picture": "images/1.jpg",
    "frame": "pixels",
    "turns": [{"user": "What is there?", "assistant": "A red disc."}],
}
TAUGHT = {
    "sources": [{"name": "coco", "terms": "CC BY 4.0"}],
    "teacher": {"model": "teacher-1", "endpoint": "http://x/v1", "terms": "its | own\nterms"},
}


def entries(model: Path) -> list[tuple[str, str, str]]:
    rows = json.loads((model / "data_terms.json").read_text())["data"]
    return [(row["recipe"], row["data"], row["terms"]) for row in rows]


def test_a_run_writes_the_terms_of_its_sources_and_of_what_it_started_from(tmp_path: Path) -> None:
    data = write_toy_pack(tmp_path / "data", pictures=6)
    (data / "own.jsonl").write_text(json.dumps(LINE) + "\n")
    (data / "own.card.json").write_text(json.dumps({"licence": TAUGHT}))
    first = toy_recipe(name="first", steps=1, sources=[{"licence": "for research only"}])
    second = toy_recipe(name="second", steps=1, starts_from="first", sources=[{"samples": "own.jsonl"}, {}])
    models = run_recipes([second, first], data=data, out=tmp_path / "out")
    assert entries(models[0]) == [("first", "./train", "for research only")]
    assert entries(models[1]) == [
        ("first", "./train", "for research only"),
        ("second", "./own.jsonl: coco", "CC BY 4.0"),
        ("second", "./own.jsonl: written by teacher-1", "its | own\nterms"),
        ("second", "./train", "not stated: read the terms at the source"),
    ]
    card = (models[1] / "README.md").read_text()
    assert "# second" in card and "It started from `first`." in card
    assert "| ./own.jsonl: written by teacher-1 | second | its / own terms |" in card
    assert card.startswith("---\nlibrary_name: deixis\n")


def test_a_model_with_a_card_of_another_kind_is_named(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    given = toy_recipe(starts_from="start", sources=[{"licence": "CC0"}])
    write_card(tmp_path / "plain", given, terms_of(given, data=tmp_path, start=start))
    assert entries(tmp_path / "plain")[0][2] == "see the card of that model"
    (start / "README.md").write_text("---\nlicense_name: non-commercial-research\n---\n")
    write_card(tmp_path / "stated", given, terms_of(given, data=tmp_path, start=start))
    assert entries(tmp_path / "stated")[0][1:] == ("what 'start' was trained on", "non-commercial-research")


@pytest.mark.parametrize("content", ["[]", "{", '{"licence": 3}', '{"licence": {"sources": [{"name": 1}]}}'])
def test_a_damaged_card_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "own.card.json").write_text(content)
    with pytest.raises(RecordError, match=r"own\.card\.json"):
        run_recipes([toy_recipe(sources=[{"samples": "own.jsonl"}])], data=tmp_path, out=tmp_path / "out")


def test_cells_are_short() -> None:
    assert len(cell("x" * 9000)) == 401
