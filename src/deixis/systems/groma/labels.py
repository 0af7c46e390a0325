"""What is learnt of a dialogue: the answers, which stand between two ``<sep>`` each, and what closes them.

    USER: What is this? ASSISTANT: <sep>A red bus<sep></s>

The marks come out again before the network reads anything. What they leave behind counts: white space beside
them is gone, so an answer begins without a space, as a generated one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from deixis.errors import RecordError
from deixis.systems.groma.dialect import GromaTokens
from deixis.systems.groma.prompts import rendered
from deixis.text.label_masking import Supervised
from deixis.text.prompt_tokens import TextCodec
from deixis.text.region_marks import SUPERVISED
from deixis.text.templates import Exchange, Template
from deixis.text.token_sequence import IGNORED

LONGEST = 2048  # tokens, counted before a picture and its regions grow (``model_max_length``)
TooLong = Literal["refused", "cut"]
"""A dialogue longer than allowed: an error, or cut off as the published program does it, marks included."""


def marked(turns: Sequence[Exchange], template: Template) -> str:
    """Return a dialogue as one text with a mark on both sides of every answer but the fixed one."""
    return rendered([(asked, f"{SUPERVISED}{answer}{SUPERVISED}") for asked, answer in turns], template)


def supervised(
    turns: Sequence[Exchange],
    *,
    template: Template,
    codec: TextCodec,
    tokens: GromaTokens,
    longest: int = LONGEST,
    too_long: TooLong = "refused",
    name: str = "a dialogue",
) -> Supervised:
    """Return a dialogue as ids and labels, the fixed exchange in front of it.

    turns: texts with Groma's marks (``prompts.Written``). longest: tokens, before anything grows. name: in
    messages. Raises RecordError for a dialogue that is too long, or that is cut within an answer.
    """
    ids = codec.encode(marked(turns, template))
    if len(ids) > longest:
        if too_long == "refused":
            raise RecordError(f"{name} has {len(ids):,} tokens; at most {longest:,}: leave turns out")
        ids = ids[:longest]
    return unmarked(ids, tokens=tokens, end=codec.eos, name=name)


def unmarked(ids: Sequence[int], *, tokens: GromaTokens, end: int, name: str = "a dialogue") -> Supervised:
    """Return ids without the marks of what is learnt, and a label for each that is left.

    end: the token that closes an answer. It is learnt wherever it stands, but for the first: that closes the
    fixed answer. RecordError where a mark has no partner.
    """
    marks = [place for place, token in enumerate(ids) if token == tokens.supervised]
    if len(marks) % 2:
        raise RecordError(
            f"{name} has {len(marks)} marks around its answers; expected two for each. Was it cut off?"
        )
    labels, done = list(ids), 0
    for opening, closing in zip(marks[::2], marks[1::2], strict=True):
        labels[done:opening] = [IGNORED] * (opening - done)
        done = closing
    if not marks:
        labels = [IGNORED] * len(ids)
    for place in [place for place, token in enumerate(ids) if token == end][1:]:
        labels[place] = end
    kept = [place for place, token in enumerate(ids) if token != tokens.supervised]
    return Supervised(tuple(ids[place] for place in kept), tuple(labels[place] for place in kept))
