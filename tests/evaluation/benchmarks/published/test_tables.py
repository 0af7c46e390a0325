"""Rows of tables in every format, whole and damaged, and the pictures that they hold."""

from __future__ import annotations

import base64
import csv
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.rows.row_pictures import TablePictures, picture_in_row
from deixis.evaluation.benchmarks.rows.tables import find_file, rows_of, texts_in
from deixis.files.json_files import Fields
from tests.evaluation.benchmarks.published.small_files import picture_bytes, put


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '[{"x": "1"}, {"x": "2"}]'),
        ("a.jsonl", '{"x": "1"}\n\n{"x": "2"}\n'),
        ("lines.json", '{"x": "1"}\n{"x": "2"}\n'),
        ("a.csv", '\ufeffx,y\n1,"a\nb"\n2,c\n'),
        ("a.tsv", "x\ty\n1\ta\n\n2\tb\n"),
    ],
)
def test_rows_of_every_format(tmp_path: Path, name: str, content: str) -> None:
    rows = list(rows_of(put(tmp_path / name, content)))
    assert [row.text("x") for row in rows] == ["1", "2"]
    assert all(name in row.where for row in rows) and rows[0].where != rows[1].where


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "x", "ends in '.txt'; expected one of .json"),
        ("a.json", '{"data": 5}', "expected a list of objects"),
        ("a.json", "[1]", r"a\.json\[0\]: is 1; expected an object"),
        ("a.json", "[[", "is not valid JSON"),
        ("a.csv", "x,y\n1\n", r"a\.csv:2: 1 cells; expected 2"),
        ("a.csv", "x,x\n1,2\n", r"a\.csv:1: expected the columns' names"),
        ("a.csv", 'x,y\n1,"a\n', "cannot be read as a table"),
        ("a.tsv", "", r"a\.tsv:1: expected the columns' names"),
        ("a.tsv", b"x\ty\n\xff\xfe\t1\n", "cannot be read as a table"),
    ],
)
def test_damaged_tables_are_named(tmp_path: Path, name: str, content: Any, said: str) -> None:
    path = put(tmp_path / name, content)
    with pytest.raises(RecordError, match=said):
        list(rows_of(path))


def test_long_cells_are_read_and_the_bound_of_others_stays(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (row,) = rows_of(put(tmp_path / "a.tsv", f"x\n{'y' * 300_000}\n"))
    assert len(row.text("x")) == 300_000 and csv.field_size_limit() == before


def test_one_file_is_found_or_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"has none of b\.json, a\*\.json; expected it"):
        find_file(tmp_path, ("b.json", "a*.json"), what="it")
    put(tmp_path / "a1.json", [])
    assert find_file(tmp_path, ("b.json", "a*.json"), what="it").name == "a1.json"
    put(tmp_path / "a2.json", [])
    with pytest.raises(RecordError, match=r"has 2 such files: a1\.json, a2\.json"):
        find_file(tmp_path, ("b.json", "a*.json"), what="it")


@pytest.mark.parametrize("value", [None, [], "[]", "['a'", "[1 +", "[__import__('os')]", 5, [{}]])
def test_lists_of_texts_are_lists_of_texts(value: Any) -> None:
    with pytest.raises(RecordError, match=r"a\.json\[0\]: field 'options'"):
        texts_in(Fields({"options": value}, "a.json[0]"), "options")


def test_pictures_of_rows(tmp_path: Path) -> None:
    content = picture_bytes()
    put(tmp_path / "images/a.png", content)

    def shown(value: Any) -> Any:
        row = Fields({"image": value}, "a.tsv:2")
        return picture_in_row(row, "image", root=tmp_path, folders=("images",)).source

    assert shown("a.png") == tmp_path / "images/a.png"
    assert shown(base64.b64encode(content).decode()) == content == shown({"bytes": content, "path": None})
    for wrong, said in (
        ("../a.png", "leads out of"),
        ("b.png", "there is no picture"),
        ("#" * 2000, "is no base64"),
        ({"bytes": None}, "has no picture's bytes"),
        (5, "expected a string"),
    ):
        with pytest.raises(RecordError, match=rf"a\.tsv:2.*{said}"):
            shown(wrong)


def test_rows_that_name_the_picture_of_another(tmp_path: Path) -> None:
    encoded = base64.b64encode(picture_bytes()).decode()
    rows = [
        Fields({"index": str(number), "image": image}, f"a.tsv:{number}")
        for number, image in enumerate((encoded, "0", "1", "7", ""))
    ]
    pictures = TablePictures(rows)
    assert pictures.of(rows[1]) == pictures.of(rows[0])
    with pytest.raises(RecordError, match="that of row 1, which has none of its own"):
        pictures.of(rows[2])
    for row in rows[3:]:
        with pytest.raises(RecordError, match=r"a\.tsv:\d image: is"):
            pictures.of(row)


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {"image": {"bytes": picture_bytes(), "path": "0.webp"}, "question": "How many?", "answer": "2"}
    path = tmp_path / "data" / "test-00000.parquet"
    path.parent.mkdir()
    parquet.write_table(pyarrow.Table.from_pylist([row, row]), path)
    items = find_benchmark("real_world_qa").read(tmp_path)
    assert [item.id for item in items] == ["0", "1"]
    assert items[0].pictures[0].name == "0.webp" and items[0].pictures[0].source == picture_bytes()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RecordError, match="cannot be read as Parquet"):
        list(rows_of(path))


def test_the_parquet_files_of_mathvista_and_mmstar(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    picture = {"bytes": picture_bytes(), "path": None}
    math = {"pid": "9", "question": "How long?", "decoded_image": picture, "choices": [], "precision": 2.0}
    math |= {
        "question_type": "free_form",
        "answer_type": "float",
        "answer": "1.25",
        "query": "Q",
        "unit": None,
    }
    parquet.write_table(pyarrow.Table.from_pylist([math]), tmp_path / "testmini-0.parquet")
    (item,) = find_benchmark("mathvista").read(tmp_path)
    assert (item.id, item.truth.digits, item.kinds) == ("9", 2, {"type": "free_form"})
    star = {
        "index": 3,
        "question": "Which?\nOptions: A: a, B: b",
        "image": picture,
        "answer": "B",
        "category": "x",
    }
    parquet.write_table(pyarrow.Table.from_pylist([star]), tmp_path / "mmstar.parquet")
    (item,) = find_benchmark("mmstar").read(tmp_path / "mmstar.parquet")
    assert (item.id, item.truth.by_letter, item.truth.right) == ("3", {"A": "a", "B": "b"}, "B")
