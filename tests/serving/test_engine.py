"""The engine answers as the system does, tells of it as it is written, and ends as it is asked to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deixis.engine.settings import Settings
from deixis.errors import EngineStopped, FrameMismatch, UnknownModel, UsageError
from deixis.regions.shapes import Box
from deixis.serving.asked import Asked
from deixis.serving.engine import Engine
from deixis.serving.models import Models
from deixis.systems.contract import System
from tests.contract.promises import assert_same_answer
from tests.serving.serving import PICTURE, Told, asked, served
from tests.systems.pointer.tiny import noise_picture, tiny_system

BOX = Box(20, 5, 60, 35)


@pytest.fixture(scope="module")
def system() -> System:
    return tiny_system()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with served() as one:
        yield one


def test_an_answer_is_that_of_the_system(engine: Engine, system: System) -> None:
    alone = system.ask(PICTURE, "what is {it}?", it=BOX)
    answer = engine.ask(asked("what is {it}?", regions={"it": BOX}))
    assert_same_answer(answer, alone)
    assert answer.weights == system.fingerprint() and not alone.weights


def test_all_that_is_told_is_the_answer(engine: Engine) -> None:
    owner = Told()
    ticket = engine.submit(asked(), owner)
    assert owner.text() == owner.answer().text
    assert ticket.over and owner.last().prompt_tokens > 0


def test_many_questions_about_one_picture(system: System) -> None:
    boxes = [Box(20 + i, 5, 60, 35 + i) for i in range(12)]
    alone = system.ask(PICTURE, ["what is {it}?"] * 12, regions=[{"it": box} for box in boxes])
    with served(queue=5) as engine:
        questions = [("what is {it}?", {"it": box}) for box in boxes]
        for answer, own in zip(engine.ask_many(PICTURE, questions), alone, strict=True):
            assert_same_answer(answer, own)
        assert engine.ask_many(PICTURE, []) == []


def test_the_first_error_of_many_is_raised(engine: Engine) -> None:
    with pytest.raises(UsageError, match="grammar is False"):
        engine.ask_many(PICTURE, [("what?", {})] * 3, settings=Settings(grammar=False))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (asked(model="huge"), UnknownModel, "no model 'huge'; known models: tiny"),
        (asked("what is {it}?"), UsageError, "it"),
        (asked(""), UsageError, "needs words"),
        (asked("{it}", regions={"it": Box(0, 0, 5, 5).bind(noise_picture(9, 9).frame)}), FrameMismatch, "."),
    ],
)
def test_what_is_wrong_in_a_question_is_raised_at_once(
    engine: Engine, wrong: Asked, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        engine.submit(wrong, Told())


def test_what_only_the_model_knows_is_told(engine: Engine) -> None:
    owner = Told()
    engine.submit(Asked(None, (PICTURE, noise_picture(9, 9)), "what?"), owner)
    assert isinstance(owner.error(), UsageError) and "asked about 1 picture" in str(owner.error())
    assert engine.ask(asked()).text


def test_an_engine_is_alive_from_start_to_close() -> None:
    engine = Engine(Models({"tiny": tiny_system()}))
    with pytest.raises(EngineStopped, match="has not been started"):
        engine.submit(asked(), Told())
    assert not engine.alive
    with engine:
        assert engine.alive
        with pytest.raises(EngineStopped, match="started once"):
            engine.start()
    assert not engine.alive and engine.died_of is None
    engine.close()
    with pytest.raises(EngineStopped, match="it is closed"):
        engine.submit(asked(), Told())
