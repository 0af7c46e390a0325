"""The page as a whole: its policy, its accessibility, its keys, and that it fits a phone."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from tests.studio.browser import Served
from tests.studio.desk import Desk
from tests.studio.scripted_server import Script

Open = Callable[..., Desk]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("path", ["", "static/js/main.js", "static/css/base.css", "static/samples/cat.jpg"])
def test_everything_is_sent_with_a_strict_policy(scripted: Served, path: str) -> None:
    with urllib.request.urlopen(scripted.address + path) as reply:
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy
        assert "unsafe" not in policy and "data:" not in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_is_written_inline() -> None:
    page = (files("deixis.studio") / "static" / "index.html").read_text(encoding="utf-8")
    assert " style=" not in page and " on" + "click" not in page and "<style" not in page
    assert page.count("<script") == 1


def faults(desk: Desk) -> list[str]:
    """Return what axe-core finds that is serious or worse."""
    source = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    desk.page.evaluate(source + "; null")
    found: dict[str, Any] = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(
    ("scheme", "device"),
    [
        pytest.param("light", {}, id="desktop-light"),
        pytest.param("dark", PHONE, id="phone-dark"),
        pytest.param("dark", {}, id="desktop-dark", marks=pytest.mark.slow),
        pytest.param("light", PHONE, id="phone-light", marks=pytest.mark.slow),
    ],
)
def test_no_serious_fault_of_accessibility(
    scripted: Served, script: Script, open_desk: Open, scheme: str, device: dict[str, Any]
) -> None:
    script.models = ("pointer", "tiny")
    desk = open_desk(scripted, color_scheme=scheme, reduced_motion="reduce", **device)
    assert faults(desk) == []
    desk.sample()
    desk.tool("point")
    desk.click((100, 100))
    desk.click((200, 200))
    desk.ask()
    desk.answered()
    desk.page.focus(".phrase")
    assert faults(desk) == []
    desk.page.click("#export")
    assert faults(desk) == []
    desk.page.keyboard.press("Escape")
    desk.page.click("#help")
    assert faults(desk) == []
    if device:
        sizes = desk.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1]


def test_everything_can_be_done_by_keys(scripted: Served, script: Script, open_desk: Open) -> None:
    desk = open_desk(scripted)
    press = desk.page.keyboard.press
    for _ in range(12):
        press("Tab")
        if desk.page.evaluate("document.activeElement.classList.contains('sample')"):
            break
    press("Enter")
    desk.page.wait_for_selector("#strip .thumb")
    desk.page.focus("#stage")
    press("b")
    press("Enter")
    press("ArrowLeft")
    press("p")
    press("Enter")
    assert [label.split(":")[1].split(",")[0].strip() for label in desk.labels()] == ["box", "point at 281.5"]
    press("/")
    assert desk.page.evaluate("document.activeElement.id") == "question"
    press("Enter")
    desk.answered()
    press("Escape")
    press("?")
    assert desk.page.is_visible("#keys dl")
    press("Escape")
    press("Delete")
    assert len(desk.labels()) == 1


def test_pictures_are_pasted_and_dropped_and_closed(scripted: Served, open_desk: Open) -> None:
    desk = open_desk(scripted)
    give = """(type) => fetch('static/samples/cat.jpg').then(r => r.blob()).then(blob => {
        const data = new DataTransfer();
        data.items.add(new File([blob], type + '.jpg', {type: 'image/jpeg'}));
        const name = type === 'paste' ? 'clipboardData' : 'dataTransfer';
        const event = type === 'paste' ? new ClipboardEvent(type, {clipboardData: data, bubbles: true})
          : new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true});
        document.body.dispatchEvent(event);
    })"""
    desk.page.evaluate(give, "paste")
    desk.page.wait_for_selector("text=paste.jpg · 451 × 300")
    desk.page.evaluate(give, "drop")
    desk.settle()
    assert desk.page.locator("#strip li").count() == 1, "the same picture is not opened twice"
    desk.page.hover("#strip li")
    desk.page.click("#strip .shut")
    assert desk.page.is_visible("text=Point at something.")
