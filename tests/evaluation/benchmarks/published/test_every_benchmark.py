"""What holds for every benchmark of the table: files of its layout are read, nothing empty is ever right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.endpoints.chat import ChatRequest
from deixis.errors import DeixisError, RecordError, UsageError
from deixis.evaluation.benchmark_table import BENCHMARKS, find_benchmark
from deixis.evaluation.benchmarks.benchmark import Benchmark, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import mark, mark_all
from tests.evaluation.benchmarks.published.small_files import WRITERS as OF_PICTURES
from tests.evaluation.benchmarks.published.small_region_files import REGION_WRITERS

WRITERS = OF_PICTURES | REGION_WRITERS
OWN = [name for name in BENCHMARKS if name in WRITERS]
TRUE_REPLIES = {
    "vqav2": {"420": "dark red", "421": "yes"},
    "gqa": {"201": "Left."},
    "vizwiz": {"VizWiz_val_0.jpg": "Unanswerable"},
    "textvqa": {"34602": "Joe's"},
    "chartqa": {"human/0": "104.9", "augmented/0": "france"},
    "docvqa": {"49153": "january  7"},
    "infovqa": {"98313": "Two"},
    "ocrbench": {"0": "It says centre.", "1": r"\frac {a} b"},
    "cv_bench": {"2D/0": "A", "2D/1": "(B)", "2D/2": "(B) 2", "3D/3": "The answer is A."},
    "mmvp": {"1": "(a)", "2": "Closed"},
    "ai2d": {"7.png-0": "B. hawk"},
    "scienceqa": {"4": "A"},
    "mmbench": {"7": "B", "1000007": "A", "9": "dog", "1000009": "C", "2000009": "B"},
    "mmbench_cn": {"7": "B", "1000007": "A", "9": "A", "1000009": "C", "2000009": "B"},
    "seed_bench": {"101": "C"},
    "real_world_qa": {"0": "B", "1": "2."},
    "mmstar": {"0": "B", "1": "C: cat"},
    "mmmu": {"validation_Math_1": "(B)", "validation_Music_2": "It is a minor third."},
    "pope": {"random/1": "Yes", "random/2": "No", "popular/1": "no.", "popular/2": "Yes, there is."},
    "mme": {},
    "hallusion_bench": {
        "VD/illusion/0/0/0": "Yes.",
        "VD/illusion/0/0/1": "No, they aren't.",
        "VD/illusion/0/1/0": "No",
    },
    "mathvista": {"1": "1.21", "2": "(B)", "3": "The answer is 14.", "4": "[1, 2]"},
    "mm_vet": {"v1_0": "x is -1 or -5", "v1_1": "left"},
    "llava_bench": {"0": "Diamond Head.", "1": "A volcano."},
    "ferret_bench": {"refer_caption/3": "A dog.", "refer_reason/3": "Paint.", "ground_conv/3": "A dog."},
    "vip_bench": {"v1_0": "dog", "v1_1": "a dog"},
    "visual7w": {"v7w-1": "b", "v7w-3": " D\n"},
    "look_twice": {"pointQA_twice-0": "two", "pointQA_twice-1": "3"},
    "vcr": {"vcr-7 Q -> A": "B", "vcr-7 QA -> R": "c", "vcr-8 Q -> A": "D", "vcr-8 QA -> R": "C"},
}


def judge(request: ChatRequest) -> str:
    return "9 9" if "Assistant" in str(request.messages) else "1.0"


def scoring_of(benchmark: Benchmark[Any], rules: Any = "corrected") -> Scoring:
    return Scoring(rules, judge if benchmark.judge == "needed" else None)


@pytest.fixture(params=OWN)
def benchmark(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Benchmark[Any], Path]:
    WRITERS[request.param](tmp_path)
    return find_benchmark(request.param), tmp_path


def test_every_benchmark_has_small_files() -> None:
    assert set(WRITERS) <= set(BENCHMARKS) and len(OWN) == 29
    assert all(name == one.name for name, one in BENCHMARKS.items())


def test_items_have_pictures_prompts_and_ids(benchmark: tuple[Benchmark[Any], Path]) -> None:
    one, folder = benchmark
    items = one.read(folder)
    assert items and len({item.id for item in items}) == len(items)
    for item in items:
        # Cards have a digest of truths: sets come in another order in another process.
        assert "frozenset(" not in repr(item.truth) and " object at 0x" not in repr(item.truth)
        assert one.prompt(item).startswith(
            item.question.split("\n")[0].capitalize()[:3] or item.question
        ) or (one.prompt(item).startswith(("Hint", "Context", item.question[:5])))
        for shown in item.pictures:
            assert shown.opened().width == (336 if one.name == "vcr" else 12)


def test_true_replies_earn_everything(benchmark: tuple[Benchmark[Any], Path]) -> None:
    one, folder = benchmark
    items = one.read(folder)
    texts = TRUE_REPLIES[one.name] or {item.id: item.truth for item in items}
    assert set(texts) == {item.id for item in items}
    marks = mark_all(one, items, {name: Reply(text) for name, text in texts.items()}, scoring_of(one))
    expected = 0.9 if one.name in ("llava_bench", "ferret_bench") else 1.0
    assert [(item.id, made.value, made.fault) for item, made in zip(items, marks, strict=True)] == [
        (item.id, expected, "") for item in items
    ]
    table = one.tabulate(items, marks)
    assert table.first.value == pytest.approx(table.first.most) and table.first.n > 0
    assert not any(row.unparsed or row.refused or row.unjudged for row in table.rows.values())
    json.dumps(table.to_dict(), allow_nan=False)


@pytest.mark.parametrize("text", ["", " \n "])
def test_empty_replies_are_never_right(benchmark: tuple[Benchmark[Any], Path], text: str) -> None:
    one, folder = benchmark
    items = one.read(folder)

    def no_judge(request: ChatRequest) -> str:
        raise AssertionError("a judge was asked about nothing")

    marks = mark_all(one, items, {item.id: Reply(text) for item in items}, Scoring(judge=no_judge))
    assert all(made.value == 0 and made.fault == "unparsed" for made in marks)
    first = one.tabulate(items, marks).first
    assert first.value in (0, None) and first.unparsed


def test_refused_questions_are_wrong_and_counted(benchmark: tuple[Benchmark[Any], Path]) -> None:
    one, folder = benchmark
    items = one.read(folder)
    marks = [mark(one, item, Reply("yes", refused="it takes one picture"), Scoring()) for item in items]
    assert {(made.value, made.fault) for made in marks} == {(0.0, "refused")}
    first = one.tabulate(items, marks).first
    assert first.refused and first.value in (0, None)


def test_missing_replies_and_unknown_rules_are_told(benchmark: tuple[Benchmark[Any], Path]) -> None:
    one, folder = benchmark
    items = one.read(folder)
    with pytest.raises(RecordError, match="have no reply"):
        mark_all(one, items, {}, Scoring())
    if "published" not in one.rules:
        with pytest.raises(UsageError, match="no rules 'published'; expected corrected"):
            mark(one, items[0], Reply("x"), Scoring("published"))
    assert one.protocol(Scoring())["prompt"] == one.prompt_text


def test_nothing_that_is_no_benchmark_is_read(benchmark: tuple[Benchmark[Any], Path], tmp_path: Path) -> None:
    one, _ = benchmark
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(RecordError, match=r"expected|cannot be read"):
        one.read(empty)
    with pytest.raises(RecordError):
        one.read(tmp_path / "nowhere")


def files_of(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".json", ".jsonl", ".csv", ".tsv", ".txt")
    ]


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "cut": content[: len(content) // 2],
        "binary": b"\xff\xfe\x00" + content[:50],
        "numbers for objects": b"[1, 2]",
        "another object": b'{"a": 1}',
        "nothing": b"",
    }


def test_damaged_files_are_named(benchmark: tuple[Benchmark[Any], Path]) -> None:
    """Every file of every layout, damaged in five ways: it is told, with its name, or read as it stands."""
    one, folder = benchmark
    told = 0
    for path in files_of(folder):
        whole = path.read_bytes()
        for content in damaged(whole).values():
            path.write_bytes(content)
            try:
                one.read(folder)
            except DeixisError as fault:
                assert path.name in str(fault) or path.parent.name in str(fault), str(fault)
                told += 1
        path.write_bytes(whole)
    assert told >= 3


def test_a_missing_picture_is_named(benchmark: tuple[Benchmark[Any], Path]) -> None:
    one, folder = benchmark
    found = [path for path in folder.rglob("*") if path.suffix in (".jpg", ".png", ".jpeg", ".webp")]
    if not found:
        pytest.skip("its pictures are in the table, or have no ending")
    for path in found:
        path.unlink()
    with pytest.raises(RecordError, match=r"there is no picture"):
        one.read(folder)


def test_names_that_are_not_there_are_told() -> None:
    with pytest.raises(UsageError, match="Did you mean 'mmbench_cn'"):
        find_benchmark("mmbench-cn")


def test_a_mark_has_a_value_unless_nobody_judged() -> None:
    with pytest.raises(ValueError, match="only unjudged ones have none"):
        Mark(None)


def test_the_page_has_every_benchmark_and_no_other() -> None:
    page = Path(__file__).parents[4].joinpath("docs", "benchmarks.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `") and line.count("|") == 6]
    judges = {row[1].strip().strip("`"): row[4].strip() for row in rows}
    assert judges == {name: BENCHMARKS[name].judge for name in OWN}


STRANGE = [
    "٣",
    "²",
    "nan",
    "1e999",
    "-inf%",
    "%",
    "9" * 5000,
    "[" * 3000,
    "[1, 'a']",
    "[" + "1," * 2000 + "]",
    "\x00\ud800",
    "(" * 2000 + "A" + ")" * 2000,
    "the answer is " * 500,
    "İı ß ﬁ",
    "= = = so is is",
    ".",
    "$,.",
    "{}{0}%s\\",
]


@pytest.mark.parametrize("rules", ["corrected", "published"])
def test_strange_replies_get_a_mark(benchmark: tuple[Benchmark[Any], Path], rules: Any) -> None:
    one, folder = benchmark
    if rules not in one.rules:
        pytest.skip("it has no such rules")
    items = one.read(folder)
    for text in STRANGE:
        marks = [mark(one, item, Reply(text), scoring_of(one, rules)) for item in items]
        assert all(made.value is None or 0 <= made.value <= 1 for made in marks), text
        assert one.tabulate(items, marks).rows
