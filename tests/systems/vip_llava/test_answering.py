"""What is painted is what the words say, in every turn; hostile questions and regions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from deixis.errors import BadRegion, UsageError
from deixis.painting.clean import Mark
from deixis.painting.colours import NAMED
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.systems.questions import Question, checked_question
from deixis.systems.spliced.painted.paint import Coat, Paint
from deixis.systems.vip_llava.answering import VipLlavaSystem
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.pointer.tiny import noise_picture
from tests.systems.vip_llava.tiny import fresh_vip_llava

GREY = open_picture(np.full((90, 160, 3), 128, dtype=np.uint8), name="grey")
LEFT, RIGHT = Box(10, 10, 60, 70), Box(90, 20, 150, 80)
SPOKEN = re.compile(r"(within|with|at|pointed to by) the (\w+) (rectangle|ellipse|point|mask contour|arrow)")


@pytest.fixture(scope="module")
def system() -> VipLlavaSystem:
    return fresh_vip_llava()


def asked(text: str, regions: dict[str, Region], *before: Any, picture: Picture = GREY) -> Question:
    return checked_question(text, regions, (picture,), before=before)


def words(system: VipLlavaSystem, question: Question) -> list[str]:
    """Return the colours that the prompt's questions name, in order."""
    prompt = system.build_prompt(question, system.encode(system.encoder_inputs(question)))
    text = system.codec.decode([token for token in prompt.ids if token >= 0]).lower()
    return [match[2] for match in SPOKEN.finditer(text)]


def marks_of(system: VipLlavaSystem, question: Question) -> tuple[Mark, ...]:
    """Return what is painted on a question's only picture."""
    ((coat,),) = [one.painted for one in system.encoder_inputs(question)]
    assert isinstance(coat, Coat)
    return coat.marks


def colour_around(seen: Picture, box: Box) -> str:
    """Return the name of the colour that the upper edge of a box has in a picture."""
    row = seen.pixels[int(box.y0), int(box.x0) + 5 : int(box.x1) - 5].astype(int).mean(axis=0)
    painted = (row - 64) * 2  # published marks are half transparent over grey
    return min(NAMED, key=lambda name: float(np.abs(np.array(NAMED[name]) - painted).sum()))


def test_two_regions_in_one_turn(system: VipLlavaSystem) -> None:
    question = asked("is {a} left of {b}?", {"a": LEFT, "b": RIGHT})
    (seen,) = [system.painted(one) for one in system.encoder_inputs(question)]
    spoken = words(system, question)
    assert spoken == [colour_around(seen, LEFT), colour_around(seen, RIGHT)]
    assert len(set(spoken)) == 2


def test_two_turns_about_different_regions(system: VipLlavaSystem) -> None:
    first = system.ask(GREY, "what is {it}?", it=LEFT, max_new_tokens=2)
    alone = asked("what is {it}?", {"it": LEFT})
    (one,) = [system.painted(one) for one in system.encoder_inputs(alone)]
    later = asked("and {that}?", {"that": RIGHT}, first)
    (both,) = [system.painted(one) for one in system.encoder_inputs(later)]
    assert words(system, later) == [colour_around(both, LEFT), colour_around(both, RIGHT)]
    assert colour_around(one, LEFT) == colour_around(both, LEFT), "an earlier mark has changed"
    assert np.array_equal(one.pixels[:, :80], both.pixels[:, :80])
    assert (one.pixels[20, 100:140] == 128).all(), "what is asked about later was painted before"


def test_a_colour_that_was_spoken_of_is_not_painted(system: VipLlavaSystem) -> None:
    for name in NAMED:
        question = asked(f"is {{it}} near the {name} rectangle?", {"it": LEFT})
        assert words(system, question)[0] != name


def test_the_same_region_is_one_mark(system: VipLlavaSystem) -> None:
    question = asked("is {a} like {b}?", {"a": LEFT, "b": LEFT})
    assert len(marks_of(system, question)) == 1
    assert len(set(words(system, question))) == 1


