"""What Ferret-v2 does otherwise than Ferret: tiles, requests for boxes, a limit for text and picture."""

from __future__ import annotations

import pickle

import pytest

from deixis.data.grit.rendering import INCLUDE_COORDINATES, PROVIDE_BOXES
from deixis.errors import UsageError
from deixis.records.dialogue import Example
from deixis.regions.shapes import Box
from deixis.systems.ferret_v2.answering import (
    FERRET_UI_TEMPLATES,
    TiledPreparation,
    ferret_v2_system,
)
from deixis.systems.questions import checked_question
from deixis.systems.spliced.answering import SplicedSystem
from tests.contract.promises import encode, prompt_of
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2, lesson
from tests.systems.pointer.tiny import noise_picture

PICTURE = noise_picture(96, 64)


@pytest.fixture(scope="module")
def system() -> SplicedSystem:
    return fresh_ferret_v2()


def told(system: SplicedSystem, text: str) -> str:
    ids = prompt_of(system, checked_question(text, {}, PICTURE)).ids
    return system.codec.decode([i for i in ids if i >= 0])


def test_questions_for_places_say_that_they_want_boxes(system: SplicedSystem) -> None:
    wanted = "include the coordinates for each mentioned object."
    assert system.request == INCLUDE_COORDINATES and wanted in told(system, "where is the dog?").lower()
    assert wanted not in told(system, "what is there?").lower()
    assert told(system, f"where is the dog?{INCLUDE_COORDINATES}").lower().count(wanted) == 1
    assert wanted not in told(fresh_ferret(), "where is the dog?").lower()


def test_training_says_it_too(system: SplicedSystem) -> None:
    written = system.write_dialogue(lesson(PICTURE.frame)[0])
    text = system.codec.decode([i for i in written.ids if i >= 0]).lower()
    assert "the dog? include the coordinates for each mentioned object. assistant:" in text


@pytest.mark.parametrize("template", FERRET_UI_TEMPLATES)
def test_ferret_ui_says_it_in_its_own_words(system: SplicedSystem, template: str) -> None:
    system.network.config.template, before = template, system.network.config.template
    try:
        assert ferret_v2_system(system.network, system.codec).request == PROVIDE_BOXES
    finally:
        system.network.config.template = before


def test_a_view_is_what_the_tiles_were_cut_from(system: SplicedSystem) -> None:
    preparation = system.preparation
    assert isinstance(preparation, TiledPreparation)
    view, prepared = preparation.view(PICTURE)
    assert prepared.grid == (2, 1) and view.frame.size == (128, 64)
    whole = Box(0, 0, 96, 64, frame=PICTURE.frame)
    assert whole.to(view.frame).as_tuple() == pytest.approx((0, 0, 128, 64))
    batch = preparation.stack([prepared, preparation.view(noise_picture(60, 60))[1]])
    assert batch.grids == ((2, 1), (1, 1)) and len(batch.tiles) == 3
    assert pickle.loads(pickle.dumps(preparation)) == preparation


def test_without_tiles_a_view_is_the_whole() -> None:
    fixed = fresh_ferret_v2(resolution="fixed")
    view, prepared = fixed.preparation.view(PICTURE)
    assert prepared.canvas is None and view.frame.size == (64, 64)
    assert fixed.ask(PICTURE, "what is {it}?", it=Box(5, 5, 50, 50), max_new_tokens=2).system == "ferret_v2"


def test_text_and_picture_share_a_limit() -> None:
    """A prompt that would be cut behind its picture is refused: its end is where the answer begins."""
    small = fresh_ferret_v2(max_tokens=160)
    picture = len(encode(small, PICTURE).tensors.tokens[0])
    with pytest.raises(UsageError, match=rf"tokens; at most {160 - picture + 1}"):
        small.ask(PICTURE, "what is there? " * 20)
    whole = fresh_ferret_v2(max_tokens=None)
    assert whole.ask(PICTURE, "what is there? " * 20, max_new_tokens=1).system == "ferret_v2"


def test_a_batch_has_the_tiles_of_all_pictures(system: SplicedSystem) -> None:
    other = noise_picture(40, 80)
    batch = system.collate()(
        [Example("a", PICTURE, lesson(PICTURE.frame)), Example("b", other, lesson(other.frame))]
    )
    assert batch["pixel_values"].grids == ((2, 1), (1, 2)) and len(batch["pixel_values"].tiles) == 4
    assert batch["region_pictures"].tolist() == [0] * 4 + [1] * 4
    assert system.losses(lesson(PICTURE.frame), PICTURE)["total"].isfinite()
