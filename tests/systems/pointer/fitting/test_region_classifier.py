"""Fitting a namer to toy pictures: what is shown, what counts as right, what stays as it was."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.sources import read_scenes
from deixis.data.synthesis.phrasebook import nouns_of
from deixis.layers.regions.region_classifier import NEVER
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point, Polygon, Scribble
from deixis.systems.pointer.fitting.region_classifier import (
    LEAST,
    first_pieces,
    fit_region_classifier,
    in_front,
    lessons_from,
    log_shares,
    name_loss,
    ways_to_point,
)
from deixis.systems.pointer.model import PointerNetwork
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return list(read_scenes(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=24), split="train"))


def fitted(scenes: list[Scene], *, seed: int = 0) -> PointerNetwork:
    network = tiny_network(region_namer=True)
    fit_region_classifier(network, tiny_vocabulary(), scenes, seed=seed)
    return network


def test_every_thing_is_shown_in_every_way(scenes: list[Scene]) -> None:
    network, vocabulary = tiny_network(region_namer=True), tiny_vocabulary()
    lessons = lessons_from(network, vocabulary, scenes)
    things = [begun for scene in scenes for begun in first_pieces(scene, vocabulary).values()]
    assert len(lessons.seen) == len(lessons.names) == 6 * len(things)
    assert lessons.seen.dtype == torch.float16 and bool(lessons.seen.isfinite().all())
    for begun, names in zip(things, lessons.names[::6], strict=True):
        assert sorted(lessons.pieces[names[names >= 0]].tolist()) == begun


def test_names_of_few_things_are_not_learnt(scenes: list[Scene]) -> None:
    few = scenes[: LEAST - 1]
    counts: dict[str, int] = {}
    for scene in few:
        for nouns in nouns_of(scene).values():
            for noun in nouns:
                counts[noun] = counts.get(noun, 0) + 1
    vocabulary = tiny_vocabulary()
    enough = {vocabulary.encode(noun)[0] for noun, count in counts.items() if count >= LEAST}
    rare = {vocabulary.encode(noun)[0] for noun, count in counts.items() if count < LEAST} - enough
    learnt = set(lessons_from(tiny_network(region_namer=True), vocabulary, few).pieces.tolist())
    assert enough and enough <= learnt and not rare & learnt


def said_of(thing: int, *phrases: str) -> Scene:
    """Return a scene of one thing that captions speak of in these ways."""
    captions = tuple(Caption(text, (Phrase(0, len(text), text, (1,)),)) for text in phrases)
    box = Thing(1, Box(0, 0, 20, 20), "dog")
    return Scene(
        str(thing), PictureFile(Path("gone.jpg")), 100, 50, things=(box,), captions=captions, expressions=()
    )


def test_words_that_mostly_stand_in_front_of_nouns_begin_no_name() -> None:
    vocabulary = tiny_vocabulary()
    phrases = ("the red", "a red hat", "a big red dog", "big red cats of a red cat")
    scenes = [said_of(n, *phrases) for n in range(9)]
    found = {vocabulary.pieces[piece] for piece in in_front(scenes, vocabulary).tolist()}
    assert found == {"the", "a", "big", "red"}
    scenes += [said_of(n, f"the red of {n}") for n in range(10, 40)]
    assert "red" not in {vocabulary.pieces[piece] for piece in in_front(scenes, vocabulary).tolist()}


def test_they_are_learnt_but_not_said(scenes: list[Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *others) = fitted(scenes).region_namer.pieces
    monkeypatch.setattr("deixis.systems.pointer.fitting.region_classifier.in_front", lambda *_: first[None])
    network = fitted(scenes)
    assert network.region_namer.pieces.tolist() == [int(piece) for piece in others]
    assert first in lessons_from(network, tiny_vocabulary(), scenes).pieces


def test_how_usual_names_and_qualities_are() -> None:
    vocabulary = tiny_vocabulary()
    words = ["dog", "dog", "cat", "", "dog", "zebra"]
    shares = log_shares(words, vocabulary)
    known = {piece: float(share) for piece, share in enumerate(shares) if share > NEVER / 2}
    z = vocabulary.encode("zebra")[0]
    dog, cat = (vocabulary.encode(word)[0] for word in ("dog", "cat"))
    assert known == {dog: pytest.approx(math.log(3 / 5)), cat: pytest.approx(math.log(1 / 5)), z: known[cat]}
    assert (log_shares(words, vocabulary, at_least=2) > NEVER / 2).nonzero().tolist() == [[dog]]


def test_a_fitted_namer_knows_how_usual_words_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qualities are words that mostly stand in front of nouns, and of one piece."""
    monkeypatch.setattr("deixis.systems.pointer.fitting.region_classifier.LEAST_QUALITY", 6)
    monkeypatch.setattr(
        "deixis.systems.pointer.fitting.region_classifier.shown_things",
        lambda *_: torch.randn(6, len(tiny_network(region_namer=True).region_namer.mean)),
    )
    vocabulary = tiny_vocabulary()
    texts = ("a red dog", "a big cat", "the dog cat", "an ugly hat", "the big")
    scenes = [said_of(n, *(texts if n < 6 else texts[:1])) for n in range(9)]
    classifier = fitted(scenes).region_namer
    names, qualities = (
        {vocabulary.pieces[int(n)] for n in (usual > NEVER / 2).nonzero()}
        for usual in (classifier.usual_names, classifier.usual_qualities)
    )
    assert names == {"dog", "cat", "hat", "big"} and qualities == {"red"}


