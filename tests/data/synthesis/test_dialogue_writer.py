"""Every kind has a writer, writers know nothing of the table, and what they draw stays the same."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import numpy as np

import deixis.data.synthesis
from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.data.synthesis.dialogue_mix import KINDS, SKILLS
from deixis.data.synthesis.dialogue_writer import WRITERS, write_dialogues
from deixis.data.synthesis.phrasebook import Phrasebook, caption_words
from deixis.data.synthesis.qualified import all_qualified
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.records.dialogue import Dialogue
from deixis.regions.shapes import Box
from tests.data.synthesis.test_views import view_of

SEEDS = 150
DRAWN = "c29a80000141d32c"  # of all words, and places to a thousandth of a pixel


def scene_of(name: str, *captions: tuple[str, dict[str, tuple[int, ...]]]) -> Scene:
    """Return a scene of four things whose captions place these phrases."""
    boxes = (Box(2, 2, 30, 30), Box(34, 30, 60, 60), Box(4, 36, 28, 62), Box(40, 4, 60, 24))
    sorts = ("people", "animals", "animals", "clothing")
    things = tuple(
        Thing(number, box, "", supercategory=sort)
        for number, (box, sort) in enumerate(zip(boxes, sorts, strict=True), start=1)
    )
    return Scene(
        name,
        PictureFile(Path(f"{name}.jpg")),
        64,
        64,
        things,
        tuple(
            Caption(
                text,
                tuple(
                    Phrase(
                        text.index(said), text.index(said) + len(said), said, meant, (sorts[meant[0] - 1],)
                    )
                    for said, meant in phrases.items()
                ),
            )
            for text, phrases in captions
        ),
        (),
    )


SCENES = (
    scene_of(
        "one",
        (
            "A man wearing a red hat walks two brown dogs.",
            {"A man": (1,), "a red hat": (4,), "two brown dogs": (2, 3)},
        ),
        ("a brown dog on the left", {"a brown dog": (2,)}),
    ),
    scene_of(
        "two",
        (
            "A girl holding a blue scarf sees the horses.",
            {"A girl": (1,), "a blue scarf": (4,), "the horses": (2, 3)},
        ),
        ("an old horse", {"an old horse": (3,)}),
    ),
)


def drawn(kind: str, *, seed: int) -> list[Dialogue]:
    """Return dialogues of a kind about one of the scenes, drawn with a seed."""
    rng = np.random.default_rng(seed)
    scene = SCENES[seed % len(SCENES)]
    seen = VisibleScene(
        scene,
        view=view_of(scene, mirror=float(seed % 3 == 0), zoom=1.0),
        words=caption_words(scene),
        phrasebook=Phrasebook(SCENES),
        qualified=all_qualified(SCENES),
    )
    return write_dialogues(seen, kind, 3, rng)


def test_every_kind_of_the_mix_has_a_writer() -> None:
    assert set(WRITERS) == {*KINDS, *SKILLS}
    assert all(any(drawn(kind, seed=seed) for seed in range(9)) for kind in KINDS)
    assert all(dialogue.kind == kind for kind in KINDS for dialogue in drawn(kind, seed=1))


def test_equal_seeds_draw_the_dialogues_of_the_first_version() -> None:
    told = hashlib.sha256()
    for seed in range(SEEDS):
        for kind in KINDS:
            for dialogue in drawn(kind, seed=seed):
                for turn in dialogue.turns:
                    places = [box for mark in turn.marks for box in mark.boxes]
                    regions = [region.bounds() for _, region in turn.regions]
                    edges = [[f"{edge:.3f}" for edge in box.as_tuple()] for box in (*places, *regions)]
                    told.update(repr((dialogue.kind, turn.question, turn.answer, edges)).encode())
    assert told.hexdigest()[:16] == DRAWN


def test_no_module_of_the_folder_imports_one_that_imports_it() -> None:
    folder = Path(deixis.data.synthesis.__file__).parent
    imported = {
        path.stem: {
            node.module.rpartition(".")[2]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deixis.data.synthesis.")
        }
        for path in folder.glob("*.py")
    }
    assert imported["dialogue_writer"] >= {"histories", "pairs", "assertions"}
    while leaves := [name for name, others in imported.items() if not others & set(imported)]:
        for name in leaves:
            del imported[name]
    assert imported == {}, "these go round in a circle"
