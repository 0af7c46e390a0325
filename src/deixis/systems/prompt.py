"""What goes between the steps of the contract: prompts, questions ready to be decoded, what was read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deixis.answers.grounded import Finish, Span
from deixis.engine.policy import Delta, Request
from deixis.regions.shapes import Region
from deixis.systems.encoded import Encoded
from deixis.systems.questions import Question


@dataclass(frozen=True)
class Prompt:
    """Token ids, their labels (the ignored one where nothing is learnt), the regions behind region tokens.

    encoded: the pictures that it speaks of, in the order of their markers. own: what else the system has to
    know when it embeds the prompt and reads the answer.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    regions: tuple[Region, ...] = ()
    encoded: tuple[Encoded, ...] = ()
    own: Any = None


@dataclass(frozen=True)
class Prepared:
    """A question that only needs its answer decoded: its prompt, and what the decoding loop is given."""

    question: Question
    prompt: Prompt
    request: Request


@dataclass(frozen=True)
class Reading:
    """A completion read back: text, spans with places in the original frame, and what was malformed.

    raw: what the network wrote, to the letter. unanswerable: it is that the question can't be answered.
    """

    text: str
    spans: tuple[Span, ...]
    parse_failures: tuple[str, ...] = ()
    raw: str = ""
    unanswerable: bool = False


class AnswerReader(Protocol):
    """Reads one answer token by token; all its deltas together are the answer.

    failures: what was malformed so far. raw: what was written so far, to the letter.
    """

    failures: list[str]

    @property
    def raw(self) -> str:
        """Return what was written, to the letter."""
        ...

    def add(self, token: int, logprob: float, places: Sequence[Any]) -> Delta:
        """Take the next token. places: all that the network has said at places so far."""
        ...

    def close(self, finish: Finish) -> Delta:
        """Return what is left when no further token comes."""
        ...
