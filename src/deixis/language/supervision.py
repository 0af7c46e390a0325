"""Which tokens of a dialogue are learnt: the answers with what closes them, nothing else.

"corrected" knows where each answer stands, because it was just written there. "published" finds the answers
again by cutting the rendered text at its marks and counting the tokens of the pieces (ferret.md section 5,
ferret_v2.md section 12); where the counts don't add up, because an answer is empty or holds such a mark,
nothing of the dialogue is learnt. On all other dialogues both give the same labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from deixis.errors import UsageError
from deixis.language.draft import IGNORED
from deixis.language.prompt_tokens import TextCodec, prompt_ids, shared_length
from deixis.language.templates import Exchange, Template

Masking = Literal["published", "corrected"]
Encoder = Callable[[str], list[int]]


@dataclass(frozen=True)
class Supervised:
    """The ids of a dialogue, a label each (IGNORED where nothing is learnt); warning: why it was dropped."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    warning: str | None = None

    @property
    def learnt(self) -> int:
        """How many tokens are learnt."""
        return sum(label != IGNORED for label in self.labels)


def supervised(
    turns: Sequence[Exchange],
    template: Template,
    codec: TextCodec,
    *,
    strict_masking: Masking = "corrected",
    picture: bool = True,
    max_length: int | None = None,
) -> Supervised:
    """Return a dialogue as ids and labels.

    picture: whether ``<image>`` stands for a picture; without one the text is encoded in one piece.
    strict_masking: see the module. With "corrected", an empty answer is closed, and saying nothing is learnt.
    max_length: a dialogue as long as this is not dropped by "published", which takes it for cut off.
    Nothing is cut here.
    """
    encode: Encoder = (lambda text: prompt_ids(text, codec)) if picture else codec.encode
    if strict_masking == "published":
        return by_counting(template.render(turns), template, encode, pad=codec.pad, max_length=max_length)
    if strict_masking == "corrected":
        return by_construction(turns, template, encode)
    raise UsageError(f'strict_masking is {strict_masking!r}; expected "published" or "corrected"')


def by_construction(turns: Sequence[Exchange], template: Template, encode: Encoder) -> Supervised:
    """Return labels at the tokens that each answer added to the text before it.

    A token that holds the end of a question and the beginning of an answer is learnt.
    """
    segments = template.segments(turns, close_empty=True)
    ids = encode("".join(segment.text for segment in segments))
    labels = [IGNORED] * len(ids)
    so_far, start = "", 0
    for segment in segments:
        so_far += segment.text
        end = len(ids) if segment is segments[-1] else shared_length(ids, encode(so_far))
        if segment.learnt:
            labels[start:end] = ids[start:end]
        start = end
    return Supervised(tuple(ids), tuple(labels))


def by_counting(
    text: str, template: Template, encode: Encoder, *, pad: int, max_length: int | None
) -> Supervised:
    """Return labels found by counting the tokens of every round, or none at all where that fails."""
    ids = encode(text)
    labels = [IGNORED] * len(ids)
    # The separator includes the space before an answer where there is one; that space is one token more.
    before = " " * bool(template.gap) + template.assistant + template.gap
    surplus = 1 + bool(template.gap)
    at = 1
    for one in rounds(text, template):
        parts = one.split(before)
        if not one or len(parts) != 2:
            break
        start = at + len(encode(parts[0] + before)) - surplus
        at += len(encode(one))
        labels[start:at] = ids[start:at]
    total = sum(i != pad for i in ids)
    if at != total and (max_length is None or at < max_length):
        warning = f"WARNING: tokenization mismatch: {at} vs. {total}. (ignored)"
        return Supervised(tuple(ids), (IGNORED,) * len(ids), warning)
    return Supervised(tuple(ids), tuple(labels))


def rounds(text: str, template: Template) -> Iterator[str]:
    """Yield the rounds of a rendered dialogue, each a question with its answer, without the closing mark.

    The system text belongs to the first. The mark may also stand behind the system text and every question.
    """
    pieces = text.split(template.stop)
    first = 1 + template.opening.count(template.stop) + template.question_end.count(template.stop)
    later = 1 + template.question_end.count(template.stop)
    start, size = 0, first
    while start < len(pieces):
        yield template.stop.join(pieces[start : start + size])
        start, size = start + size, later
