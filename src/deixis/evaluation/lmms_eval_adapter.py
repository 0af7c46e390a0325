"""Systems of this package as models of lmms-eval: ``--model deixis --model_args model=pointer``.

Its entry points (group ``lmms_eval.models``) find ``manifest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from deixis.pictures.opening import open_picture
from deixis.regions.names import escaped

HERE = "deixis.evaluation.lmms_eval_adapter"
CLASS = "DeixisModel"
MAX_NEW_TOKENS = 1024


def manifest() -> Any:
    """Return what lmms-eval registers."""
    registry = import_module("lmms_eval.models.registry_v2")
    return registry.ModelManifest(model_id="deixis", simple_class_path=f"{HERE}.{CLASS}")


def __getattr__(name: str) -> Any:
    """Return the class, which can be made only where lmms-eval is installed."""
    if name != CLASS:
        raise AttributeError(f"module {HERE} has no {name}")
    return model_class()


def model_class() -> type:
    """Return the class of models: a subclass of lmms-eval's own."""
    base: Any = import_module("lmms_eval.api.model").lmms

    class DeixisModel(base):
        """A system, asked for texts; answers are greedy and end with ``max_new_tokens`` or ``until``."""

        is_simple = True

        def __init__(self, model: str | None = None, device: str = "auto", **unused: Any) -> None:
            super().__init__()
            from deixis.systems import load

            self.system = load(model, device=device)

        def generate_until(self, requests: list[Any]) -> list[str]:
            """Return the answer to each request."""
            return [self.answered(*request.args) for request in requests]

        def answered(
            self, context: str, kwargs: Mapping[str, Any], to_visual: Any, doc: Any, task: str, split: str
        ) -> str:
            """Return the text of an answer, up to the first of the words that end it."""
            pictures = [open_picture(one) for one in to_visual(self.task_dict[task][split][doc])]
            picture: Any = pictures[0] if len(pictures) == 1 else pictures or None
            limit = int(kwargs.get("max_new_tokens") or MAX_NEW_TOKENS)
            question = escaped(context.replace("<image>", "").strip())
            text: str = self.system.ask(picture, question, max_new_tokens=limit).text
            until = kwargs.get("until") or []
            for end in [until] if isinstance(until, str) else until:
                text = text.split(end)[0] if end else text
            return text

        def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:
            """Raise: systems write answers, and don't rate those of others."""
            raise NotImplementedError("deixis has no log-likelihoods of given answers; use generate_until")

        def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
            """Raise: tasks that ask on, with pictures made from the last answer, can't be run."""
            raise NotImplementedError(
                "deixis doesn't run tasks of several rounds; generate_until runs the others"
            )

    return DeixisModel
