"""Answers: several pictures and none, streams, regions in both forms, hostile pictures and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from deixis.errors import UsageError
from deixis.painting.sign import Sign
from deixis.pictures.opening import Picture, open_picture
from deixis.records.dialogue import Dialogue, Example, Turn
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box, Point
from deixis.systems import load
from deixis.systems.questions import checked_question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.objective import SplicedObjective
from tests.systems.florence_vl.tiny import SIDE, fresh_florence_vl
from tests.systems.pointer.tiny import noise_picture


@pytest.fixture(scope="module")
def system() -> SplicedSystem:
    return fresh_florence_vl()


def opened(pixels: NDArray[np.uint8], name: str = "p") -> Picture:
    return open_picture(pixels, name=name)


def test_two_pictures_and_none_in_one_dialogue(system: SplicedSystem) -> None:
    pictures = [noise_picture(40, 30), noise_picture(30, 50)]
    first = system.ask(pictures, "which is larger?", max_new_tokens=4)
    again = system.ask(pictures, "and why?", before=[first], max_new_tokens=4)
    alone = system.ask(None, "what is a dog?", max_new_tokens=4)
    assert len(again.pictures) == 2 and alone.pictures == ()
    streamed = "".join(delta.text for delta in system.stream(pictures, "which is larger?", max_new_tokens=4))
    assert streamed == first.text


def test_a_mixed_batch_learns_what_its_rows_learn_alone() -> None:
    system = fresh_florence_vl(tower_training="frozen")
    one, two = noise_picture(40, 30), noise_picture(30, 50)
    rows = [
        Example("two", (one, two), (Dialogue("free", (Turn("which is larger?", "the first."),)),)),
        Example("none", (), (Dialogue("free", (Turn("what is a dog?", "a dog is red."),)),)),
        Example("one", (two,), (Dialogue("free", (Turn("what is there?", "a hat."),)),)),
    ]
    objective = SplicedObjective(system.network)
    collate = system.collate()
    batch = collate(rows)
    assert batch["picture_counts"] == [2, 0, 1]
    with torch.no_grad():
        together = objective.losses(batch)["language_model"]
        alone = [objective.losses(collate([row]))["language_model"] for row in rows]
    total = sum(float(loss.mean) * loss.count for loss in alone)
    assert float(together.mean) * together.count == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 2000), (2000, 1), (1, 1)])
def test_extreme_proportions(system: SplicedSystem, shape: tuple[int, int]) -> None:
    picture = opened(np.full((*shape, 3), 200, dtype=np.uint8))
    assert system.ask(picture, "what is there?", max_new_tokens=2).pictures == (picture,)
    box = Box(0, 0, shape[1], shape[0])
    assert system.ask(picture, "what is {it}?", it=box, max_new_tokens=2).regions


def test_grey_pictures_are_grey_ones_in_three_channels(system: SplicedSystem) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (20, 30), dtype=np.uint8)
    one, three = opened(grey), opened(np.repeat(grey[..., None], 3, axis=2))
    first, second = (system.encode(system.encoder_inputs(ask(each))) for each in (one, three))
    assert torch.equal(first[0].tensors.tokens[0], second[0].tensors.tokens[0])


def ask(picture: Picture, text: str = "what is there?", **regions: Point) -> object:
    return checked_question(text, {name: one.bind(picture.frame) for name, one in regions.items()}, [picture])


def test_five_pictures(system: SplicedSystem) -> None:
    pictures = [noise_picture(20, 20 + side) for side in range(5)]
    assert len(system.ask(pictures, "what are these?", max_new_tokens=2).pictures) == 5


def test_a_picture_marker_that_a_user_types_is_words(system: SplicedSystem) -> None:
    picture = noise_picture(40, 30)
    question = ask(picture, "what is <image> and <image>?")
    prompt = system.build_prompt(question, system.encode(system.encoder_inputs(question)))
    assert list(prompt.ids).count(-200) == 1
    assert system.ask(None, "what is <image>?", max_new_tokens=2).pictures == ()


def test_more_pictures_than_a_row_has_room_for() -> None:
    system = fresh_florence_vl(max_tokens=64)
    with pytest.raises(UsageError, match="at most"):
        system.ask(
            [noise_picture(20, 20), noise_picture(20, 30)] * 2, "what are these? " * 8, max_new_tokens=2
        )


def test_regions_are_painted(system: SplicedSystem) -> None:
    picture = opened(np.full((40, 60, 3), 128, dtype=np.uint8))
    (seen,) = system.seen(picture, "what is {it}?", it=Box(5, 5, 30, 30))
    assert not np.array_equal(seen.pixels, picture.pixels)
    prompt = system.dialect_for(ask(picture, "what is {it}?", it=Point(10, 10)))
    assert all(isinstance(sign, Sign) for sign in prompt.signs.values())


def test_coordinates_with_two_decimals() -> None:
    system = fresh_florence_vl(regions="coordinates", boxes="decimals")
    dialect = system.dialect
    box = Box(16, 12, 80, 60).bind(Frame.original(160, 120))
    assert dialect.write_region(box).text == dialect.write_box(box) == "[0.10, 0.10, 0.50, 0.50]"
    assert dialect.write_region(Point(160, 30).bind(box.frame)).text == "[1.00, 0.25]"
    reader = dialect.reader()
    pieces = [
        "a dog [0.",
        "10, 0.2, .55, 1",
        "] near [1, 2, 3, 4], ",
        "[0.3, 0, 0.1, 1] or [0.1, 0.2, 1.5, 1]",
    ]
    deltas = [*map(reader.add, pieces), reader.close()]
    phrases = [phrase for delta in deltas for phrase in delta.phrases]
    assert [(one.phrase, one.boxes[0].steps) for one in phrases] == [("a dog", (100, 200, 550, 1000))]
    assert len(reader.failures) == 3, "thousandths, an inverted box, one that leaves the picture"
    with pytest.raises(UsageError, match="boxes is 'decimals', but regions is 'painted'"):
        fresh_florence_vl(boxes="decimals")


def test_regions_as_coordinates() -> None:
    system = fresh_florence_vl(regions="coordinates", boxes="thousandths")
    assert not system.paints
    picture = noise_picture(100, 50)
    question = ask(picture, "what is {it}?", it=Point(10, 20))
    prompt = system.build_prompt(question, system.encode(system.encoder_inputs(question)))
    assert "what is [100, 400]?" in system.codec.decode([one for one in prompt.ids if one >= 0])
    answer = system.ask(picture, "what is {it}?", it=Box(10, 10, 20, 30), max_new_tokens=3)
    assert answer.regions


def test_projected_features_are_kept(system: SplicedSystem) -> None:
    calls: list[int] = []
    hook = system.network.projector.register_forward_hook(lambda *_: calls.append(1))
    picture = noise_picture(41, 31)
    first = system.ask(picture, "what is there?", max_new_tokens=2)
    system.ask(picture, "and then?", before=[first], max_new_tokens=2)
    hook.remove()
    assert len(calls) == 1


@pytest.mark.parametrize("gate", ["none", "question"])
def test_saved_and_opened_it_says_the_same(tmp_path: Path, gate: str) -> None:
    system = fresh_florence_vl(gate=gate, mask_prompt_padding=True, drop_pooled_token=True)
    system.save(tmp_path)
    again = load(tmp_path, device="cpu")
    picture = noise_picture(SIDE, SIDE)
    one, other = (each.ask(picture, "what is there?", max_new_tokens=6) for each in (system, again))
    assert one.raw == other.raw
    config = again.network.config
    assert (config.gate, config.mask_prompt_padding, config.drop_pooled_token) == (gate, True, True)
