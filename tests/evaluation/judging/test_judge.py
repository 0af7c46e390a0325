from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from deixis.endpoints.chat import ChatRequest
from deixis.errors import EndpointError, RecordError, UsageError
from deixis.evaluation.benchmarks.ferret_bench import BenchRecord, JudgeRule
from deixis.evaluation.judging.judge import (
    Judge,
    RelativeScore,
    Review,
    Scores,
    aggregate,
    judge_request,
    printed,
    read_scores,
    review,
)

RECORD = BenchRecord(3, "7.jpg", "refer_desc", "What is [0.1, 0.2, 0.3, 0.4]?", "Objects:\nA cup.", "A cup.")
RULES = {"refer_desc": JudgeRule("Helper", "Rate them.")}


def saying(reply: str) -> Judge:
    return lambda request: reply


def failing(fault: Exception) -> Callable[[ChatRequest], str]:
    def judge(request: ChatRequest) -> str:
        raise fault

    return judge


@pytest.mark.parametrize(
    ("reply", "published", "corrected"),
    [
        ("8 7\nbecause", (8, 7), (8, 7)),
        ("8, 7\nx", None, (8, 7)),
        ("6,7", (6, 7), (6, 7)),
        ("6,7\nbecause", (6, 7), (6, 7)),
        ("6.5,7.25", (6.5, 7.25), (6.5, 7.25)),
        ("6 ,7", None, (6, 7)),
        ("6,7,8", None, None),
        (",7", None, None),
        ("8.5 9\n", (8.5, 9), (8.5, 9)),
        ("8  7", None, (8, 7)),
        ("8/7", None, (8, 7)),
        ("\n8 7", None, (8, 7)),
        ("80 70", (80, 70), None),
        ("0 7", (0, 7), None),
        ("-1 7", (-1, 7), None),
        ("nan 7", None, None),
        ("8", None, None),
        ("", None, None),
        ("9 8 7", None, None),
        ("Assistant 1: 8 7", None, None),
        ("8 of 10", None, None),
    ],
)
def test_scores_of_a_reply(reply: str, published: Scores | None, corrected: Scores | None) -> None:
    assert read_scores(reply, protocol="published") == published
    assert read_scores(reply) == corrected


def test_the_request() -> None:
    request = judge_request(RECORD, "A mug.", RULES["refer_desc"], model="m")
    (system, _), (_, content) = request.messages
    assert system == "system" and request.model == "m"
    assert content.startswith("[Context]\nObjects:\nA cup.\n\n[Question]\nWhat is [0.1, 0.2, 0.3, 0.4]?\n\n")
    assert "[Helper 1]\nA cup.\n\n[End of Helper 1]\n\n[Helper 2]\nA mug.\n\n[End of Helper 2]" in content
    published = judge_request(RECORD, "A mug.", RULES["refer_desc"], protocol="published").messages[1][1]
    assert published.startswith("[Context]\\Objects:")


def test_a_review_and_its_failures() -> None:
    good = review(saying("8 6\nfine"), RECORD, "A mug.", RULES)
    assert (good.scores, good.failure, good.question) == ((8, 6), "", 3)
    talkative = review(saying("Both are fine."), RECORD, "A mug.", RULES)
    assert talkative.scores is None and "'Both are fine.'; expected two scores" in talkative.failure
    silent = review(failing(EndpointError("it timed out")), RECORD, "A mug.", RULES)
    assert silent.to_dict() == {
        "question_id": 3,
        "category": "refer_desc",
        "scores": None,
        "content": None,
        "failure": "it timed out",
    }
    with pytest.raises(UsageError, match="no key"):
        review(failing(UsageError("there is no key")), RECORD, "A mug.", RULES)
    with pytest.raises(RecordError, match="no rule for category 'refer_desc'; known: other"):
        review(saying("8 6"), RECORD, "A mug.", {"other": RULES["refer_desc"]})


def reviews(*scores: Scores | None, category: str = "a") -> list[Review]:
    return [Review(i, category, one) for i, one in enumerate(scores)]


def test_failures_are_counted_and_left_out() -> None:
    some = [*reviews((8, 4), None, (10, 5)), *reviews((5, 10), category="b"), *reviews(None, category="c")]
    scores = aggregate(some)
    assert list(scores) == ["a", "all", "b", "c"]
    assert scores["a"] == RelativeScore(2, 50.0, 1, 4.5, 9.0)
    assert scores["b"].value == 200.0
    assert scores["c"] == RelativeScore(0, None, 1, None, None)
    assert (scores["all"].n, scores["all"].judge_failures) == (3, 2)


def test_the_published_means_hold_the_failures() -> None:
    scores = aggregate(reviews((9, 6), None, None), protocol="published")
    assert printed(scores) == ["a 57.1", "all 57.1"]
    assert scores["a"].n == 3 and scores["a"].judge_failures == 2
    assert aggregate(reviews(None), protocol="published")["a"].value == 100.0
    assert printed(aggregate(reviews((1, 5), None), protocol="published")) == ["a none", "all none"]


def test_no_reviews_no_scores() -> None:
    assert aggregate([]) == {}


@pytest.mark.parametrize(
    "reply",
    [
        " " * 8000,
        "8" + " " * 8000,
        "8" + " " * 8000 + "x",
        "8 7" + " " * 8000 + "x",
        "8" + " ," * 4000 + " 7",
        "8." + "1" * 8000 + " x",
        "8.1" + "\t \v" * 3000 + "|",
        "\n" * 8000 + "8" + " " * 8000,
    ],
)
def test_any_reply_takes_linear_time(reply: str) -> None:
    """A hundred times as long as before, a reply takes about a hundred times as long, not ten thousand."""
    began = time.perf_counter()
    for protocol in ("corrected", "published"):
        assert read_scores(reply * 25, protocol=protocol) is None
    assert time.perf_counter() - began < 0.5
