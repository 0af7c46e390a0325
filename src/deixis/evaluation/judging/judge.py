"""The judge of Ferret-Bench: a language model that rates two answers, and what its ratings add up to.

A judge is any function from a request to the text of its reply; ``Endpoint.complete`` is one, and
``KeptReplies`` makes one that asks nothing twice. A reply without
two scores, or none at all, is a failure of the judge: counted, and left out of the means.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError, RecordError
from deixis.evaluation.benchmarks.ferret_bench import BenchRecord, JudgeRule
from deixis.evaluation.metrics.rules import Rules, check_rules

Judge = Callable[[ChatRequest], str]
Scores = tuple[float, float]
MODEL = "gpt-4-0314"
TEMPERATURE = 0.2
MAX_TOKENS = 1024
LEAST, MOST = 1, 10
INSTRUCTION = "You are a helpful and precise assistant for checking the quality of the answer."
# Possessive: what was read is never read again in another way, so that any reply takes linear time.
SCORE = r"(\d{1,2}(?:\.\d++)?)"
TWO_SCORES = re.compile(rf"\s*+{SCORE}(?:\s*+[,;/]\s*+|\s++){SCORE}\s*+\.?\s*+")
FAILED: Scores = (-1.0, -1.0)  # what the published program writes for a reply without scores


@dataclass(frozen=True)
class Review:
    """The judge's rating of one answer.

    scores: of the reference and of the answer; None if the judge failed. reply: its text, None if none came;
    failure: why there are no scores.
    """

    question: int
    category: str
    scores: Scores | None
    reply: str | None = None
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the review for a line of JSON."""
        scores = None if self.scores is None else list(self.scores)
        return {
            "question_id": self.question,
            "category": self.category,
            "scores": scores,
            "content": self.reply,
            "failure": self.failure,
        }


@dataclass(frozen=True)
class RelativeScore:
    """What the answers of a category earn relative to the reference answers.

    n: how many were rated. value: 100 times the mean score of the answers over that of the references; None
    if nothing was rated. judge_failures: further questions that the judge gave no scores for; in the
    published protocol they are among the n, with -1 for both.
    """

    n: int
    value: float | None
    judge_failures: int
    answer_mean: float | None
    reference_mean: float | None


def judge_request(
    record: BenchRecord, shown: str, rule: JudgeRule, *, model: str = MODEL, protocol: Rules = "corrected"
) -> ChatRequest:
    """Return what a judge is asked about an answer; ``shown``: the answer as ``shown_to_judge`` made it.

    published: the context stands behind "[Context]" and a backslash, where a line break was meant.
    """
    check_rules(protocol)
    separator = "\\" if protocol == "published" else "\n"
    content = (
        f"[Context]{separator}{record.context}\n\n"
        f"[Question]\n{record.question}\n\n"
        f"[{rule.role} 1]\n{record.reference}\n\n[End of {rule.role} 1]\n\n"
        f"[{rule.role} 2]\n{shown}\n\n[End of {rule.role} 2]\n\n"
        f"[System]\n{rule.prompt}\n\n"
    )
    messages = (("system", INSTRUCTION), ("user", content))
    return ChatRequest(model, messages, temperature=TEMPERATURE, max_tokens=MAX_TOKENS)


def read_scores(reply: str, *, protocol: Rules = "corrected") -> Scores | None:
    """Return the two scores in the first line of a reply: reference first, then the answer; None without.

    published: two numbers with exactly one space or comma between them, whatever their size.
    corrected: two numbers from 1 to 10 and nothing else, set apart by space, comma, semicolon or slash.

    >>> read_scores("8, 7\\nBoth are good."), read_scores("8, 7", protocol="published"), read_scores("70 80")
    ((8.0, 7.0), None, None)
    >>> read_scores("6,7", protocol="published")
    (6.0, 7.0)
    """
    check_rules(protocol)
    if protocol == "published":
        parts = reply.split("\n")[0].replace(",", " ").split(" ")
        try:
            first, second = map(float, parts)
        except ValueError:
            return None
        return (first, second) if math.isfinite(first) and math.isfinite(second) else None
    match = TWO_SCORES.fullmatch(reply.strip().split("\n")[0])
    if match is None:
        return None
    scores = (float(match[1]), float(match[2]))
    return scores if all(LEAST <= score <= MOST for score in scores) else None


def review(
    judge: Judge,
    record: BenchRecord,
    shown: str,
    rules: Mapping[str, JudgeRule],
    *,
    model: str = MODEL,
    protocol: Rules = "corrected",
) -> Review:
    """Return the judge's rating of an answer; a judge that fails is part of the review, not an error.

    UsageError is raised all the same: without a key or with a wrong address every further request fails too.
    """
    if record.category not in rules:
        raise RecordError(
            f"there is no rule for category {record.category!r}; known: {', '.join(sorted(rules))}"
        )
    request = judge_request(record, shown, rules[record.category], model=model, protocol=protocol)
    try:
        reply = judge(request)
    except EndpointError as fault:
        return Review(record.id, record.category, None, failure=str(fault))
    scores = read_scores(reply, protocol=protocol)
    failure = "" if scores else f"its first line is {reply.split(chr(10))[0]!r:.80}; expected two scores"
    return Review(record.id, record.category, scores, reply, failure)


def aggregate(reviews: Iterable[Review], *, protocol: Rules = "corrected") -> dict[str, RelativeScore]:
    """Return the relative score of every category and, as "all", of all reviews together; sorted by name.

    published: failures count with -1 for both answers, and the means are rounded to three decimals first.
    corrected: failures are counted apart, nothing is rounded.
    """
    check_rules(protocol)
    groups: dict[str, list[Review]] = {}
    for one in reviews:
        groups.setdefault(one.category, []).append(one)
        groups.setdefault("all", []).append(one)
    return {name: relative_score(groups[name], protocol=protocol) for name in sorted(groups)}


def relative_score(reviews: Sequence[Review], *, protocol: Rules) -> RelativeScore:
    """Return the relative score of some reviews."""
    rated = [one.scores for one in reviews if one.scores is not None]
    failures = len(reviews) - len(rated)
    if protocol == "published":
        rated += [FAILED] * failures
    if not rated:
        return RelativeScore(0, None, failures, None, None)
    reference, answer = (math.fsum(scores) / len(rated) for scores in zip(*rated, strict=True))
    if protocol == "published":
        reference, answer = round(reference, 3), round(answer, 3)
    value = 100 * answer / reference if reference else None
    return RelativeScore(len(rated), value, failures, answer, reference)


def printed(scores: Mapping[str, RelativeScore]) -> list[str]:
    """Return the lines that the published summary prints, one for each category.

    >>> printed({"all": RelativeScore(1, 66.666, 0, 6.0, 9.0)})
    ['all 66.7']
    """
    return [f"{name} {'none' if one.value is None else round(one.value, 1)}" for name, one in scores.items()]
