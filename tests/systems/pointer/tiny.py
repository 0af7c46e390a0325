"""A pointer system of a few thousand random, seeded weights, and dialogues of all kinds for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deixis.layers.places.box_refiner import BoxRefiner
from deixis.pictures.opening import Picture, open_picture
from deixis.records.dialogue import Dialogue, Mark, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.systems.pointer.answering import PointerSystem, open_pointer
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.weights import save_network
from deixis.text.tokenizers.word_pieces.vocabulary import (
    END,
    PHRASE,
    PHRASE_END,
    Vocabulary,
    build_vocabulary,
    with_opening,
)
from tests.toy.recipe import TOY

WORDS = (
    "a", "the", "is", "are", "here", "not", "in", "picture", "where", "what", "and", "dog", "dogs",
    "cat", "hat", "red", "big", "two", "it", "yes", "no", "they", "of", "there", "describe", "look",
    "like", "does", "see", "you", "near", "?", ".", ",", "this",
)  # fmt: skip
SIDE = int(TOY["network"]["side"])


def tiny_vocabulary() -> Vocabulary:
    """Return the words above, and characters to spell others with."""
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = dict.fromkeys(["[UNK]", *WORDS, *characters, *(f"##{c}" for c in characters)])
    return build_vocabulary(WORDS, {piece: i for i, piece in enumerate(pieces)}, at_least=1)


def vocabulary_of(options: Mapping[str, Any]) -> Vocabulary:
    """Return the words of a network of these options."""
    return with_opening(tiny_vocabulary()) if options.get("intents") else tiny_vocabulary()


def tiny_network(*, seed: int = 5, **options: Any) -> PointerNetwork:
    """Return a random network whose answers hold places and depend on question, regions and picture."""
    size = len(vocabulary_of(options))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PointerNetwork(PointerConfig(vocab_size=size, **(TOY["network"] | options)))
    loud = {"q_proj.weight": 3.0, "v_proj.weight": 3.0, "o_proj.weight": 3.0, "geometry.weight": 3.0}
    loud |= {"place_head.query.weight": 30.0, "place_head.nowhere.2.weight": 15.0}
    with torch.no_grad():
        for token, bias in ((PHRASE, 1.5), (PHRASE_END, 2.0), (END, 0.5)):
            network.words.bias[token.id] += bias
        for name, parameter in network.named_parameters():
            parameter.mul_(next((times for part, times in loud.items() if name.endswith(part)), 1.0))
            parameter.add_(4.0 * (name == "place_head.nowhere.2.bias"))  # as likely as all locations together
    if network.config.candidates:
        tell(network.second_look, seed=seed)
    return network.eval()


def tell(look: BoxRefiner, *, seed: int) -> None:
    """Give a second look random heads; they begin at zero, where it says what the first look said."""
    chance = torch.Generator().manual_seed(seed)
    for head in (look.score, look.none, look.refine, look.quality):
        torch.nn.init.normal_(head.weight, std=0.3, generator=chance)


def tiny_system(*, seed: int = 5, **options: Any) -> PointerSystem:
    """Return a system in memory."""
    return PointerSystem(tiny_network(seed=seed, **options), vocabulary_of(options))


def saved_system(folder: Path, *, seed: int = 5, **options: Any) -> PointerSystem:
    """Return the system of a folder written just now: its weights are exactly the stored ones."""
    save_network(tiny_network(seed=seed, **options), vocabulary_of(options), folder)
    return open_pointer(folder)


def noise_picture(width: int = 120, height: int = 90, *, seed: int = 0) -> Picture:
    """Return a picture of coarse random colours."""
    cells = np.random.default_rng(seed).integers(0, 256, (height // 10 + 1, width // 10 + 1, 3))
    pixels = np.kron(cells, np.ones((10, 10, 1)))[:height, :width]
    return open_picture(pixels.astype(np.uint8), name="noise")


def tiny_dialogues(frame: Frame) -> tuple[Dialogue, ...]:
    """Return one dialogue of every kind, with regions of every kind, about a square picture of ``SIDE``."""
    box, other = Box(8, 10, 40, 50, frame=frame), Box(30.5, 4, 60, 30, frame=frame)
    pixels = np.zeros((SIDE, SIDE), dtype=bool)
    pixels[20:40, 5:30] = True
    kinds: dict[str, Region] = {
        "point": Point(20, 30, frame=frame),
        "box": box,
        "polygon": Polygon(((5, 5), (50, 8), (30, 60)), frame=frame),
        "scribble": Scribble(((5, 60), (40, 20)), frame=frame),
        "mask": Mask.from_array(pixels, frame=frame),
    }
    named = tuple(
        Dialogue("name", (Turn("what is {it}?", f"a {noun}.", (), (("it", region),)),))
        for noun, region in zip(("dog", "cat", "hat", "dogs", "dog"), kinds.values(), strict=True)
    )
    here, gone = Mark(0, 7, (box,)), Mark(0, 7, ())
    first = Turn("what is {it} near {at}?", "a hat.", (), (("it", box), ("at", kinds["mask"])))
    second = Turn("where is the dog?", "the dog is here.", (here,))
    return (
        *named,
        Dialogue("name_bare", (Turn("{it}", "a cat.", (), (("it", other),)),)),
        Dialogue("describe", (Turn("describe {it}.", "a big red hat.", (), (("it", other),)),)),
        Dialogue("locate", (second,)),
        Dialogue("locate", (Turn("where are two dogs?", "two dogs are here.", (Mark(0, 8, (box, other)),)),)),
        Dialogue("locate_bare", (Turn("", "red hat", (Mark(0, 7, (other,)),)),), words_learnt=False),
        Dialogue("absent", (Turn("where is the cat?", "the cat is not in the picture.", (gone,)),)),
        Dialogue("absent_bare", (Turn("", "big cat", (gone,)),), words_learnt=False),
        Dialogue("presence", (Turn("is there a dog?", "a dog? yes, it is.", (Mark(0, 5, (box,)),)),)),
        Dialogue("caption", (Turn("describe.", "the dog and a hat.", (here, Mark(12, 17, (other,)))),)),
        Dialogue("list", (Turn("what is there?", "the dog, a hat.", (here, Mark(9, 14, (other,)))),)),
        Dialogue("two_turns", (first, second)),
    )
