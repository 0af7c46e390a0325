"""Ferret and Ferret-v2 at tiny size, as subjects of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from deixis.engine.policy import Completion
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems import load
from deixis.systems.contract import System
from deixis.systems.prompt import Prompt
from deixis.systems.spliced.answering import SplicedSystem
from tests.contract.promises import Subject
from tests.systems.ferret.tiny import SIDE, fresh_ferret, fresh_ferret_v2, lesson, saved, tiny_codec
from tests.systems.pointer.tiny import noise_picture
from tests.systems.vip_llava.tiny import fresh_vip_llava

COORDINATES = re.compile(r"\[[\d\s,]*\]")


def ferret() -> Subject:
    """Return Ferret's subject; its tower stands still in every recipe."""
    return subject(fresh_ferret, frozen=("tower.",))


def ferret_v2() -> Subject:
    """Return Ferret-v2's subject; of its small towers the classifying end is never used."""
    return subject(fresh_ferret_v2, frozen=("tower.vision.head", "local_tower.vision.head"))


def vip_llava() -> Subject:
    """Return ViP-LLaVA's subject, taught to spell boxes; the published one answers in words only."""
    return subject(spelling_vip_llava, frozen=("tower.",))


def spelling_vip_llava() -> SplicedSystem:
    """Return an untaught ViP-LLaVA that may spell boxes."""
    tower = {"kind": "efficientnet_tiny", "side": SIDE}
    return fresh_vip_llava(
        boxes="thousandths", tower=tower, select_layers=None, feature_norm=False, side=SIDE
    )


def subject(make: Callable[[], SplicedSystem], *, frozen: tuple[str, ...]) -> Subject:
    """Return the subject of a member of the family."""
    codec = tiny_codec()
    return Subject(
        make=partial(saved, make),
        reopen=partial(load, device="cpu"),
        tower=lambda system: as_ferret(system).network.tower,
        logits=logits,
        training=training,
        text_of=text_of,
        special=frozenset(codec.acting.values()) | {-200},
        typed=codec.specials,
        given=frozenset({codec.region}),
        malformed=malformed,
        readable=readable,
        frozen=frozen,
        unsayable=frozenset(codec.acting.values()) - {codec.eos},
    )


def as_ferret(system: System) -> SplicedSystem:
    assert isinstance(system, SplicedSystem)
    return system


def logits(system: System, picture: Picture, prompt: Prompt) -> Tensor:
    """Return the logits (T, V) of a prompt with its picture and regions, without any cache."""
    own = as_ferret(system)
    _, prepared = own.preparation.view(picture)
    drawn = own.sampling.draw([pixels for pixels, _ in prompt.own or ()], [0] * len(prompt.own or ()))
    pixels = own.preparation.stack([prepared])
    ids = torch.tensor([prompt.ids], device=system.device)
    return own.network(ids, pixel_values=pixels.to(system.device), regions=drawn).logits[0]


def training(system: System) -> tuple[tuple[Dialogue, ...], Picture]:
    picture = noise_picture(96, 64)
    return lesson(picture.frame), picture


def text_of(system: System, ids: Sequence[int]) -> str:
    """Return the words of ids, without the coordinates that an answer's places are written as."""
    return COORDINATES.sub("", as_ferret(system).codec.decode(ids))


def said(system: System, text: str, *, end: bool = True) -> Completion:
    """Return a text as a completion whose every token was likely."""
    codec = as_ferret(system).codec
    ids = (*codec.encode(text, begin=False), *([codec.eos] if end else []))
    return Completion(ids, (-0.1,) * len(ids))


def malformed(system: System) -> list[Completion]:
    """Return completions with broken coordinates, foreign tokens or without likelihoods."""
    codec = as_ferret(system).codec
    broken = (
        "the dog [10, 20].",
        "the dog [10, 20, 30].",
        "the dog [10, 20, 30, 40, 50].",
        "the dog [300, 20, 10, 40].",
        "the dog [10, 20, 10, 40].",
        "the dog [10, 20, 30, 4000].",
        "the dog [10, 20, 30.5, 40].",
        "the dog [-10, 20, 30, 40].",
        "the dog [10, 20, 30, 40",
        "the dog [[10, 20, 30, 40]].",
        "the dog [10, a, 30, 40].",
        "the dog [,,,].",
    )
    sound = said(system, "the dog [10, 20, 30, 40].")
    return [
        *(said(system, text) for text in broken),
        said(system, "the dog [10, 20, 30,", end=False),
        Completion(sound.ids, ()),
        Completion(sound.ids, sound.logprobs[:-1]),
        Completion((codec.region, *sound.ids), (-0.1, *sound.logprobs)),
        Completion((codec.eos, *sound.ids), (-0.1, *sound.logprobs)),
        Completion((-200, *sound.ids), (-0.1, *sound.logprobs)),
        Completion((len(codec), *sound.ids), (-0.1, *sound.logprobs)),
        Completion(()),
    ]


def readable(system: System) -> list[Completion]:
    """Return completions with places."""
    return [
        said(system, "the dog [10, 20, 30, 40] is here."),
        said(system, "the dog [10, 20, 30, 40] and the hat [0, 0, 1000, 1000]."),
        said(system, "[10, 20, 30, 40]"),
    ]
