"""The table of subjects: every registered system at tiny size. A new system adds its line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from deixis.devices import moved, pixel_tensor
from deixis.engine.policy import Completion
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems import load
from deixis.systems.contract import System
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.place_reading import PlaceReading
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.systems.prompt import Prompt
from deixis.text.tokenizers.word_pieces.vocabulary import (
    END,
    FOUND,
    NOWHERE,
    PAD,
    PHRASE,
    PHRASE_END,
    PLACE,
    REGION,
    SPECIAL,
    UNKNOWN,
)
from tests.contract.ferret_subjects import ferret, ferret_v2, vip_llava
from tests.contract.florence_vl_subjects import florence_vl, florence_vl_weighing
from tests.contract.groma_subjects import groma
from tests.contract.promises import Subject
from tests.systems.pointer.tiny import noise_picture, saved_system, tiny_dialogues


def pointer_looking_twice() -> Subject:
    """Return the same system with a second look at the best places."""
    return replace(pointer(), make=partial(saved_system, candidates=6))


def pointer_with_intents() -> Subject:
    """Return the pointer system whose answers begin with what a question is meant to get."""
    plain = pointer()
    return replace(
        plain,
        make=partial(saved_system, intents=True),
        malformed=lambda system: opened(system, plain.malformed(system)),
        readable=lambda system: opened(system, plain.readable(system)),
    )


def opened(system: System, completions: Iterable[Completion]) -> list[Completion]:
    """Return completions behind an opening."""
    opening = as_pointer(system).vocabulary.opening
    assert opening is not None
    return [replace(one, ids=(opening.intents["tell"], *one.ids)) for one in completions]


def pointer() -> Subject:
    """Return the embedded default's subject."""
    return Subject(
        make=saved_system,
        reopen=partial(load, device="cpu"),
        tower=lambda system: as_pointer(system).network.tower,
        logits=pointer_logits,
        training=pointer_training,
        text_of=pointer_text,
        special=frozenset(token.id for token in SPECIAL) - {UNKNOWN.id},
        typed=tuple(token.text for token in SPECIAL),
        given=frozenset((FOUND.id, NOWHERE.id)),
        malformed=malformed_by_pointer,
        readable=readable_by_pointer,
    )


def as_pointer(system: System) -> PointerSystem:
    assert isinstance(system, PointerSystem)
    return system


def pointer_logits(system: System, picture: Picture, prompt: Prompt) -> Tensor:
    """Return the logits (T, V) of picture and prompt, computed without any cache."""
    network = as_pointer(system).pretrained
    device = system.device
    pixels = pixel_tensor(prompt.encoded[0].view.pixels, device=device, dtype=torch.float32)
    ids = [1] * network.config.picture_tokens + list(prompt.ids)
    tensors = moved(region_tensors([prompt.regions], network.config), device)
    return network(torch.tensor([ids], device=device), pixel_values=pixels, **tensors).logits[0]


def pointer_training(system: System) -> tuple[tuple[Dialogue, ...], Picture]:
    side = as_pointer(system).network.config.side
    picture = noise_picture(side, side)
    return tiny_dialogues(picture.frame), picture


def pointer_text(system: System, ids: Sequence[int]) -> str:
    """Return the pieces of ordinary tokens, continuations without their marks."""
    pieces = as_pointer(system).vocabulary.pieces
    return " ".join(pieces[token].removeprefix("##") for token in ids if token >= len(SPECIAL))


def spot() -> PlaceReading:
    """Return what a place token says that found one box."""
    return PlaceReading(torch.tensor([[20.0, 20.0, 40.0, 40.0]]), torch.tensor([0.9]), 0.1, False)


def malformed_by_pointer(system: System) -> list[Completion]:
    """Return completions that break the grammar of places, with a reading that must not become a box."""
    dog, a = (as_pointer(system).vocabulary.encode(word)[0] for word in ("dog", "a"))
    found, place = (spot(),), PLACE.id
    closed = (PHRASE.id, dog, PHRASE_END.id)
    return [
        Completion((dog, PHRASE_END.id, place, FOUND.id, END.id), places=found),  # closed, never opened
        Completion(
            (PHRASE.id, PHRASE_END.id, place, FOUND.id, END.id), places=found
        ),  # a phrase without words
        Completion((PHRASE.id, dog, place, FOUND.id, END.id), places=found),  # never closed
        Completion(
            (PHRASE.id, a, PHRASE.id, dog, PHRASE_END.id, place, FOUND.id, END.id), places=found
        ),  # nested
        Completion((*closed, FOUND.id, END.id), places=found),  # a verdict without a place token
        Completion((*closed, a, place, FOUND.id, END.id), places=found),  # words between phrase and place
        Completion((*closed, place, END.id)),  # no verdict
        Completion((*closed, place, place, FOUND.id, END.id), places=found),
        Completion((*closed, place, FOUND.id, END.id)),  # a verdict that nobody gave
        Completion((*closed, place, FOUND.id, END.id), places=(spot(), spot())),  # one too many
        Completion((place, FOUND.id, END.id), places=found),
        Completion((FOUND.id, END.id), places=found),
        Completion((dog, REGION.id, END.id)),  # tokens that no answer has
        Completion((dog, PAD.id, END.id)),
        Completion((dog, END.id, dog)),  # words behind the end
        Completion((dog, a)),  # cut
        Completion((PHRASE.id, dog)),
        Completion((*closed, place)),
        Completion(()),
    ]


def readable_by_pointer(system: System) -> list[Completion]:
    encode: Callable[[str], list[int]] = as_pointer(system).vocabulary.encode
    phrase = (PHRASE.id, *encode("the dog"), PHRASE_END.id, PLACE.id, FOUND.id)
    return [
        Completion((*phrase, *encode("is here."), END.id), places=(spot(),)),
        Completion((*phrase, *encode("and"), *phrase, END.id), places=(spot(), spot())),
    ]


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "pointer": pointer,
    "ferret": ferret,
    "ferret_v2": ferret_v2,
    "vip_llava": vip_llava,
    "florence_vl": florence_vl,
    "groma": groma,
}
# Further settings of a registered system that have to keep the promises, too.
VARIANTS: dict[str, Callable[[], Subject]] = {
    "pointer looking twice": pointer_looking_twice,
    "pointer with intents": pointer_with_intents,
    "florence_vl weighing by the question": florence_vl_weighing,
}
