"""Whatever a model or a judge writes is read in time that grows with its length, and no faster."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np
import pytest

from deixis.answers.grounded import Answer
from deixis.answers.reading.boxed_phrases import read_answer, read_boxes
from deixis.answers.reading.dialects import PHRASE_AND_BOX, lettered_pairs, scored_phrases
from deixis.errors import DeixisError
from deixis.evaluation.benchmarks.ferret_bench import shown_to_judge
from deixis.evaluation.benchmarks.ferret_ui import plain
from deixis.evaluation.metrics.answer_kinds import ANSWER_KINDS, is_name, is_of_kind, verdict
from deixis.evaluation.metrics.answered_noun import answered_noun
from deixis.evaluation.metrics.flickr_entities import answered_phrases, same_phrase
from deixis.evaluation.metrics.pope import read_yes_or_no
from deixis.evaluation.metrics.referring_classification import says_which, without_denials
from deixis.pictures.opening import open_picture

LENGTH = 8_000
PICTURE = open_picture(np.zeros((4, 4, 3), np.uint8))
PARTS = (
    *(" ", "a", "ab ", "[", " [", "]", " not", " no", "n't ", "1", "1,", "[1, ", ",", '"', "it is ", "and "),
    *(
        "\n",
        "\t \v",
        ".",
        "[\n",
        "that ",
        "a-",
        "a'",
        " no [",
        "a [1, 2, 3, 4] ",
        "[1,2,3,4] ",
        "is  ",
        "a kind of ",
    ),
)
TEXTS = [part * (LENGTH // len(part)) for part in PARTS]
TEXTS += [
    f"{start}{' ' * LENGTH}{end}" for start in ("8", "is", "[", "[1", "not") for end in ("", "x", "[", "]")
]


def said(text: str) -> Answer:
    return Answer(text, (), PICTURE, system="fake", seconds=0.0)


READERS: dict[str, Callable[[str], object]] = {
    "answer": read_answer,
    "answer in words": lambda text: read_answer(text).without_coordinates(),
    "boxes": read_boxes,
    "scored phrases": partial(scored_phrases, width=4, height=4),
    "lettered pairs": partial(lettered_pairs, width=4, height=4),
    "shown": partial(shown_to_judge, category="refer_desc"),
    "shown, published": partial(shown_to_judge, category="refer_desc", protocol="published"),
    "shown, grounding": partial(shown_to_judge, category="ground_conv"),
    "shown, grounding, published": partial(shown_to_judge, category="ground_conv", protocol="published"),
    "plain": plain,
    "yes or no": read_yes_or_no,
    "yes or no, published": partial(read_yes_or_no, protocol="published"),
    "name": is_name,
    "verdict": lambda text: verdict(said(text), repeated="ab"),
    "kinds": lambda text: [is_of_kind(said(text), kind) for kind in ANSWER_KINDS],
    "noun": answered_noun,
    "same phrase": lambda text: same_phrase(text, text),
    "phrases": partial(answered_phrases, width=4, height=4),
    "denials": without_denials,
    "denials, published": partial(without_denials, protocol="published"),
    "classes": lambda text: says_which(text, ["cup", "ab"], ["measuring cup"], whole_words=True),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_long_answers(read: Callable[[str], object]) -> None:
    for text in TEXTS:
        began = time.perf_counter()
        with suppress(DeixisError):  # malformed, and told so
            read(text)
        assert time.perf_counter() - began < 1.0, text[:20]


def test_pairs_are_those_of_the_published_pattern() -> None:
    """The pattern that is read once finds what the one that backtracks finds."""
    published = re.compile(r"([a-zA-Z\s]+)\s+(\[[\d,\s]+\])")
    rng = np.random.default_rng(0)
    pieces = ["a", " ", "  ", "[1,2,3,4]", "[1, 2]", "[", "]", "1", ".", "man", "\n"]
    found = 0
    for _ in range(3000):
        text = "".join(rng.choice(pieces, size=12))
        expected = [(phrase.strip(), box) for phrase, box in published.findall(text)]
        assert [(phrase.strip(), box) for phrase, box in PHRASE_AND_BOX.findall(text)] == expected
        found += len(expected)
    assert found > 500
