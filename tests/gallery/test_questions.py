from collections import Counter
from dataclasses import replace

import pytest

from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words
from deixis.gallery.kinds import ABSENT, CAPTION, KINDS, LOCATE, NAME_BOX, NAME_POINT, NAME_STROKE, PRESENT
from deixis.gallery.questions import GalleryQuestion, questions_about
from deixis.regions.shapes import Box, Point, Scribble
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=24), "train")


def asked(scenes: list[Scene], *, seed: int = 0) -> list[list[GalleryQuestion]]:
    book = Phrasebook(scenes)
    return [
        questions_about(scene, turn=turn, seed=seed, phrasebook=book) for turn, scene in enumerate(scenes)
    ]


def test_four_photos_in_a_row_show_every_kind(scenes: list[Scene]) -> None:
    # Some toy pictures show all shapes there are, so that nothing is absent: they are left out here.
    some = [scene for scene in scenes if len(scene.things) == 2][:4]
    counts = Counter(one.kind for questions in asked(some) for one in questions)
    assert counts == {
        LOCATE: 6, NAME_BOX: 4, NAME_POINT: 2, NAME_STROKE: 2, PRESENT: 2, ABSENT: 2, CAPTION: 2,
    }  # fmt: skip
    assert set(counts) == set(KINDS)


def test_each_kind_points_with_its_own_shape(scenes: list[Scene]) -> None:
    shapes = {NAME_BOX: Box, NAME_POINT: Point, NAME_STROKE: Scribble}
    for one in (one for questions in asked(scenes) for one in questions):
        assert [type(region) for _, region in one.item.regions] == (
            [shapes[one.kind]] if one.kind in shapes else []
        )


def test_one_thing_is_not_named_twice_where_there_are_more(scenes: list[Scene]) -> None:
    for scene, questions in zip(scenes, asked(scenes), strict=True):
        box, other = (one.item.regions[0][1] for one in questions if one.kind.name.startswith("what is "))
        middle = other.bounds()
        inside = [thing for thing in scene.things if thing.box.x0 <= middle.x0 and middle.x1 <= thing.box.x1]
        assert len(inside) == 1
        assert inside[0].box.as_tuple() != box.bounds().as_tuple()


def test_what_is_absent_is_in_no_caption(scenes: list[Scene]) -> None:
    found = 0
    for scene, questions in zip(scenes, asked(scenes), strict=True):
        for one in questions:
            if one.kind is ABSENT:
                found += 1
                noun = one.item.question.removesuffix("?").split()[-1]
                assert noun.rstrip("s") not in caption_words(scene)
                assert one.item.truth is False
    assert found > 0


def test_a_seed_asks_the_same_and_another_something_else(scenes: list[Scene]) -> None:
    assert asked(scenes) == asked(scenes)
    assert asked(scenes) != asked(scenes, seed=1)


def test_questions_about_a_photo_do_not_depend_on_its_neighbours(scenes: list[Scene]) -> None:
    book = Phrasebook(scenes)
    alone = questions_about(scenes[4], turn=4, seed=0, phrasebook=book)
    assert asked(scenes)[4] == alone


def test_a_photo_without_phrases_is_asked_what_can_be_asked(scenes: list[Scene]) -> None:
    book = Phrasebook(scenes)
    bare = replace(scenes[0], things=(), captions=(), expressions=())
    kinds = [
        [one.kind for one in questions_about(bare, turn=turn, seed=0, phrasebook=book)] for turn in range(4)
    ]
    assert kinds == [[CAPTION], [ABSENT, CAPTION], [], [ABSENT]]


def test_nothing_is_absent_where_no_other_phrase_is_known(scenes: list[Scene]) -> None:
    questions = questions_about(scenes[0], turn=1, seed=0, phrasebook=Phrasebook(scenes[:1]))
    assert ABSENT not in {one.kind for one in questions}


def test_the_true_boxes_are_bound_to_the_photo(scenes: list[Scene]) -> None:
    for scene, questions in zip(scenes, asked(scenes), strict=True):
        for one in questions:
            assert (one.kind is LOCATE) == bool(one.meant)
            assert all(box.frame.size == (scene.width, scene.height) for box in one.meant)
