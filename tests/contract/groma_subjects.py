"""Groma at tiny size, as a subject of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from deixis.engine.policy import Completion
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue
from deixis.systems import load
from deixis.systems.contract import System
from deixis.systems.groma.answering import GromaSystem, places_of
from deixis.systems.groma.placeholders import Grown
from deixis.systems.prompt import Prompt
from tests.contract.promises import Subject
from tests.systems.ferret.tiny import lesson
from tests.systems.groma.tiny import saved_groma
from tests.systems.groma.words import groma_tokens, groma_words
from tests.systems.pointer.tiny import noise_picture

# Untaught as it is, a network of this seed links some of its words, and says others without links.
SPEAKS_OF_PLACES = 48


def groma() -> Subject:
    """Return Groma's subject; perception stands still in the stages that learn words."""
    codec, tokens = groma_words(), groma_tokens()
    acting = frozenset(codec.acting.values())
    links = frozenset((tokens.phrase, tokens.phrase_end, tokens.roi, tokens.roi_end, *tokens.proxies))
    marks = (tokens.pad, tokens.image, tokens.region, tokens.refer_box, tokens.refer_feat)
    return Subject(
        make=partial(saved_groma, seed=SPEAKS_OF_PLACES),
        reopen=partial(load, device="cpu"),
        tower=lambda system: as_groma(system).network.perceiver.proposer,
        logits=logits,
        training=training,
        text_of=text_of,
        special=acting,
        typed=codec.specials,
        given=frozenset(marks),
        malformed=malformed,
        readable=readable,
        frozen=("perceiver.",),
        unsayable=acting - links - {codec.eos},
    )


def as_groma(system: System) -> GromaSystem:
    assert isinstance(system, GromaSystem)
    return system


def logits(system: System, picture: Picture, prompt: Prompt) -> Tensor:
    """Return the logits (T, V) of a prompt with its picture and places, perceived anew."""
    own = as_groma(system)
    _, prepared = own.preparation.view(picture)
    pixels = own.preparation.stack([prepared]).to(system.device)
    places, network = places_of(prompt), own.network
    found = network.perceive(pixels)
    boxes = places.selected.boxes.to(system.device)
    merged = network.embed_rows(
        [Grown(prompt.ids, prompt.labels, places.features)],
        pictures=[found[0].tokens],
        places=[network.region_vectors(found, [boxes])],
    )
    return network(inputs_embeds=merged.embeds, attention_mask=merged.attention_mask).logits[0]


def training(system: System) -> tuple[tuple[Dialogue, ...], Picture]:
    picture = noise_picture(96, 64)
    return lesson(picture.frame), picture


def text_of(system: System, ids: Sequence[int]) -> str:
    """Return the words of ids, without marks."""
    codec = as_groma(system).codec
    return codec.decode([token for token in ids if token < codec.words and token != codec.eos])


def said(*parts: int | str, end: bool = True) -> Completion:
    """Return tokens and words as a completion whose every token was likely."""
    codec = groma_words()
    ids: list[int] = []
    for part in parts:
        ids += [part] if isinstance(part, int) else codec.encode(part, begin=False)
    ids += [codec.eos] if end else []
    return Completion(tuple(ids), (-0.1,) * len(ids))


def malformed(system: System) -> list[Completion]:
    """Return completions with broken links, foreign tokens or without likelihoods."""
    own, codec = groma_tokens(), groma_words()
    first, beyond = own.proxies[0], own.proxies[-1]
    phrase, over, roi, roi_end = own.phrase, own.phrase_end, own.roi, own.roi_end
    sound = said(phrase, "the dog", over, roi, first, roi_end)
    return [
        said("the dog", first),  # a place outside of a link
        said(phrase, "the dog", over, roi, beyond, roi_end),  # one that the prompt doesn't list
        said(phrase, "the dog", over, roi, first),  # never closed
        said(phrase, "the dog"),
        said("the dog", over),
        said(phrase, over, roi, roi_end),  # a phrase without words
        said(roi, roi_end),  # no place, and nothing that would be absent
        said("the dog", roi_end),
        said(phrase, phrase, "dog"),
        said("the dog", roi, "is", roi_end),
        said(own.image, "dog"),  # tokens that no answer has
        said(own.refer_feat, "dog"),
        said("the dog", own.ground_box),
        said("the dog", end=False),  # cut
        Completion(sound.ids, ()),
        Completion(sound.ids, sound.logprobs[:-1]),
        Completion((codec.eos, *sound.ids), (-0.1, *sound.logprobs)),
        Completion((len(codec), *sound.ids), (-0.1, *sound.logprobs)),
        Completion(()),
    ]


def readable(system: System) -> list[Completion]:
    """Return completions with places."""
    own = groma_tokens()
    first, second = own.proxies[0], own.proxies[1]
    link = (own.phrase, "the dog", own.phrase_end, own.roi, first, own.roi_end)
    return [
        said(*link, "is here."),
        said(*link, "and", own.phrase, "two dogs", own.phrase_end, own.roi, first, second, own.roi_end),
        said(own.roi, first, own.roi_end),
    ]
