"""What a recipe's sources hold, and the examples they give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.data.detection import DetectionExample
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import RecipeError, RecordError
from deixis.regions.shapes import Mask
from deixis.systems.sources import Sources
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.source_choice import SourceChoice
from tests.data.grit.made import DISC, RUNS, values, write_list
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import toy_recipe

GRIT = values("<image>\nWhat is <bbox_location0>?", "a zebra", box_x1y1x2y2=[[[5, 5, 20, 20]], []])
LINE = {
    "picture": "images/a.png",
    "frame": "unit",
    "regions": {"a": {"box": [0.1, 0.1, 0.6, 0.7]}},
    "turns": [{"user": "What is {a}?", "assistant": "It is [a gizmo](a)."}],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_toy_pack(tmp_path_factory.mktemp("data"), pictures=6)
    Image.new("RGB", (60, 44), (90, 120, 60)).save(folder / "images" / "a.png")
    write_list(folder / "vg_objects.json", *({**GRIT, "id": n} for n in range(10)))
    write_list(folder / "empty.json")
    (folder / "own.jsonl").write_text(json.dumps(LINE) + "\n")
    return folder


def recipe(*sources: dict[str, Any], **changes: Any) -> Recipe:
    return toy_recipe(sources=list(sources), augmentation={"square": False}, **changes)


def examples(made: Sources, *, request: str = "") -> Any:
    return made.examples(phrasebook=Phrasebook(made.scenes), side=64, request=request)


def test_scenes_hold_some_out(data: Path) -> None:
    made = Sources.of(recipe({"hold_out": 2}), data)
    assert len(made.scenes) == 4 and len(made.held_out) == 2 and made.records == []
    assert not {scene.id for scene in made.scenes} & {scene.id for scene in made.held_out}
    found = examples(made).example(0, np.random.default_rng(0))
    assert max(found.picture.frame.size) == 64 and found.picture.frame.parent is None


def test_grit_records_keep_their_size(data: Path) -> None:
    made = Sources.of(recipe({"grit": "vg_objects.json"}), data)
    source = examples(made)
    found = source.example(3, np.random.default_rng(0))
    assert len(source) == 10 and found.picture.frame.size == (60, 44)
    assert found.name == "vg_object 3" and found.dialogues[0].turns[0].answer == "a zebra"
    assert any("zebra" in text for text in made.texts())
    assert not any("bbox_location" in text for text in made.texts())


def test_a_request_goes_to_grit(data: Path) -> None:
    write_list(data / "refexp.json", GRIT)
    made = Sources.of(recipe({"grit": "refexp.json"}), data)
    turn = examples(made, request=" Give boxes.").example(0, np.random.default_rng(0)).dialogues[0].turns[0]
    assert turn.question.endswith(" Give boxes.")


REGIONS = {"id": "pointQA_twice-1", "image": "a.png", "bboxes": [[5, 5, 30, 30]]}
REGIONS |= {"general_question": "How many zebras are there?", "answer": "two"}


def test_region_instructions_are_painted(data: Path) -> None:
    other = {"id": "vg_rel-2", "image": "a.png", "bboxes": [[5, 5, 30, 30], [30, 5, 50, 40]]}
    write_list(data / "regions.json", REGIONS, other | {"answer": "(zebra, near, tree)"})
    made = Sources.of(recipe({"painted": "regions.json"}), data)
    source = examples(made)
    found = source.example(0, np.random.default_rng(0))
    assert len(source) == 2 and found.picture.frame.size == (60, 44)
    assert (found.picture.pixels[..., 0] > 150).any(), "no red rectangle"
    assert found.dialogues[0].turns[0].answer == "two"
    assert any("zebras" in text for text in made.texts()) and not any("<image>" in t for t in made.texts())
    made.only_dialogues()
    square = Sources.of(toy_recipe(sources=[{"painted": "regions.json"}]), data)
    assert examples(square).example(0, np.random.default_rng(0)).picture.frame.size == (64, 64)
    quirky = Sources.of(recipe({"painted": "regions.json", "published_quirks": True}), data)
    assert examples(quirky).example(1, np.random.default_rng(0)).pictures == ()
    with pytest.raises(RecipeError, match=r"needs a picture for every sample.* and published_quirks"):
        quirky.only_dialogues()
    said = [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Hello."}]
    write_list(data / "regions.json", REGIONS, {"id": "x", "conversations": said})
    bare = Sources.of(recipe({"painted": "regions.json"}), data)
    assert bare.identity() and examples(bare).example(1, np.random.default_rng(0)).pictures == ()
    with pytest.raises(RecipeError, match=r"source './regions.json' has 1 without one"):
        bare.only_dialogues()


def test_region_instructions_are_known_again(data: Path) -> None:
    write_list(data / "regions.json", REGIONS)
    before = Sources.of(recipe({"painted": "regions.json"}), data).identity()
    assert list(before) == ["samples of source 1 (./regions.json)", "pictures of source 1 (./regions.json)"]
    write_list(data / "regions.json", REGIONS)
    assert Sources.of(recipe({"painted": "regions.json"}), data).identity() == before
    write_list(data / "regions.json", REGIONS | {"answer": "three"})
    assert Sources.of(recipe({"painted": "regions.json"}), data).identity() != before


def test_multipliers_repeat_and_draw(data: Path) -> None:
    for factor, count in ((3.0, 30), (0.2, 2), (1.5, 15)):
        made = Sources.of(recipe({"grit": "vg_objects.json", "multiplier": factor}), data)
        assert len(examples(made)) == count
    made = Sources.of(recipe({"grit": "vg_objects.json", "multiplier": 0.0}), data)
    with pytest.raises(RecipeError, match=r"multiplied by 0\.0; expected a number above 0"):
        examples(made)


def test_dense_asks_of_all_things(data: Path) -> None:
    made = Sources.of(recipe({"dense": True}), data)
    found = examples(made).example(0, np.random.default_rng(0))
    assert [turn.question.split()[1] for dialogue in found.dialogues for turn in dialogue.turns] == [
        "classify",
        "localize",
    ]
    assert found.picture.frame.parent is None and len(examples(made)) == 6


def test_dense_locations_of_lvis_have_their_masks(tmp_path: Path) -> None:
    folder = tmp_path / "lvis"
    (folder / "images").mkdir(parents=True)
    Image.new("RGB", (60, 44)).save(folder / "images" / "000000000001.jpg")
    image = {"id": 1, "width": 60, "height": 44, "coco_url": "http://x/train2017/000000000001.jpg"}
    image |= {"neg_category_ids": [], "not_exhaustive_category_ids": [1]}
    thing = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [12, 7, 17, 17], "area": 200}
    content = {"images": [image], "annotations": [thing | {"segmentation": RUNS}]}
    content |= {"categories": [{"id": 1, "name": "ball", "synonyms": ["ball"]}]}
    (folder / "lvis_v1_train.json").write_text(json.dumps(content))
    made = Sources.of(recipe({"folder": "lvis", "dense": True}), tmp_path)
    turn = examples(made).example(0, np.random.default_rng(0)).dialogues[0].turns[0]
    ((_, segment),) = turn.meant
    assert isinstance(segment, Mask) and np.array_equal(segment.rasterise(), DISC)


def test_records_and_all_kinds_together(data: Path) -> None:
    own = Sources.of(recipe({"samples": "own.jsonl"}), data)
    assert len(own.records) == 1 and any("gizmo" in text for text in own.texts())
    kinds = ({"samples": "own.jsonl"}, {"grit": "vg_objects.json", "multiplier": 2.0}, {"dense": True}, {})
    source = examples(Sources.of(recipe(*kinds, {"grit": "empty.json"}), data))
    assert len(source) == 1 + 20 + 6 + 6
    assert source.example(0, np.random.default_rng(0)).name == "own.jsonl:1"
    assert source.example(20, np.random.default_rng(0)).name.startswith("vg_object")


def test_detection_is_asked_for_and_allowed(data: Path) -> None:
    given = recipe({"hold_out": 2}, {"detection": True, "multiplier": 2.0})
    with pytest.raises(RecipeError, match=r"pointer learns from dialogues; source '\.' is for detection"):
        Sources.of(given, data)
    source = examples(Sources.of(given, data, detection=True))
    assert len(source) == 4 + 12
    found = source.example(4, np.random.default_rng(0))
    assert isinstance(found, DetectionExample) and len(found.boxes) == len(found.labels)


def test_square_views_are_letterboxed(data: Path) -> None:
    made = Sources.of(toy_recipe(sources=[{"grit": "vg_objects.json"}]), data)
    assert examples(made).example(0, np.random.default_rng(0)).picture.frame.size == (64, 64)


def test_sources_that_say_two_things_are_refused() -> None:
    with pytest.raises(RecipeError, match="is samples and grit; make a source of each"):
        SourceChoice(samples="a.jsonl", grit="b.json")
    with pytest.raises(RecipeError, match="is grit and dense"):
        SourceChoice(grit="b.json", dense=True)
    with pytest.raises(RecipeError, match="is dense and detection"):
        SourceChoice(dense=True, detection=True)
    with pytest.raises(RecipeError, match="is grit and painted"):
        SourceChoice(grit="b.json", painted="c.json")
    with pytest.raises(RecipeError, match="published_quirks without painted"):
        SourceChoice(published_quirks=True)
    with pytest.raises(RecipeError, match="painted and outside"):
        SourceChoice(painted="c.json", outside="cut")
    for wrong in ({"hold_out": -1}, {"hold_out": 5, "grit": "b.json"}, {"hold_out": 5, "samples": "a.jsonl"}):
        with pytest.raises(RecipeError, match="expected a number of pictures of a dataset"):
            SourceChoice(**wrong)


@pytest.mark.parametrize("name", ["grit", "samples", "painted"])
def test_files_that_are_not_there(data: Path, name: str) -> None:
    with pytest.raises(RecordError, match="gone"):
        Sources.of(recipe({name: "gone.json"}), data)


def test_nothing_to_learn_from(data: Path) -> None:
    for source in ({"hold_out": 6}, {"grit": "empty.json"}):
        with pytest.raises(RecipeError, match=r"nothing to learn from in .* below"):
            Sources.of(recipe(source), data)
    with pytest.raises(RecordError, match="no dataset folder"):
        Sources.of(recipe({"folder": "gone", "dense": True}), data)


def test_kinds_that_only_text_systems_learn_from(data: Path) -> None:
    for source in ({"grit": "vg_objects.json"}, {"dense": True}, {"multiplier": 2.0}):
        with pytest.raises(RecipeError, match="pointer learns from datasets and samples"):
            Sources.of(recipe(source), data).only_dialogues()
    Sources.of(recipe({"samples": "own.jsonl"}, {}), data).only_dialogues()
