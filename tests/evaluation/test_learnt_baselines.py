from dataclasses import replace
from pathlib import Path

import pytest

from deixis.data.scene import Scene, Thing
from deixis.data.sources.pack import read_pack
from deixis.errors import UsageError
from deixis.evaluation.evaluating import evaluate, with_items
from deixis.evaluation.tasks import ALL, TASKS, find_tasks
from deixis.evaluation.tasks.grounding import GROUNDING, learnt_baselines
from deixis.regions.shapes import Box
from tests.evaluation.answering import Nowhere
from tests.evaluation.packs import SHARED
from tests.evaluation.scenes import captioned
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=12)


@pytest.fixture(scope="module")
def scenes(pack: Path) -> list[Scene]:
    return read_pack(pack, "val")


def test_the_box_of_a_noun_is_learnt_elsewhere() -> None:
    def scene(name: str, phrase: str, box: Box) -> Scene:
        return replace(captioned(name, phrase), things=(Thing(0, box, "thing"),))

    left, right = Box(0, 0, 25, 25), Box(75, 25, 100, 50)
    elsewhere = [
        scene("2", "a big dog", left),
        scene("3", "a dog on the left", left),
        scene("4", "cats", right),
    ]
    asked = GROUNDING.items(
        [scene("5", "the dog", left), scene("6", "the dog", right), scene("7", "two cats", right)], 0
    )
    assert learnt_baselines(elsewhere, asked)["box_by_noun"] == pytest.approx(2 / 3)


def test_learnt_baselines_are_reported_only_if_asked_for(pack: Path, scenes: list[Scene]) -> None:
    tasks = find_tasks(["grounding", "naming"])
    plain = evaluate(Nowhere(), scenes, tasks, data="toy", split="val")
    report = evaluate(
        Nowhere(), scenes, tasks, data="toy", split="val",
        baseline_scenes=read_pack(pack, "train"), baseline_split="train",
    )  # fmt: skip
    assert set(plain.tasks["grounding"].baselines) == {"fixed_box", "fixed_box_merged"}
    assert set(report.tasks["grounding"].baselines) - set(plain.tasks["grounding"].baselines) == {
        "box_by_noun",
        "box_by_noun_merged",
    }
    assert report.tasks["naming"].baselines == plain.tasks["naming"].baselines
    assert plain.to_dict()["protocol"]["baseline_split"] == "none"
    assert report.to_dict()["protocol"]["baseline_split"] == "train"


def test_knowing_the_very_pictures_is_better_than_one_box(scenes: list[Scene]) -> None:
    asked = GROUNDING.items(scenes, 0)
    assert learnt_baselines(scenes, asked)["box_by_noun"] > GROUNDING.baselines(scenes, asked)["fixed_box"]


def test_a_split_without_phrases_teaches_nothing(scenes: list[Scene]) -> None:
    with pytest.raises(UsageError, match="right split"):
        evaluate(
            Nowhere(), scenes, [GROUNDING], data="toy", split="val",
            baseline_scenes=[captioned("1")], baseline_split="train",
        )  # fmt: skip


def test_all_stands_for_every_task() -> None:
    assert [task.name for task in find_tasks([ALL])] == list(TASKS)
    others = [name for name in TASKS if name != "naming"]
    assert [task.name for task in find_tasks(["naming", f" {ALL}"])] == ["naming", *others]


def test_tasks_that_find_nothing_can_be_left_out(scenes: list[Scene]) -> None:
    bare = [captioned("1", "a dog")]
    assert [task.name for task in with_items(find_tasks(["expressions", "grounding"]), bare, 0)] == [
        "grounding"
    ]
    with pytest.raises(UsageError, match="none of 1 tasks"):
        with_items(find_tasks(["expressions"]), bare, 0)


def test_bare_expressions_ask_for_the_category_of_the_same_things(scenes: list[Scene]) -> None:
    full, bare = (TASKS[name].items(scenes, 0) for name in ("expressions", "expressions_bare"))
    assert [(item.picture, item.truth) for item in full] == [(item.picture, item.truth) for item in bare]
    for one, other in zip(full, bare, strict=True):
        kind = one.question.removesuffix("?").split()[-1]
        assert other.question == f"where is the {kind}?" != one.question


@pytest.mark.skipif(not SHARED.is_dir(), reason="the pack flickr_grounding is not beside the checkout")
@pytest.mark.parametrize(
    ("name", "count", "baselines"),
    [
        ("expressions_bare", 880, {"fixed_box": 0.192}),
        ("presence", 10484, {"always_yes": 0.5}),
        ("calibration", 5242, {"constant_score_auroc": 0.5}),
        ("nowhere", 10484, {"constant_score": 0.5}),
        ("verification", 4028, {"always_yes": 0.5}),
        ("choosing", 2014, {"always_the_first": 0.5015}),
        ("attributes", 1664, {"always_yes": 0.5}),
    ],
)
def test_counts_and_baselines_of_val(name: str, count: int, baselines: dict[str, float]) -> None:
    scenes = read_pack(SHARED, "val")
    items = TASKS[name].items(scenes, 0)
    assert len(items) == count
    assert TASKS[name].baselines(scenes, items) == pytest.approx(baselines, abs=0.0005)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the pack flickr_grounding is not beside the checkout")
def test_the_learnt_baseline_of_val() -> None:
    items = GROUNDING.items(read_pack(SHARED, "val"), 0)
    learnt = learnt_baselines(read_pack(SHARED, "train"), items)
    assert learnt == pytest.approx({"box_by_noun": 0.290, "box_by_noun_merged": 0.298}, abs=0.0005)
