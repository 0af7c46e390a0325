"""The Florence-VL system: pictures asked three ways, regions painted on them or written as coordinates."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import torch

from deixis.answers.grounded import Answer
from deixis.systems.florence_vl.asked_words import asked_words
from deixis.systems.florence_vl.dialect import CoordinateDialect, Numbers
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.places.on_demand import PlacesOnDemand
from deixis.systems.prompt import Prompt
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.network import SplicedNetwork
from deixis.systems.spliced.opening import open_member
from deixis.systems.spliced.painted.answering import PaintedSystem
from deixis.systems.spliced.preparation import SquareView
from deixis.systems.spliced.regions import NoSampling
from deixis.text.prompt_tokens import TextCodec

NAME = "florence_vl"


class WithFlorence2(SplicedSystem):
    """What both forms have from Florence-2: a gate that the question may weigh, and places by its decoder."""

    network: FlorenceVlNetwork
    places: PlacesOnDemand

    def identity(self, prompt: Prompt) -> Iterator[Hashable]:
        """Yield what each position stands for; a picture that the question weighs is another each time."""
        return weighed_identity(self, prompt, super().identity(prompt))

    def locate(self, picture: Any, task: str, **given: Any) -> Answer:
        """Return what Florence-2's own decoder answers to one of its tasks."""
        return self.places.locate(picture, task, **given)

    def ground(self, answer: Answer, **given: Any) -> Answer:
        """Return an answer whose phrases Florence-2's own decoder has located."""
        return self.places.ground(answer, **given)

    def require_places(self) -> None:
        """Open Florence-2's own decoder, or say why there is none."""
        self.places.get()

    def save(self, folder: str | Path) -> None:
        """Write the folder that ``deixis.load`` opens, with what only places need where there is some."""
        super().save(folder)
        self.places.save(Path(folder))


class FlorenceVlSystem(WithFlorence2, PaintedSystem):
    """Florence-VL (Chen et al., 2024), shown regions as marks on the picture; its authors' has no regions."""

    name = NAME

    def __init__(self, network: FlorenceVlNetwork, codec: TextCodec) -> None:
        config = network.config
        super().__init__(
            network, codec, view_of(network), spells_boxes=config.boxes != "none", style=config.paint_style
        )
        self.places = PlacesOnDemand(network)
        prepare_gate(self)


class SpelledFlorenceVlSystem(WithFlorence2):
    """The same, told regions as coordinates."""

    name = NAME

    def __init__(self, network: FlorenceVlNetwork, codec: TextCodec) -> None:
        boxes = network.config.boxes
        numbers: Numbers = "decimals" if boxes == "decimals" else "thousandths"
        dialect = CoordinateDialect(spells_boxes=boxes != "none", numbers=numbers)
        super().__init__(network, codec, view_of(network), dialect=dialect, sampling=NoSampling())
        self.places = PlacesOnDemand(network)
        self.region_token = None  # a tokenizer may have one; no prompt of this system does
        prepare_gate(self)


def view_of(network: FlorenceVlNetwork) -> SquareView:
    """Return how pictures are prepared for a network."""
    return SquareView(network.config.side, network.tower.normalisation, network.config.aspect)


def prepare_gate(system: SplicedSystem) -> None:
    """Tell the network how a question ends, for a gate that reads it."""
    assert isinstance(system.network, FlorenceVlNetwork)
    template = system.template
    ending = system.text.piece(template.question_end + template.assistant, first=False)
    system.network.question_end = tuple(ending)


def weighed_identity(system: SplicedSystem, prompt: Prompt, plain: Iterator[Hashable]) -> Iterator[Hashable]:
    """Yield identities; those of pictures hold the question where the gate reads it."""
    network = system.network
    assert isinstance(network, FlorenceVlNetwork)
    if not network.fusion.reads_question:
        yield from plain
        return
    words = tuple(asked_words(torch.tensor(prompt.ids), end=network.question_end).tolist())
    for one in plain:
        yield (one, words) if isinstance(one, tuple) else one


def florence_vl_system(network: SplicedNetwork, codec: TextCodec) -> SplicedSystem:
    """Return the system of a network and its tokenizer."""
    assert isinstance(network, FlorenceVlNetwork)
    painted = network.config.regions == "painted"
    return (FlorenceVlSystem if painted else SpelledFlorenceVlSystem)(network, codec)


def open_florence_vl(folder: Path, *, dtype: torch.dtype | None = torch.float32) -> SplicedSystem:
    """Return the system saved in ``folder``, in ``dtype``; None is the one that it is stored in."""
    system = open_member(FlorenceVlNetwork, folder, make=florence_vl_system, dtype=dtype)
    assert isinstance(system, FlorenceVlSystem | SpelledFlorenceVlSystem)
    system.places.folder = folder
    return system
