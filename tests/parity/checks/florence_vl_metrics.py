"""Checks of the two scoring rules of Florence-VL's own evaluation scripts."""

from __future__ import annotations

from deixis.evaluation.benchmarks.choices.cv_bench import published_line, published_match
from deixis.evaluation.benchmarks.choices.scienceqa import published_answer, published_index
from tests.parity.case import Case
from tests.parity.planning import Check


def check_cvbench_metric(case: Case) -> None:
    """Which rows of CV-Bench and MMVP count, and the line that is printed."""
    rows = case.given("rows")
    matches = sum(published_match(row["answer"], row["prediction"]) for row in rows)
    case.expect("matches", ours=matches)
    case.expect("total", ours=len(rows))
    case.expect("reference_stdout", ours=published_line(matches, len(rows)))


def check_scienceqa_parse(case: Case) -> None:
    """Which letter is read from each reply, and which choice that is."""
    for row in case.rows("rows"):
        answer = published_answer(row.given("prediction"))
        row.expect("answer", ours=answer)
        row.expect("index", ours=published_index(answer, row.given("num_choices")))


METRICS = {
    "cvbench_metric": Check(check_cvbench_metric, given=("rows",)),
    "scienceqa_parse": Check(check_scienceqa_parse, given=("rows/*/prediction", "rows/*/num_choices")),
}
