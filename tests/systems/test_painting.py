"""A system that paints regions on the picture: those of the whole dialogue, and N of them are one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deixis.pictures.opening import open_picture
from deixis.regions.frames import same_frame
from deixis.regions.shapes import Box, Point, Region
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.ferret.answering import FerretSystem
from deixis.systems.questions import Question
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.pointer.tiny import noise_picture

PICTURE = noise_picture(96, 64)
RED = (255, 0, 0)


class Painting(FerretSystem):
    """Fills the boxes of regions with red before it looks."""

    paints = True

    def encoder_inputs(self, question: Question) -> list[EncoderInput]:
        regions: list[Region] = [region for answer in question.before for _, region in answer.regions]
        regions += [region for _, region in question.regions]
        return [
            EncoderInput(
                picture,
                tuple(dict.fromkeys(one for one in regions if same_frame(one.frame.root, picture.frame))),
            )
            for picture in question.pictures
        ]

    def encode(self, inputs: Sequence[EncoderInput]) -> list[Encoded]:
        painted = []
        for one in inputs:
            pixels = np.array(one.picture.pixels)
            for region in one.painted:
                x0, y0, x1, y1 = (round(edge) for edge in region.bounds().as_tuple())
                pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = RED
            painted.append(EncoderInput(replace(one.picture, pixels=pixels, decoded=None)))
        encoded = super().encode(painted)
        return [replace(made, key=one.key) for made, one in zip(encoded, inputs, strict=True)]


@pytest.fixture
def system() -> Painting:
    made = fresh_ferret()
    return Painting(made.network, made.codec, made.preparation, dialect=made.dialect, sampling=made.sampling)


@pytest.fixture
def seen(system: Painting, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the batches of pixels that the network encodes, as they come."""
    batches: list[Any] = []
    encode = system.network.encode_pictures

    def recorded(pixels: Any) -> Any:
        batches.append(pixels)
        return encode(pixels)

    monkeypatch.setattr(system.network, "encode_pictures", recorded)
    return batches


def boxes(count: int) -> list[dict[str, Region]]:
    return [{"it": Box(4 + 5 * n, 8, 24 + 5 * n, 40)} for n in range(count)]


def test_painted_regions_are_encoded_as_one_batch(system: Painting, seen: list[Any]) -> None:
    questions = ["what is {it}?"] * 8
    answers = system.ask(PICTURE, questions, regions=boxes(8), max_new_tokens=3)
    assert [len(batch) for batch in seen] == [8]
    apart = [system.ask(PICTURE, "what is {it}?", regions=own, max_new_tokens=3) for own in boxes(8)]
    assert len(seen) == 1, "what was painted before was encoded again"
    assert [one.raw for one in apart] == [one.raw for one in answers]


def test_what_is_painted_comes_from_the_whole_dialogue(system: Painting, seen: list[Any]) -> None:
    first = system.ask(PICTURE, "what is {it}?", it=Box(10, 10, 40, 40), max_new_tokens=3)
    assert [len(batch) for batch in seen] == [1]
    system.ask(PICTURE, "and what is beside it?", before=[first], max_new_tokens=3)
    assert len(seen) == 1, "the second turn is about the picture as it was painted for the first"
    system.ask(PICTURE, "is {that} like it?", that=Point(60, 30), before=[first], max_new_tokens=3)
    assert len(seen) == 2 and not np.array_equal(seen[0].numpy(), seen[1].numpy())
    system.ask(PICTURE, "what is there?", max_new_tokens=3)
    assert len(seen) == 3, "without that dialogue nothing is painted"


def test_another_picture_is_left_alone(system: Painting) -> None:
    other = open_picture(np.array(PICTURE.pixels)[::-1].copy())
    region = Box(10, 10, 40, 40).bind(PICTURE.frame)
    question = Question("what is {it}?", (("it", region),), pictures=(PICTURE, other))
    assert [one.painted for one in system.encoder_inputs(question)] == [(region,), ()]
