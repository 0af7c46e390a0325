"""A published benchmark: words about its protocol, and four small functions; one file each.

``read`` makes items of the published files, ``prompt`` says what is asked, ``score`` marks one reply, and
``tabulate`` adds marks up to the numbers that papers print. A benchmark knows no system: whoever asks one
(``asking.asking``) hands its replies over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from deixis.endpoints.chat import ChatRequest
from deixis.errors import UsageError
from deixis.evaluation.benchmarks.shown import Shown as Shown
from deixis.evaluation.metrics.rules import Rules, check_rules
from deixis.regions.shapes import Region

T = TypeVar("T")
Judge = Callable[[ChatRequest], str]
"""Any function from a request to the text of its reply, such as ``Endpoint.complete`` or ``KeptReplies``."""
Fault = Literal["", "unparsed", "refused", "unjudged", "left out"]


@dataclass(frozen=True)
class BenchmarkItem(Generic[T]):
    """One question of a benchmark.

    id: unique in what was read. question: as the file has it; ``prompt`` makes of it what is asked. truth:
    whatever ``score`` needs. regions: by the names in the prompt's ``{braces}``. group: what is scored
    together, such as the rotations of one question; the id where nothing else is. kinds: what the item counts
    under in the table, by heading, such as {"task": "count"}. places: whether its reply is to have places, in
    a benchmark where only some are (``Benchmark.places``: all). left_out: why nobody can be asked about it,
    such as a mark that can't be painted; it is in no mean then, and the card names it.
    """

    id: str
    pictures: tuple[Shown, ...]
    question: str
    truth: T
    regions: tuple[tuple[str, Region], ...] = ()
    group: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    places: bool = False
    left_out: str = ""

    @property
    def together(self) -> str:
        """What the item is scored together with."""
        return self.group or self.id


@dataclass(frozen=True)
class ReplyPlace:
    """A place of a reply: x0 y0 x1 y1 in pixels of the original picture, continuous edges, and its phrase.

    picture: which of the item's pictures, from 0. named: as the how manyth place of its reply the system
    named it, from 0; None where that isn't known. Places of a phrase are the surest first.
    """

    box: tuple[float, float, float, float]
    score: float | None = None
    phrase: str = ""
    picture: int = 0
    named: int | None = None


@dataclass(frozen=True)
class Reply:
    """What a system answered to an item.

    failures: what of it was malformed, as ``Answer.parse_failures``. refused: why the system would not answer
    the question at all; "" where it did.
    """

    text: str
    places: tuple[ReplyPlace, ...] = ()
    failures: tuple[str, ...] = ()
    refused: str = ""

    @property
    def as_named(self) -> tuple[ReplyPlace, ...]:
        """The places in the order in which the system named them; those of which it isn't known as they are.

        >>> box = (0.0, 0.0, 1.0, 1.0)
        >>> surest, first = ReplyPlace(box, 0.9, named=1), ReplyPlace(box, 0.4, named=0)
        >>> Reply("two dogs", (surest, first)).as_named[0].score
        0.4
        """
        if any(place.named is None for place in self.places):
            return self.places
        return tuple(sorted(self.places, key=lambda place: place.named or 0))


@dataclass(frozen=True)
class Scoring:
    """How replies are scored.

    rules: "published" counts what the authors' programs count, faults included, where a benchmark has such
    rules of its own (``Benchmark.rules``); "corrected" is the documented rule. judge: a language model behind
    an endpoint, for benchmarks that need one; None leaves its work undone, and counted. judge_model: its name
    there, None for the model that the benchmark was published with. further_judges: for further runs of the
    judge, whose grades are averaged (``Benchmark.judge_runs``).
    """

    rules: Rules = "corrected"
    judge: Judge | None = None
    judge_model: str | None = None
    further_judges: tuple[Judge, ...] = ()

    def __post_init__(self) -> None:
        check_rules(self.rules)


@dataclass(frozen=True)
class Mark:
    """What one reply earned.

    value: 0 to 1; None where nobody can say ("unjudged") or nothing was asked ("left out"). read: what the
    reply was read as. fault: "unparsed" and "refused" are worth 0 and counted apart; "unjudged" is left out
    of the means and counted, and the card counts what is "left out". why: the fault in words. numbers: what
    else was measured, the same names for every item of a benchmark.
    """

    value: float | None
    read: str = ""
    fault: Fault = ""
    why: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) != (self.fault in ("unjudged", "left out")):
            raise ValueError(
                f"a mark of value {self.value} with fault {self.fault!r}: only unjudged ones have none"
            )


def unparsed(why: str, *, value: float = 0.0, numbers: Mapping[str, float] | None = None) -> Mark:
    """Return the mark of a reply that can't be read. value: what published rules give it all the same."""
    return Mark(value, fault="unparsed", why=why, numbers=numbers or {})


