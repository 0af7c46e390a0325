"""Files of instructions as training examples: places, lengths, counts, files named by a pattern."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.instructions.caption_filter import CaptionFilter
from deixis.data.instructions.reading import InstructionRows, RowRules, read_instructions
from deixis.data.instructions.source import InstructionSource, files_named
from deixis.errors import BadPicture, RecordError


def said(question: str, answer: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


ROWS: list[dict[str, Any]] = [
    {"id": "1", "image": "a.png", "conversations": said("What?\n<image>", "a brown dog")},
    {"id": "2", "conversations": said("How are you {today}?", "Fine.")},
    {"id": "3", "image": "b/c.png", "conversations": said("<image>\nWho?", "a man with a hat on his head")},
    {"id": "4", "image": "a.png", "conversations": said("<image>\nWho?", "")},
    {
        "id": "5",
        "image": ["a.png", "b/c.png"],
        "conversations": said("<image>A?", "a") + said("<image>B?", "b"),
    },
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    for name, shade in (("a.png", 10), ("b/c.png", 200)):
        Image.new("RGB", (20, 10), (shade,) * 3).save(tmp_path / name)
    (tmp_path / "list.json").write_text(json.dumps(ROWS))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    return tmp_path


def read(*paths: Path, **rules: Any) -> InstructionRows:
    return read_instructions(paths, RowRules(**{"faulty": "pass_over", **rules}))


@pytest.mark.parametrize("name", ["list.json", "lines.jsonl"])
def test_rows_become_examples(folder: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = read(folder / name)
    assert "4 of 5 rows are kept; dropped: 1 empty answer" in caplog.text
    source = InstructionSource(rows, images=folder)
    assert len(source) == 4 and source.lengths() == [4, -5, 9, 4]
    rng = np.random.default_rng(0)
    seen, words, other, pages = (pickle.loads(pickle.dumps(source)).example(n, rng) for n in range(4))
    assert seen.dialogues[0].turns[0].question == "What?" and seen.pictures[0].pixels.max() == 10
    assert words.pictures == () and words.dialogues[0].turns[0].question == "How are you {{today}}?"
    assert other.pictures[0].pixels.max() == 200 and "b/c.png" in other.name and name in other.name
    first, second = pages.dialogues[0].turns
    assert pages.pictures[0].pixels.max() == 10 and not first.pictures
    assert second.pictures[0].pixels.max() == 200
    assert list(source.texts())[:4] == ["What?", "a brown dog", "How are you {today}?", "Fine."]
    assert len(list(source.texts())) == 10
    assert InstructionSource(rows, images=folder, side=32).example(0, rng).picture.pixels.shape == (32, 32, 3)


def test_a_faulty_row_is_an_error_that_names_it_or_is_counted(folder: Path) -> None:
    with pytest.raises(RecordError, match=r"list\.json\[3\]: an answer is empty"):
        read(folder / "list.json", faulty="refuse")
    counts = read(folder / "list.json").counts
    assert counts.dropped == {"empty answer": 1} and counts.without_picture == 1
    assert "list.json[3]" in counts.examples["empty answer"][0]
    assert "| dropped: empty answer | 1 | 20.0 % |" in counts.to_markdown()
    assert counts.to_dict()["rows"] == 5 and json.dumps(counts.to_dict())


def test_the_filter_drops_captions_and_says_why(folder: Path) -> None:
    rows = read(folder / "list.json", captions=CaptionFilter(least_words=2, most_words=5))
    assert rows.counts.dropped == {"too short": 2, "too long": 1, "empty answer": 1} and len(rows) == 1
    assert "'a man with a hat" in rows.counts.examples["too long"][0]
    with pytest.raises(RecordError, match="0 of 5 rows are kept; dropped: 4 too short, 1 empty answer"):
        read(folder / "list.json", captions=CaptionFilter(least_words=50))


def test_several_files_are_one_source_and_known_again(folder: Path) -> None:
    both = read(folder / "list.json", folder / "lines.jsonl")
    source = InstructionSource(both, images=folder)
    assert len(source) == 8 and source.lengths() == [4, -5, 9, 4] * 2
    names = [source.example(n, np.random.default_rng(0)).name for n in (3, 4)]
    assert "list.json[4]" in names[0] and "lines.jsonl" in names[1]
    assert len(list(source.texts())) == 20
    once, twice = read(folder / "list.json"), read(folder / "list.json")
    assert once.digest == twice.digest != both.digest
    changed = [*ROWS[:2], {**ROWS[2], "image": "a.png"}, *ROWS[3:]]
    (folder / "list.json").write_text(json.dumps(changed))
    assert read(folder / "list.json").digest != once.digest


def test_tables_of_captions(folder: Path) -> None:
    lines = ["uid,key,status,vlm_caption", "1,a,success,A brown dog runs", "2,b,error,x", '3,a,success,""']
    (folder / "captions-1.csv").write_text("\n".join(lines))
    rows = read(folder / "captions-1.csv", kind="captions")
    assert rows.counts.dropped == {"status of a failure": 1, "no caption": 1}
    (folder / "a.jpg").write_bytes((folder / "a.png").read_bytes())
    example = InstructionSource(rows, images=folder).example(0, np.random.default_rng(0))
    assert example.dialogues[0].turns[0].answer == "A brown dog runs" and len(example.pictures) == 1


def test_pictures_that_are_missing_or_outside_are_named(folder: Path) -> None:
    rows = [{"image": name, "conversations": said("<image>A?", "a")} for name in ("no.png", "../a.png")]
    (folder / "list.json").write_text(json.dumps(rows))
    source = InstructionSource(read(folder / "list.json"), images=folder)
    with pytest.raises(BadPicture, match=r"list\.json\[0\] no\.png: "):
        source.example(0, np.random.default_rng(0))
    with pytest.raises(RecordError, match="leads out of"):
        source.example(1, np.random.default_rng(0))


def test_files_by_a_pattern(folder: Path) -> None:
    for number in (2, 1):
        (folder / "b" / f"part-{number}.csv").write_text("")
    assert files_named(folder, "list.json", where="s") == [folder / "list.json"]
    assert files_named(folder, "b/part-*.csv", where="s") == [folder / "b" / f"part-{n}.csv" for n in (1, 2)]
    for name, message in (
        ("none*.csv", "there is no file"),
        ("*/a.csv", "in a folder's name"),
        ("../*", "out of"),
    ):
        with pytest.raises(RecordError, match=message):
            files_named(folder, name, where="s")


@pytest.mark.slow
def test_little_is_kept_of_many_rows(tmp_path: Path) -> None:
    one = {"id": "0", "image": "a.png", "conversations": said("<image>\nWhat?", "word " * 200)}
    path = tmp_path / "many.json"
    path.write_text("[" + ", ".join([json.dumps(one)] * 20_000) + "]")
    tracemalloc.start()
    try:
        rows = read(path)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(rows) == 20_000 and path.stat().st_size > 20e6
    assert kept < 1e6, f"{kept} bytes for 20,000 rows"
    # A window as bytes, as text, and the rest of the one before it, but never the file.
    assert most < 20e6, f"{most} bytes while reading"
