"""Predictions on disk: what a model answered, one JSON object a line, paired with questions by id.

The order of lines means nothing: runs that were split over machines write several files, which can be given
together in any order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from deixis.errors import RecordError
from deixis.files.json_files import Fields, read_json_lines

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")
MOST_SHOWN = 5


def read_predictions(
    paths: Iterable[Path], *, key: str, text: Sequence[str] = ("text", "answer")
) -> dict[str, str]:
    """Return the answer text of every id in some files.

    key: the field that holds the id, such as "image_id" or "question_id"; numbers become their digits, so
    that 7 and "7" are one id. text: the fields that may hold the answer; the first that is there is taken.
    RecordError: an id stands twice (a file given twice, or a run appended to an old one), or a field is
    missing.
    """
    answers: dict[str, str] = {}
    for path in paths:
        for line in read_json_lines(Path(path)):
            name = identifier(line, key)
            if name in answers:
                raise RecordError(
                    f"{line.where}: there is already an answer to {key} {name!r}; was a file given twice, "
                    "or a run appended to an old one? Each id needs exactly one answer"
                )
            answers[name] = line.text(next((one for one in text if one in line.values), text[0]))
    return answers


def identifier(fields: Fields, key: str) -> str:
    """Return an id, a whole number or a string, as a string; RecordError for anything else.

    >>> identifier(Fields({"image_id": 7}, "a.jsonl:1"), "image_id")
    '7'
    """
    value = fields.values.get(key)
    return fields.text(key) if not isinstance(value, int) else str(fields.whole(key))


def paired(questions: Mapping[Key, T], answers: Mapping[Key, str], *, of: str) -> list[tuple[T, str]]:
    """Return each question with its answer, in the order of the questions.

    of: what the ids are of, for messages. RecordError: a question without answer or an answer without
    question; a score over a part of the questions would pass for one over all.
    """
    for missing, what in (
        ([key for key in questions if key not in answers], "have no answer"),
        ([key for key in answers if key not in questions], "were never asked about"),
    ):
        if missing:
            shown = ", ".join(map(str, missing[:MOST_SHOWN])) + (", …" if len(missing) > MOST_SHOWN else "")
            raise RecordError(
                f"{len(missing)} of {len(questions)} {of} {what}: {shown}; expected one answer for each. Are "
                "questions and answers of the same split, and did the run finish? Leave out what is not "
                "to be scored"
            )
    return [(question, answers[key]) for key, question in questions.items()]
