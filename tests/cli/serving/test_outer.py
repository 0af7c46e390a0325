"""`deixis serve --outer`: which engine writes for which model, and what is wrong with the flag."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deixis.cli import main
from deixis.cli.serving.outer import outer_engines
from deixis.cli.serving.server_flags import add_server_flags
from deixis.cli.serving.starting import engine_of, warm
from deixis.engine.settings import Settings
from deixis.errors import EndpointError, UsageError
from deixis.serving.engine import Asked
from deixis.systems import load
from tests.serving.outer.fake_engine import FakeEngine, running
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.pointer.tiny import noise_picture


@pytest.fixture(scope="module")
def ferret() -> Any:
    return fresh_ferret()


@pytest.fixture
def fake(ferret: Any) -> Iterator[FakeEngine]:
    with running(ferret.network.language) as engine:
        yield engine


def test_the_model_is_the_one_that_the_server_has(fake: FakeEngine) -> None:
    assert outer_engines([f"a={fake.address}"], ["a", "b"])["a"].model == "llama"
    fake.names = ["llama", "adapter"]
    assert outer_engines([f"b={fake.address}/v1#adapter"], ["a", "b"])["b"].model == "adapter"
    with pytest.raises(UsageError, match="not one model, it has: llama, adapter; say which"):
        outer_engines([f"a={fake.address}"], ["a"])
    with pytest.raises(UsageError, match="has no 'gpt', it has: llama, adapter"):
        outer_engines([f"a={fake.address}#gpt"], ["a"])
    with pytest.raises(UsageError, match="names 'a' twice"):
        outer_engines([f"a={fake.address}#llama"] * 2, ["a"])
    with pytest.raises(EndpointError, match="start one with vllm serve"):
        outer_engines(["a=http://127.0.0.1:9"], ["a"])


@pytest.mark.parametrize(
    ("flag", "code", "said"),
    [
        ("http://127.0.0.1:9", 2, "expected MODEL=URL"),
        ("pointer=", 2, "expected MODEL=URL"),
        ("other=http://127.0.0.1:9", 2, "--outer names 'other'; models that are served: pointer"),
        ("pointer=127.0.0.1", 2, "127.0.0.1"),
        ("pointer=http://127.0.0.1:9", 5, "start one with vllm serve"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    flag: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0", "--outer", flag]) == code
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_served_model_is_written_elsewhere(ferret: Any, fake: FakeEngine, tmp_path: Path) -> None:
    ferret.save(tmp_path / "small")
    parser = argparse.ArgumentParser()
    add_server_flags(parser)
    flags = ["--model", str(tmp_path / "small"), "--outer", f"small={fake.address}", "--device", "cpu"]
    asked = Asked(None, (noise_picture(),), "where is the dog?", settings=Settings(max_new_tokens=9))
    with engine_of(parser.parse_args(flags)) as engine:
        warm(engine)
        answer = engine.ask(asked)
    assert len(fake.requests) == 2, "it wrote for both questions"
    here = load(tmp_path / "small", device="cpu")
    assert answer.text == here.ask(noise_picture(), "where is the dog?", max_new_tokens=9).text
    assert answer.weights == here.fingerprint()
