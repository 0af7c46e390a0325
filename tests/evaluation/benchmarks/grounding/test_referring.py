"""Phrases of Flickr30k Entities and objects of LVIS under the interface of benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.benchmark import Reply, ReplyPlace, Scoring
from deixis.evaluation.benchmarks.grounding.flickr_phrases import SaidBoxes
from deixis.evaluation.benchmarks.lvis_objects import choose_lvis_objects
from deixis.evaluation.benchmarks.lvis_questions import write_lvis_questions
from deixis.evaluation.benchmarks.marking import mark, mark_all
from deixis.evaluation.metrics.referring_classification import score_classification
from deixis.regions.shapes import Box, Mask, Point
from tests.evaluation.lvis_files import lvis_content, lvis_file
from tests.toy.pack import write_toy_pack

FORMATS = Path(__file__).parents[5] / "shared" / "data" / "formats"


def test_phrases_of_every_caption(tmp_path: Path) -> None:
    one = find_benchmark("flickr30k")
    items = one.read(write_toy_pack(tmp_path / "toy", pictures=6))
    assert len({item.id for item in items}) == len(items) > 4
    item = items[0]
    assert (
        isinstance(item.truth, SaidBoxes)
        and one.prompt(item) == f"Locate {item.question.lower()} in the image."
    )
    first = ReplyPlace(item.truth.boxes[0], 0.4)
    away = ReplyPlace((0.0, 0.0, 1.0, 1.0), 0.9)
    assert mark(one, item, Reply("", (first,)), Scoring()).value == 1
    assert mark(one, item, Reply("", (away, first)), Scoring()).value == 0, "the surest place counts"
    assert mark(one, item, Reply("nowhere"), Scoring()).fault == "unparsed"
    assert mark(one, item, Reply("", (first,), ("[1, 2",)), Scoring()).value == 0


@pytest.mark.skipif(not FORMATS.is_dir(), reason="the real samples are not here")
def test_the_real_sample() -> None:
    one = find_benchmark("flickr30k")
    assert one.read_split is not None
    items = one.read_split(FORMATS / "flickr30k_entities", "val")
    assert len(items) > 50
    replies = {item.id: Reply("", (ReplyPlace(item.truth.boxes[0], 1.0),)) for item in items}
    table = one.tabulate(items, mark_all(one, items, replies, Scoring()))
    assert table.rows["any box"].value == 100 and 50 < (table.first.value or 0) < 100


def test_objects_are_asked_with_every_form(tmp_path: Path) -> None:
    (tmp_path / "val2017").mkdir()
    for number in range(1, 11):
        Image.new("RGB", (80, 40)).save(tmp_path / f"val2017/{number}.jpg")
    records = choose_lvis_objects(lvis_file(tmp_path, lvis_content(pictures=10)))
    write_lvis_questions(records, tmp_path / "questions.jsonl")
    one = find_benchmark("lvis_classification")
    items = one.read(tmp_path / "questions.jsonl")
    assert len(items) == 30
    kinds = {item.kinds["form"]: type(item.regions[0][1]) for item in items}
    assert kinds == {"point": Point, "box": Box, "free_shape": Mask}
    said = {item.id: item.question.split(" image a ")[1].split(" or a ")[0] for item in items}
    replies = {name: Reply(text.replace("_", " ")) for name, text in said.items()}
    for rules in one.rules:
        marks = mark_all(one, items, replies, Scoring(rules))
        table = one.tabulate(items, marks)
        expected = score_classification(
            {item.id: item.truth for item in items},
            {name: reply.text for name, reply in replies.items()},
            protocol=rules,
        )
        assert table.first.value == 100 * (expected.value or 0) == 50
        assert table.rows["form: box"].n == 10
