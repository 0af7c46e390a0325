"""Ferret systems of a few thousand weights, taught for a second or two to answer with boxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deixis.layers.language.small_decoders import small_language
from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Region
from deixis.systems.ferret.answering import ferret_system, open_ferret
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.ferret_v2.answering import ferret_v2_system, open_ferret_v2
from deixis.systems.ferret_v2.config import FerretV2Config
from deixis.systems.ferret_v2.model import FerretV2Network
from deixis.systems.florence_vl.answering import open_florence_vl
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.systems.vip_llava.answering import open_vip_llava
from deixis.text.templates import FERRET_SYSTEM
from deixis.text.tokenizers.codecs.opening import WordCodec
from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary
from tests.systems.pointer.tiny import WORDS, noise_picture

SAMPLER = {"points": 24, "anchors": [8, 4], "neighbours": [4, 3], "pooling": "max"}
SIDE = 64
STEPS = 80


def tiny_codec() -> WordCodec:
    """Return the tiny words and those of the template, and characters to spell others with."""
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    # Spelt in characters the template would be most of every text.
    words = [*WORDS, *re.findall(r"[a-z]+", FERRET_SYSTEM.lower())]
    pieces = dict.fromkeys(["[UNK]", *words, *characters, *(f"##{c}" for c in characters)])
    return WordCodec(build_vocabulary(words, {piece: i for i, piece in enumerate(pieces)}, at_least=1))


def settings(codec: WordCodec) -> dict[str, Any]:
    """Return what both tiny systems have in common."""
    return {
        "language": small_language("tiny", words=len(codec), positions=1024),
        "tower": {"kind": "efficientnet_tiny", "side": SIDE},
        "sampler": SAMPLER,
        "codec": "words",
        "region_token_id": codec.region,
        "bos_token_id": codec.bos,
        "eos_token_id": codec.eos,
        "pad_token_id": codec.pad,
    }


def fresh_ferret(seed: int = 0, **options: Any) -> SplicedSystem:
    """Return an untaught Ferret."""
    codec = tiny_codec()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FerretNetwork(FerretConfig(side=SIDE, **(settings(codec) | options)))
    return ferret_system(network, codec)


def fresh_ferret_v2(seed: int = 0, **options: Any) -> SplicedSystem:
    """Return an untaught Ferret-v2: two towers, up to two tiles."""
    codec = tiny_codec()
    own = {
        "local_tower": {"kind": "efficientnet_tiny", "side": SIDE},
        "global_side": SIDE,
        "crop": SIDE,
        "grids": [[1, 1], [1, 2], [2, 1]],
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FerretV2Network(FerretV2Config(**(settings(codec) | own | options)))
    return ferret_v2_system(network, codec)


def lesson(frame: Frame) -> tuple[Dialogue, ...]:
    """Return dialogues with boxes, regions, several turns and no place at all, in a picture's frame."""
    width, height = frame.size

    def box(x0: float, y0: float, x1: float, y1: float) -> Box:
        return Box(x0 * width, y0 * height, x1 * width, y1 * height, frame=frame)

    dog, hat = box(0.1, 0.2, 0.5, 0.8), box(0.6, 0.1, 0.9, 0.4)
    it: tuple[tuple[str, Region], ...] = (("it", Point(0.7 * width, 0.2 * height, frame=frame)),)
    return (
        Dialogue("locate", (Turn("where is the dog?", "the dog is here.", (Mark(0, 7, (dog,)),)),)),
        Dialogue("locate", (Turn("where is the hat?", "the hat is here.", (Mark(0, 7, (hat,)),)),)),
        Dialogue("locate", (Turn("where are they?", "they are here.", (Mark(0, 4, (dog, hat)),)),)),
        Dialogue("absent", (Turn("where is the cat?", "the cat is not in the picture."),)),
        Dialogue("name", (Turn("what is {it}?", "a hat.", regions=it),)),
        Dialogue("name", (Turn("what is {it} near {other}?", "a dog.", regions=(*it, ("other", hat))),)),
        Dialogue(
            "two_turns",
            (
                Turn("what is {it}?", "a red hat.", regions=it),
                Turn("what is there?", "the dog and the hat.", (Mark(0, 7, (dog,)), Mark(12, 19, (hat,)))),
            ),
        ),
    )


def taught(system: SplicedSystem) -> SplicedSystem:
    """Teach a system the lesson about one picture, so that its answers hold boxes."""
    picture = noise_picture(96, 64)
    examples = [Example("p", picture, (dialogue,)) for dialogue in lesson(picture.frame)]
    batch = system.collate()(examples)
    objective = SplicedObjective(system.network).train()
    parts = system.network.named_parameters()
    trained = [p for name, p in parts if not name.startswith(("tower", "local_tower"))]
    optimiser = torch.optim.AdamW(trained, lr=4e-3)
    with torch.random.fork_rng(devices=[]), towers_run_once(system.network):
        torch.manual_seed(0)  # some encoders drop out while they learn
        for _ in range(STEPS):
            optimiser.zero_grad()
            objective(batch)["total"].backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
    system.network.eval()
    return system


@contextmanager
def towers_run_once(network: nn.Module) -> Iterator[None]:
    """Let the towers, which learn nothing here, return their first features again and again."""
    towers = [tower for name in ("tower", "local_tower") if (tower := getattr(network, name, None))]
    for tower in towers:
        tower.forward = first_result(tower.forward)
    yield
    for tower in towers:
        del tower.forward


def first_result(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a function that is called once and gives its result ever after."""
    results: list[Tensor] = []

    def remembered(pixels: Tensor) -> Tensor:
        if not results:
            results.append(function(pixels).detach())
        return results[0]

    return remembered


OPENED = {
    "ferret": open_ferret,
    "ferret_v2": open_ferret_v2,
    "vip_llava": open_vip_llava,
    "florence_vl": open_florence_vl,
}


@cache
def taught_state(make: Callable[[], SplicedSystem]) -> dict[str, torch.Tensor]:
    """Return the weights of a taught system; taught once a process."""
    return dict(taught(make()).network.state_dict())


def saved(make: Callable[[], SplicedSystem], folder: Path) -> SplicedSystem:
    """Return a taught system as opened from a folder."""
    system = make()
    system.network.load_state_dict(taught_state(make))
    system.save(folder)
    return OPENED[system.name](folder)
