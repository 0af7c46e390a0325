"""Benchmarks about regions: what systems are shown, both readings of their replies, what can't be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deixis.cli import main
from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.asking.asking import ask
from deixis.evaluation.benchmarks.asking.report import Drawn, report
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Reply, ReplyPlace, Scoring
from deixis.evaluation.benchmarks.judged.ferret_bench import with_boxes
from deixis.evaluation.benchmarks.marking import mark_all
from deixis.evaluation.benchmarks.painted.vcr import ask_vcr, read_vcr
from deixis.evaluation.benchmarks.painted.visual7w import ask_visual7w, read_visual7w
from tests.evaluation.benchmarks.published.small_files import put
from tests.evaluation.benchmarks.published.small_region_files import REGION_WRITERS, VCR
from tests.evaluation.benchmarks.published.test_judged import Saying
from tests.evaluation.endpoint.fake_endpoint import FakeEndpoint, served, text_of


class Seeing:
    """Says one thing, and keeps what it was shown and asked."""

    name = "seeing"

    def __init__(self, said: str = "B.") -> None:
        self.said = said
        self.shown: list[Any] = []
        self.questions: list[str] = []
        self.regions: list[Any] = []

    def ask(self, picture: Any, questions: list[str], regions: Any = None, **more: Any) -> list[Any]:
        self.shown += [picture] * len(questions)
        self.questions += questions
        self.regions += list(regions or ())
        own = {"text": self.said, "parse_failures": (), "spans": (), "to_dict": lambda: {"spans": []}}
        return [SimpleNamespace(**own) for _ in questions]


def items_of(name: str, folder: Path) -> list[BenchmarkItem[Any]]:
    REGION_WRITERS[name](folder)
    return find_benchmark(name).read(folder)


def test_what_is_shown_is_what_the_published_questions_show(tmp_path: Path) -> None:
    """By the runner and by the older functions the same pixels are painted, and the same words asked."""
    old, new = Seeing("A"), Seeing("A")
    items = items_of("visual7w", tmp_path)
    ask(find_benchmark("visual7w"), items, new, kept=tmp_path / "a.jsonl")
    ask_visual7w(old, read_visual7w(tmp_path / "v7w-test.json", root=tmp_path), root=tmp_path)
    vcr = items_of("vcr", tmp_path)
    ask(find_benchmark("vcr"), vcr, new, kept=tmp_path / "b.jsonl")
    ask_vcr(old, read_vcr(tmp_path / "vcr-val.json", root=tmp_path), root=tmp_path)
    assert sorted(new.questions) == sorted(old.questions) and "Which {{one}} is red?" in new.questions[0]
    for text, picture in zip(new.questions, new.shown, strict=True):
        others = [other for said, other in zip(old.questions, old.shown, strict=True) if said == text]
        assert any(np.array_equal(picture.pixels, other.pixels) for other in others)
    first, second = (item.pictures[0] for item in items)
    assert first.name == second.name and first.digest() != second.digest()
    assert first.digest() == replace(first).digest()


def test_both_readings_stand_in_the_report(tmp_path: Path) -> None:
    items = items_of("visual7w", tmp_path)
    one = find_benchmark("visual7w")
    replies = {"v7w-1": Reply("The answer is B."), "v7w-3": Reply("D")}
    made = report(one, items, replies, Scoring(), system="said", drawn=Drawn(tmp_path))
    assert made.table.first.value == 50 and made.table.first.unparsed == 1
    lenient = json.loads(made.to_json())["readings"]["lenient"]["all"]
    assert lenient["value"] == 100 and lenient["unparsed"] == 0 and lenient["ci95"]
    assert "| all, lenient reading | 100.0 |" in made.to_markdown()
    twice = find_benchmark("look_twice")
    words = items_of("look_twice", tmp_path)
    texts = {"pointQA_twice-0": Reply("2."), "pointQA_twice-1": Reply("There are 3")}
    read = report(twice, words, texts, Scoring(), system="said")
    assert read.table.first.value == 0 and read.further["lenient"].first.value == 50


def test_records_that_cannot_be_painted_are_left_out_and_named(tmp_path: Path) -> None:
    REGION_WRITERS["vcr"](tmp_path)
    bare = VCR | {"rationale_choices": [["A", "."], ["B", "."], [[2], "sits", "."], ["D", "."]]}
    put(tmp_path / "vcr-val.json", [{"id": "vcr-7"} | VCR, {"id": "vcr-9"} | bare])
    one = find_benchmark("vcr")
    items, system = one.read(tmp_path), Seeing("B")
    replies = ask(one, items, system, kept=tmp_path / "a.jsonl")
    assert len(system.questions) == 3
    made = report(one, items, replies, Scoring(), system="seeing", drawn=Drawn(tmp_path))
    rows = made.table.rows
    # Both answers are right, the one reason is wrong; of the other record only the answer was asked.
    assert [(name, row.value, row.n) for name, row in rows.items()] == [
        ("Q -> AR", 0.0, 1),
        ("Q -> A", 100.0, 2),
        ("QA -> R", 0.0, 1),
    ]
    (named,) = made.protocol["left_out"]["named"]
    assert named.startswith("vcr-9 QA -> R: ") and str(tmp_path) not in named
    assert made.protocol["items"] == 3 and "left_out" not in one.protocol(Scoring())
    put(tmp_path / "vcr-val.json", [{"id": "vcr-9"} | bare | {"question": ["Why", [2], "?"]}])
    with pytest.raises(RecordError, match="there is nothing to ask of vcr: "):
        ask(one, one.read(tmp_path), system, kept=tmp_path / "b.jsonl")


def test_a_limit_keeps_both_questions_of_a_record(tmp_path: Path) -> None:
    items = items_of("vcr", tmp_path)
    assert [item.together for item in items] == ["vcr-7", "vcr-7", "vcr-8", "vcr-8"]


def test_ferret_bench_points_and_is_judged_as_published(tmp_path: Path) -> None:
    items = items_of("ferret_bench", tmp_path)
    one, system = find_benchmark("ferret_bench"), Seeing("A dog [100, 0, 200, 400] on [it].")
    replies = ask(one, items, system, kept=tmp_path / "a.jsonl")
    assert system.questions[0] == "What is {{the}} region {box0} like?"
    assert system.regions[0]["box0"].as_tuple() == (3.0, 4.0, 9.0, 8.0) and system.regions[2] == {}
    judge = Saying("8 4", "10 5", "10 10")
    made = report(one, items, replies, Scoring(judge=judge), system="seeing", drawn=Drawn(tmp_path))
    shown = [str(request.messages[1][1]) for request in judge.asked]
    assert "[Assistant 2]\nA dog on [it].\n\n[End of Assistant 2]" in shown[0]
    assert "A dog [0.100, 0.000, 0.200, 0.400] on [it]." in shown[2]
    assert shown[0].startswith("[Context]\nObjects: a dog\n\n[Question]\nWhat is {the} region [0.250")
    values = {name: row.value for name, row in made.table.rows.items()}
    assert values == pytest.approx(
        {
            "average of tasks": 200 / 3,
            "description": 50,
            "reasoning": 50,
            "grounding": 100,
            "all questions": 1900 / 28,
        }
    )
    assert made.marks[2].numbers["malformed"] == 1
    card = made.protocol
    assert card["judge"] == "gpt-4-0314" and len(card["judge_prompt"]) == 16
    put(tmp_path / "rule.json", (tmp_path / "rule.json").read_text().replace("rate both", "grade both"))
    other = report(one, one.read(tmp_path), replies, Scoring(judge=Saying("8 4")), system="seeing")
    assert other.protocol["judge_prompt"] != card["judge_prompt"]


def test_places_stand_behind_their_phrases() -> None:
    def place(number: int, phrase: str) -> ReplyPlace:
        return ReplyPlace((0.0, 0.0, 10.0 * (number + 1), 40.0), phrase=phrase, named=number)

    reply = Reply("A man by a man, and dogs.", (place(0, "A man"), place(1, "a man"), place(2, "dogs")))
    text = with_boxes(
        replace(reply, places=(*reply.places, place(3, "dogs"), place(4, "a cat"))), width=100, height=40
    )
    assert text == (
        "A man [0, 0, 100, 1000] by a man [0, 0, 200, 1000], and dogs [0, 0, 300, 1000] [0, 0, 400, 1000]. "
        "a cat [0, 0, 500, 1000]"
    )
    assert with_boxes(Reply("Here.", (place(0, ""),)), width=100, height=40) == "Here. [0, 0, 100, 1000]"


@pytest.mark.parametrize("name", ["ferret_bench", "vip_bench"])
def test_a_judge_that_talks_rubbish_is_counted_apart(name: str, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    one, replies = find_benchmark(name), {item.id: Reply("a dog") for item in items}
    marks = mark_all(one, items, replies, Scoring(judge=Saying("I'd say it is fine.")))
    first = one.tabulate(items, marks).first
    assert first.value is None and (first.n, first.unjudged) == (0, len(items))
    assert all("the judge" in mark.why or "its first line" in mark.why for mark in marks)


def test_runs_of_a_judge_are_averaged(tmp_path: Path) -> None:
    items = items_of("vip_bench", tmp_path)
    one, replies = find_benchmark("vip_bench"), {item.id: Reply("a dog") for item in items}
    scoring = Scoring(judge=Saying("1.0"), further_judges=(Saying("0.5"), Saying("0.0")))
    made = report(one, items, replies, scoring, system="said")
    assert made.table.first.value == 50 and made.protocol["judge_runs"] == 3
    assert made.marks[0].read == "1.0, 0.5, 0.0"
    scoring = replace(scoring, further_judges=(Saying("0.5"), Saying("rubbish")))
    assert one.tabulate(items, mark_all(one, items, replies, scoring)).first.unjudged == 2
    with pytest.raises(UsageError, match="has one run; leave --judge-runs out"):
        find_benchmark("ferret_bench").check(scoring)


def test_a_published_reply_that_cannot_be_shown_is_unparsed(tmp_path: Path) -> None:
    *_, grounding = items_of("ferret_bench", tmp_path)
    one, judge = find_benchmark("ferret_bench"), Saying("8 8")
    marked = one.score(grounding, Reply("A dog on [it]."), Scoring("published", judge))
    assert (marked.value, marked.fault) == (0.0, "unparsed") and not judge.asked


def test_splits_of_judged_benchmarks(tmp_path: Path) -> None:
    ferret, vip = find_benchmark("ferret_bench"), find_benchmark("vip_bench")
    items_of("ferret_bench", tmp_path / "ferret")
    assert ferret.read_split is not None and vip.read_split is not None
    (item,) = ferret.read_split(tmp_path / "ferret", "ground_conv")
    assert item.places and list(
        ferret.tabulate([item], mark_all(ferret, [item], {item.id: Reply("x")}, Scoring())).rows
    ) == ["grounding", "all questions"]
    with pytest.raises(UsageError, match="Ferret-Bench has refer_caption"):
        ferret.read_split(tmp_path / "ferret", "val")
    assert len(items_of("vip_bench", tmp_path / "vip")) == 2
    with pytest.raises(UsageError, match="ViP-Bench has bbox and human"):
        vip.read_split(tmp_path / "vip", "val")
    put(tmp_path / "vip/bbox/questions.jsonl", (tmp_path / "vip/human/questions.jsonl").read_text())
    with pytest.raises(RecordError, match="in bbox and human; expected one of bbox, human, or --split"):
        vip.read(tmp_path / "vip")


def evaluated(
    name: str, folder: Path, model: FakeEndpoint, judge: FakeEndpoint, *more: str
) -> dict[str, Any]:
    REGION_WRITERS[name](folder)
    words = ["evaluate", "--benchmark", name, "--data", str(folder), "--model", model.address, "--quiet"]
    words += ["--judge", judge.address, "--judge-model", "own", "--answers", str(folder.parent / "a.jsonl")]
    assert main([*words, *more, "--json", str(folder.parent / "r.json")]) == 0
    content: dict[str, Any] = json.loads((folder.parent / "r.json").read_text())
    return content


def test_a_judge_behind_an_address(tmp_path: Path) -> None:
    """From a shell, with a model and a judge over HTTP; the second time nobody is asked anything."""
    with served(lambda request: "A dog [500, 0, 1000, 500].") as model, served(lambda _: "10 5") as judge:
        first = evaluated("ferret_bench", tmp_path / "data", model, judge)
        asked = len(model.requests), len(judge.requests)
        assert evaluated("ferret_bench", tmp_path / "data", model, judge)["table"] == first["table"]
        assert asked == (3, 3) == (len(model.requests), len(judge.requests))
        told = [text_of(request) for request in model.requests]
        assert sum("thousandth" in text for text in told) >= 1
        shown = [request["messages"][1]["content"] for request in judge.requests]
    assert "A dog [0.500, 0.000, 1.000, 0.500]." in shown[2] and "A dog." in shown[0]
    assert first["table"]["average of tasks"]["value"] == 50
    assert (first["protocol"]["judge"], len(first["protocol"]["judge_prompt"])) == ("own", 16)


def test_a_judge_behind_an_address_that_talks_rubbish(tmp_path: Path) -> None:
    with served(lambda request: "a dog") as model, served(lambda _: "Fine!") as judge:
        content = evaluated("vip_bench", tmp_path / "data", model, judge)
        assert len(judge.requests) == 2 + 4, "asked again, the same of both, or asked the same twice"
    with served(lambda request: "a dog") as model, served(lambda _: "0.5") as judge:
        again = evaluated("vip_bench", tmp_path / "more/data", model, judge, "--judge-runs", "2")
        assert len(judge.requests) == 4, "runs share their replies"
    assert again["table"]["all"]["value"] == 50 and again["protocol"]["judge_runs"] == 2
    row = content["table"]["all"]
    assert (row["value"], row["n"], row["unjudged"]) == (None, 0, 2)
    assert content["items"][0]["fault"] == "unjudged" and "'Fine!'" in content["items"][0]["why"]


def test_painted_pictures_are_on_the_page_of_a_comparison(tmp_path: Path) -> None:
    REGION_WRITERS["visual7w"](tmp_path / "data")
    for said in "BD":
        with served(lambda request, said=said: said) as model:  # type: ignore[misc]
            words = ["evaluate", "--benchmark", "visual7w", "--data", str(tmp_path / "data"), "--quiet"]
            assert main([*words, "--model", model.address, "--json", str(tmp_path / f"{said}.json")]) == 0
    page = tmp_path / "page"
    assert main(["compare", str(tmp_path / "B.json"), str(tmp_path / "D.json"), "--out", str(page)]) == 0
    assert len(list(page.glob("item-*.jpg"))) == 2
