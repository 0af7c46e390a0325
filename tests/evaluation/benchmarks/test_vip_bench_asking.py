"""ViP-Bench asked and graded, on a small folder of the documented layout; both go on where they stopped."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError, RecordError, UsageError
from deixis.evaluation.benchmarks.vip_bench import by_capability, read_items
from deixis.evaluation.benchmarks.vip_bench_asking import ask_items, grade_items, judges_of_runs
from tests.systems.vip_llava.tiny import fresh_vip_llava


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    metadata, rows = {}, []
    for number in range(3):
        image = f"v1_{number}_0.png"
        rows.append(
            {"question_id": number, "image": image, "text": f"What is {{x}} in the red box {number}?"}
        )
        rows[-1]["category"] = "vip"
        metadata[f"v1_{number}"] = {"image_source": "a.png", "image": image, "question": "What is <obj>?"}
        metadata[f"v1_{number}"] |= {"answer": "a dog<OR>dog", "capability": ["rec", "ocr"][: number + 1]}
        for variant in ("bbox", "human"):
            (tmp_path / variant / "images").mkdir(parents=True, exist_ok=True)
            Image.new("RGBA", (40, 30), (9, 9, 9, 255)).save(tmp_path / variant / "images" / image)
    for variant in ("bbox", "human"):
        (tmp_path / variant / "questions.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "vip-bench-meta-data.json").write_text(json.dumps(metadata))
    return tmp_path


class Counting:
    """A system that answers a number of times, and then is stopped."""

    name = "counting"

    def __init__(self, most: int = 99, weights: str = "f00d") -> None:
        self.most, self.weights, self.asked = most, weights, []

    def fingerprint(self) -> str:
        return self.weights

    def ask(self, picture: Any, question: str, **more: Any) -> Any:
        if len(self.asked) == self.most:
            raise KeyboardInterrupt
        self.asked.append(question)
        assert picture.pixels.shape == (30, 40, 3) and more == {"max_new_tokens": 1024}
        return SimpleNamespace(text=f"dog {len(self.asked)}")


def test_answers_go_on_where_they_were_stopped(folder: Path, tmp_path: Path) -> None:
    items, kept = read_items(folder, "bbox"), tmp_path / "new" / "answers.jsonl"
    with pytest.raises(KeyboardInterrupt):
        ask_items(Counting(2), items, folder=folder, variant="bbox", kept=kept)
    whole = kept.read_text()
    kept.write_text(whole + whole[:20])  # killed while it wrote
    again = Counting()
    answers = ask_items(again, items, folder=folder, variant="bbox", kept=kept)
    assert answers == {"v1_0": "dog 1", "v1_1": "dog 2", "v1_2": "dog 1"}
    assert again.asked == ["What is {{x}} in the red box 2?"]
    assert ask_items(Counting(0), items, folder=folder, variant="bbox", kept=kept) == answers


def test_answers_of_others_are_not_taken(folder: Path, tmp_path: Path) -> None:
    items, kept = read_items(folder, "bbox"), tmp_path / "answers.jsonl"
    ask_items(Counting(), items, folder=folder, variant="bbox", kept=kept)
    with pytest.raises(RecordError, match="an answer of weights 'f00d', now asked of 'beef'"):
        ask_items(Counting(weights="beef"), items, folder=folder, variant="bbox", kept=kept)
    with pytest.raises(RecordError, match="an answer of variant 'bbox', now asked of 'human'"):
        ask_items(Counting(), read_items(folder, "human"), folder=folder, variant="human", kept=kept)


def test_a_system_answers(folder: Path, tmp_path: Path) -> None:
    items, kept = read_items(folder, "human"), tmp_path / "answers.jsonl"
    options: dict[str, Any] = {"folder": folder, "variant": "human", "kept": kept, "max_new_tokens": 2}
    answers = ask_items(fresh_vip_llava(), items, **options)
    assert (
        list(answers) == ["v1_0", "v1_1", "v1_2"]
        and ask_items(fresh_vip_llava(), items, **options) == answers
    )


def test_grades_of_runs_are_apart_and_go_on(folder: Path, tmp_path: Path) -> None:
    items = read_items(folder, "bbox")
    answers = {"v1_0": "a dog", "v1_1": "a cat", "v1_2": " "}
    requests: list[ChatRequest] = []

    def judge(request: ChatRequest) -> str:
        if len(requests) == 3:
            raise EndpointError("the server is gone")
        requests.append(request)
        return f"0.{len(requests)}"

    def more(request: ChatRequest) -> str:
        requests.append(request)
        return "1.0"

    with pytest.raises(EndpointError):
        grade_items(items, answers, judges_of_runs(judge, folder=tmp_path / "kept", asked="x", runs=2))
    grades = grade_items(items, answers, judges_of_runs(more, folder=tmp_path / "kept", asked="x", runs=2))
    assert {key: [one.score for one in own] for key, own in grades.items()} == {
        "v1_0": [0.1, 0.3],
        "v1_1": [0.2, 1.0],
        "v1_2": [0.0, 0.0],
    }
    assert len(requests) == 4, "what was asked before was asked again, or an empty answer was"
    first = requests[0]
    assert (first.model, first.max_tokens, first.temperature) == ("gpt-4-0613", 3, 0.0)
    assert str(first.messages[0][1]).endswith("What is {x} in the red box 0? | a dog <OR> dog | a dog | ")
    assert by_capability(items, grades).runs == pytest.approx((10.0, 130 / 3))


def test_replies_that_are_no_grade_are_asked_for_again_warmer(folder: Path, tmp_path: Path) -> None:
    (item, *_) = read_items(folder, "bbox")
    seen: list[tuple[str, float]] = []

    def judge(request: ChatRequest) -> str:
        seen.append((str(request.messages[0][1]), request.temperature))
        return "good" if len(seen) < 3 else "0.5"

    grades = grade_items([item], {item.key: "a dog"}, [judge])
    assert grades[item.key][0].score == 0.5
    assert [heat for _, heat in seen] == [0.0, 0.0, 0.5] and "What is <obj>? |" in seen[1][0]


def test_missing_answers_and_runs_are_told(folder: Path, tmp_path: Path) -> None:
    items = read_items(folder, "bbox")
    with pytest.raises(RecordError, match="2 of 3 items have no answer: v1_1, v1_2"):
        grade_items(items, {"v1_0": "x"}, [])
    with pytest.raises(UsageError, match="runs is 0"):
        judges_of_runs(lambda request: "1", folder=tmp_path, asked="x", runs=0)
