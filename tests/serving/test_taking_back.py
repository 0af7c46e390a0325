"""Requests that are taken back, or too late, at every stage; what fails is told to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deixis.engine.settings import Settings
from deixis.errors import Cancelled, DeadlinePassed, ModelFailed, QueueFull
from deixis.serving.asked import Event, Finished, OnEvent
from deixis.serving.engine import Engine, Ticket
from deixis.systems.pointer.answering import PointerSystem
from tests.serving.serving import Gated, Told, asked, served, until
from tests.systems.pointer.tiny import tiny_system

LONG = Settings(max_new_tokens=200, grammar=None)


@pytest.fixture
def gate() -> Gated:
    return Gated(tiny_system())


@pytest.fixture
def engine(gate: Gated) -> Iterator[Engine]:
    with served(gate.system, rows=1, encode=1) as engine:
        yield engine
        gate.open()


def writing(engine: Engine, gate: Gated) -> tuple[Told, Ticket]:
    """Return who is told of an answer that is half written, and its ticket."""
    owner = Told()
    ticket = engine.submit(asked(settings=LONG), owner)
    gate.allow(4)
    gate.wait(5)
    assert engine.statistics().open["writing"] == 1
    return owner, ticket


def test_taken_back_while_it_is_written(engine: Engine, gate: Gated) -> None:
    owner, ticket = writing(engine, gate)
    ticket.cancel()
    gate.open()
    answer = owner.answer()
    assert answer.finish == "cancelled" and answer.raw is not None and 0 < len(answer.raw.ids) < 100
    assert engine.ask(asked()).text
    assert engine.statistics().ended["cancelled"] == 1


def test_taken_back_while_it_waits(engine: Engine, gate: Gated) -> None:
    writing(engine, gate)
    waiting = [Told() for _ in range(4)]
    tickets = [engine.submit(asked(), owner) for owner in waiting]
    until(lambda: engine.statistics().queue_length == 3)  # one is prepared ahead
    for ticket in tickets:
        ticket.cancel()
    for owner in waiting:  # although nothing is written meanwhile
        assert isinstance(owner.error(), Cancelled)
    assert engine.statistics().queue_length == 0


def test_a_deadline_passes_at_any_stage(engine: Engine, gate: Gated) -> None:
    written = Told()
    engine.submit(asked(settings=LONG, deadline=1.5), written)
    gate.allow(4)
    gate.wait(5)
    waiting = Told()
    engine.submit(asked(deadline=0.2), waiting)
    for owner, stage in ((waiting, "preparing|queued|reading"), (written, "writing")):
        with pytest.raises(DeadlinePassed, match=rf"within [01]\.\d seconds \(the request was ({stage})\)"):
            raise owner.error()
    gate.open()
    assert engine.ask(asked(deadline=60.0)).text
    assert engine.statistics().ended["late"] == 2


def test_the_engine_has_a_deadline_for_those_without_one() -> None:
    gate = Gated(tiny_system())
    with served(gate.system, deadline=0.2) as engine:
        owner = Told()
        engine.submit(asked(settings=LONG), owner)
        assert isinstance(owner.error(), DeadlinePassed)
        gate.open()


def test_too_many_wait(engine: Engine, gate: Gated) -> None:
    writing(engine, gate)
    ahead = Told()
    engine.submit(asked(), ahead)
    until(lambda: engine.statistics().queue_length == 0)
    engine._desk.limits.__dict__["queue"] = 2
    for _ in range(2):
        engine.submit(asked(), Told())
    with pytest.raises(QueueFull, match="2 questions wait, and at most 2 may; try again in 1 s") as full:
        engine.submit(asked(), Told())
    assert full.value.retry_after == 1.0
    assert engine.statistics().refused == 1


def test_an_owner_who_fails_is_not_told_again(engine: Engine, gate: Gated) -> None:
    gate.open()
    heard: list[Event] = []

    def failing(event: Event) -> None:
        heard.append(event)
        raise OSError("gone")

    engine.submit(asked(settings=LONG), failing)
    until(lambda: engine.statistics().ended["cancelled"] == 1)
    assert len(heard) == 2 and isinstance(heard[-1], Finished)
    assert engine.ask(asked()).text


class Unreadable(PointerSystem):
    """It can't read its answers about cats, nor questions about hats."""

    def answered(self, prepared, completion, *, seconds):  # type: ignore[no-untyped-def]
        if "cat" in prepared.question.text:
            raise ZeroDivisionError("no such cat")
        return super().answered(prepared, completion, seconds=seconds)

    def build_prompt(self, question, encoded):  # type: ignore[no-untyped-def]
        if "hat" in question.text:
            raise ZeroDivisionError("no such hat")
        return super().build_prompt(question, encoded)


@pytest.mark.parametrize("question", ["where is the cat?", "where is the hat?"])
def test_a_fault_of_ours_ends_one_request_only(question: str) -> None:
    tiny = tiny_system()
    with served(Unreadable(tiny.network, tiny.vocabulary)) as engine:
        owners = [Told() for _ in range(5)]
        engine._submitted(
            [(asked(question if i == 2 else "where is it?"), owner) for i, owner in enumerate(owners)]
        )
        with pytest.raises(ModelFailed, match="ZeroDivisionError: no such"):
            raise owners[2].error()
        assert all(owner.answer().text for i, owner in enumerate(owners) if i != 2)


def test_who_asks_much_waits_behind_themselves(engine: Engine, gate: Gated) -> None:
    writing(engine, gate)
    order: list[str] = []

    def noting(name: str) -> OnEvent:
        return lambda event: order.append(name) if isinstance(event, Finished) else None

    names = ("much", "much", "much", "much", "little", "less")
    for name in names:
        engine.submit(asked("where is it?", who=name), noting(name))
    until(lambda: engine.statistics().queue_length == 5)
    gate.open()
    until(lambda: len(order) == len(names))
    assert order.index("little") <= 2 and order.index("less") <= 3, order
    assert order.index("little") < order.index("less")
