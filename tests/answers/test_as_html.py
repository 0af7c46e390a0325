"""What a notebook shows of an answer."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

from PIL import Image

from deixis.answers.parts import Span
from tests.answers.made import answer, picture


def test_a_notebook_shows_the_drawn_picture_and_the_lines() -> None:
    shown = answer()._repr_html_()
    (packed,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', shown)
    image = Image.open(io.BytesIO(base64.b64decode(packed)))
    assert image.size == answer().draw().size
    assert "dog: box 10.0, 20.0, 50.0, 60.0, score 0.75" in shown


def test_text_of_a_network_is_no_html() -> None:
    evil = '<script>alert("x")</script>'
    shown = answer(
        text=evil, spans=(Span(0, len(evil), evil, (), True, 0.5),), parse_failures=("<b>",)
    )._repr_html_()
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

    Reader().feed(shown)
    assert tags == ["img", "pre"]


def test_an_answer_about_no_picture_is_text() -> None:
    assert answer(pictures=(), spans=())._repr_html_() == "<pre>A dog, but no  cat.</pre>"


def test_several_pictures_are_all_shown() -> None:
    assert answer(pictures=(picture(), picture(80, 50)))._repr_html_().count("<img") == 2
