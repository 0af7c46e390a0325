"""A judge that grades from 0 to 1, as MM-Vet and ViP-Bench have it, and the table that grades add up to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deixis.endpoints.chat import ChatRequest
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Mark, Scoring, Table, Tabulate, unjudged
from deixis.evaluation.benchmarks.judged.judging import asked
from deixis.evaluation.benchmarks.marking import ALL, row
from deixis.evaluation.benchmarks.vip_bench import LONGEST_REPLY, MOST_RETRIES, WARMER, read_grade


def graded(scoring: Scoring, message: str, *, again: str, model: str) -> Mark:
    """Return the judge's grade. It is asked ``again``, warmer each time, where its reply is none.

    model: the published judge. Where no reply is a grade the answer is unjudged; the published program counts
    it as 0.
    """
    said = ""
    for attempt in range(MOST_RETRIES):
        request = ChatRequest(
            scoring.judge_model or model,
            (("user", again if attempt else message),),
            WARMER * max(attempt - 1, 0),
            LONGEST_REPLY,
        )
        answered = asked(scoring, request)
        if isinstance(answered, Mark):
            return answered
        said = answered
        if (grade := read_grade(said)) is not None:
            return Mark(grade.score, read=grade.content)
    return unjudged(f"the judge says {said!r:.80}; expected a number from 0 to 1")


def graded_table(needs: Callable[[BenchmarkItem[Any]], Sequence[str]]) -> Tabulate[Any]:
    """Return a tabulate: the mean grade of all, of each ability and of each combination of them, in percent.

    needs: the abilities that an item needs.
    """

    def tabulate(items: Sequence[BenchmarkItem[Any]], marks: Sequence[Mark]) -> Table:
        rows = {ALL: row(marks)}
        pairs = [(sorted(needs(item)), one) for item, one in zip(items, marks, strict=True)]
        for ability in sorted({ability for own, _ in pairs for ability in own}):
            rows[f"ability: {ability}"] = row([one for own, one in pairs if ability in own])
        for combination in sorted({tuple(own) for own, _ in pairs}):
            together = [one for own, one in pairs if tuple(own) == combination]
            rows[f"together: {' + '.join(combination)}"] = row(together)
        return Table(rows)

    return tabulate
