"""Several models behind one engine: loaded when asked for, dropped for others, failing by themselves."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from deixis.engine.settings import Settings
from deixis.errors import BadWeights, EngineStopped, MissingWeights, ModelFailed, UnknownModel, UsageError
from deixis.serving.engine import Engine
from deixis.serving.limits import EngineLimits
from deixis.serving.models import Models
from deixis.systems import load
from deixis.systems.contract import System
from tests.serving.serving import PICTURE, Gated, Told, asked, until
from tests.systems.pointer.tiny import saved_system, tiny_system


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    saved_system(folder)
    return folder


def three(folder: Path, *, fitting: float, **limits: Any) -> Engine:
    """Return an engine with three models, of which so many fit into memory."""
    size = Models({"a": folder}, device="cpu").expected_bytes("a")
    models = Models(dict.fromkeys("abc", folder), device="cpu", budget=int(size * fitting))
    return Engine(models, limits=EngineLimits(**limits))


def loaded(engine: Engine) -> list[str]:
    return [model.name for model in engine.models() if model.loaded]


def test_what_is_told_of_a_model_before_and_after_it_is_loaded(folder: Path) -> None:
    with three(folder, fitting=3.5) as engine:
        before = engine.models()[0]
        assert (before.name, before.system, before.default) == ("a", "pointer", True)
        assert (before.pictures_taken, before.paints, before.has_grammar) == ((1, 1), False, True)
        assert before.region_kinds == ("point", "box", "polygon", "scribble", "mask")
        assert before.created == int((folder / "config.json").stat().st_mtime)
        assert (before.loaded, before.state) == (False, "absent")
        engine.ask(asked())
        after = engine.models()[0]
        assert (after.loaded, after.state) == (True, "loaded")
        assert after.bytes == before.bytes > 0 == engine.statistics().held.models - after.bytes
        assert loaded(engine) == ["a"]


def test_the_one_used_least_recently_makes_room(folder: Path) -> None:
    with three(folder, fitting=2.5) as engine:
        for name in "abac":
            assert engine.ask(asked(model=name)).text
        assert loaded(engine) == ["a", "c"]
        statistics = engine.statistics()
        assert (statistics.loads, statistics.drops, statistics.models_loaded) == (3, 1, 2)
        assert engine.ask(asked(model="b")).text and loaded(engine) == ["b", "c"]


def gated(monkeypatch: pytest.MonkeyPatch, name: str = "a") -> dict[str, Gated]:
    """Let a model, once it is opened, wait before each step; the gates by name."""
    gates: dict[str, Gated] = {}
    opening = Models.open

    def held(models: Models, own: str) -> System:
        system = opening(models, own)
        if own == name and own not in gates:
            gates[own] = Gated(system)
        return system

    monkeypatch.setattr(Models, "open", held)
    return gates


def test_one_in_use_stays_and_comes_to_rest_after_a_while(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = gated(monkeypatch)
    with three(folder, fitting=1.5, patience=0.3, rows=1) as engine:
        owners = [Told() for _ in range(4)]
        engine.submit(asked(), owners[0])
        until(lambda: "a" in gates and gates["a"].reached)
        engine.submit(asked(model="b"), owners[1])
        until(lambda: engine.models()[1].state == "waiting")
        assert loaded(engine) == ["a"]
        engine.submit(asked(), owners[2])  # within the patience it goes on
        assert not owners[1].over.wait(0.5)
        engine.submit(asked(), owners[3])  # beyond it, b comes first
        gates["a"].open()
        assert owners[0].answer().text and owners[1].answer().text
        assert owners[3].answer().text and owners[2].answer().text
        assert engine.statistics().loads == 3


def test_a_model_that_cannot_be_loaded_is_told_to_whoever_asked(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    saved_system(broken)
    models = Models({"good": folder, "broken": broken}, device="cpu")
    weights = broken / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with Engine(models) as engine:
        owner = Told()
        engine.submit(asked(model="broken"), owner)
        assert isinstance(owner.error(), BadWeights)
        until(lambda: engine.models()[1].state == "failed")
        assert "model.safetensors" in str(engine.models()[1].failure)
        assert engine.ask(asked(model="good")).text
        weights.write_bytes(whole)  # whoever asks next may have better luck
        assert engine.ask(asked(model="broken")).text
        assert engine.models()[1].failure is None and engine.statistics().deaths == 1


@pytest.mark.parametrize("part", ["step", "read", "encode"])
def test_a_model_that_dies_takes_only_its_own_requests_along(
    folder: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    opening = Models.open
    died: list[str] = []

    def dying(*given: Any, **more: Any) -> Any:
        died.append(part)
        raise MemoryError("no room")

    def mortal(models: Models, name: str) -> System:
        system = opening(models, name)
        if name == "b" and not died:
            monkeypatch.setattr(system if part == "encode" else system.decoder, part, dying)
        return system

    monkeypatch.setattr(Models, "open", mortal)
    with three(folder, fitting=4) as engine:
        owners = [Told() for _ in range(8)]
        for number, owner in enumerate(owners):
            engine.submit(asked(model="ab"[number % 2]), owner)
        for owner in owners[1::2]:
            assert isinstance(owner.error(), ModelFailed) and "MemoryError: no room" in str(owner.error())
        assert all(owner.answer().text for owner in owners[::2])
        assert engine.alive and (part == "encode") == (engine.statistics().deaths == 0)
        assert died
        until(lambda: engine.models()[1].state in ("failed", "loaded"))
    monkeypatch.undo()


def test_an_engine_that_dies_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = gated(monkeypatch)
    engine = three(folder, fitting=3).start()
    owners = [Told() for _ in range(3)]
    for owner in owners:
        engine.submit(asked(), owner)
    until(lambda: "a" in gates and gates["a"].reached)

    def dying() -> float | None:
        raise RuntimeError("killed")

    monkeypatch.setattr(engine._residents, "manage", dying)
    engine._desk.changed()
    for owner in owners:
        assert isinstance(owner.error(), EngineStopped)
        assert "it has died of RuntimeError: killed" in str(owner.error())
    gates["a"].open()
    until(lambda: not engine._thread.is_alive())
    assert not engine.alive and engine.died_of == "RuntimeError: killed"
    with pytest.raises(EngineStopped, match="died of RuntimeError: killed"):
        engine.submit(asked(), Told())
    engine.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("deixis: a")]


def test_draining_lets_open_requests_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = gated(monkeypatch)
    with three(folder, fitting=3) as engine:
        owner = Told()
        engine.submit(asked(), owner)
        until(lambda: "a" in gates and gates["a"].reached)
        assert not engine.drain(0.1)
        with pytest.raises(EngineStopped, match="about to be closed"):
            engine.submit(asked(), Told())
        assert engine.alive
        gates["a"].open()
        assert engine.drain(20) and owner.answer().text


def test_closing_ends_what_is_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = gated(monkeypatch)
    engine = three(folder, fitting=3).start()
    owner = Told()
    engine.submit(asked(), owner)
    until(lambda: "a" in gates and gates["a"].reached)
    threading.Timer(0.2, lambda: gates["a"].open()).start()
    engine.close()
    assert "it is closed" in str(owner.error()) and isinstance(owner.error(), EngineStopped)


def test_a_dropped_model_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    opening = Models.open

    def noting(models: Models, name: str) -> System:
        system = opening(models, name)
        alive.append(weakref.ref(system.network))
        return system

    monkeypatch.setattr(Models, "open", noting)
    with three(folder, fitting=1.5) as engine:
        for name in "abab":
            engine.ask(asked(model=name))
        gc.collect()
        assert [one() is not None for one in alive] == [False, False, False, True]


def test_an_open_system_is_never_dropped(folder: Path) -> None:
    system = load(folder, device="cpu")
    size = Models({"a": folder}, device="cpu").expected_bytes("a")
    models = Models({"held": system, "a": folder}, device="cpu", budget=int(size * 1.5))
    with Engine(models, limits=EngineLimits(patience=0.1)) as engine:
        assert engine.ask(asked()).text
        owner = Told()
        engine.submit(asked(model="a", deadline=0.5), owner)
        assert owner.error() and engine.models()[0].loaded


@pytest.mark.parametrize(
    ("sources", "more", "error", "message"),
    [
        ({}, {}, UsageError, "there is no model to serve"),
        ({"x": "ferret"}, {}, MissingWeights, "not on this machine"),
        ({"x": "feret"}, {}, UsageError, "no system is called 'feret'"),
        ({"a\nb": "pointer"}, {}, UsageError, "can't be called"),
        ({"x": "pointer"}, {"default": "y"}, UnknownModel, "known models: x"),
        ({"x": "pointer"}, {"budget": 1000}, UsageError, "takes 79,843,224 bytes, and there are 1,000"),
        ({"x": "pointer"}, {"device": "tpu"}, UsageError, "no device is called"),
    ],
)
def test_what_is_wrong_shows_before_anything_is_served(
    sources: dict[str, str], more: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Models(sources, **more)


def test_limits_are_checked() -> None:
    for name in ("rows", "queue", "cache_bytes", "chunk", "encode", "deadline"):
        with pytest.raises(UsageError, match=f"{name} is 0; expected a number above 0"):
            EngineLimits(**{name: 0})
    assert EngineLimits(cache_bytes=1000).writing_bytes == 500


def test_nothing_is_left_of_many_requests() -> None:
    gate = Gated(tiny_system())
    gate.open()
    with Engine(Models({"tiny": gate.system}), limits=EngineLimits(rows=8, queue=600)) as engine:
        owners = [Told() for _ in range(500)]
        for number, owner in enumerate(owners):
            late = 0.001 * (1 + number) if number % 10 == 3 else None
            ticket = engine.submit(
                asked(deadline=late, who=str(number % 7), settings=Settings(max_new_tokens=2)), owner
            )
            if number % 3 == 0:
                ticket.cancel()
        for owner in owners:
            owner.last()
        desk, worker = engine._desk, engine._residents._workers["tiny"]
        until(lambda: not worker.busy)
        statistics = engine.statistics()
        assert sum(statistics.ended.values()) == 500 and statistics.ended["failed"] == 0
        assert statistics.queue_length == 0 == sum(statistics.open.values())
        assert not desk._open and not desk._waiting and not worker._ready and not worker._preparing
        assert worker._writing is not None and not worker._writing._open and worker._writing.idle
        assert engine.ask(asked()).pictures == (PICTURE,)
