"""A judge that grades from 0 to 1, as MM-Vet and ViP-Bench have it, and the table that grades add up to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from deixis.endpoints.chat import ChatRequest
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Mark, Scoring, Table, Tabulate, unjudged
from deixis.evaluation.benchmarks.judged.judging import asked
from deixis.evaluation.benchmarks.marking import ALL, row
from deixis.evaluation.benchmarks.vip_bench import LONGEST_REPLY, MOST_RETRIES, WARMER, read_grade


def graded(scoring: Scoring, message: str, *, again: str, model: str) -> Mark:
    """Return the judge's grade, of several runs their mean.

    model: the published judge. An answer that one of the runs has no grade for is unjudged; the published
    program counts 0 there.
    """
    runs = [graded_once(scoring, message, again=again, model=model)]
    for judge in scoring.further_judges if runs[0].value is not None else ():
        own = replace(scoring, judge=judge, further_judges=())
        runs.append(graded_once(own, message, again=again, model=model))
    if failed := [one for one in runs if one.value is None]:
        return failed[0]
    values = [one.value or 0.0 for one in runs]
    return Mark(math.fsum(values) / len(values), read=", ".join(one.read for one in runs))


def graded_once(scoring: Scoring, message: str, *, again: str, model: str) -> Mark:
    """Return the grade of one run; the judge is asked ``again``, warmer each time, where it gave none."""
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
