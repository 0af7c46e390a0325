"""Examples to batches: what is learnt, what fits, in which order."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from deixis.errors import FrameMismatch, RecordError
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example, Mark, Turn
from deixis.regions.shapes import Box, Point
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.collate import SplicedCollate
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.splicing import IGNORED, PICTURE_MARKER
from tests.systems.ferret.tiny import fresh_ferret, lesson
from tests.systems.pointer.tiny import noise_picture

PICTURE = noise_picture(96, 64)
LESSON = lesson(PICTURE.frame)


@pytest.fixture(scope="module")
def system() -> SplicedSystem:
    return fresh_ferret()


def example(*dialogues: Dialogue) -> Example:
    return Example("p", PICTURE, dialogues)


def plain(question: str, answer: str, *, learnt: bool = True) -> Dialogue:
    return Dialogue("any", (Turn(question, answer),), words_learnt=learnt)


def words(system: SplicedSystem, ids: Tensor) -> str:
    return system.codec.decode([int(i) for i in ids if i >= 0])


def collate(system: SplicedSystem, **changes: Any) -> SplicedCollate:
    own = system.collate()
    for name, value in changes.items():
        setattr(own, name, value)
    return own


def test_only_answers_have_labels(system: SplicedSystem) -> None:
    batch = system.collate()([example(LESSON[0]), example(LESSON[4])])
    for row, said in enumerate(("The dog [93, 187, 500, 796] is here.", "A hat.")):
        learnt = batch["labels"][row] != IGNORED
        assert torch.equal(batch["labels"][row][learnt], batch["input_ids"][row][learnt])
        assert words(system, batch["input_ids"][row][learnt]) == said
        assert batch["input_ids"][row][learnt][-1] == system.codec.eos
    assert (batch["labels"][batch["attention_mask"] == 0] == IGNORED).all()
    assert (batch["input_ids"][batch["attention_mask"] == 0] == system.codec.pad).all()


def test_regions_match_their_tokens(system: SplicedSystem) -> None:
    batch = system.collate()([example(*LESSON), example(LESSON[0]), example(LESSON[5])])
    tokens = (batch["input_ids"] == system.codec.region).sum(dim=1)
    assert tokens.tolist() == [4, 0, 2]
    assert batch["region_pictures"].tolist() == [0] * 4 + [2] * 2
    assert batch["region_points"].shape[0] == batch["region_starts"].shape[1] == 6
    assert ((batch["input_ids"] == PICTURE_MARKER).sum(dim=1) == 1).all()
    assert batch["pixel_values"].shape == (3, 3, 64, 64)
    assert batch["names"] == ["p", "p", "p"]


def test_the_order_is_the_dialogues_own(system: SplicedSystem) -> None:
    """The same dialogues come in the same order, whatever the seed; not that in which they were made."""
    own = system.collate()
    first = own.conversation(example(*LESSON))
    torch.manual_seed(1)
    again = own.conversation(example(*LESSON))
    assert first.ids == again.ids and len(first.regions) == 4
    numbered = [plain(f"what is {n}?", f"it is {n}.") for n in range(8)]
    told = words(system, torch.tensor(own.conversation(example(*numbered)).ids))
    orders = [int(part.split(".")[0]) for part in told.split("t is ")[1:] if part[1:2] == "."]
    assert sorted(orders) == list(range(8)) and orders != list(range(8))


def test_what_is_not_learnt_is_left_out(system: SplicedSystem) -> None:
    own = system.collate()
    kept = own.conversation(example(plain("what is it?", "a dog."), plain("", "a cat", learnt=False)))
    assert kept.ids == own.conversation(example(plain("what is it?", "a dog."))).ids


def test_dialogues_that_do_not_fit_are_dropped(system: SplicedSystem) -> None:
    numbered = [plain(f"what is {n}?", f"it is {n}.") for n in range(9)]
    whole = system.collate().conversation(example(*numbered))
    short = collate(system, max_text=len(whole.ids) - 1).conversation(example(*numbered))
    assert 0 < len(short.ids) < len(whole.ids)
    assert whole.ids[: len(short.ids)] == short.ids and short.ids[-1] == system.codec.eos
    assert short.labels == whole.labels[: len(short.ids)]


def test_a_dialogue_that_does_not_fit_loses_its_last_turns(system: SplicedSystem) -> None:
    it = ("it", Point(9, 9, frame=PICTURE.frame))
    turns = tuple(Turn(f"what is {{it}}, {n}?", f"it is {n}.", (), (it,)) for n in range(5))
    whole = system.collate().conversation(example(Dialogue("any", turns)))
    short = collate(system, max_text=len(whole.ids) - 1).conversation(example(Dialogue("any", turns)))
    assert whole.ids[: len(short.ids)] == short.ids and short.ids[-1] == system.codec.eos
    assert len(short.regions) == short.ids.count(system.codec.region) < 5


def test_a_turn_that_does_not_fit_is_an_error(system: SplicedSystem) -> None:
    with pytest.raises(RecordError, match=r"a turn about p has \d+ tokens; at most 60"):
        collate(system, max_text=60).conversation(example(*LESSON))
    with pytest.raises(RecordError, match="at most 3"):
        collate(system, max_text=3).conversation(example())


def test_an_answer_of_nothing_is_learnt_as_nothing(system: SplicedSystem) -> None:
    kept = system.collate().conversation(example(plain("what is it?", "")))
    assert [label for label in kept.labels if label != IGNORED] == [system.codec.eos]


def test_special_tokens_in_data_do_not_act(system: SplicedSystem) -> None:
    kept = system.collate().conversation(example(plain("<image> <region_fea>?", "a </s> <region_fea> b")))
    assert kept.ids.count(PICTURE_MARKER) == 1 and system.codec.region not in kept.ids
    assert kept.ids.count(system.codec.eos) == 1


def test_published_masking_drops_what_it_cannot_count(system: SplicedSystem) -> None:
    published = collate(system, strict_masking="published")
    assert all(label == IGNORED for label in published.conversation(example(plain("what?", ""))).labels)


def test_places_of_a_letterboxed_view_are_refused(system: SplicedSystem) -> None:
    view = letterbox(PICTURE, 64)
    turn = Turn("what is {it}?", "a dog.", (), (("it", Box(5, 20, 30, 40, frame=view.frame)),))
    with pytest.raises(FrameMismatch, match="pixels of the original"):
        system.collate()([Example("p", view, (Dialogue("any", (turn,)),))])


def test_losses_are_those_of_the_answers(system: SplicedSystem) -> None:
    objective = SplicedObjective(system.network)
    losses = objective(system.collate()([example(*LESSON), example(LESSON[0])]))
    assert set(losses) == {"language_model", "total"} and losses["total"].isfinite()
    with pytest.raises(RecordError, match=r"no answer in this batch is learnt from; pictures: \['p'\]"):
        objective(system.collate()([example(plain("", "a cat", learnt=False))]))


def test_it_travels_to_other_processes(system: SplicedSystem) -> None:
    own = system.collate()
    travelled = pickle.loads(pickle.dumps(own))
    given, same = own([example(*LESSON)]), travelled([example(*LESSON)])
    for name in ("input_ids", "labels", "pixel_values", "region_points", "region_starts"):
        assert torch.equal(given[name], same[name])


def test_marks_without_boxes_have_no_coordinates(system: SplicedSystem) -> None:
    gone = Dialogue("absent", (Turn("where is the cat?", "the cat is not here.", (Mark(0, 7, ()),)),))
    ids = system.collate().conversation(example(gone)).ids
    assert words(system, torch.tensor(ids)).endswith(": the cat is not here.")