def unjudged(why: str) -> Mark:
    """Return the mark of a reply that a judge was needed for and gave nothing."""
    return Mark(None, fault="unjudged", why=why)


@dataclass(frozen=True)
class Row:
    """One line of a table.

    value: on a scale up to ``most``; None of nothing. n: how many items it is of (or groups of them, where
    the line says so). ci95: where the value would lie for other pictures of the kind; None where nobody
    drew any. unparsed, refused: how many of the n these were, worth 0 but where published rules say
    otherwise; unjudged: how many further items nobody judged.
    """

    value: float | None
    n: int
    unparsed: int = 0
    refused: int = 0
    unjudged: int = 0
    most: float = 100.0
    ci95: tuple[float, float] | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the line for JSON."""
        return {**vars(self), "ci95": None if self.ci95 is None else list(self.ci95)}


@dataclass(frozen=True)
class Table:
    """The numbers of a benchmark by name; the first is the one that papers print."""

    rows: Mapping[str, Row]

    @property
    def first(self) -> Row:
        """The number that papers print."""
        return next(iter(self.rows.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return the table for JSON."""
        return {name: row.to_dict() for name, row in self.rows.items()}


Read = Callable[[Path], list[BenchmarkItem[T]]]
Prompt = Callable[[BenchmarkItem[T]], str]
Score = Callable[[BenchmarkItem[T], Reply, Scoring], Mark]
Tabulate = Callable[[Sequence[BenchmarkItem[T]], Sequence[Mark]], Table]


@dataclass(frozen=True)
class Benchmark(Generic[T]):
    """A benchmark: what is said about it, and what it does.

    name: for commands; title: what the field calls it. layout: the files that ``read`` takes, in words.
    prompt_text: the published prompt, with <angle brackets> for what an item fills in. metric: how marks come
    about and add up. unread: what a reply counts as that can't be read. judge: whether a judge is needed.
    numbers: where its published numbers are. rules: which rules of scoring there are. max_new_tokens: how
    long a reply may be. words_only: whether it was published with answers in words alone, from systems that
    otherwise name places unasked (``System.in_words``).

    places: whether replies are to have places, which a model that writes them in words has to be told.
    read_split: as ``read``, for one split of a folder that has several; None where a folder is one.
    resampled: tabulates for intervals, where ``tabulate`` is too slow for that; resamples: how many at most.
    again: the truth of an item that a resample has so many times already, where truths know pictures.
    score_leniently: another reading of the very same replies, whose table stands beside that of ``score``.
    judge_told: what a judge is told about an item but for the question, where that is in the data.
    judge_runs: how many runs of the judge the paper averages.
    read: from the folder, or the file of questions in it, to items; RecordError names file and row. prompt:
    what is asked about an item; braces that are no names of regions are doubled by whoever asks.
    score: marks a reply that isn't refused and has words or places (``marking.mark`` sees to the others; by
    published rules it gets empty ones, too). tabulate: from all items and their marks, in the same order.
    """

    name: str
    title: str
    layout: str
    prompt_text: str
    metric: str
    read: Read[T]
    prompt: Prompt[T]
    score: Score[T]
    tabulate: Tabulate[T]
    numbers: str
    unread: str = "wrong, and counted as unparsed"
    judge: Literal["no", "optional", "needed"] = "no"
    judge_model: str = ""
    rules: tuple[Rules, ...] = ("corrected",)
    max_new_tokens: int = 64
    words_only: bool = False
    places: bool = False
    read_split: Callable[[Path, str], list[BenchmarkItem[T]]] | None = None
    resampled: Tabulate[T] | None = None
    resamples: int = 1000
    again: Callable[[T, int], T] | None = None
    score_leniently: Score[T] | None = None
    judge_told: Callable[[BenchmarkItem[T]], str] | None = None
    judge_runs: int = 1

    def check(self, scoring: Scoring) -> None:
        """Raise UsageError for rules that the benchmark doesn't have."""
        if scoring.rules not in self.rules:
            raise UsageError(
                f"benchmark {self.name!r} has no rules {scoring.rules!r}; expected {' or '.join(self.rules)}"
            )
        if scoring.further_judges and self.judge_runs == 1:
            raise UsageError(f"the judge of benchmark {self.name!r} has one run; leave --judge-runs out")

    def protocol(self, scoring: Scoring) -> dict[str, Any]:
        """Return in words how a score by these rules comes about."""
        judged = "none"
        if self.judge != "no" and scoring.judge is not None:
            judged = scoring.judge_model or self.judge_model
        return {
            "benchmark": self.title,
            "prompt": self.prompt_text,
            "metric": self.metric,
            "unread": self.unread,
            "rules": scoring.rules,
            "judge": judged if self.judge != "no" else "not needed",
            **(
                {"judge_runs": 1 + len(scoring.further_judges)}
                if scoring.judge and self.judge_runs > 1
                else {}
            ),
            **({"answers": "asked for in words alone, without places"} if self.words_only else {}),
        }
