from collections.abc import Sequence
from pathlib import Path

import pytest

from deixis.data.scene import Caption, Expression, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.phrasebook import nouns_of
from deixis.errors import UsageError
from deixis.evaluation.tasks import TASKS, find_tasks
from deixis.evaluation.tasks.grounding import where
from deixis.regions.shapes import Box, Point, Scribble
from tests.evaluation.packs import SHARED

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the pack flickr_grounding is not beside the checkout"
)


def caption(text: str, *phrases: tuple[str, tuple[int, ...]]) -> Caption:
    marked = (
        Phrase(text.index(words), text.index(words) + len(words), words, things) for words, things in phrases
    )
    return Caption(text, tuple(marked))


SCENE = Scene(
    "9",
    PictureFile(Path("9.jpg")),
    100,
    50,
    things=(
        Thing(1, Box(0, 0, 20, 20), "dog"),
        Thing(2, Box(50, 10, 70, 40), "dog"),
        Thing(3, Box(0, 30, 99, 50), "grass"),
        Thing(4, Box(3, 3, 5, 5), "collar"),
    ),
    captions=(
        caption("A dog and a brown puppy run .", ("A dog", (1,)), ("a brown puppy", (2,))),
        caption("a dog sees Two dogs on it .", ("a dog", (2,)), ("Two dogs", (1, 2)), ("it", ())),
        caption("Dogs on grass", ("Dogs", (1, 2)), ("grass", (3,))),
    ),
    expressions=(
        Expression("A brown puppy", 2, unique=True, group=False, distractors=1),
        Expression("a dog", 1, unique=False, group=False, distractors=1),
        Expression("grass", 3, unique=True, group=False, distractors=0),
        Expression("dogs there", 2, unique=True, group=True, distractors=1),
    ),
)


def test_a_phrase_is_asked_once_with_the_boxes_of_all_captions() -> None:
    items = TASKS["grounding"].items([SCENE], 0)
    boxes = {item.question: {box.as_tuple()[0] for box in item.truth} for item in items}
    assert boxes == {
        "where is a dog?": {0.0, 50.0},
        "where is a brown puppy?": {50.0},
        "where are two dogs?": {0.0, 50.0},
        "where are dogs?": {0.0, 50.0},
        "where is grass?": {0.0},
    }
    assert all(box.frame.size == (100, 50) for item in items for box in item.truth)


def test_only_hard_expressions_are_asked() -> None:
    (item,) = TASKS["expressions"].items([SCENE], 0)
    assert (item.question, item.truth.as_tuple()) == ("where is a brown puppy?", (50, 10, 70, 40))


def test_every_named_box_is_asked_about() -> None:
    assert nouns_of(SCENE) == {1: {"dog", "dogs"}, 2: {"puppy", "dog", "dogs"}, 3: {"grass"}}
    items = TASKS["naming"].items([SCENE], 0)
    assert [item.regions[0][1].as_tuple() for item in items] == [
        (0, 0, 20, 20),
        (50, 10, 70, 40),
        (0, 30, 99, 50),
    ]


@pytest.mark.parametrize(("name", "kind"), [("naming_point", Point), ("naming_scribble", Scribble)])
def test_points_and_strokes_lie_inside_and_follow_the_seed(name: str, kind: type) -> None:
    items, again, other = (TASKS[name].items([SCENE], seed) for seed in (0, 0, 1))
    assert items == again
    assert items != other
    for item, boxed in zip(items, TASKS["naming"].items([SCENE], 0), strict=True):
        (name_, region), (_, box) = item.regions[0], boxed.regions[0]
        assert name_ == "it"
        assert isinstance(region, kind)
        points = [(region.x, region.y)] if isinstance(region, Point) else region.points
        assert all(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for x, y in points)


def test_a_region_does_not_depend_on_the_other_pictures() -> None:
    twin = Scene("8", SCENE.picture, 100, 50, SCENE.things, SCENE.captions, ())
    alone, second = TASKS["naming_point"].items([SCENE], 0), TASKS["naming_point"].items([twin, SCENE], 0)
    assert second[len(alone) :] == alone
    assert second[0].regions != alone[0].regions


def test_braces_in_a_phrase_name_no_region() -> None:
    assert where("the {it} sign") == "where is the (it) sign?"


def test_baselines_are_computed() -> None:
    blind = {
        name: TASKS[name].baselines([SCENE], TASKS[name].items([SCENE], 0))
        for name in ("grounding", "naming", "expressions")
    }
    assert blind["grounding"] == {"fixed_box": 0.0, "fixed_box_merged": pytest.approx(0.0)}
    assert blind["naming"] == {"most_frequent_noun": pytest.approx(2 / 3)}
    assert blind["expressions"] == {"fixed_box": 0.0}


@pytest.mark.parametrize("names", [["groundin"], ["grounding", "nothing"], [], [" "]])
def test_unknown_tasks_are_answered_with_the_known_ones(names: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="grounding, expressions, naming, naming_point, naming_scribble"):
        find_tasks(names)


def test_the_nearest_task_is_suggested() -> None:
    with pytest.raises(UsageError, match=r"'groundin'\. Did you mean 'grounding'"):
        find_tasks(["groundin"])


def test_the_table_says_the_names_of_its_tasks() -> None:
    assert {name: task.name for name, task in TASKS.items()} == {name: name for name in TASKS}


@needs_shared
@pytest.mark.parametrize(
    ("name", "count", "baselines"),
    [
        ("grounding", 5242, {"fixed_box": 0.238, "fixed_box_merged": 0.298}),
        ("expressions", 880, {"fixed_box": 0.192}),
        ("naming", 3439, {"most_frequent_noun": 0.089}),
        ("naming_point", 3439, {"most_frequent_noun": 0.089}),
        ("naming_scribble", 3439, {"most_frequent_noun": 0.089}),
    ],
)
def test_counts_and_baselines_of_val(name: str, count: int, baselines: dict[str, float]) -> None:
    scenes = read_pack(SHARED, "val")
    items = TASKS[name].items(scenes, 0)
    assert len(items) == count
    assert TASKS[name].baselines(scenes, items) == pytest.approx(baselines, abs=0.0005)
