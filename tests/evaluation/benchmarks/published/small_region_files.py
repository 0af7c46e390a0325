"""Small folders of benchmarks about regions in their official layout, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.evaluation.benchmarks.published.small_files import lines, pictures, put

RULE = {"role": "Assistant", "prompt": "Please rate both assistants."}
BOXES = [[1, 1, 5, 5], [6, 1, 11, 4], [1, 5, 4, 7], [7, 5, 11, 7]]
CATEGORIES = {"refer_caption": "refer_desc", "refer_reason": "refer_reason", "ground_conv": "ground_conv"}
QUESTIONS = {
    "refer_caption": "What is {the} region [0.250, 0.500, 0.750, 1.000] like?",
    "refer_reason": "Why is [0.000, 0.000, 0.500, 0.500] red?",
    "ground_conv": "What is there, and where?",
}
# 12 x 8 pixels: three persons, the last one without an outline of four corners.
OUTLINES = [[[[1, 1], [5, 1], [5, 5], [1, 5]]], [[[6, 1], [11, 1], [11, 4], [6, 4]]], [[[1, 5], [4, 7]]]]
VCR: dict[str, Any] = {
    "image": "vcr1images/a/x.png",
    "meta_dir": "./dataset/vcr1images/a/x.json",
    "class_names": ["person", "person", "person"],
    "question": ["Why", "is", [0], "here", "?"],
    "answer_choices": [["No", "."], [[0], "rests", "."], ["It", "rains", "."], [[1], "is", "."]],
    "answer_label": 1,
    "rationale_choices": [["A", "."], ["B", "."], [[1], "sits", "."], ["D", "."]],
    "rationale_label": 2,
}


def ferret_bench(folder: Path) -> None:
    put(folder / "rule.json", dict.fromkeys(CATEGORIES.values(), RULE))
    for task, category in CATEGORIES.items():
        own = {"question_id": 3, "image": "000000000042.jpg", "category": category}
        put(folder / task / "question.jsonl", lines([own | {"text": QUESTIONS[task]}]))
        put(folder / task / "context.jsonl", lines([own | {"text": "Objects: a dog"}]))
        put(folder / task / "answer.jsonl", lines([own | {"text": "A dog [0.100, 0.100, 0.900, 0.900]."}]))
    pictures(folder, "val2017/000000000042.jpg")


def vip_bench(folder: Path) -> None:
    metadata, rows = {}, []
    for number in range(2):
        image = f"v1_{number}_0.png"
        text = f"What is within the red box {number}?"
        rows.append({"question_id": number, "image": image, "text": text, "category": "vip"})
        own = {"image_source": "a.png", "image": image, "question": "What is <obj>?"}
        own |= {"answer": "a dog<OR>dog", "capability": ["rec", "ocr"][: number + 1]}
        metadata[f"v1_{number}"] = own
    put(folder / "vip-bench-meta-data.json", metadata)
    put(folder / "human/questions.jsonl", lines(rows))
    pictures(folder, "human/images/v1_0_0.png", "human/images/v1_1_0.png")


def visual7w(folder: Path) -> None:
    row = {"image": "v7w/1.png", "question": "Which {one} is red?", "bboxes": BOXES}
    put(folder / "v7w-test.json", [row | {"id": f"v7w-{n}", "answer": BOXES[n]} for n in (1, 3)])
    pictures(folder, "v7w/1.png")


def look_twice(folder: Path) -> None:
    row = {"image": "vg/VG_100K/1.png", "bboxes": [BOXES[0]], "general_question": "How many of these?"}
    rows = [row | {"id": "pointQA_twice-0", "answer": "Two"}, row | {"id": "pointQA_twice-1", "answer": "3"}]
    put(folder / "pointQA_twice_test.json", rows)
    pictures(folder, "vg/VG_100K/1.png")


def vcr(folder: Path) -> None:
    put(folder / "vcr-val.json", [{"id": "vcr-7"} | VCR, {"id": "vcr-8"} | VCR | {"answer_label": 3}])
    metadata = {"boxes": [[*box, 0.9] for box in BOXES[:3]], "segms": OUTLINES}
    put(
        folder / "vcr1images/a/x.json",
        metadata | {"names": ["person", "person", "person"], "width": 12, "height": 8},
    )
    pictures(folder, "vcr1images/a/x.png")


REGION_WRITERS: dict[str, Callable[[Path], None]] = {
    writer.__name__: writer for writer in (ferret_bench, vip_bench, visual7w, look_twice, vcr)
}
