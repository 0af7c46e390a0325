"""What is asked of the engine, and what it tells whoever asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deixis.answers.grounded import Answer
from deixis.engine.policy import Delta
from deixis.engine.settings import Settings
from deixis.errors import DeixisError, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region

LONGEST_DEADLINE = 24 * 3600.0  # seconds


@dataclass(frozen=True)
class Asked:
    """One question to one model.

    model: the name it is served by; None for the engine's default. pictures: opened; none where the system
    can do without. question: ``{name}`` stands for the region of that name. regions: by name, in pixels of
    the picture unless their frame says otherwise. before: earlier answers about these pictures, oldest
    first. deadline: seconds from now after which nobody wants the answer. who: who asks, such as a key or a
    connection; those that wait are served in turn, so that nobody's many questions starve another's one.
    """

    model: str | None
    pictures: tuple[Picture, ...]
    question: str
    regions: Mapping[str, Region] = field(default_factory=dict)
    before: tuple[Answer, ...] = ()
    settings: Settings = field(default_factory=Settings)
    deadline: float | None = None
    who: str = ""

    def __post_init__(self) -> None:
        if self.deadline is not None and not 0 < self.deadline <= LONGEST_DEADLINE:
            raise UsageError(
                f"the deadline is {self.deadline!r} seconds from now; expected more than 0, at most "
                f"{LONGEST_DEADLINE:.0f}"
            )


@dataclass(frozen=True)
class Progress:
    """Text and places that became certain; all of an answer's deltas together are the answer."""

    delta: Delta


@dataclass(frozen=True)
class Finished:
    """The whole answer, the last event of a request.

    An answer that was taken back while it was written says so by its ``finish``. prompt_tokens: how many
    positions the decoder was given, those of pictures included; reused_tokens: how many of them it knew.
    """

    answer: Answer
    prompt_tokens: int = 0
    reused_tokens: int = 0


@dataclass(frozen=True)
class Failed:
    """Why there is no answer, the last event of a request."""

    error: DeixisError


Event = Progress | Finished | Failed
OnEvent = Callable[[Event], None]
