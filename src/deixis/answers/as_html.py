"""An answer as a notebook shows it: a picture with its places drawn on it, or text."""

from __future__ import annotations

import base64
import html
import io

from deixis.answers.as_text import describe
from deixis.answers.content import AnswerContent
from deixis.answers.drawing.drawn_answer import draw

WIDEST = 900  # of the shown picture, in pixels


def answer_to_html(answer: AnswerContent) -> str:
    """Return HTML that needs nothing else: every picture as it is drawn, then the answer's lines.

    The lines are there for search and for readers who can't see; all text is escaped.
    """
    lines = html.escape(describe(answer))
    shown = [figure(answer, number) for number in range(len(answer.pictures))]
    return "\n".join([*shown, f"<pre>{lines}</pre>"])


def figure(answer: AnswerContent, number: int) -> str:
    """Return one drawn picture, its bytes inside of the HTML."""
    image = draw(answer, number)
    width = min(image.width, WIDEST)
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=90)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'<img width="{width}" alt="{html.escape(answer.text)}" src="data:image/jpeg;base64,{data}">'
