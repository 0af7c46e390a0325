"""How answers begin when a namer has a say: opinions joined, articles chosen, other answers left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from deixis.language.place_grammar import State, forbid
from deixis.language.vocabulary import ANSWER, END, PHRASE, PICTURE, REGION, USER
from deixis.regions.shapes import Box, Region
from deixis.systems.contract import Perception, checked_question
from deixis.systems.pointer.answering import PointerSystem, asks_about_one
from deixis.systems.pointer.collate import region_tensors
from deixis.systems.pointer.openings import NAMER_WEIGHT, Opinion, names
from tests.systems.pointer.tiny import noise_picture, tiny_system

NAMES = ("dog", "dogs", "cat", "hat")
BOX = Box(10, 10, 60, 70)


def naming_system(*, seed: int = 5) -> PointerSystem:
    """Return a system whose namer knows four names, and which begins no answer with a place."""
    system = tiny_system(seed=seed, region_namer=True)
    with torch.no_grad():
        system.network.region_namer.bias[ids_of(system, *NAMES)] = 0.0
        system.network.words.bias[PHRASE.id] = -20.0
    return system


def ids_of(system: PointerSystem, *words: str) -> list[int]:
    return [system.vocabulary.pieces.index(word) for word in words]


def prefer(system: PointerSystem, by: float, *words: str) -> None:
    with torch.no_grad():
        system.network.words.bias[ids_of(system, *words)] += by


def say(system: PointerSystem, opinion: Mapping[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the namer think of every region what ``opinion`` says, in log-probabilities."""
    likely = torch.tensor(list(opinion.values()))

    def think(_: object, masks: Tensor, __: object) -> tuple[Tensor, Tensor]:
        return torch.tensor(ids_of(system, *opinion)), likely.expand(*masks.shape[:2], -1)

    monkeypatch.setattr(system.network, "name_regions", think)


def opening(system: PointerSystem, text: str = "what is {it}?", **regions: Region) -> list[str]:
    perception = system.perceive(noise_picture())
    question = checked_question(text, regions or {"it": BOX}, perception.picture)
    (said,) = system.complete(perception, [system.write(question, perception)], max_new_tokens=2)
    return [system.vocabulary.pieces[token] for token in said.ids]


def test_the_namer_can_overrule_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    system = naming_system()
    prefer(system, 8.0, *NAMES)
    for name in NAMES:
        say(system, {other: 0.0 if other == name else -40.0 for other in NAMES}, monkeypatch)
        said = opening(system)
        assert name in (said[0], said[1]) and (said[0] == name or said[0] in ("a", "the"))


def test_the_decoder_can_overrule_the_namer(monkeypatch: pytest.MonkeyPatch) -> None:
    system = naming_system()
    prefer(system, 60.0, "hat")
    say(system, {"dog": 0.0, "hat": -20.0}, monkeypatch)
    assert "hat" in opening(system)


