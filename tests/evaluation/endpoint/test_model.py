"""Models behind an endpoint under the runner: two ways to point, misbehaviour, refusals, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis.answers.grounded import Answer
from deixis.cli import main
from deixis.data.sources.pack import read_pack
from deixis.evaluation.endpoint.written_frames import FRAMES
from deixis.evaluation.tasks import TASKS
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from tests.evaluation.answering import located, said
from tests.evaluation.endpoint.fake_endpoint import FakeEndpoint, served, text_of
from tests.toy.pack import write_toy_pack

TASK = "grounding,naming,presence"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "toy", pictures=6)


def evaluate(pack: Path, server: FakeEndpoint, *words: str, tasks: str = TASK) -> int:
    given = ["--data", str(pack), "--split", "val", "--tasks", tasks, "--model", server.address, "--quiet"]
    return main(["evaluate", *given, *words])


def knowing(pack: Path, write: Callable[[Box, tuple[float, float]], str]) -> Callable[[dict[str, Any]], str]:
    """A model that knows the first box of every phrase, and says yes to everything else."""
    truths = {item.question: item.truth[-1] for item in TASKS["grounding"].items(read_pack(pack, "val"), 0)}

    def reply(request: dict[str, Any]) -> str:
        question = text_of(request).split("\n")[0]
        box = truths.get(question)
        return "yes" if box is None else write(box, box.frame.size)

    return reply


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_frame_is_asked_and_read(pack: Path, tmp_path: Path, name: str) -> None:
    def write(box: Box, size: tuple[float, float]) -> str:
        return f"it is at [{', '.join(FRAMES[name].written(box.as_tuple(), size))}]"

    # One picture's worth: the same words mean another box in another picture.
    with served(knowing(pack, write)) as server:
        assert evaluate(pack, server, "--frame", name, "--limit", "3", "--json", str(tmp_path / "r.json"),
                        tasks="grounding") == 0  # fmt: skip
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["protocol"]["written_frame"].startswith(FRAMES[name].words)
    assert report["tasks"]["grounding"]["parse_failures"] == 0
    assert report["tasks"]["grounding"] == report["readings"]["lenient"]["grounding"]
    assert all(item["places"] for item in report["items"])


def test_readings_stand_side_by_side(pack: Path, tmp_path: Path) -> None:
    def tagged(box: Box, size: tuple[float, float]) -> str:
        x0, y0, x1, y1 = FRAMES["thousandths"].written(box.as_tuple(), size)
        return f"<box>({x0},{y0}),({x1},{y1})</box>"

    with served(knowing(pack, tagged)) as server:
        assert evaluate(pack, server, "--json", str(tmp_path / "r.json")) == 0
        asked = len(server.requests)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["tasks"]["grounding"]["no_place"] == 1
    assert report["readings"]["lenient"]["grounding"]["no_place"] == 0
    assert report["run"]["asked_now"] == asked
    assert report["run"]["tokens"] == {"prompt": 10 * asked, "completion": 5 * asked}


def test_misbehaviour_is_overcome_and_nothing_is_asked_twice(pack: Path, tmp_path: Path) -> None:
    words = ("--workers", "4", "--answers", str(tmp_path / "a.jsonl"))
    with served(lambda request: "yes [1, 1, 500, 500]") as server:
        server.faults = [503, 0, -1, 429]
        assert evaluate(pack, server, *words, "--json", str(tmp_path / "1.json")) == 0
        asked = [json.dumps(request) for request in server.requests]
        # The reply that was cut off halfway is the only one that had to be given again.
        assert len(asked) == len(set(asked)) + 1
        assert evaluate(pack, server, *words, "--json", str(tmp_path / "2.json")) == 0
        assert len(server.requests) == len(asked)
    first, second = (json.loads((tmp_path / f"{n}.json").read_text()) for n in (1, 2))
    assert first.pop("run")["asked_now"] == second.pop("run")["kept_before"]
    assert first == second


def test_what_is_declined_is_refused_and_wrong(pack: Path, tmp_path: Path) -> None:
    def reply(request: dict[str, Any]) -> Any:
        declined = "is there" in text_of(request) or "are there" in text_of(request)
        return {"role": "assistant", "content": None, "refusal": "I'd rather not"} if declined else "yes"

    with served(reply) as server:
        assert evaluate(pack, server, "--json", str(tmp_path / "r.json"), tasks="grounding,presence") == 0
    report = json.loads((tmp_path / "r.json").read_text())["tasks"]
    assert (
        report["presence"]["refused_questions"] == report["presence"]["n"] and not report["presence"]["value"]
    )
    assert report["grounding"]["refused_questions"] == 0


def test_a_server_that_takes_nothing_is_told_soon(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(lambda request: "yes") as server:
        server.faults = [400] * 1000
        assert evaluate(pack, server) == 5
        assert "the first 8 requests are refused" in capsys.readouterr().err
        assert len(server.faults) == 992


def test_keys_and_models(
    pack: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEER_KEY", "sk-quite-secret")
    with served(lambda request: "yes", models=[{"id": "a"}, {"id": "b"}]) as server:
        server.key = "sk-quite-secret"
        assert evaluate(pack, server) == 2
        assert "has 2 models; name one with --model-name: a, b" in capsys.readouterr().err
        assert evaluate(pack, server, "--model-name", "b") == 5
        assert "wants a key" in capsys.readouterr().err
        assert evaluate(pack, server, "--model-name", "b", "--api-key-env", "SEER_KEY") == 0
        assert {request["model"] for request in server.requests} == {"b"}
        assert evaluate(pack, server, "--model-name", "b", "--api-key-env", "NONE_SUCH") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "--workers is 0"),
        (["--region-format", "parts", "--frame", "unit"], "leave them out with parts"),
        (["--max-new-tokens", "0"], "--max-new-tokens is 0"),
        (["--decimals", "7"], "--decimals is 7"),
    ],
)
def test_mistakes(pack: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    with served(lambda request: "yes") as server:
        assert evaluate(pack, server, *words) == 2 and not server.requests
    assert message in capsys.readouterr().err


def test_flags_of_endpoints_mean_nothing_here(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", str(pack), "--split", "val", "--frame", "unit"]) == 2
    assert "--frame is for a model behind an endpoint" in capsys.readouterr().err


def test_parts_of_a_deixis_server(pack: Path, tmp_path: Path) -> None:
    """Regions go as parts, the answer comes whole: the report is that of the same answers on this machine."""
    scenes = {scene.picture.name: scene for scene in read_pack(pack, "val")}
    sizes: dict[tuple[int, int], Any] = {}
    for scene in scenes.values():
        sizes[scene.width, scene.height] = scene

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        import base64

        parts = request["messages"][-1]["content"]
        url = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        picture = open_picture(base64.b64decode(url.partition(",")[2]))
        pointed = [part["region"] for part in parts if part["type"] == "region"]
        box = Box(1, 2, 30, 40).bind(picture.frame)
        answer: Answer = said(picture, f"a thing {len(pointed)}") if pointed else located(picture, [box])
        content = answer.to_dict(weights="c0ffee")
        return {"role": "assistant", "content": answer.text, "answer": content}

    with served(reply, models=[{"id": "pointer", "deixis": {}}]) as server:
        assert evaluate(pack, server, "--json", str(tmp_path / "r.json")) == 0
        regions = [
            part["region"]
            for request in server.requests
            for part in request["messages"][-1]["content"]
            if part["type"] == "region"
        ]
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["protocol"]["weights"] == "c0ffee" and "readings" not in report
    assert "parts of the message" in report["protocol"]["region_format"]
    assert regions and all(set(region) == {"box", "name"} for region in regions)
    assert {tuple(item["places"][0]) for item in report["items"] if item["task"] == "grounding"} == {
        (1, 2, 30, 40)
    }


def test_an_endpoint_without_answers_of_ours_is_named(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(lambda request: "yes") as server:
        assert evaluate(pack, server, "--region-format", "parts") == 5
    assert "ask with --region-format words" in capsys.readouterr().err
