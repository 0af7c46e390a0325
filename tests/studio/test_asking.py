"""Questions to the embedded model through the real server: answers, places, comparisons, looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deixis.answers.grounded import Answer
from tests.studio.browser import Served
from tests.studio.desk import Desk

Open = Callable[..., Desk]


def exported(desk: Desk, form: str) -> Path:
    """Export by the menu, and return the file."""
    desk.page.click("#export")
    with desk.page.expect_download() as download:
        desk.page.click(f"[data-form={form}]")
    path = Path(download.value.path())
    return path


def near(one: Sequence[int], other: Sequence[int]) -> bool:
    """Tell whether two colours are nearly the same."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 24


def last_answer(desk: Desk) -> dict[str, Any]:
    """Return the last answer as it is exported; what is exported is read as an answer."""
    answers = json.loads(exported(desk, "answers").read_text())
    Answer.from_json(json.dumps(answers[-1]))
    return dict(answers[-1])


def test_a_sample_is_asked_about_and_its_place_shown_at_the_right_pixels(
    real: Served, open_desk: Open
) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.ask()
    desk.answered()
    assert desk.page.inner_text(".answer").startswith("The cup")
    answer = last_answer(desk)
    assert (answer["text"], answer["question"], answer["system"]) == (
        "The cup is here.",
        "Where is the cup?",
        "pointer",
    )
    x0, y0, x1, y1 = answer["spans"][0]["places"][0]["box"]
    assert 100 < x0 < 200 and 0 < y0 < 60 and 400 < x1 < 460 and 280 < y1 < 350
    middle = (y0 + y1) / 2
    for x in (x0, x1):
        assert near(desk.pixel((x, middle)), (230, 159, 0)), "the line of the place's box"
    line = desk.page.locator(".mark.place .line")
    assert not near(desk.pixel(((x0 + x1) / 2, middle)), (230, 159, 0))
    phrase = desk.page.locator(".phrase")
    assert "score 0.8" in str(phrase.get_attribute("aria-label"))
    desk.page.mouse.move(*desk.at(((x0 + x1) / 2, middle)))
    desk.settle()
    assert "marked" in str(phrase.get_attribute("class"))
    desk.page.mouse.move(5, 5)
    desk.settle()
    assert "marked" not in str(phrase.get_attribute("class"))
    phrase.focus()
    desk.settle()
    assert line.evaluate("e => getComputedStyle(e).fill") != "none", "the place of a focused phrase is filled"
    place = desk.page.locator(".mark.place")
    place.focus()
    desk.settle()
    assert "marked" in str(phrase.get_attribute("class"))
    assert desk.page.evaluate("document.activeElement.classList.contains('place')"), "it keeps the focus"


def test_regions_are_asked_about_again_and_all_at_once(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.sample(1)
    desk.drag([(80, 20), (430, 290)])
    assert desk.page.inner_text("#question") == "What is a?"
    desk.ask()
    desk.answered()
    assert desk.page.inner_text(".answer") == "A cat."
    desk.page.click(".act:text-is('Again')")
    desk.tool("point")
    desk.click((220.5, 130.5))
    assert desk.page.inner_text("#question") == "What is b?", "another region takes the place of the first"
    desk.ask()
    desk.answered(2)
    assert last_answer(desk)["regions"] == {"b": {"point": [220.5, 130.5]}}
    desk.page.click("#name-all")
    desk.answered(4)
    assert desk.page.locator(".turn.all .answer").all_inner_texts() == ["A cat.", "A cat."]
    desk.page.click("#forget")
    desk.ask("Is there a dog?")
    desk.answered(5)
    assert "not in the picture" in desk.page.locator(".phrase.nowhere").inner_text()


def test_two_systems_answer_side_by_side(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.page.click("#compare")
    desk.ask()
    desk.answered(2)
    slots = desk.page.locator(".turn.pair .slot")
    assert slots.locator("h4").all_inner_texts() == ["pointer", "tiny"]
    assert slots.nth(0).locator(".answer").inner_text().startswith("The cup")
    one, other = (slots.nth(number).bounding_box() for number in (0, 1))
    assert one["y"] == other["y"] and one["x"] < other["x"]


def test_why_there_and_what_was_seen(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.ask()
    desk.answered()
    desk.page.click("text=Why there?")
    desk.page.wait_for_selector("#why:not([hidden])")
    desk.settle()
    assert "The cup" in desk.page.inner_text("#why p")
    dark = sum(desk.pixel((560, 380)))
    looked = sum(desk.pixel((290, 160)))
    desk.page.click("#why .shut")
    desk.settle()
    assert dark < 0.5 * sum(desk.pixel((560, 380))), "it is dark where it didn't look"
    assert looked > 0.7 * sum(desk.pixel((290, 160))), "and light where it did"
    desk.page.click("text=Seen")
    desk.page.wait_for_selector("#seen[open] img")
    assert "352 × 352" in desk.page.inner_text("#seen figcaption")


def test_a_region_is_named_typed_and_found_by_its_brace(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.drag([(150, 25), (450, 345)])
    desk.page.focus("#stage")
    desk.page.keyboard.press("F2")
    desk.page.keyboard.type("1x")
    desk.page.keyboard.press("Enter")
    wrong = desk.page.locator("#rename input").evaluate("field => field.validationMessage")
    assert wrong.startswith("A name has")
    desk.page.keyboard.press("ControlOrMeta+a")
    desk.page.keyboard.type("cup_1")
    desk.page.keyboard.press("Enter")
    desk.page.focus("#question")
    desk.page.keyboard.press("ControlOrMeta+a")
    desk.page.keyboard.type("Is {cu")
    assert desk.page.locator("#offer li").all_inner_texts() == ["cup_1 box"]
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("a {very} dog?")
    desk.page.keyboard.press("Enter")
    desk.answered()
    answer = last_answer(desk)
    assert answer["question"].replace("\u00a0", " ") == "Is {cup_1} a {{very}} dog?"
    assert answer["regions"] == {"cup_1": {"box": [150, 25, 450, 345]}}
