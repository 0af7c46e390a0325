"""Region captions, grounded captions and LLaVA-Bench (COCO) on a few items, with a made-up judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError, RecordError
from deixis.evaluation.benchmarks.benchmark import Mark, Reply, ReplyPlace, Scoring
from deixis.evaluation.benchmarks.grounding.grounded_captions import (
    GROUNDED_CAPTIONS,
    SaidPicture,
    SaidThing,
    counted,
    item_of,
    said_in,
)
from deixis.evaluation.benchmarks.grounding.llava_bench_coco import LLAVA_BENCH_COCO, request
from deixis.evaluation.benchmarks.grounding.region_captions import REFCOCOG, VISUAL_GENOME, cleaned
from deixis.evaluation.benchmarks.marking import mark_all
from deixis.regions.shapes import Box


def described(folder: Path, *, caption_of: str = "annotations", name: str = "vg_test.json") -> Path:
    images: list[dict[str, Any]] = [
        {"id": n, "file_name": f"{n}.jpg", "width": 60, "height": 40} for n in (1, 2)
    ]
    annotations: list[dict[str, Any]] = [{"id": n, "image_id": n, "bbox": [5, 5, 20, 20.5]} for n in (1, 2)]
    for rows in (images, annotations):
        if rows is (annotations if caption_of == "annotations" else images):
            for row, text in zip(rows, ("a red bus", "two dogs on a bench "), strict=True):
                row["caption"] = text
    for image in images:
        (folder / image["file_name"]).touch()
    (folder / name).write_text(json.dumps({"images": images, "annotations": annotations}))
    return folder


@pytest.mark.parametrize("benchmark", [VISUAL_GENOME, REFCOCOG])
def test_captions_of_regions(tmp_path: Path, benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    vg = benchmark is VISUAL_GENOME
    described(
        tmp_path,
        caption_of="annotations" if vg else "images",
        name="vg_test.json" if vg else "refcocog_cap_val.json",
    )
    items = benchmark.read(tmp_path)
    assert "{region}" in benchmark.prompt(items[0]) and dict(items[0].regions)["region"] == Box(
        5, 5, 25, 25.5
    )
    replies = {"1": Reply("A red\n bus</s>"), "2": Reply("<p>two dogs</p> <roi><r1></roi> on a bench.")}
    marks = mark_all(benchmark, items, replies, Scoring())
    assert [one.read for one in marks] == ["A red bus", "two dogs on a bench."]
    table = benchmark.tabulate(items, marks)
    assert table.first.value == pytest.approx(1000, rel=0.3) and table.rows["BLEU-1"].value == pytest.approx(
        100
    )
    (missing,) = [name for name in table.rows if name.startswith("METEOR")]
    assert (
        "not computed" in missing and table.rows[missing].value is None and table.rows[missing].unjudged == 2
    )
    empty = mark_all(benchmark, items, {"1": Reply("<roi>"), "2": Reply("a cat")}, Scoring())
    assert empty[0].fault == "unparsed" and benchmark.tabulate(items, empty).rows["ROUGE-L"].unparsed == 1


def test_a_region_has_one_box_and_a_caption(tmp_path: Path) -> None:
    content = json.loads((described(tmp_path) / "vg_test.json").read_text())
    content["annotations"].append({"id": 9, "image_id": 1, "bbox": [0, 0, 5, 5], "caption": "x"})
    (tmp_path / "vg_test.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match=r"images\[0\]: image '1' has 2 boxes"):
        VISUAL_GENOME.read(tmp_path)
    content["annotations"][-1] |= {"bbox": [5, 5, 20, 20.5]}
    (tmp_path / "vg_test.json").write_text(json.dumps(content))
    assert VISUAL_GENOME.read(tmp_path)[0].truth.captions == ("a red bus", "x")
    content["annotations"][1]["caption"] = " "
    (tmp_path / "vg_test.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match="empty caption"):
        VISUAL_GENOME.read(tmp_path)


def test_clean_up_is_the_published_one() -> None:
    assert cleaned(" It's <unknown tag> fine < not > ok ") == "It's fine ok"
    assert cleaned("'quoted'") == "quoted" and cleaned("plain   many    spaces") == "plain many spaces"


DOG, CUP = Box(0, 0, 40, 40), Box(50, 0, 90, 40)


def photo() -> Scene:
    text = "a brown dog beside two cups"
    phrases = (Phrase(0, 11, "a brown dog", (1,)), Phrase(19, 27, "two cups", (2,)))
    return Scene(
        "7",
        PictureFile(Path("7.jpg")),
        100,
        50,
        things=(Thing(1, DOG, "dog"), Thing(2, CUP, "cup"), Thing(3, Box(0, 0, 5, 5), "object")),
        captions=(Caption(text, phrases), Caption("an animal on grass", (Phrase(0, 9, "an animal", (1,)),))),
        expressions=(),
    )


def place(phrase: str, box: Box) -> ReplyPlace:
    return ReplyPlace(box.as_tuple(), phrase=phrase)


@pytest.mark.parametrize(
    ("places", "hit", "named", "made_up", "misplaced"),
    [
        ((place("the dog", DOG), place("a cup", CUP)), 2, 2, 0, 0),
        ((place("the animals", DOG),), 1, 1, 0, 0),
        ((place("a cat", DOG),), 1, 0, 1, 0),  # right place, wrong word
        ((place("the dog", CUP),), 1, 0, 0, 1),  # right word, wrong place
        ((place("grass", CUP),), 1, 0, 0, 0),  # said, but nobody boxed it
        ((place("the dog", DOG), place("a dog", DOG)), 1, 1, 0, 0),  # one place a thing
        ((), 0, 0, 0, 0),
    ],
)
def test_what_a_grounded_caption_earns(
    places: tuple[ReplyPlace, ...], hit: int, named: int, made_up: int, misplaced: int
) -> None:
    numbers = counted(said_in(photo()), places)
    assert numbers["things"] == 2  # the third is in no caption
    assert (numbers["hit"], numbers["named"]) == (hit, named)
    assert (numbers["hallucinated"], numbers["misplaced"]) == (made_up, misplaced)


def test_rates_are_those_of_all_photos_together() -> None:
    items = [item_of(photo()), item_of(photo())]
    good = GROUNDED_CAPTIONS.score(
        items[0], Reply("x", (place("the dog", DOG), place("a cat", CUP))), Scoring()
    )
    silent = Mark(0.0, fault="unparsed")
    rows = GROUNDED_CAPTIONS.tabulate(items, [good, silent]).rows
    assert rows["recall"].value == 50 and rows["named recall"].value == 25
    assert rows["hallucinated phrases"].value == 50 and rows["misplaced phrases"].value == 0
    assert rows["recall"].unparsed == 1


def bench(folder: Path) -> Path:
    lines = {
        "qa90_questions": [
            {"question_id": n, "image": "1.jpg", "text": f"What {n}?", "category": kind}
            for n, kind in enumerate(("conv", "detail", "complex"))
        ],
        "qa90_gpt4_answer": [{"question_id": n, "text": f"reference {n}"} for n in range(3)],
        "caps_boxes_coco2014_val_80": [
            {
                "id": "1",
                "image": "1.jpg",
                "captions": ["A dog.", "Dog!"],
                "instances": [{"category": "dog", "bbox": [0, 0.1, 1, 1]}],
            }
        ],
    }
    for name, rows in lines.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rule = {"role": "Assistant", "prompt": "Rate them."}
    (folder / "rule.json").write_text(json.dumps(dict.fromkeys(("conv", "detail", "complex"), rule)))
    (folder / "1.jpg").touch()
    return folder


def test_the_judge_is_asked_in_the_published_form(tmp_path: Path) -> None:
    items = LLAVA_BENCH_COCO.read(bench(tmp_path))
    asked = request(items[0], "mine")
    assert (asked.model, asked.temperature) == ("gpt-4-0613", 0.2)
    assert asked.messages[1][1] == (
        "[Context]\nA dog.\nDog!\n\ndog: [0, 0.1, 1, 1]\n\n[Question]\nWhat 0?\n\n"
        "[Assistant 1]\nreference 0\n\n[End of Assistant 1]\n\n"
        "[Assistant 2]\nmine\n\n[End of Assistant 2]\n\n"
        "[System]\nRate them.\n\n"
    )


def test_ratings_add_up_and_silence_never_helps(tmp_path: Path) -> None:
    items = LLAVA_BENCH_COCO.read(bench(tmp_path))

    def judge(request: ChatRequest) -> str:
        content = str(request.messages[1][1])
        if "detail" in content or "What 1?" in content:
            raise EndpointError("gone")
        return "8 6\nbecause" if "What 0?" in content else "10, 10"

    replies = {str(n): Reply(f"answer {n}") for n in range(3)}
    marks = mark_all(LLAVA_BENCH_COCO, items, replies, Scoring(judge=judge))
    rows = LLAVA_BENCH_COCO.tabulate(items, marks).rows
    assert rows["all"].value == pytest.approx(100 * 16 / 18) and rows["conv"].value == pytest.approx(75)
    assert rows["complex"].value == 100 and rows["detail"].value is None
    assert rows["all"].unjudged == 1 and rows["all"].n == 2
    silent = mark_all(LLAVA_BENCH_COCO, items, replies | {"0": Reply("")}, Scoring(judge=judge))
    assert LLAVA_BENCH_COCO.tabulate(items, silent).rows["all"].value == pytest.approx(50)
    unjudged = LLAVA_BENCH_COCO.tabulate(items, mark_all(LLAVA_BENCH_COCO, items, replies, Scoring()))
    assert unjudged.first.value is None and unjudged.first.unjudged == 3


@pytest.mark.parametrize(
    ("file", "message"),
    [("qa90_gpt4_answer.jsonl", "question_id 0"), ("caps_boxes_coco2014_val_80.jsonl", "nothing is told")],
)
def test_files_have_to_belong_together(tmp_path: Path, file: str, message: str) -> None:
    bench(tmp_path)
    (tmp_path / file).write_text("")
    with pytest.raises(RecordError, match=message):
        LLAVA_BENCH_COCO.read(tmp_path)


def test_truths_are_written_alike_in_every_process() -> None:
    """A card has a digest of them, and the order of a set differs from process to process."""
    words = [f"word{number}" for number in range(20)]
    thing = SaidThing((0.0, 0.0, 1.0, 1.0), frozenset(words))
    text = repr(SaidPicture((thing,), frozenset(words)))
    assert text.count("word0', 'word1', 'word10'") == 2 and "frozenset" not in text