def test_ways_to_point_stay_in_the_box_or_nearly() -> None:
    box = Box(10, 20, 50, 40, frame=Frame.original(64, 64))
    ways = list(ways_to_point(box, np.random.default_rng(1)))
    assert [type(way) for way in ways] == [Box, Box, Point, Point, Scribble, Polygon]
    for way in ways:
        x0, y0, x1, y1 = way.bounds().as_tuple()
        assert x0 >= 10 - 3.2 and y0 >= 20 - 1.6 and x1 <= 50 + 3.2 and y1 <= 40 + 1.6
    again = list(ways_to_point(box, np.random.default_rng(1)))
    assert again == ways


def test_all_names_of_a_thing_are_equally_right() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    chances = logits.log_softmax(dim=-1)
    loss = name_loss(logits, torch.tensor([[0, 2], [1, -1]]))
    expected = -((chances[0, 0] + chances[0, 2]) / 2 + chances[1, 1]) / 2
    torch.testing.assert_close(loss, expected)


@pytest.mark.slow
def test_a_fitted_namer_knows_the_shapes_it_was_shown(scenes: list[Scene], monkeypatch) -> None:
    monkeypatch.setattr("deixis.systems.pointer.fitting.region_classifier.PASSES", 250)
    network, vocabulary = fitted(scenes), tiny_vocabulary()
    lessons = lessons_from(network, vocabulary, scenes)
    pieces = network.region_namer.pieces
    assert pieces.tolist() == lessons.pieces.tolist()
    with torch.inference_mode():
        logits = network.region_namer(lessons.seen.float(), network.words.table.weight)[:, pieces]
    right = (logits.argmax(dim=-1)[:, None] == lessons.names).any(dim=1).float().mean()
    guessed = max(float((lessons.names == n).any(dim=1).float().mean()) for n in range(len(pieces)))
    assert right > guessed + 0.15


def test_everything_else_stands_still_and_the_same_seed_gives_the_same(
    scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "deixis.systems.pointer.fitting.region_classifier.LEAST_QUALITY", 2
    )  # there are few pictures
    before, first, second = tiny_network(region_namer=True).state_dict(), fitted(scenes), fitted(scenes)
    after = first.state_dict()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor) != name.startswith("region_namer."), name
    for name, tensor in second.state_dict().items():
        assert torch.equal(after[name], tensor), name
    other = fitted(scenes, seed=1).state_dict()
    assert not torch.equal(other["region_namer.out.weight"], after["region_namer.out.weight"])


def test_without_names_nothing_is_fitted() -> None:
    network = fitted([])
    assert bool((network.region_namer.bias == NEVER).all())
