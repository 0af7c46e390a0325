"""The four lessons: one goes on from the other; a toy of them learns openings and answers with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deixis.data.synthesis.dialogue_mix import SKILLS
from deixis.pictures.opening import open_picture
from deixis.runs.training import run_recipes
from deixis.systems.pointer.answering import open_pointer
from deixis.systems.pointer.training.building import network_options
from deixis.training.recipes.packaged import find_recipes
from deixis.training.recipes.recipe import in_order, read_recipe
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe


def test_at_most_four_lessons_lead_from_pretrained_parts_to_a_fitted_model() -> None:
    lessons = [read_recipe(path) for path in find_recipes("pointer/lessons-*")]
    assert [lesson.name for lesson in in_order(lessons)] == [
        f"pointer-lessons-{number}" for number in range(1, 5)
    ]
    assert [lesson.starts_from for lesson in lessons] == [None, *(lesson.name for lesson in lessons[:-1])]
    for lesson in lessons:
        options = network_options(lesson)
        assert options["intents"] and options["candidates"] == 16 and options["looks"] == 2
        assert not options.get("region_view")
    assert network_options(lessons[-1])["region_namer"] and lessons[-1].steps == 0
    assert {kind for lesson in lessons for kind in lesson.dialogues.skills} == set(SKILLS)


def test_a_toy_learns_openings_goes_on_and_answers_with_them(tmp_path: Path) -> None:
    write_toy_pack(tmp_path / "toy", pictures=8, seed=1)
    dialogues = {"refuse": 1.0, "choose": 1.0, "quality": 0.5, "verify": 1.0, "count": 0.5}
    plain = toy_recipe(name="plain", steps=1, sources=[{"folder": "toy", "split": "train"}])
    learnt = toy_recipe(
        name="learnt",
        steps=2,
        starts_from="plain",
        sources=[{"folder": "toy", "split": "train", "hold_out": 2}],
        dialogues=TOY["dialogues"] | dialogues,
        network={"intents": True, "region_namer": True},
    )
    run_recipes([plain, learnt], data=tmp_path, out=tmp_path / "out")
    assert open_pointer(tmp_path / "out" / "plain" / "model").vocabulary.opening is None
    system = open_pointer(tmp_path / "out" / "learnt" / "model")
    opening = system.vocabulary.opening
    assert opening is not None and system.network.config.intents
    answer = system.ask(
        open_picture(np.zeros((60, 80, 3), np.uint8)), "is there a circle?", max_new_tokens=16
    )
    assert answer.raw is not None and answer.raw.ids[0] in opening.ids
    assert answer.unanswerable == (answer.raw.ids[0] == opening.intents["refuse"])
