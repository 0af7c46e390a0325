"""Regions of many questions are read as batches, few of them one by one as ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from deixis.regions.shapes import Box
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.regions_together import LEAST_TOGETHER, MOST_TOGETHER
from deixis.systems.questions import checked_question
from tests.contract.promises import assert_same_answer
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURES = (noise_picture(), noise_picture(60, 90, seed=4))


def regions(count: int) -> list[dict[str, Any]]:
    return [{"it": Box(1 + number % 20, 5, 30 + number % 20, 35 + number % 7)} for number in range(count)]


def batches(system: PointerSystem, monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """Return a list that gets the number of regions of every batch that the network reads."""
    sizes: list[int] = []
    method = getattr(system.network, name)

    def noting(places: Any, masks: torch.Tensor, *more: Any) -> Any:
        sizes.append(masks.shape[1])
        return method(places, masks, *more)

    monkeypatch.setattr(system.network, name, noting)
    return sizes


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1]),
        (LEAST_TOGETHER - 1, [1] * (LEAST_TOGETHER - 1)),
        (LEAST_TOGETHER, [LEAST_TOGETHER]),
        (MOST_TOGETHER + 3, [MOST_TOGETHER, 3]),
    ],
)
@pytest.mark.parametrize("name", ["encode_regions", "name_regions"])
def test_how_many_are_read_together(
    count: int, expected: Sequence[int], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tiny_system(region_namer=True)
    sizes = batches(system, monkeypatch, name)
    system.ask(PICTURES[0], ["what is {it}?"] * count, regions=regions(count), max_new_tokens=1)
    assert sizes == expected


def test_together_they_mean_what_each_means_alone() -> None:
    system = tiny_system(region_namer=True)
    own = regions(12)
    together = system.ask(PICTURES[0], ["what is {it}?"] * 12, regions=own)
    for answer, region in zip(together, own, strict=True):
        assert_same_answer(answer, system.ask(PICTURES[0], "what is {it}?", regions=region))


def test_regions_of_several_pictures_keep_their_prompts() -> None:
    system = tiny_system()
    texts = ["what is {it}?", "where is the dog?", "describe {it} near {it}"]
    questions = [
        checked_question(texts[number % 3], region if number % 3 != 1 else {}, PICTURES[number % 2])
        for number, region in enumerate(regions(3 * LEAST_TOGETHER))
    ]
    prompts = system.prompts(questions)
    for prompt, embedded in zip(prompts, system.embed(prompts), strict=True):
        (alone,) = system.embed([prompt])
        assert torch.allclose(alone.vectors, embedded.vectors, atol=1e-5)
        assert alone.identity == embedded.identity
