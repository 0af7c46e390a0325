"""The models that an engine may serve: their names, where each comes from, what each is able to."""

from __future__ import annotations

import time
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

from deixis.checkpoints.files.shards import found, joined
from deixis.devices import choose_device, choose_dtype
from deixis.errors import UnknownModel, UsageError
from deixis.serving.outer.decoding import OuterDecoding
from deixis.systems import load, model_type, weights_folder
from deixis.systems.contract import System
from deixis.systems.registry import SYSTEMS, entry_of_type, resolve

LONGEST_NAME = 200
REGION_KINDS = ("point", "box", "polygon", "scribble", "mask")  # every system takes all of them

Loading = Literal["absent", "waiting", "loading", "loaded", "failed"]
"""waiting: somebody asks for it, and there is no room yet. failed: it stopped; the next question loads it."""


@dataclass(frozen=True)
class ModelState:
    """A model as the engine lists it.

    name: by which it is asked. system: the kind it is of. bytes: memory of its weights; what is expected
    while it isn't loaded. pictures_taken: at least and at most. created: seconds since 1970 that its folder
    was written. state, failure: whether it is loaded, and why not where it failed. open: its requests now.
    looked_at: what ``System.looks`` shows.
    """

    name: str
    system: str
    loaded: bool
    bytes: int
    region_kinds: tuple[str, ...]
    pictures_taken: tuple[int, int]
    paints: bool
    has_grammar: bool
    created: int
    default: bool = False
    state: Loading = "absent"
    failure: str | None = None
    open: int = 0
    looked_at: Literal["map", "proposals"] | None = None


@dataclass(frozen=True)
class Source:
    """Where one model comes from: a folder, or a system that is open already and is never dropped."""

    name: str
    folder: Path | None
    system: System | None
    kind: type[System]
    called: str
    expected_bytes: int
    created: int


class Models:
    """Models by the names that they are asked by.

    sources: for each name a registered system's name, a folder, or a system that is open already (it stays
    loaded). default: which one is meant where none is named; the first. device, dtype: see ``deixis.load``.
    budget: how many bytes the weights of all loaded models may take together; None sets no bound. elsewhere:
    models whose words another engine writes, and that engine (``serving.outer``).

    Nothing is loaded yet, but what is missing shows: MissingWeights, UsageError, BadWeights as ``load``.
    """

    def __init__(
        self,
        sources: Mapping[str, str | Path | System],
        *,
        default: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        budget: int | None = None,
        elsewhere: Mapping[str, OuterDecoding] | None = None,
    ) -> None:
        if not sources:
            raise UsageError("there is no model to serve; name one or more")
        if budget is not None and budget <= 0:
            raise UsageError(f"the memory for models is {budget} bytes; expected more than 0, or None")
        self.device, self.dtype, self.budget = device, dtype, budget
        self._sources = {name: self._source(name, source) for name, source in sources.items()}
        self.elsewhere = {self.named(name): engine for name, engine in (elsewhere or {}).items()}
        self.default = next(iter(self._sources)) if default is None else self.named(default)
        too_large = [one for one in self._sources.values() if budget and one.expected_bytes > budget]
        if too_large:
            one = too_large[0]
            raise UsageError(
                f"model {one.name!r} takes {one.expected_bytes:,} bytes, and there are {budget:,} for all "
                "models; allow more, or serve a smaller one"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that models are asked by."""
        return tuple(self._sources)

    def named(self, model: str | None) -> str:
        """Return the name of the model that is meant; UnknownModel lists the known ones."""
        if model is None:
            return self.default
        if model not in self._sources:
            raise UnknownModel(f"there is no model {model!r:.80}; known models: {', '.join(self.names)}")
        return model

    def expected_bytes(self, name: str) -> int:
        """Return how much memory the weights of a model take, or will take."""
        return self._sources[name].expected_bytes

    def is_held(self, name: str) -> bool:
        """Tell whether a model was given as an open system, which can't be dropped."""
        return self._sources[name].system is not None

    def open(self, name: str) -> System:
        """Return a model's system, loaded now unless it was given open."""
        source = self._sources[name]
        return source.system or load(source.folder, device=self.device, dtype=self.dtype)

    def described(self, name: str) -> ModelState:
        """Return what is known of a model without loading it."""
        source = self._sources[name]
        kind = source.system or source.kind
        return ModelState(
            name=name,
            system=source.called,
            loaded=False,
            bytes=source.expected_bytes,
            region_kinds=REGION_KINDS,
            pictures_taken=kind.pictures_taken,
            paints=kind.paints,
            has_grammar=kind.has_grammar,
            created=source.created,
            default=name == self.default,
            looked_at=kind.looked_at,
        )

    def _source(self, name: str, source: str | Path | System) -> Source:
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise UsageError(
                f"a model can't be called {name!r:.80}; expected 1 to {LONGEST_NAME} printable letters"
            )
        if isinstance(source, System):
            return Source(
                name, None, source, type(source), source.name, weight_bytes(source), int(time.time())
            )
        folder = weights_folder(source)
        kind = model_type(folder)
        known = entry_of_type(kind, where=folder / "config.json")
        called = next(own for own, entry in SYSTEMS.items() if entry is known)
        opened_by = typing.get_type_hints(resolve(known.opens(kind)))["return"]
        created = int((folder / "config.json").stat().st_mtime)
        return Source(name, folder, None, opened_by, called, self._expected(folder), created)

    def _expected(self, folder: Path) -> int:
        """Return how much memory the weights in a folder take, in the type they are loaded in."""
        chosen = choose_dtype(self.dtype, choose_device(self.device))
        stored = joined(found(folder)).values()
        kept = [one.dtype if chosen is None or not one.dtype.is_floating_point else chosen for one in stored]
        return sum(prod(one.shape) * dtype.itemsize for one, dtype in zip(stored, kept, strict=True))


def weight_bytes(system: System) -> int:
    """Return how much memory the weights of an open system take."""
    tensors = {
        id(one): one.nbytes
        for group in (system.network.parameters(), system.network.buffers())
        for one in group
    }
    return sum(tensors.values())