@pytest.mark.parametrize(
    "region",
    [
        Point(0, 0),
        Point(160, 90),
        Box(0, 0, 1, 1),
        Box(0, 0, 160, 90),
        Box(159.5, 89.5, 160, 90),
        Polygon([(10, 10), (10, 10), (10, 10)]),
        Polygon([(0, 0), (160, 90), (0, 90), (160, 0)]),
        Scribble([(5, 5)]),
        Scribble([(0, 0), (160, 90)]),
        Mask.from_array(np.eye(90, 160, dtype=bool)),
    ],
    ids=str,
)
@pytest.mark.parametrize("style", ["published", "clean"])
def test_every_region_is_shown(region: Region, style: Any) -> None:
    system = fresh_vip_llava(paint_style=style)
    question = asked("what is {it}?", {"it": region})
    (one,) = system.encoder_inputs(question)
    assert (system.painted(one).pixels != 128).any()
    assert system.ask(GREY, "what is {it}?", it=region, max_new_tokens=2).regions


def test_fifty_regions(system: VipLlavaSystem) -> None:
    regions: dict[str, Region] = {f"r{n}": Box(3 * n, 5, 3 * n + 8, 80) for n in range(50)}
    question = asked(" ".join(f"{{{name}}}" for name in regions), regions)
    assert len(marks_of(system, question)) == 50
    assert len(words(system, question)) == 50


def test_kinds_and_styles_can_be_chosen() -> None:
    system = fresh_vip_llava()
    system.paint = Paint("clean", "ellipse")
    question = asked("what is {it}?", {"it": LEFT})
    (mark,) = marks_of(system, question)
    assert mark.sign.kind == "ellipse"
    prompt = system.build_prompt(question, system.encode(system.encoder_inputs(question)))
    assert "ellipse" in system.codec.decode([token for token in prompt.ids if token >= 0])


def test_another_way_to_paint_is_encoded_anew() -> None:
    system = fresh_vip_llava()
    first = system.encoder_inputs(asked("what is {it}?", {"it": LEFT}))[0].key
    system.paint = Paint("published", "ellipse")
    assert system.encoder_inputs(asked("what is {it}?", {"it": LEFT}))[0].key != first


def test_a_style_is_a_part_of_what_is_encoded() -> None:
    system = fresh_vip_llava()
    first = system.encoder_inputs(asked("what is {it}?", {"it": LEFT}))[0].key
    system.paint = Paint("clean")
    assert system.encoder_inputs(asked("what is {it}?", {"it": LEFT}))[0].key != first


def test_regions_are_words_and_answers_are_words(system: VipLlavaSystem) -> None:
    answer = system.ask(noise_picture(96, 64), "where is {it}?", it=Box(5, 5, 50, 50), max_new_tokens=5)
    assert answer.spans == () and system.region_token is None
    with pytest.raises(BadRegion, match="outside"):
        system.ask(GREY, "what is {it}?", it=Box(500, 500, 600, 600))
    with pytest.raises(UsageError, match="the regions given are: none"):
        system.ask(GREY, "what is {it}?")


def test_what_was_seen_can_be_had(system: VipLlavaSystem) -> None:
    system.paint_as(kind="mask-contour", style="clean")
    (seen,) = system.seen(GREY, "what is {it}?", it=LEFT)
    assert seen.frame == GREY.frame and (seen.pixels != GREY.pixels).any()
    assert "mask contour" in system.dialect_for(asked("what is {it}?", {"it": LEFT})).__repr__()
    (plain,) = system.seen(GREY, "what is there?")
    assert np.array_equal(plain.pixels, GREY.pixels)
    first = system.ask(GREY, "what is {it}?", it=LEFT, max_new_tokens=2)
    (later,) = system.seen(GREY, "and what else?", before=[first])
    assert np.array_equal(later.pixels, seen.pixels)
    system.paint_as(style="published")
    assert system.paint == Paint("published", "mask contour")


@pytest.mark.parametrize(
    ("how", "message"),
    [({"kind": "star"}, "no visual prompt 'star'"), ({"style": "comic"}, "style is 'comic'")],
)
def test_marks_that_do_not_exist_are_told(system: VipLlavaSystem, how: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        system.paint_as(**how)
    with pytest.raises(UsageError, match=message):
        Paint(**how)


def test_a_system_that_does_not_paint_says_so() -> None:
    system = fresh_ferret()
    with pytest.raises(UsageError, match="'ferret' doesn't paint regions"):
        system.paint_as(kind="ellipse")
    (seen,) = system.seen(GREY, "what is {it}?", it=LEFT)
    assert np.array_equal(seen.pixels, GREY.pixels)
