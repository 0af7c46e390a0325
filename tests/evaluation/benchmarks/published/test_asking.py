"""Systems asked benchmarks: nothing is asked twice, kept replies are only those to the very same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deixis.answers.grounded import Answer, Place, Span
from deixis.errors import BadPicture, RecordError, UsageError
from deixis.evaluation.benchmark_table import BENCHMARKS, find_benchmark
from deixis.evaluation.benchmarks.asking.asking import ask
from deixis.evaluation.benchmarks.asking.report import Drawn, report
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, ReplyPlace, Scoring, Shown
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box
from tests.evaluation.benchmarks.published.small_files import WRITERS, picture_bytes, put


class Counting:
    """A system that says yes a number of times and is then stopped; it finds what it is asked about."""

    name = "counting"

    def __init__(self, most: int = 999, weights: str = "f00d", taken: int = 1) -> None:
        self.most, self.weights, self.taken = most, weights, taken
        self.asked: list[str] = []
        self.batches: list[int] = []

    def fingerprint(self) -> str:
        return self.weights

    def ask(self, picture: Any, questions: list[str], *, regions: Any, max_new_tokens: int) -> list[Answer]:
        pictures = picture if isinstance(picture, list) else [picture] if picture is not None else []
        if len(pictures) > self.taken:
            raise UsageError(f"it is asked about {self.taken} picture; got {len(pictures)}")
        if len(self.asked) >= self.most:
            raise KeyboardInterrupt
        assert len(regions) == len(questions) and all(isinstance(one, Picture) for one in pictures)
        self.asked += questions
        self.batches.append(len(questions))
        return [self.answer(pictures) for _ in questions]

    def answer(self, pictures: list[Picture]) -> Answer:
        box = Box(1.0, 2.0, 3.5, 4.0).bind(pictures[0].frame)
        spans = (Span(0, 3, "Yes", (Place(box, 0.5, named=0),)),)
        return Answer("Yes", spans, tuple(pictures), system=self.name, seconds=0.1)


def read(name: str, folder: Path) -> tuple[Benchmark[Any], list[BenchmarkItem[Any]]]:
    WRITERS[name](folder)
    one = find_benchmark(name)
    return one, one.read(folder)


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    one, items = read("mme", tmp_path / "mme")
    kept = tmp_path / "new" / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt):
        ask(one, items, Counting(6), kept=kept)
    whole = kept.read_text()
    assert len(whole.splitlines()) == 6
    kept.write_text(whole + whole[:30])  # killed while it wrote
    again = Counting()
    replies = ask(one, items, again, kept=kept)
    assert len(again.asked) == len(items) - 6 and set(again.batches) == {2}
    assert list(replies) == [item.id for item in items]
    places = (ReplyPlace((1.0, 2.0, 3.5, 4.0), 0.5, "Yes", named=0),)
    assert {(reply.text, reply.places) for reply in replies.values()} == {("Yes", places)}
    last = Counting(0)
    assert ask(one, items, last, kept=kept) == replies and not last.asked
    assert ask(one, items[3:5], last, kept=kept) == {item.id: replies[item.id] for item in items[3:5]}


def test_replies_of_others_are_not_taken(tmp_path: Path) -> None:
    one, items = read("gqa", tmp_path / "gqa")
    kept = tmp_path / "answers.jsonl"
    ask(one, items, Counting(), kept=kept)
    with pytest.raises(
        RecordError, match=r"answers\.jsonl:1: a reply of weights 'f00d', now asked of 'beef'"
    ):
        ask(one, items, Counting(weights="beef"), kept=kept)
    other, others = read("vizwiz", tmp_path / "vizwiz")
    with pytest.raises(RecordError, match="a reply of benchmark 'gqa', now asked of 'vizwiz'"):
        ask(other, others, Counting(), kept=kept)


@pytest.mark.parametrize("change", ["picture", "question", "bound"])
def test_replies_to_something_else_are_not_taken(tmp_path: Path, change: str) -> None:
    one, items = read("gqa", tmp_path)
    kept = tmp_path / "answers.jsonl"
    ask(one, items, Counting(), kept=kept)
    if change == "picture":
        put(tmp_path / "images/n1.jpg", picture_bytes(200))
    if change == "question":
        put(tmp_path / "testdev_balanced_questions.json",
            (tmp_path / "testdev_balanced_questions.json").read_text().replace("side", "way"))  # fmt: skip
    with pytest.raises(RecordError, match="item '201' was asked something else"):
        ask(one, one.read(tmp_path), Counting(), kept=kept, max_new_tokens=7 if change == "bound" else None)


def test_braces_of_a_question_are_its_own(tmp_path: Path) -> None:
    one, items = read("vqav2", tmp_path)
    system = Counting()
    ask(one, items, system, kept=tmp_path / "answers.jsonl")
    assert any(text.startswith("Is {{it}} there?\n") for text in system.asked)


def test_refused_questions_are_wrong_and_asked_again(tmp_path: Path) -> None:
    one, items = read("mmmu", tmp_path)
    kept = tmp_path / "answers.jsonl"
    replies = ask(one, items, Counting(taken=1), kept=kept)
    assert replies["validation_Music_2"].refused == "it is asked about 1 picture; got 2"
    assert len(kept.read_text().splitlines()) == 1
    made = report(one, items, replies, Scoring(), system="counting")
    assert made.table.first.refused == 1 and made.table.first.n == 2
    able = Counting(taken=2)
    assert not ask(one, items, able, kept=kept)["validation_Music_2"].refused and len(able.asked) == 1


def test_if_everything_is_refused_that_is_an_error(tmp_path: Path) -> None:
    one, items = read("gqa", tmp_path)
    with pytest.raises(UsageError, match="all 1 questions are refused; the first: it is asked about 0"):
        ask(one, items, Counting(taken=0), kept=tmp_path / "answers.jsonl")


def test_what_cannot_be_asked_is_told_before_anything_is(tmp_path: Path) -> None:
    one, items = read("gqa", tmp_path)
    kept, system = tmp_path / "answers.jsonl", Counting()
    with pytest.raises(RecordError, match="item '201' of gqa stands twice"):
        ask(one, [*items, *items], system, kept=kept)
    with pytest.raises(RecordError, match="there is nothing to ask of gqa"):
        ask(one, [], system, kept=kept)
    with pytest.raises(UsageError, match=r"the file of answers .* is a folder"):
        ask(one, items, system, kept=tmp_path)
    broken = BenchmarkItem("1", (Shown("a.png", b"no picture"),), "Why?", "left")
    with pytest.raises(BadPicture):
        ask(one, [broken], system, kept=kept)
    put(kept, '{"item": "201", "text": 5}\n')
    with pytest.raises(RecordError, match=r"answers\.jsonl:1: field 'benchmark' is missing"):
        ask(one, items, system, kept=kept)
    put(kept, "[1, 2]")
    with pytest.raises(RecordError, match="isn't a file of answers"):
        ask(one, items, system, kept=kept)
    assert kept.read_text() == "[1, 2]" and not system.asked


def test_a_report_has_numbers_protocol_and_items(tmp_path: Path) -> None:
    one, items = read("pope", tmp_path / "pope")
    replies = ask(one, items, Counting(), kept=tmp_path / "answers.jsonl")
    made = report(
        one, items, replies, Scoring(), system="counting", weights="f00d", drawn=Drawn(tmp_path / "pope")
    )
    content = json.loads(made.to_json())
    assert content["protocol"]["prompt"] == one.prompt_text and content["protocol"]["judge"] == "not needed"
    assert content["protocol"]["data"] == "pope" and content["protocol"]["items"] == 4
    assert content["table"]["f1"]["value"] == pytest.approx(200 / 3)
    rows = [json.loads(line) for line in made.items_as_lines().splitlines()]
    assert [row["value"] for row in rows] == [0.0, 1.0, 1.0, 0.0] and rows[0]["reply"] == "Yes"
    low, high = content["table"]["f1"]["ci95"]
    assert 0 <= low < 200 / 3 < high <= 100
    assert f"| f1 | 66.7 | {low:.1f} to {high:.1f} | 100 | 4 | 0 | 0 | 0 |" in made.to_markdown()
    assert content["protocol"]["data_files"] and len(content["items"]) == 4
    changed = report(one, items[:3], replies, Scoring(), system="counting")
    assert changed.protocol["questions"] != made.protocol["questions"]


class Wordy(Counting):
    """A system that can be asked for words alone, and remembers how it was asked."""

    def __init__(self, *, words: bool = False) -> None:
        super().__init__()
        self.words = words
        self.alone: Wordy | None = None

    def in_words(self) -> Wordy:
        self.alone = Wordy(words=True)
        return self.alone


def test_words_alone_are_asked_for_where_a_benchmark_was_published_so(tmp_path: Path) -> None:
    one, items = read("gqa", tmp_path / "gqa")
    system = Wordy()
    plain = ask(one, items, system, kept=tmp_path / "plain.jsonl")
    assert system.alone is None and len(system.asked) == len(items)
    worded = replace(one, words_only=True)
    system = Wordy()
    ask(worded, items, system, kept=tmp_path / "words.jsonl")
    assert not system.asked and system.alone is not None and len(system.alone.asked) == len(items)
    with pytest.raises(RecordError, match="was asked something else"):
        ask(worded, items, Wordy(), kept=tmp_path / "plain.jsonl")
    ask(worded, items, Counting(), kept=tmp_path / "other.jsonl")  # one that never names places unasked
    first, second = (
        report(benchmark, items, plain, Scoring(), system="s").protocol for benchmark in (one, worded)
    )
    assert first["questions"] != second["questions"]
    assert "answers" not in first and second["answers"].startswith("asked for in words alone")


def test_llava_bench_of_coco_wants_words_alone() -> None:
    worded = [one.name for one in BENCHMARKS.values() if one.words_only]
    assert worded == ["llava_bench_coco"]
