"""Whatever system is served: an answer through the engine is the system's own, whoever else is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deixis.answers.grounded import Answer
from deixis.engine.settings import Settings
from deixis.regions.shapes import Box, Point
from deixis.serving.asked import Asked
from deixis.serving.engine import Engine
from deixis.serving.limits import EngineLimits
from deixis.serving.models import Models
from deixis.systems.contract import System
from tests.contract.promises import QUESTIONS, assert_same_answer
from tests.contract.subjects import SUBJECTS, VARIANTS
from tests.serving.serving import Told
from tests.systems.pointer.tiny import noise_picture

REGIONS = {"it": Box(20, 5, 60, 35), "other": Point(50, 40)}
SETTINGS = (
    Settings(max_new_tokens=12),
    Settings(max_new_tokens=9, temperature=0.8, seed=3, logprobs=True),
    Settings(max_new_tokens=5, stop=("a",)),
)


def questions(name: str) -> list[Asked]:
    """Return questions about two pictures with all kinds of settings."""
    return [
        Asked(
            name,
            (picture,),
            text,
            regions={key: REGIONS[key] for key in re.findall(r"\{(\w+)\}", text)},
            settings=SETTINGS[(number + seed) % len(SETTINGS)],
            who=str(number % 2),
        )
        for seed, picture in enumerate((noise_picture(), noise_picture(60, 90, seed=4)))
        for number, text in enumerate(QUESTIONS)
    ]


def alone(system: System, asked: Asked, before: tuple[Answer, ...] = ()) -> Answer:
    """Return what the system answers by itself."""
    settings = {name: getattr(asked.settings, name) for name in Settings.names()}
    return system.ask(
        asked.pictures[0], asked.question, regions=dict(asked.regions), before=before, **settings
    )


@pytest.mark.parametrize("name", [*SUBJECTS, *VARIANTS])
def test_answers_are_those_of_the_system(name: str, tmp_path: Path) -> None:
    subject = (SUBJECTS | VARIANTS)[name]()
    system = subject.make(tmp_path / "saved")
    folder = tmp_path / "served"
    system.save(folder)
    own = subject.reopen(folder)
    with Engine(Models({name: folder}, device="cpu"), limits=EngineLimits(rows=3, chunk=16)) as engine:
        asked = questions(name)
        owners = [Told() for _ in asked]
        for one, owner in zip(asked, owners, strict=True):
            engine.submit(one, owner)
        for one, owner in zip(asked, owners, strict=True):
            expected = alone(own, one)
            assert_same_answer(owner.answer(), expected)
            assert owner.answer().raw is not None and expected.raw is not None
            assert owner.answer().raw.ids == expected.raw.ids
            assert owner.answer().raw.logprobs == pytest.approx(expected.raw.logprobs, abs=1e-4)
            assert owner.text() == expected.text
        first = owners[0].answer()
        again = Asked(name, asked[1].pictures, asked[1].question, before=(first,), settings=SETTINGS[0])
        assert_same_answer(engine.ask(again), alone(own, again, before=(alone(own, asked[0]),)))
