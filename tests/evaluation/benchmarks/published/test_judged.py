"""Benchmarks with a judge: what it is asked, what its failures count as, what is left undone without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError, RecordError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Reply, Scoring
from deixis.evaluation.benchmarks.marking import mark_all
from tests.evaluation.benchmarks.published.small_files import WRITERS


class Saying:
    """A judge that says one thing after the other, the last one for ever."""

    def __init__(self, *texts: str | Exception) -> None:
        self.texts, self.asked = list(texts), list[ChatRequest]()

    def __call__(self, request: ChatRequest) -> str:
        self.asked.append(request)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        return text


def items_of(name: str, folder: Path) -> list[BenchmarkItem[Any]]:
    WRITERS[name](folder)
    return find_benchmark(name).read(folder)


def test_mm_vet_asks_with_the_published_examples(tmp_path: Path) -> None:
    first, second = items_of("mm_vet", tmp_path)
    judge = Saying("0.5")
    one = find_benchmark("mm_vet")
    assert one.score(first, Reply("x = -1"), Scoring(judge=judge)).value == 0.5
    (request,) = judge.asked
    text = str(request.messages[0][1])
    assert text.startswith("Compare the ground truth and prediction") and "rectangle" not in text
    assert text.endswith("\nWhat is x? | -1 <AND> -5 | x = -1 | ")
    assert (request.model, request.temperature, request.max_tokens) == ("gpt-4-0613", 0.0, 3)
    one.score(second, Reply("left"), Scoring(judge=judge, judge_model="own"))
    assert judge.asked[1].model == "own"


def test_mm_vet_asks_again_warmer_and_gives_up_unjudged(tmp_path: Path) -> None:
    item = items_of("mm_vet", tmp_path)[0]
    one = find_benchmark("mm_vet")
    judge = Saying("good", "The", "1.0")
    assert one.score(item, Reply("x"), Scoring(judge=judge)).value == 1.0
    assert [request.temperature for request in judge.asked] == [0.0, 0.0, 0.5]
    found = one.score(item, Reply("x"), Scoring(judge=Saying("good")))
    assert (found.value, found.fault) == (None, "unjudged") and "expected a number" in found.why


def test_mm_vet_columns(tmp_path: Path) -> None:
    items = items_of("mm_vet", tmp_path)
    one = find_benchmark("mm_vet")
    marks = mark_all(
        one, items, {"v1_0": Reply("x"), "v1_1": Reply("y")}, Scoring(judge=Saying("0.2", "1.0"))
    )
    found = {name: row.value for name, row in one.tabulate(items, marks).rows.items()}
    assert found["all"] == pytest.approx(60) and found["ability: ocr"] == pytest.approx(20)
    assert found["together: rec + spat"] == pytest.approx(100)


@pytest.mark.parametrize("name", ["mm_vet", "llava_bench"])
def test_without_a_judge_nothing_is_guessed(name: str, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    one = find_benchmark(name)
    for judge in (None, Saying(EndpointError("it is down"))):
        marks = mark_all(one, items, {item.id: Reply("left") for item in items}, Scoring(judge=judge))
        first = one.tabulate(items, marks).first
        assert first.value is None and first.n == 0 and first.unjudged == len(items)


def test_llava_bench_relates_replies_to_references(tmp_path: Path) -> None:
    items = items_of("llava_bench", tmp_path)
    one = find_benchmark("llava_bench")
    judge = Saying("8 4\nBecause.")
    marks = mark_all(one, items, {"0": Reply("A hill."), "1": Reply(" ")}, Scoring(judge=judge))
    first = one.tabulate(items, marks).first
    # One reply scores 4, the empty one 0; the reference 8.
    assert first.value == pytest.approx(25.0) and (first.n, first.unparsed) == (2, 1)
    (request,) = judge.asked
    text = str(request.messages[1][1])
    assert text.startswith(
        "[Context]\nDiamond Head.\n\n[Question]\nWhat is famous here?\n\n[Assistant 1]\nIt is"
    )
    assert "[Assistant 2]\nA hill.\n\n[End of Assistant 2]\n\n[System]\nWe would like to" in text


def test_llava_bench_wants_a_line_in_every_file(tmp_path: Path) -> None:
    items_of("llava_bench", tmp_path)
    (tmp_path / "context.jsonl").write_text('{"image": "002.jpg", "caption": "x"}\n')
    with pytest.raises(RecordError, match=r"questions\.jsonl:1: question 0 .*no line in .*context\.jsonl"):
        find_benchmark("llava_bench").read(tmp_path)


@pytest.mark.parametrize(
    ("item", "text", "value"),
    [
        ("1", "1.24", 1.0),
        ("1", "1.26", 0.0),
        ("2", "65°", 1.0),
        ("2", "The answer is (A).", 0.0),
        ("3", "14", 1.0),
        ("3", "14.0", 1.0),
        ("3", "14.5", 0.0),
        ("3", "So the answer is 14.", 1.0),
        ("4", "[1.0, 2]", 1.0),
        ("4", "[2, 1]", 0.0),
    ],
)
def test_mathvista_by_rule(tmp_path: Path, item: str, text: str, value: float) -> None:
    items = {one.id: one for one in items_of("mathvista", tmp_path)}
    found = find_benchmark("mathvista").score(items[item], Reply(text), Scoring())
    assert (found.value, found.fault) == (value, "")


def test_mathvista_needs_a_judge_for_the_rest(tmp_path: Path) -> None:
    items = {one.id: one for one in items_of("mathvista", tmp_path)}
    one, reply = find_benchmark("mathvista"), Reply("It has a length of 14 cm, as is seen.")
    without = one.score(items["3"], reply, Scoring())
    assert (without.value, without.fault) == (0.0, "unparsed")
    judge = Saying("14")
    assert one.score(items["3"], reply, Scoring(judge=judge)).value == 1.0
    assert str(judge.asked[0].messages[0][1]).endswith(
        "(Unit: cm)\n\nIt has a length of 14 cm, as is seen.\n\nExtracted answer: "
    )
    assert one.score(items["3"], reply, Scoring(judge=Saying("many"))).fault == "unparsed"
    assert one.score(items["3"], reply, Scoring(judge=Saying(EndpointError("down")))).fault == "unjudged"


def test_mathvista_prompts_are_the_files_own_or_made_alike(tmp_path: Path) -> None:
    first, second, third, fourth = items_of("mathvista", tmp_path)
    prompt = find_benchmark("mathvista").prompt
    assert prompt(first) == "Hint: X\nQuestion: How long?"
    assert prompt(second).endswith("at the end.\nQuestion: How long?\nChoices:\n(A) 145°\n(B) 65°")
    assert "requiring an integer answer" in prompt(third) and "Python list" in prompt(fourth)
