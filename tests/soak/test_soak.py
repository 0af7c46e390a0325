"""A short soak, so that `make soak` itself doesn't rot; the long one is not in the tests."""

from __future__ import annotations

import random

import pytest

from deixis.client.server import Server
from tests.client.real_server import Running, serving
from tests.soak.clients import Tally, ask, attack, leave
from tests.soak.hostile import ATTACKS
from tests.soak.questions import MODELS
from tests.soak.watching import Memory, health, settled
from tests.systems.pointer.tiny import tiny_system


@pytest.fixture(scope="module")
def running():
    system = tiny_system()
    with serving(dict.fromkeys(MODELS, system)) as server:
        yield server


def port_of(running: Running) -> int:
    return int(Server(running.address).address.rpartition(":")[2])


def test_sound_questions_are_answered_and_places_are_freed(running: Running) -> None:
    port, tally, chance = port_of(running), Tally(), random.Random(0)
    for _ in range(12):
        ask(port, tally, chance)
        leave(port, tally, chance)
    assert tally.unexpected == []
    assert tally.counts["answered"] + tally.counts["streamed"] == 12
    assert settled(port, seconds=20) == 0


@pytest.mark.parametrize("one", ATTACKS, ids=lambda one: one.name)
def test_attacks_are_refused(running: Running, one) -> None:
    tally = Tally()
    attack(port_of(running), tally, one)
    assert tally.unexpected == [] and tally.counts["refused"] == 1
    assert health(port_of(running)) == (200, "ok")


def test_growth_of_memory_is_seen() -> None:
    memory = Memory(0, samples=[(float(at), 100 + (at if at < 30 else 30)) for at in range(90)])
    assert memory.growth() == (130, 130, 0.0)
    leaking = Memory(0, samples=[(float(at), 100 + at) for at in range(90)])
    assert leaking.growth()[2] > 0.2
