"""The pointer system in lower precision: words are rounded, places are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deixis.layers.places.place_map import PlaceMap
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box, Point
from deixis.systems import load
from deixis.systems.pointer.answering import EncodedPicture, PointerSystem, open_pointer
from deixis.systems.pointer.region_inputs import region_tensors
from tests.contract.promises import assert_same_answer, encode, every_kind
from tests.device_double import DeviceDouble
from tests.systems.pointer.tiny import noise_picture, saved_system

PHOTO = Path(__file__).parents[3] / "docs" / "images" / "answer.png"
HALVES = (torch.bfloat16, torch.float16)
WHOLE = {
    "candidates": 6,
    "looks": 2,
    "candidate_detail": True,
    "region_detail": True,
    "region_view": True,
    "region_namer": True,
    "second_side": 96,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system with every part that there is."""
    folder = tmp_path_factory.mktemp("whole")
    saved_system(folder, **WHOLE)
    return folder


def places_of(system: PointerSystem) -> PlaceMap:
    seen: EncodedPicture = encode(system, noise_picture()).tensors
    return seen.places


@pytest.mark.parametrize("dtype", HALVES)
def test_every_part_answers(folder: Path, dtype: torch.dtype) -> None:
    system, picture = open_pointer(folder, dtype=dtype), noise_picture()
    assert system.dtype == dtype
    regions = every_kind(picture)
    questions = ["where is the dog?", *(f"what is {{{name}}}?" for name in regions)]
    given = [{}, *({name: region} for name, region in regions.items())]
    answers = system.ask(picture, questions, regions=given)
    assert any(span.places for answer in answers for span in answer.spans)
    assert system.ask(picture, "is {it} a dog?", it=Point(40, 40), before=answers[:1]).text


@pytest.mark.parametrize("dtype", HALVES)
def test_boxes_and_masses_are_not_rounded(folder: Path, dtype: torch.dtype) -> None:
    system = open_pointer(folder, dtype=dtype)
    places = places_of(system)
    assert places.keys.dtype == dtype
    assert places.boxes.dtype == torch.float32
    assert not places.boxes.equal(places.boxes.to(dtype).float())
    hidden = torch.randn(1, 2, system.network.config.width, dtype=dtype)
    with torch.inference_mode():
        pointed = system.network.point(hidden, places)
    assert pointed.quality is not None
    assert {one.dtype for one in (pointed.scores, pointed.nowhere, pointed.boxes, pointed.quality)} == {
        torch.float32
    }


@pytest.mark.parametrize("dtype", HALVES)
def test_what_is_encoded_is_close(folder: Path, dtype: torch.dtype) -> None:
    exact, rounded = open_pointer(folder), open_pointer(folder, dtype=dtype)
    theirs, ours = places_of(exact), places_of(rounded)
    assert theirs.picture is not None and ours.picture is not None
    assert theirs.picture.equal(ours.picture), "the picture that views are cut from is kept as it is"
    assert (theirs.boxes - ours.boxes).abs().max() < 2.0
    tensors = region_tensors(
        [[Box(8, 10, 40, 50, frame=encode(exact, noise_picture()).view.frame)]], exact.network.config
    )
    vectors = [
        system.network.encode_regions(
            places, tensors["region_masks"], tensors["region_geometry"], tensors["region_present"]
        )
        for system, places in ((exact, theirs), (rounded, ours))
    ]
    assert vectors[1].dtype == dtype
    assert torch.nn.functional.cosine_similarity(vectors[0], vectors[1].float()).min() > 0.99


@pytest.mark.slow
def test_the_embedded_system_mixes_no_devices() -> None:
    """Names by two opinions, claims weighed, first words tried out: what the tiny one has no words for."""
    picture = open_picture(PHOTO)
    spot = Box(0, 0, picture.width / 2, picture.height / 2)
    questions = (
        "where is the man?",
        "is there an elephant?",
        "what is {it}?",
        "is {it} a dog?",
        "is {it} a man or a tree?",
        "is {it} red?",
        "describe the picture.",
    )
    given = [{"it": spot} if "{it}" in question else {} for question in questions]
    expected = load(device="cpu").ask(picture, questions, regions=given)
    with DeviceDouble() as double:
        system = load(device="cpu").to(double.device)
        answers = system.ask(picture, questions, regions=given)
        load(device="cpu", dtype="bfloat16").to(double.device).ask(picture, questions, regions=given)
    assert double.operations and not double.mixed, double.mixed
    for answer, other in zip(answers, expected, strict=True):
        assert_same_answer(answer, other)
