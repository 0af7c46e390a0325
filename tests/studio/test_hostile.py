"""Servers that stall, refuse, die or say what they shouldn't; a page that stays whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.studio.browser import Served
from tests.studio.desk import Desk
from tests.studio.scripted_server import Script

Open = Callable[..., Desk]


def test_text_and_places_come_before_the_end_and_can_be_stopped(
    scripted: Served, script: Script, open_desk: Open
) -> None:
    script.held, script.text = True, "The cup is here on the table and stands beside a spoon."
    desk = open_desk(scripted)
    desk.sample()
    desk.ask()
    desk.page.wait_for_selector(".phrase")
    assert desk.page.locator(".slot.done").count() == 0
    desk.settle()
    assert desk.page.locator(".mark.place").count() == 1
    assert not desk.page.inner_text(".answer").endswith("spoon.")
    desk.page.click("#stop")
    desk.page.wait_for_selector(".slot.stopped")
    assert "Stopped." in desk.page.inner_text(".slot")
    script.held = False
    desk.ask("Where is the cup?")
    desk.answered()


def test_a_server_that_dies_in_the_middle_is_announced_and_found_again(
    scripted: Served, script: Script, open_desk: Open
) -> None:
    script.held, script.text = True, "The cup is here and has been here for a very long time."
    desk = open_desk(scripted, lenient=True)  # the browser itself logs what it can't reach
    desk.sample()
    desk.ask()
    desk.page.wait_for_selector(".phrase")
    scripted.kill()
    desk.page.wait_for_selector(".slot.failed")
    assert "broke off" in desk.page.inner_text(".error")
    assert desk.page.is_visible("#lost")
    assert desk.page.inner_text(".answer").startswith("The cup"), "what was written stays"
    script.pictures.clear()
    script.held = False
    scripted.start()
    desk.page.wait_for_selector("#lost", state="hidden")
    desk.page.click(".act:text-is('Again')")
    desk.ask()
    desk.answered()


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>",
        "word " * 2000,
        "x" * 10_000,
        "\u202eABC \u0645\u0631\u062d \u05e9\u05dc\u05d5\u05dd \U0001f408\u200d\U0001f984 e\u0301",
    ],
    ids=["markup", "long", "unbroken", "right-to-left"],
)
def test_hostile_words_are_words(scripted: Served, script: Script, open_desk: Open, text: str) -> None:
    script.text, script.phrase = text.strip(), text.strip()[1:6]
    desk = open_desk(scripted)
    desk.sample()
    desk.ask()
    desk.answered()
    shown = desk.page.locator(".answer")
    assert "".join(str(shown.text_content()).split())[:1] == script.text[:1]
    assert desk.page.title() == "Deixis Studio"
    assert shown.locator("img, script").count() == 0
    assert desk.page.locator(".phrase").evaluate("e => e.firstChild.data") == script.phrase
    width = desk.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "nothing is wider than the window"
    panel = desk.page.evaluate("(e => [e.scrollWidth, e.clientWidth])(document.querySelector('#thread'))")
    assert panel[0] <= panel[1]


def test_errors_are_sentences_where_they_belong(scripted: Served, script: Script, open_desk: Open) -> None:
    script.refusal = "the question has 300 tokens; at most 96"
    desk = open_desk(scripted, lenient=True)
    desk.page.set_input_files(
        "#picker", [{"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}]
    )
    desk.page.wait_for_selector("#problem-open:not([hidden])")
    assert desk.page.inner_text("#problem-open p").startswith("no.png: ")
    desk.sample()
    desk.ask()
    desk.page.wait_for_selector(".slot.failed")
    assert desk.page.inner_text(".slot .error") == "The question has 300 tokens; at most 96."


def test_loading_a_model_is_told(scripted: Served, script: Script, open_desk: Open) -> None:
    script.loaded = False
    desk = open_desk(scripted)
    desk.sample()
    desk.ask()
    desk.page.wait_for_selector("text=Loading pointer (40 MB)")
    script.loaded = True
    desk.answered()
