"""Files of rows: every kind, at any size of window, rows read again by their place, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError
from deixis.files.rows import json_list, lines
from deixis.files.rows.json_list import JsonListFile
from deixis.files.rows.lines import JsonLinesFile, TableFile
from deixis.files.rows.opening import open_rows

ROWS: list[dict[str, Any]] = [
    {"id": "1", "text": "a dog, and a [bracket] and a {brace}"},
    {"id": "2", "text": 'said "yes" \\ "no"', "deep": {"list": [1, [2, {"a": "]}"}]]}},
    {"id": "3", "text": "straße, 犬が走る, 🐕, and\na new line"},
    {},
    {"id": "5", "text": "x" * 900},
]


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def listed(rows: list[dict[str, Any]], **how: Any) -> str:
    return json.dumps(rows, **how)


@pytest.mark.parametrize("window", [1, 2, 7, 64, 4 << 20])
@pytest.mark.parametrize("how", [{}, {"indent": 2}, {"ensure_ascii": False}], ids=str)
def test_lists_are_read_whatever_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int, how: dict[str, Any]
) -> None:
    monkeypatch.setattr(json_list, "WINDOW", window)
    path = written(tmp_path / "a.json", "\ufeff" * (window == 7) + " " + listed(ROWS, **how) + "\n")
    file = open_rows(path)
    assert isinstance(file, JsonListFile)
    found = list(file.rows())
    assert [row.fields.values for row in found] == ROWS
    for number, row in enumerate(found):
        again = file.row(row.start, row.end, number=row.number)
        assert again.values == ROWS[number] and again.where == row.fields.where == f"{path}[{number}]"


def test_an_empty_list_has_no_rows(tmp_path: Path) -> None:
    assert list(open_rows(written(tmp_path / "a.json", " [ \n] ")).rows()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}', "followed by ''"),
        ('[{"a": 1} {"a": 2}]', "followed by '{'"),
        ('[{"a": 1}, 7]', r"\[1\]: begins with '7'; expected an object"),
        ('[{"a": 1},]', r"\[1\]: begins with '\]'"),
        ('[{"a": 1}] []', "goes on with '\\['"),
        ('[{"a": 1, }]', r"\[0\]: is no valid JSON"),
        ('[{"a": "cut', r"\[0\]: is no valid JSON"),
        ('[{"a": ' + "[" * 200_000, r"\[0\]: is nested too deeply|no valid JSON"),
        ("", "begins with ''"),
        ("hello", "begins with 'h'"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        list(open_rows(written(tmp_path / "a.json", text)).rows())


def test_a_row_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_list, "WINDOW", 100)
    monkeypatch.setattr(json_list, "LARGEST_ROW", 1000)
    monkeypatch.setattr(lines, "LARGEST_ROW", 1000)
    path = written(tmp_path / "a.json", '[{"a": "' + "x" * 5000)
    with pytest.raises(RecordError, match="over 1000 bytes"):
        list(JsonListFile(path).rows())
    with pytest.raises(RecordError, match="over 1000 bytes"):
        list(JsonLinesFile(path).rows())
    never_closed = written(tmp_path / "a.csv", 'a,b\n1,"' + "x\n" * 5000)
    with pytest.raises(RecordError, match="over 1000 bytes"):
        list(TableFile(never_closed, separator=",").rows())


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    for name, content in (
        ("a.json", b'[{"a": "\xff"}]'),
        ("a.csv", b"a\n\xff\n"),
        ("a.jsonl", b'{"a": "\xff"}'),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordError, match=r"UTF-8|utf-8"):
            list(open_rows(tmp_path / name).rows())


def test_json_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    file = open_rows(path)
    assert isinstance(file, JsonLinesFile)
    found = list(file.rows())
    assert [row.fields.values for row in found] == ROWS
    assert [file.row(row.start, row.end, number=row.number).values for row in found] == ROWS
    with pytest.raises(RecordError, match=r"a\.jsonl:2: is a JSON list"):
        list(open_rows(written(path, "{}\n[]\n")).rows())


@pytest.mark.parametrize(("ending", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_tables(tmp_path: Path, ending: str, separator: str) -> None:
    rows = [["1", 'a "dog", and\na cat'], ["2", "tab\there"], ["3", "line\u2028and\x0bmore 犬"], ["4", ""]]
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows([["key", "caption"], *rows])
    file = open_rows(written(tmp_path / f"a{ending}", "\ufeff" + stream.getvalue()))
    found = list(file.rows())
    expected = [dict(zip(("key", "caption"), row, strict=True)) for row in rows]
    assert [row.fields.values for row in found] == expected
    fresh = open_rows(tmp_path / f"a{ending}")
    assert [fresh.row(row.start, row.end, number=row.number).values for row in found] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", "row 1: has 1 columns; the first line names 2"),
        ("a,a\n1,2\n", r"columns \['a'\] are named twice"),
        ('a,b\n1,"2"3\n', "row 1: "),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        list(open_rows(written(tmp_path / "a.csv", text)).rows())


def test_a_file_that_was_changed_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", listed(ROWS))
    last = list(JsonListFile(path).rows())[-1]
    written(path, listed(ROWS[1:]))
    with pytest.raises(RecordError, match="was the file changed"):
        JsonListFile(path).row(last.start, last.end, number=4)
    written(path, "[" + " " * 2000 + "]")
    with pytest.raises(RecordError, match="was the file changed"):
        JsonListFile(path).row(last.start, last.end, number=4)


def test_parquet_is_told_what_to_do_and_folders_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"write it as \.csv or \.jsonl"):
        open_rows(written(tmp_path / "a.parquet", "PAR1"))
    with pytest.raises(RecordError, match="not an ordinary file"):
        open_rows(tmp_path)
    with pytest.raises(RecordError, match="cannot be read"):
        open_rows(tmp_path / "none.json")
