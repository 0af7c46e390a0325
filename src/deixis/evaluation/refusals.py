"""Questions that a system refuses, such as those with a sign that it has no word for: wrong, and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer
    from deixis.pictures.opening import Picture

T = TypeVar("T")
REFUSED = "refused: "  # how the parse failure of such an answer begins


def answers_or_refusals(
    batch: Sequence[T], ask: Callable[[Sequence[T]], Sequence[Answer]], *, picture: Picture
) -> list[Answer]:
    """Return an answer to each question of a batch; one that is refused gets an answer without words.

    ask: asks a batch as one. Where the batch is refused its questions are asked alone, so that a single one
    doesn't cost the answers to all others.
    """
    try:
        return list(ask(batch))
    except UsageError as fault:
        if len(batch) == 1:
            return [refusal(picture, str(fault))]
    return [answers_or_refusals([one], ask, picture=picture)[0] for one in batch]


def refusal(picture: Picture | Sequence[Picture], reason: str) -> Answer:
    """Return what stands for the answer to a question about a picture, or about several, that was refused."""
    from deixis.answers.grounded import Answer

    return Answer("", (), picture, system="", seconds=0.0, parse_failures=(REFUSED + reason,))  # type: ignore[arg-type]


def reason_of(answer: Answer) -> str:
    """Return why a question was refused; "" for an answer that a system gave."""
    failure = answer.parse_failures[0] if answer.parse_failures and not answer.system else ""
    return failure.removeprefix(REFUSED) if failure.startswith(REFUSED) else ""
