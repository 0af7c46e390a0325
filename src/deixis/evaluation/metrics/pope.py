"""POPE (Li et al., 2023): does a model say yes to things that are not there?

Questions such as "Is there a dog in the image?", answered yes or no; "yes" is the positive class.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.predictions import identifier, paired
from deixis.evaluation.metrics.rules import Rules, check_rules, share
from deixis.files.json_files import read_json_lines

YesNo = Literal["yes", "no"]
Key = TypeVar("Key", bound=Hashable)
WORD = re.compile(r"[a-z]+(?:['’]t)?")
SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]?")
AFFIRMED = re.compile(r"\s*there(?:\s+(?:is|are)|['’]s)\b")
NEGATIONS = {"no", "not", "none", "cannot", "never"}


@dataclass(frozen=True)
class PopeScores:
    """The scores of one set of questions; shares in 0..1, None for a share of nothing.

    value: accuracy; an answer that is neither yes nor no is wrong. yes_ratio: how often the answer was yes.
    """

    n: int
    value: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    yes_ratio: float | None
    parse_failures: int


def read_pope(path: Path) -> dict[str, tuple[str, str, YesNo]]:
    """Return picture, question and label by question id of a POPE file, one JSON object a line."""
    found: dict[str, tuple[str, str, YesNo]] = {}
    for line in read_json_lines(Path(path)):
        name, label = identifier(line, "question_id"), line.text("label")
        if label not in ("yes", "no"):
            raise RecordError(f'{line.where}: field \'label\' is {label!r}; expected "yes" or "no"')
        if name in found:
            raise RecordError(f"{line.where}: question_id {name!r} stands here a second time")
        found[name] = (line.text("image"), line.text("text"), "yes" if label == "yes" else "no")
    return found


def read_yes_or_no(text: str, *, protocol: Rules = "corrected") -> YesNo | None:
    """Return what an answer says in its first sentence; None if it says neither.

    published: "no" if one of the words No, not and no is there, else "yes", so there is always an answer. The
    published run stores its answers in lower case; give them as stored.
    corrected: the first of the words that affirm or negate decides, whatever its case; a sentence that begins
    with "there is" and has none says yes. A question in front ("A dog? No.") says neither, and the sentence
    behind it counts.

    >>> read_yes_or_no("There isn't a dog."), read_yes_or_no("nothing here"), read_yes_or_no("Yes, no doubt.")
    ('no', None, 'yes')
    >>> read_yes_or_no("A dog? No, it is not there."), read_yes_or_no("Yes?")
    ('no', 'yes')
    >>> read_yes_or_no("nothing here", protocol="published")
    'yes'
    """
    check_rules(protocol)
    if protocol == "published":
        words = text.split(".")[0].replace(",", "").split(" ")
        return "no" if {"No", "not", "no"} & set(words) else "yes"
    sentence = first_statement(text.strip().lower())
    for word in WORD.findall(sentence):
        if word == "yes":
            return "yes"
        if word in NEGATIONS or word.endswith(("n't", "n’t")):
            return "no"
    return "yes" if AFFIRMED.match(sentence) else None


def first_statement(text: str) -> str:
    """Return the first sentence that doesn't ask; where all do, the first.

    >>> first_statement("a dog? no."), first_statement("a dog?")
    ('no.', 'a dog?')
    """
    sentences = [part for part in map(str.strip, SENTENCE.findall(text)) if part]
    return next((one for one in sentences if not one.endswith("?")), sentences[0] if sentences else "")


def score_pope(
    labels: Mapping[Key, YesNo], answers: Mapping[Key, str], *, protocol: Rules = "corrected"
) -> PopeScores:
    """Return the scores of answers against labels of the same ids; RecordError where ids differ."""
    pairs = [
        (label, read_yes_or_no(text, protocol=protocol))
        for label, text in paired(labels, answers, of="questions")
    ]
    n = len(pairs)
    said_yes = sum(answer == "yes" for _, answer in pairs)
    rightly_yes = sum(label == answer == "yes" for label, answer in pairs)
    precision = share(rightly_yes, said_yes)
    recall = share(rightly_yes, sum(label == "yes" for label, _ in pairs))
    f1 = None
    if precision is not None and recall is not None:
        # Nothing rightly said yes to is the limit 0, not a division by zero.
        f1 = 2 * precision * recall / (precision + recall) if rightly_yes else 0.0
    return PopeScores(
        n=n,
        value=share(sum(label == answer for label, answer in pairs), n),
        precision=precision,
        recall=recall,
        f1=f1,
        yes_ratio=share(said_yes, n),
        parse_failures=sum(answer is None for _, answer in pairs),
    )
