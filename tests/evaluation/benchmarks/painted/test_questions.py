"""Visual7W, PointQA-LookTwice and VCR with painted marks, on small files of the documented schema."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.errors import BadPicture, RecordError
from deixis.evaluation.benchmarks.painted.look_twice import ask_look_twice, read_look_twice, score_look_twice
from deixis.evaluation.benchmarks.painted.vcr import ask_vcr, read_vcr, score_vcr
from deixis.evaluation.benchmarks.painted.visual7w import ask_visual7w, read_visual7w, score_visual7w
from deixis.systems.spliced.preparation import SquareView
from tests.systems.vip_llava.tiny import fresh_vip_llava

BOXES = [[20, 15, 70, 60], [80, 10, 110, 50], [1, 1, 9, 9], [5, 60, 20, 70]]
V7W = {"image": "photo.png", "question": "Which is {red}?", "bboxes": BOXES, "answer": BOXES[1]}
TWICE = {
    "image": "photo.png",
    "bboxes": [BOXES[0]],
    "general_question": "How many of these?",
    "answer": "Two",
}
OUTLINES = [[[[20, 15], [70, 20], [60, 60], [25, 55]]], [[[80, 10], [110, 10], [110, 50], [80, 50]]], []]
VCR = {
    "image": "photo.png",
    "meta_dir": "./dataset/photo.json",
    "class_names": ["person", "dog", "cat"],
    "question": ["Why", "is", [0], "here", "?"],
    "answer_choices": [["No", "."], ["Fun", "."], ["It", "rains", "."], [[1], "is", "."]],
    "answer_label": 1,
    "rationale_choices": [["A", "."], ["B", "."], ["C", "."], ["D", "."]],
    "rationale_label": 2,
}


@dataclass
class Said:
    """A system that says what it is told to, and keeps what it was shown."""

    answers: list[str]
    name: str = "said"
    shown: list[Any] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def ask(self, picture: Any, question: Any, **more: Any) -> Any:
        (text,) = question
        self.shown.append(picture)
        self.questions.append(text)
        return [SimpleNamespace(text=self.answers[len(self.shown) - 1])]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Image.new("RGB", (120, 80), (128, 128, 128)).save(tmp_path / "photo.png")
    metadata = {"boxes": [[*box, 0.9] for box in BOXES[:3]], "segms": OUTLINES}
    (tmp_path / "photo.json").write_text(json.dumps(metadata | {"names": [], "width": 120, "height": 80}))
    return tmp_path


def file_of(root: Path, kind: str, *records: dict[str, Any], ids: str = "{kind}-{number}") -> Path:
    path = root / "test.json"
    rows = [{"id": ids.format(kind=kind, number=number)} | record for number, record in enumerate(records)]
    path.write_text(json.dumps(rows))
    return path


def test_visual7w_is_asked_with_painted_letters(root: Path) -> None:
    records = read_visual7w(file_of(root, "v7w", V7W, V7W, V7W), root=root)
    assert list(records) == ["v7w-0", "v7w-1", "v7w-2"]
    system = Said([" b\n", "A", ""])
    found = ask_visual7w(system, records, root=root)
    assert (found.scores.n, found.scores.right, found.scores.empty) == (3, 1, 1)
    assert found.scores.value == pytest.approx(1 / 3) and found.scores.unpaintable == ()
    assert found.answers == {"v7w-0": " b\n", "v7w-1": "A", "v7w-2": ""}
    assert system.questions[0].startswith("Which is {{red}}?\nA. The object within ")
    assert score_visual7w(records, found.answers) == found.scores
    seen = system.shown[0].pixels.astype(int)
    edge = seen[15, 25:65]
    assert (edge == edge[0]).all() and (edge[0] != 128).any(), "a constant width at one alpha"
    rgb = 2 * (edge[0] - 64)
    assert ((rgb >= -2) & (rgb <= 258)).all(), "the alpha is not 128"


def test_colours_do_not_depend_on_other_questions(root: Path) -> None:
    records = read_visual7w(file_of(root, "v7w", V7W, V7W), root=root)
    both, last = Said(["A", "A"]), Said(["A"])
    ask_visual7w(both, records, root=root)
    ask_visual7w(last, {"v7w-1": records["v7w-1"]}, root=root)
    assert both.questions[1] == last.questions[0]
    assert np.array_equal(both.shown[1].pixels, last.shown[0].pixels)


def test_look_twice_compares_whole_answers(root: Path) -> None:
    records = read_look_twice(file_of(root, "pointQA_twice", *[TWICE] * 4), root=root)
    system = Said(["two", "TWO ", "two.", "2"])
    found = ask_look_twice(system, records, root=root)
    assert (found.scores.n, found.scores.right) == (4, 2)
    assert "within the rectangle" in system.questions[0]
    edge = system.shown[0].pixels[15, 30]
    assert np.abs(edge - np.array([192, 64, 64])).max() <= 1, "red, half over grey"
    assert score_look_twice(records, found.answers) == found.scores


def test_an_empty_answer_is_never_right(root: Path) -> None:
    records = read_look_twice(file_of(root, "pointQA_twice", TWICE | {"answer": ""}), root=root)
    assert ask_look_twice(Said([" "]), records, root=root).scores.right == 0


def test_vcr_is_right_in_both_or_not(root: Path) -> None:
    records = read_vcr(file_of(root, "vcr", VCR, VCR, VCR), root=root)
    system = Said(["B", "B", "A", "C", "A", "C"])
    found = ask_vcr(system, records, root=root, side=56)
    scores = found.scores
    assert (scores.answer.right, scores.reason.right, scores.n, scores.both) == (2, 2, 3, 1)
    assert scores.value == pytest.approx(1 / 3)
    assert all(picture.frame.size == (56, 56) and picture.frame.parent is None for picture in system.shown)
    assert (
        system.questions[3].startswith("I give you a question and its answer")
        and "Fun." in system.questions[3]
    )
    assert score_vcr(records, answers=found.answers, reasons=found.reasons) == scores


def test_instances_without_outline_are_named_and_not_replaced(root: Path) -> None:
    bare = VCR | {"question": ["Why", "is", [2], "here", "?"]}
    only_answers = VCR | {"answer_choices": [["No", "."], ["Fun", "."], ["It", "."], [[2], "is", "."]]}
    records = read_vcr(file_of(root, "vcr", bare, VCR, only_answers), root=root)
    system = Said(["B", "C", "C"])
    found = ask_vcr(system, records, root=root)
    assert found.scores.answer.unpaintable == ("vcr-0", "vcr-2")
    assert found.scores.reason.unpaintable == ("vcr-0",)
    assert (found.scores.answer.n, found.scores.reason.n, found.scores.n, found.scores.both) == (1, 2, 1, 1)
    assert len(system.shown) == 3
    predictions = {f"vcr-{number}": "B" for number in range(3)}
    scored = score_vcr(records, answers=predictions, reasons={"vcr-1": "C", "vcr-2": "A"})
    assert (scored.answer.n, scored.reason.n, scored.n, scored.both) == (1, 2, 1, 1)


def test_resizing_first_is_what_the_published_view_shows(root: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (80, 120, 3), dtype=np.uint8)).save(root / "photo.png")
    records = read_vcr(file_of(root, "vcr", VCR), root=root)
    whole, small = Said(["A", "A"]), Said(["A", "A"])
    ask_vcr(whole, records, root=root, side=None)
    ask_vcr(small, records, root=root, side=56)
    normalisation = fresh_vip_llava().network.tower.normalisation
    _, published = SquareView(56, normalisation, "resize").view(whole.shown[0])
    _, padded = SquareView(56, normalisation, "pad").view(small.shown[0])
    assert np.array_equal(published.numpy(), padded.numpy())


def test_a_system_answers(root: Path) -> None:
    records = read_visual7w(file_of(root, "v7w", V7W), root=root)
    assert set(ask_visual7w(fresh_vip_llava(), records, root=root).answers) == {"v7w-0"}


def test_mistakes_in_files_are_told(root: Path) -> None:
    with pytest.raises(RecordError, match=r"test.json\[0\].*a record of v7w; expected vcr only"):
        read_vcr(file_of(root, "v7w", V7W), root=root)
    records = read_visual7w(file_of(root, "v7w", V7W), root=root)
    with pytest.raises(RecordError, match="1 of 1 questions have no answer: v7w-0"):
        score_visual7w(records, {})
    with pytest.raises(RecordError, match="never asked about: other"):
        score_visual7w(records, {"v7w-0": "A", "other": "B"})
    gone = read_visual7w(file_of(root, "v7w", V7W | {"image": "gone.png"}), root=root)
    with pytest.raises(BadPicture, match=r"gone\.png"):
        ask_visual7w(Said(["A"]), gone, root=root)
    out = read_visual7w(file_of(root, "v7w", V7W | {"image": "../photo.png"}), root=root)
    with pytest.raises(RecordError, match="leads out"):
        ask_visual7w(Said(["A"]), out, root=root)
    lost = read_visual7w(file_of(root, "v7w", V7W | {"answer": [1, 2, 3, 4]}), root=root)
    assert ask_visual7w(Said([]), lost, root=root).scores.unpaintable == ("v7w-0",)
    assert score_visual7w(lost, {}).value is None


def test_ids_that_are_not_unique_become_numbers(root: Path) -> None:
    records = read_visual7w(file_of(root, "v7w", V7W, V7W, ids="{kind}-7"), root=root)
    assert list(records) == ["0", "1"]
