"""A mask that a user points at is pooled by its pixels, where the encoder samples inside of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from deixis.records.dialogue import Dialogue, Example, Turn
from deixis.regions.shapes import Box, Mask, Polygon
from deixis.systems.groma.answering import GromaSystem, places_of
from deixis.systems.groma.model import GivenBoxes
from deixis.systems.groma.places import filled, shares_of
from deixis.systems.groma.training.objective import GromaObjective
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from tests.systems.groma.tiny import REGION_ENCODER, fresh_groma
from tests.systems.pointer.tiny import noise_picture

WIDE, HIGH = 90, 60
PUBLISHED = {**REGION_ENCODER, "box_format": "cxcywh_as_xyxy"}


def halved(*, upper: bool) -> NDArray[np.bool_]:
    """Return the upper left or the lower right triangle of the box 20 10 80 50."""
    ys, xs = np.mgrid[10:50, 20:80]
    own = np.zeros((HIGH, WIDE), dtype=bool)
    above = (xs - 20) / 60 + (ys - 10) / 40 < 1
    own[10:50, 20:80] = above if upper else ~above
    own[10, 20] = own[49, 79] = own[10, 79] = own[49, 20] = True  # so that both have one box
    return own


BOX = Box(20, 10, 80, 50)
UPPER, LOWER = Mask.from_array(halved(upper=True)), Mask.from_array(halved(upper=False))
FULL = Mask.from_array(np.pad(np.ones((40, 60), dtype=bool), ((10, 10), (20, 10))))


def prompt_of(system: GromaSystem, question: str, picture: Any = None, **regions: Any) -> Prompt:
    asked = checked_question(question, regions, picture or noise_picture(WIDE, HIGH))
    return system.prompts([asked])[0]


def vector_of(system: GromaSystem, region: Any) -> torch.Tensor:
    """Return what stands for a region in a question about it."""
    prompt = prompt_of(system, "what is {it}?", it=region)
    (embedded,) = system.embed([prompt])
    return embedded.vectors[prompt.ids.index(system.tokens.refer_feat)]


def test_masks_with_one_box_are_told_apart() -> None:
    system = fresh_groma()
    box, full, upper, lower = (vector_of(system, one) for one in (BOX, FULL, UPPER, LOWER))
    torch.testing.assert_close(full, box, msg="a mask that fills its box is the box")
    for one, other in ((upper, box), (lower, box), (upper, lower)):
        assert not torch.allclose(one, other, atol=1e-4)
    again = vector_of(system, UPPER)
    assert torch.equal(again, upper), "what is remembered of a box is not taken for a mask in it"


def test_any_other_kind_counts_by_its_box() -> None:
    system = fresh_groma()
    triangle = Polygon([(20, 10), (80, 10), (20, 50)])
    torch.testing.assert_close(vector_of(system, triangle), vector_of(system, BOX))


def test_published_encoders_take_masks_for_their_boxes() -> None:
    system = fresh_groma(region_encoder=PUBLISHED)
    assert system.network.mask_side is None
    assert torch.equal(vector_of(system, UPPER), vector_of(system, BOX))
    assert places_of(prompt_of(system, "what is {it}?", it=UPPER)).selected.shares is None


def test_two_masks_in_one_box_in_one_question() -> None:
    system = fresh_groma()
    prompt = prompt_of(system, "is {a} like {b} or {a}?", a=UPPER, b=LOWER)
    first, second, third = places_of(prompt).features
    assert first == third != second
    (embedded,) = system.embed([prompt])
    marks = [place for place, token in enumerate(prompt.ids) if token == system.tokens.refer_feat]
    own = [embedded.vectors[place] for place in marks]
    assert torch.equal(own[0], own[2]) and not torch.allclose(own[0], own[1], atol=1e-4)
    torch.testing.assert_close(own[0], vector_of(system, UPPER))


def test_prompts_that_differ_in_a_mask_share_no_more_than_what_is_the_same() -> None:
    """A cached prefix of one must not answer for the other."""
    system, picture = fresh_groma(), noise_picture(WIDE, HIGH)
    rows = system.embed([prompt_of(system, "what is {it}?", picture, it=one) for one in (UPPER, LOWER, BOX)])
    identities = [row.identity for row in rows]
    assert len(set(identities)) == 3
    for one, other in ((0, 1), (0, 2), (1, 2)):
        shared = rows[one].shared_with(identities[other])
        assert torch.equal(rows[one].vectors[:shared], rows[other].vectors[:shared])
        assert shared < len(identities[one])
    answers = {
        name: system.ask(picture, "what is {it}?", regions={"it": one}, max_new_tokens=8).raw.ids
        for name, one in (("upper", UPPER), ("lower", LOWER))
    }
    fresh = fresh_groma().ask(picture, "what is {it}?", regions={"it": LOWER}, max_new_tokens=8).raw.ids
    assert answers["lower"] == fresh


def test_what_was_said_of_a_mask_stays_with_it() -> None:
    system, picture = fresh_groma(), noise_picture(WIDE, HIGH)
    first = system.ask(picture, "what is {it}?", regions={"it": UPPER}, max_new_tokens=6)
    asked = checked_question("and {other}?", {"other": LOWER}, picture, before=[first])
    (prompt,) = system.prompts([asked])
    selected = places_of(prompt).selected
    upper, lower = selected.refer
    assert selected.shares is not None and upper != lower
    assert torch.equal(selected.shares[upper], torch.from_numpy(filled(UPPER, side=3)))
    assert torch.equal(selected.shares[lower], torch.from_numpy(filled(LOWER, side=3)))


def test_shares_are_exact_and_thin_masks_are_not_faint() -> None:
    line = np.zeros((HIGH, WIDE), dtype=bool)
    line[np.arange(9) + 5, np.arange(9) + 7] = True
    own = filled(Mask.from_array(line), side=3)
    assert own.tolist() == np.eye(3).tolist()
    picture = noise_picture(WIDE, HIGH)
    assert shares_of([BOX], picture, side=3) is None and shares_of([UPPER], picture, side=None) is None
    both = shares_of([BOX.bind(picture.frame), UPPER.bind(picture.frame)], picture, side=3)
    assert both is not None and bool((both[0] == 1).all()) and bool((both[1] < 1).any())


def test_training_pools_masks_too() -> None:
    system, picture = fresh_groma(), noise_picture(WIDE, HIGH)
    about = [
        Example(
            "a",
            (picture,),
            (Dialogue("x", (Turn("what is {it}?", "a dog", (), (("it", one.bind(picture.frame)),)),)),),
        )
        for one in (BOX, UPPER, LOWER)
    ]
    collate = system.collate()
    batch = collate(about)
    assert batch["refer_shares"].shape == (3, 3, 3) and bool((batch["refer_shares"][0] == 1).all())
    assert "refer_shares" not in collate(about[:1])
    losses = [float(GromaObjective(system.network)(collate([one]))["total"].detach()) for one in about]
    assert len({round(loss, 5) for loss in losses}) == 3
    published = fresh_groma(region_encoder=PUBLISHED)
    assert "refer_shares" not in published.collate()(about)


def test_a_batch_is_read_as_a_question_is() -> None:
    """What training reads of a mask is what answering reads of it."""
    system, picture = fresh_groma(), noise_picture(WIDE, HIGH)
    example = Example(
        "a",
        (picture,),
        (Dialogue("x", (Turn("what is {it}?", "a dog", (), (("it", UPPER.bind(picture.frame)),)),)),),
    )
    batch = system.collate()([example])
    with torch.no_grad():
        merged = system.network.read(
            batch["input_ids"],
            pixel_values=batch["pixel_values"],
            regions=GivenBoxes(
                [batch["refer_boxes"]], [batch["ground_boxes"]], shares=[batch["refer_shares"]]
            ),
        )
    wanted = vector_of(system, UPPER)
    distances = (merged.embeds[0] - wanted).abs().amax(dim=1)
    assert float(distances.min()) < 1e-4


@pytest.mark.parametrize("dtype", [torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    system = fresh_groma()
    system.network.to(dtype)
    assert vector_of(system, UPPER).isfinite().all()