def test_both_opinions_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against every way to begin, worked out one by one without a cache."""
    for seed in (5, 6, 7):
        system = naming_system(seed=seed)
        prefer(system, 6.0, *NAMES)
        opinion = {"dog": -1.0, "dogs": -0.5, "cat": -3.0, "hat": -1.5}
        say(system, opinion, monkeypatch)
        ways = ways_to_begin(system)
        whole = {name: math.log(sum(math.exp(p) for p in ways[name].values())) for name in NAMES}
        best = max(NAMES, key=lambda name: whole[name] + NAMER_WEIGHT * opinion[name])
        article = max(ways[best], key=ways[best].__getitem__)
        expected = [article, best] if article else [best]
        assert opening(system)[: len(expected)] == expected


@torch.inference_mode()
def ways_to_begin(system: PointerSystem) -> dict[str, dict[str, float]]:
    """Return the log-probability of every name behind every article, and behind none ("")."""
    perception = system.perceive(noise_picture())
    question = checked_question("what is {it}?", {"it": BOX}, perception.picture)
    written = system.write(question, perception)
    first = next_words(system, perception, list(written.ids), written.regions)
    first[END.id] = -math.inf
    first = first.log_softmax(dim=-1)
    found: dict[str, dict[str, float]] = {name: {} for name in NAMES}
    for name, token in zip(NAMES, ids_of(system, *NAMES), strict=True):
        found[name][""] = float(first[token])
    for article, token in zip(("a", "the"), ids_of(system, "a", "the"), strict=True):
        behind = next_words(system, perception, [*written.ids, token], written.regions).log_softmax(dim=-1)
        for name, piece in zip(NAMES, ids_of(system, *NAMES), strict=True):
            found[name][article] = float(first[token] + behind[piece])
    return found


def next_words(
    system: PointerSystem, perception: Perception, ids: list[int], regions: tuple[Region, ...]
) -> Tensor:
    pixels = torch.from_numpy(perception.view.pixels).permute(2, 0, 1)[None].float() / 255
    row = [PICTURE.id] * system.network.config.picture_tokens + ids
    said = system.network(
        torch.tensor([row]), pixel_values=pixels, **region_tensors([regions], system.network.config)
    )
    return forbid(said.logits[:, -1], [State.WORDS])[0]


def test_answers_that_begin_with_no_name_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    system, without = naming_system(), naming_system()
    without.network.config.region_namer = False
    for one in (system, without):
        prefer(one, 30.0, "yes")
    say(system, {"dog": 0.0, "cat": -1.0}, monkeypatch)
    assert opening(system)[0] == "yes"
    assert opening(system) == opening(without)


@dataclass(frozen=True)
class Likely:
    """A beginning whose only answer begins, behind no article, with words of these chances."""

    chances: tuple[float, ...]

    def ways(self, rows: Tensor, articles: Tensor) -> Tensor:
        return torch.tensor([[self.chances, *[[0.0] * len(self.chances)] * len(articles)]]).log()


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ((0.4, 0.3, 0.2, 0.1), [0]),  # a name is likeliest
        ((0.3, 0.25, 0.4, 0.05), [0]),  # a quality is likeliest, but names together are likelier
        ((0.25, 0.2, 0.5, 0.05), None),  # ... than not
        ((0.3, 0.25, 0.05, 0.4), None),  # neither a name nor a quality
    ],
)
def test_a_quality_gives_way_to_names_that_are_likelier_together(
    chances: tuple[float, ...], said: list[int] | None
) -> None:
    opinion = Opinion(torch.tensor([0, 1]), torch.tensor([-0.7, -0.7]), torch.tensor([2]), articles=(4,))
    found = names(Likely(chances), {0: opinion})  # type: ignore[arg-type]
    assert found == ({} if said is None else {0: said})


@pytest.mark.parametrize("text", ["what is near {it} and {at}?", "what is there?"])
def test_questions_about_no_or_several_regions_are_left_alone(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = naming_system()
    prefer(system, 8.0, *NAMES)

    def never(*_: object) -> None:
        raise AssertionError("the namer was asked")

    monkeypatch.setattr(system.network, "name_regions", never)
    regions = {"it": BOX, "at": Box(5, 5, 20, 20)} if "{it}" in text else {}
    perception = system.perceive(noise_picture())
    written = system.write(checked_question(text, regions, perception.picture), perception)
    assert system.complete(perception, [written], max_new_tokens=2)


def test_each_question_gets_the_opinion_of_its_own_region() -> None:
    """Batched as alone, with regions of other questions in between."""
    system = naming_system()
    prefer(system, 8.0, *NAMES)
    with torch.no_grad():
        torch.nn.init.normal_(system.network.region_namer.out.weight, std=2.0)
    perception = system.perceive(noise_picture())
    asked = [
        ("what is {it}?", {"it": BOX}),
        ("what is {a} near {b}?", {"a": Box(0, 0, 9, 9), "b": Box(50, 5, 100, 80)}),
        ("where is the dog?", {}),
        ("look, what is {it}?", {"it": Box(70, 50, 118, 88)}),
    ]
    written = [system.write(checked_question(t, r, perception.picture), perception) for t, r in asked]
    together = system.complete(perception, written, max_new_tokens=3)
    alone = [system.complete(perception, [one], max_new_tokens=3)[0] for one in written]
    assert [one.ids for one in together] == [one.ids for one in alone]


def test_what_a_prompt_asks_about_is_told_by_its_last_question() -> None:
    region = REGION.id
    assert asks_about_one([USER.id, 20, region, 21, ANSWER.id])
    assert not asks_about_one([USER.id, region, ANSWER.id, 20, USER.id, 21, ANSWER.id])
    assert not asks_about_one([USER.id, region, 20, region, ANSWER.id])


def test_a_namer_that_was_never_fitted_says_nothing() -> None:
    system, without = tiny_system(region_namer=True), tiny_system(region_namer=True)
    without.network.config.region_namer = False
    assert opening(system) == opening(without)
    assert system.network.region_namer.pieces.numel() == 0
