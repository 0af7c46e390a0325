import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.answers.grounded import Answer, Place, Span
from deixis.data.scene import Scene
from deixis.data.sources.pack import read_pack
from deixis.data.synthesis.phrasebook import caption_words, same_word
from deixis.english.nouns import head_noun
from deixis.evaluation.evaluating import evaluate
from deixis.evaluation.metrics.confidence import auroc
from deixis.evaluation.task import Columns, Item
from deixis.evaluation.tasks import TASKS
from deixis.evaluation.tasks.grounding import asked_phrase
from deixis.evaluation.tasks.nowhere import NOWHERE, items, measure, score
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Region
from tests.evaluation.answering import Fake, located, said
from tests.evaluation.scenes import captioned
from tests.toy.pack import write_toy_pack

PICTURE = open_picture(np.zeros((50, 100, 3), dtype=np.uint8))
BOX = Box(0, 0, 9, 9, frame=PICTURE.frame)
SCENES = [
    captioned("1", "A dog", "two cats"),
    captioned("2", "the dog", "a boat", "!?"),
    captioned("3", "a car"),
]


def columns(*rows: tuple[float | None, bool, bool]) -> Columns:
    """Columns of items: score, whether absent, whether refused."""
    return {
        "score": np.array([said or 0.0 for said, _, _ in rows]),
        "scored": np.array([float(said is not None) for said, _, _ in rows]),
        "absent": np.array([float(absent) for _, absent, _ in rows]),
        "refused": np.array([float(refused) for _, _, refused in rows]),
    }


def test_present_items_are_those_of_grounding_and_as_many_are_absent() -> None:
    found = items(SCENES, 0)
    present = [item for item in found if item.truth]
    assert present == TASKS["grounding"].items(SCENES, 0)
    absent = [item for item in found if not item.truth]
    assert Counter(item.picture for item in absent) == {"1": 2, "2": 2, "3": 1}  # 2: there are but two
    assert len(set(absent)) == len(absent)
    words = {scene.id: caption_words(scene) for scene in SCENES}
    for item in absent:
        noun = head_noun(asked_phrase(item.question))
        assert noun and not same_word(noun, words[item.picture])
    assert {item.question for item in absent if item.picture == "2"} == {
        "where are two cats?",
        "where is a car?",
    }


def test_absent_phrases_are_drawn_uniformly_by_picture_and_seed() -> None:
    often = [captioned(f"often {n}", "a common thing") for n in range(60)]
    rare = [captioned(f"rare {n}", f"a part{n}") for n in range(60)]
    asking = [captioned(f"asking {n}", "a boat") for n in range(200)]
    scenes = [*often, *rare, *asking]
    first = items(scenes, 0)
    assert first == items(scenes, 0) != items(scenes, 1)
    assert Counter(first) == Counter(items(scenes[::-1], 0))
    drawn = Counter(item.question for item in first if not item.truth and item.picture.startswith("asking"))
    assert drawn["where is a common thing?"] < 15  # 200 / 61, not 200 / 2


def test_exhaustive_categories_decide_what_is_absent() -> None:
    scene = replace(SCENES[0], exhaustive=frozenset({"thing", "bus", "tram"}))
    missing = [
        item.question for item in items([scene, *SCENES[1:]], 0) if item.picture == "1" and not item.truth
    ]
    assert sorted(missing) == ["where is the bus?", "where is the tram?"]


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        (located(PICTURE, []), (1.0, 1.0, 1.0)),
        (located(PICTURE, [BOX]), (0.0, 1.0, 0.0)),
        (said(PICTURE, "there is none."), (0.0, 0.0, 0.0)),
        (
            Answer("it", (Span(0, 2, "it", (Place(BOX, 0.5),)),), PICTURE, system="fake", seconds=0.0),
            (0.0, 0.0, 0.0),
        ),
        (replace(located(PICTURE, []), parse_failures=("cut",)), (0.0, 0.0, 0.0)),
    ],
    ids=["nowhere", "a place", "words alone", "a place without a score", "parse failure"],
)
@pytest.mark.parametrize("truth", [(BOX,), ()])
def test_what_an_answer_says(
    answer: Answer, numbers: tuple[float, float, float], truth: tuple[Box, ...]
) -> None:
    outcome = score(answer, Item("1", "where is a dog?", truth))
    assert tuple(outcome.numbers[name] for name in ("score", "scored", "refused")) == numbers
    assert outcome.numbers["absent"] == float(not truth)


def test_numbers_of_a_small_case() -> None:
    numbers = measure(
        columns((0.9, True, True), (0.4, True, False), (0.4, False, False), (0.95, False, True))
    )
    assert numbers == pytest.approx(
        {"auroc": 1.5 / 4, "refused_absent": 0.5, "refused_present": 0.5, "unscored": 0.0}
    )


def test_an_unscored_answer_counts_half_in_every_pair() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        absent, scored = rng.random(30) < 0.5, rng.random(30) < 0.7
        scores = rng.integers(0, 5, size=30) / 4
        rows = [
            (float(value) if known else None, bool(missing), False)
            for value, known, missing in zip(scores, scored, absent, strict=True)
        ]
        won = [
            0.5 if None in (high, low) else float(high > low) + 0.5 * (high == low)  # type: ignore[operator]
            for high, one, _ in rows
            for low, other, _ in rows
            if one and not other
        ]
        numbers = measure(columns(*rows))
        assert numbers["auroc"] == pytest.approx(np.mean(won))
        assert numbers["unscored"] == pytest.approx(1 - scored.mean())
        if scored.all():
            assert numbers["auroc"] == pytest.approx(auroc(scores, absent))


def test_saying_nothing_is_no_better_than_chance() -> None:
    assert measure(columns((None, True, False), (None, False, False), (0.9, True, True)))["auroc"] == 0.5


def test_what_needs_the_other_kind_is_undefined() -> None:
    numbers = measure(columns((0.9, True, True), (None, True, False)))
    assert math.isnan(numbers["auroc"]) and math.isnan(numbers["refused_present"])
    assert numbers["refused_absent"] == 0.5


class Knowing(Fake):
    """Says nowhere of what is absent."""

    def __init__(self, scenes: list[Scene]) -> None:
        super().__init__()
        files = {scene.id: scene.picture.name for scene in scenes}
        self.truths = {(files[item.picture], item.question): item.truth for item in items(scenes, 0)}

    def answer(self, picture: Picture, question: str, regions: dict[str, Region]) -> Answer:  # type: ignore[override]
        return located(picture, self.truths[picture.name, question][:1])


def test_the_report_of_a_system_that_knows(tmp_path: Path) -> None:
    scenes = read_pack(write_toy_pack(tmp_path, pictures=15), "val")
    # Only shapes that are not in a picture can be absent from it; here is at least one.
    asked = items(scenes, 0)
    assert any(not item.truth for item in asked)
    result = evaluate(Knowing(scenes), scenes, [NOWHERE], data="toy", split="val").tasks["nowhere"]
    assert (result.value, result.baselines) == (1.0, {"constant_score": 0.5})
    assert dict(result.others) == {"refused_absent": 1.0, "refused_present": 0.0, "unscored": 0.0}
