"""The ten people's answers to a question, as VQAv2, VizWiz and TextVQA have them."""

from __future__ import annotations

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import ANSWERS
from deixis.files.json_files import Fields, shown_value

SHORT_ANSWER = "Answer the question using a single word or phrase."


def people_in(fields: Fields, name: str = "answers") -> tuple[str, ...]:
    """Return the ten answers of a row, given as texts or as objects with "answer"; RecordError otherwise."""
    values = fields.values.get(name)
    rows = values if isinstance(values, list) else []
    texts = tuple(str(one.get("answer", "")) if isinstance(one, dict) else str(one) for one in rows)
    if len(texts) != ANSWERS or not any(texts):
        raise RecordError(
            f"{fields.where}: field {name!r} is {shown_value(values)}; expected the answers of "
            f"{ANSWERS} people (a split without answers can't be scored here)"
        )
    return texts
