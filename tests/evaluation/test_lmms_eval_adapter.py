"""The adapter to lmms-eval, against a stand-in of the few names of it that the adapter uses."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.evaluation import lmms_eval_adapter
from deixis.evaluation.lmms_eval_results import as_results
from deixis.pictures.opening import open_picture
from tests.evaluation.answering import said


@dataclass(frozen=True)
class ModelManifest:
    model_id: str
    simple_class_path: str | None = None
    chat_class_path: str | None = None
    aliases: tuple[str, ...] = ()


class Lmms(ABC):
    """What lmms-eval 0.7.3 demands of a model."""

    is_simple = True

    def __init__(self) -> None:
        self.task_dict: dict[str, Any] = {}

    @abstractmethod
    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]: ...

    @abstractmethod
    def generate_until(self, requests: list[Any]) -> list[str]: ...

    @abstractmethod
    def generate_until_multi_round(self, requests: list[Any]) -> list[str]: ...


@dataclass
class Instance:
    args: tuple[Any, ...]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    names = (
        "lmms_eval",
        "lmms_eval.api",
        "lmms_eval.api.model",
        "lmms_eval.models",
        "lmms_eval.models.registry_v2",
    )
    modules = {name: ModuleType(name) for name in names}
    modules["lmms_eval.api.model"].lmms = Lmms  # type: ignore[attr-defined]
    modules["lmms_eval.models.registry_v2"].ModelManifest = ModelManifest  # type: ignore[attr-defined]
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    asked: list[tuple[str, int, int]] = []

    class System:
        def ask(self, picture: Any, question: str, *, max_new_tokens: int) -> Any:
            count = len(picture) if isinstance(picture, list) else int(picture is not None)
            asked.append((question, count, max_new_tokens))
            return said(open_picture(np.zeros((4, 4, 3), np.uint8)), "yes\n\nUser: and")

    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: System())
    return asked


def test_it_is_found_and_answers(stand_in: list[tuple[str, int, int]]) -> None:
    (found,) = entry_points(group="lmms_eval.models", name="deixis")
    made = found.load()()
    module, _, name = made.simple_class_path.rpartition(".")
    model = getattr(sys.modules[module], name)(model="pointer")
    assert isinstance(model, Lmms) and made.model_id == "deixis"
    picture = Image.new("RGB", (8, 8))
    model.task_dict = {"mme": {"test": [{"pictures": [picture]}, {"pictures": [picture, picture]}]}}
    requests = [
        Instance(
            ("<image>\nIs {it} red?", {"until": ["\n\n"], "max_new_tokens": 16}, pictures, n, "mme", "test")
        )
        for n in (0, 1)
    ]
    assert model.generate_until(requests) == ["yes", "yes"]
    assert stand_in == [("Is {{it}} red?", 1, 16), ("Is {{it}} red?", 2, 16)]
    for refused in (model.loglikelihood, model.generate_until_multi_round):
        with pytest.raises(NotImplementedError, match="generate_until"):
            refused([])
    with pytest.raises(AttributeError):
        _ = lmms_eval_adapter.Other


def pictures(document: dict[str, Any]) -> list[Image.Image]:
    return list(document["pictures"])


def test_our_reports_are_its_results() -> None:
    row = {"value": 0.5, "n": 40, "ci95": [0.4, 0.6]}
    results = as_results({"protocol": {"system": "pointer"}, "tasks": {"naming": row}})
    assert results["results"]["naming"]["value,none"] == 0.5
    assert results["results"]["naming"]["value_stderr,none"] == pytest.approx(0.0510, abs=1e-4)
    assert results["n-samples"] == {"naming": {"original": 40, "effective": 40}}
    table = {"f1": {**row, "ci95": None}, "all: accuracy": row}
    other = as_results({"protocol": {"system": "a", "name": "pope"}, "table": table})
    assert other["results"] == {"pope": {"alias": "pope", "value,none": 0.5, "value_stderr,none": None}}
