"""The whole contract on a GPU, where there is one: every promise, answers as on the CPU, a step resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from deixis.cli import main
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.contract import System
from tests.contract.promises import (
    PROMISES,
    Promise,
    Subject,
    assert_same_answer,
    lessons,
    nothing_mixes_devices,
    talk,
)
from tests.contract.subjects import SUBJECTS, VARIANTS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
EVERY = SUBJECTS | VARIANTS
PHOTO = Path(__file__).parents[2] / "docs" / "images" / "answer.png"


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let float32 be float32: convolutions would else be rounded to 10 bits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def on_gpu(subject: Subject) -> Subject:
    """Return a subject whose systems are on the GPU from the beginning."""

    def make(folder: Path) -> System:
        return subject.make(folder).to("cuda")

    def reopen(folder: Path) -> System:
        return subject.reopen(folder).to("cuda")

    return replace(subject, make=make, reopen=reopen)


@pytest.mark.parametrize(
    "promise", [p for p in PROMISES if p is not nothing_mixes_devices], ids=lambda p: p.__name__
)
@pytest.mark.parametrize("name", EVERY)
def test_promise(name: str, promise: Promise, tmp_path: Path) -> None:
    promise(on_gpu(EVERY[name]()), tmp_path)


@pytest.mark.parametrize("name", EVERY)
def test_answers_and_lessons_are_those_of_the_cpu(name: str, tmp_path: Path) -> None:
    """Two steps are made, the second one resumed from what the first one left."""
    subject = EVERY[name]()
    here = subject.make(tmp_path / "made")
    there = subject.reopen(tmp_path / "made").to("cuda")
    assert there.device == torch.device("cuda", torch.cuda.current_device())
    assert there.fingerprint() == here.fingerprint()
    for answer, expected in zip(talk(there), talk(here), strict=True):
        assert_same_answer(answer, expected, within=5e-3)
    losses = [lessons(subject, system, tmp_path / system.device.type) for system in (here, there)]
    assert np.allclose(*losses, rtol=0.05), losses


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", EVERY)
def test_every_system_answers_in_lower_precision(name: str, dtype: Any, tmp_path: Path) -> None:
    subject = EVERY[name]()
    subject.make(tmp_path)
    system = subject.reopen(tmp_path).to("cuda")
    system.network.to(dtype)
    assert all(answer.raw is not None and answer.raw.ids for answer in talk(system))


def test_the_embedded_system_takes_the_gpu_and_bfloat16() -> None:
    here, there = load(device="cpu"), load()
    assert there.device.type == "cuda" and there.dtype == torch.bfloat16
    picture = open_picture(PHOTO)
    questions = ["what is {it}?", "is {it} a dog?", "where is the man?", "is there an elephant?"]
    spot = Box(0, 0, picture.width / 2, picture.height / 2)
    given = [{"it": spot} if "{it}" in question else {} for question in questions]
    ours, theirs = (system.ask(picture, questions, regions=given) for system in (there, here))
    same = [one.text == other.text for one, other in zip(ours, theirs, strict=True)]
    assert sum(same) >= 3, [(one.text, other.text) for one, other in zip(ours, theirs, strict=True)]
    exact = load(device="cuda", dtype="float32").ask(picture, questions, regions=given)
    for one, other in zip(exact, theirs, strict=True):
        assert_same_answer(one, other, within=2e-2)


def test_the_command_line_says_where_it_computes(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--device", "cuda", "--dtype", "float32"], ["--device", "cpu"]):
        assert main(["ask", str(PHOTO), "Where is the man?", *options]) == 0
        said = capsys.readouterr()
        assert said.out.strip()
        assert ("cpu" if "cpu" in options else "cuda") in said.err
