"""Regions of many prompts about few pictures, read as batches: each costs little more than none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from deixis.regions.shapes import Region
from deixis.systems.encoded import Encoded
from deixis.systems.pointer.decoding.openings import RegionNames
from deixis.systems.prompt import Prompt

# Fewer are read one by one: a batch rounds otherwise, and answers to single questions stay what they were.
LEAST_TOGETHER = 8
MOST_TOGETHER = 64  # regions in one batch, whose masks take memory


class Reader(Protocol):
    """What reads regions: the pointer system."""

    def region_vectors(self, seen: Encoded, regions: Sequence[Region]) -> Tensor | None:
        """Return the vectors (R, W) of regions of a picture; None for none."""
        ...

    def named(self, seen: Encoded, regions: Sequence[Region]) -> list[RegionNames]:
        """Return what the region classifier says of regions of a picture."""
        ...

    def asks_for_name(self, prompt: Prompt) -> bool:
        """Tell whether a prompt is about one region that the classifier may name."""
        ...


def vectors_together(reader: Reader, prompts: Sequence[Prompt]) -> list[Tensor | None]:
    """Return the vectors (R, W) of each prompt's regions; None for a prompt without any."""
    vectors: list[Tensor | None] = [None] * len(prompts)
    for encoded, numbers in by_picture(prompts, [len(prompt.regions) for prompt in prompts]):
        made = reader.region_vectors(encoded, [one for number in numbers for one in prompts[number].regions])
        assert made is not None
        parts = made.split([len(prompts[number].regions) for number in numbers])
        for number, part in zip(numbers, parts, strict=True):
            vectors[number] = part
    return vectors


def by_picture(prompts: Sequence[Prompt], counts: Sequence[int]) -> Iterator[tuple[Encoded, list[int]]]:
    """Yield pictures with the numbers of prompts whose regions are read together.

    counts: how many regions of each prompt there are; prompts without any are left out.
    """
    groups: dict[int, list[int]] = {}
    for number, prompt in enumerate(prompts):
        if counts[number]:
            groups.setdefault(id(prompt.encoded[0]), []).append(number)
    for group in groups.values():
        encoded = prompts[group[0]].encoded[0]
        batch: list[int] = []
        together = sum(counts[number] for number in group) >= LEAST_TOGETHER
        for number in group:
            full = sum(counts[other] for other in batch) + counts[number] > MOST_TOGETHER
            if batch and (full or not together):
                yield encoded, batch
                batch = []
            batch.append(number)
        yield encoded, batch


class NamesTogether:
    """What the region classifier says of several prompts' regions, found for all when first needed."""

    def __init__(self, reader: Reader, prompts: Sequence[Prompt]) -> None:
        self._reader = reader
        self._asking = [prompt for prompt in prompts if reader.asks_for_name(prompt)]
        self._found: dict[int, RegionNames] = {}

    @torch.inference_mode()
    def of(self, prompt: Prompt) -> RegionNames | None:
        """Return what the classifier says of a prompt's region; None unless it is about one."""
        if not self._found:
            for encoded, numbers in by_picture(self._asking, [1] * len(self._asking)):
                own = [self._asking[number] for number in numbers]
                names = self._reader.named(encoded, [one.regions[-1] for one in own])
                self._found |= {id(one): name for one, name in zip(own, names, strict=True)}
        return self._found.get(id(prompt))
