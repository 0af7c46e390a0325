"""Which tokens of a dialogue are learnt: the answers with what closes them, nothing else.

"corrected" knows where each answer stands, because it was just written there. "published" finds the answers
again by cutting the rendered text at its marks and counting the tokens of the pieces, by the rule of the
template (see ``masking``); where the counts don't add up, because an answer is empty or holds such a mark, or
because the rule doesn't fit the tokenizer, nothing of the dialogue is learnt. Otherwise both give the same
labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from deixis.errors import UsageError
from deixis.text.prompt_tokens import TextCodec, prompt_ids, shared_length
from deixis.text.published_masking import MaskingRule
from deixis.text.templates import Exchange, Template
from deixis.text.token_sequence import IGNORED

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
    rule: MaskingRule | None = None,
    picture: bool = True,
    max_length: int | None = None,
) -> Supervised:
    """Return a dialogue as ids and labels.

    picture: whether ``<image>`` stands for a picture; without one the text is encoded in one piece.
    strict_masking: see the module. With "corrected", an empty answer is closed, and saying nothing is learnt.
    rule: how "published" counts, by default the template's way; without one, both are the same.
    max_length: a dialogue as long as this is not dropped by "published", which takes it for cut off.
    Nothing is cut here.
    """
    encode: Encoder = (lambda text: prompt_ids(text, codec)) if picture else codec.encode
    counting = rule or template.masking
    if strict_masking == "published" and counting is not None:
        return by_counting(
            template.render(turns), template, counting, encode, pad=codec.pad, max_length=max_length
        )
    if strict_masking in ("corrected", "published"):
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
    text: str,
    template: Template,
    rule: MaskingRule,
    encode: Encoder,
    *,
    pad: int,
    max_length: int | None,
) -> Supervised:
    """Return labels found by counting the tokens of every round, or none at all where that fails."""
    ids = encode(text)
    labels = [IGNORED] * len(ids)
    # What announces an answer includes the space before it where there is one.
    before = " " * bool(template.gap) + template.assistant + template.gap
    separator = template.stop if rule.separator is None else rule.separator
    at = rule.start
    for number, one in enumerate(rounds(text, template, separator)):
        parts = one.split(before)
        if not one or len(parts) != 2:
            break
        later = number > 0
        start = at + len(encode(parts[0] + before)) + rule.question[later]
        at += len(encode(one + separator * rule.closed)) + rule.whole[later]
        labels[start:at] = ids[start:at]
    total = sum(i != pad for i in ids)
    if at != total and (max_length is None or at < max_length):
        warning = f"WARNING: tokenization mismatch: {at} vs. {total}. (ignored)"
        return Supervised(tuple(ids), (IGNORED,) * len(ids), warning)
    return Supervised(tuple(ids), tuple(labels))


def rounds(text: str, template: Template, separator: str) -> Iterator[str]:
    """Yield the rounds of a rendered dialogue, each a question with its answer, without the closing mark.

    The system text belongs to the first. The mark may also stand behind the system text and every question.
    """
    pieces = text.split(separator)
    first = 1 + template.opening.count(separator) + template.question_end.count(separator)
    later = 1 + template.question_end.count(separator)
    start, size = 0, first
    while start < len(pieces):
        yield separator.join(pieces[start : start + size])
        start, size = start + size, later
