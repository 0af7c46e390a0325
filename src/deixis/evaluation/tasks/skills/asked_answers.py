"""How answers to the second sheet of the free task are judged, and whether one says that it can't tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.english.colours import colours_in
from deixis.english.nouns import words_of
from deixis.evaluation.metrics.answer_kinds import count_of_places, said_number, verdict
from deixis.evaluation.refusals import reason_of
from deixis.evaluation.tasks.skills.asked_sheet import AskedTruth

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer


def refuses(answer: Answer) -> bool:
    """Tell whether an answer says that the question can't be answered, or the question was refused."""
    return answer.unanswerable or reason_of(answer) != ""


def asked_kind_fault(answer: Answer, truth: AskedTruth) -> str:
    """Return what is wrong with the kind of an answer, "" for nothing."""
    if truth.unanswerable:
        return "" if refuses(answer) else "does not say that it can't be answered"
    if answer.parse_failures:
        return f"cannot be parsed: {answer.parse_failures[0]}"
    if answer.unanswerable:
        return "says that it can't be answered"
    said = verdict(answer)
    if truth.yes is not None:
        return "neither yes nor no" if said is None else ""
    if said is not None or answer.nowhere:
        return "says yes, no or nowhere"
    if truth.count is not None:
        return "no count: expected a number or places" if count_said(answer) is None else ""
    if truth.kind == "colour":
        return "" if colours_in(words_of(answer.text)) else "names no colour"
    return "" if words_of(answer.text) else "says nothing"


def asked_content_fault(answer: Answer, truth: AskedTruth) -> str:
    """Return what is wrong with what an answer of the right kind says, "" for nothing."""
    if truth.unanswerable:
        return ""
    if truth.yes is not None:
        return "" if verdict(answer) is truth.yes else f"the right verdict is {'yes' if truth.yes else 'no'}"
    if truth.count is not None:
        count = count_said(answer)
        return "" if count == truth.count else f"counts {count}, right is {truth.count}"
    words = words_of(answer.text)
    said = set(colours_in(words)[:1] if truth.kind == "colour" else words)
    wanted = set(colours_in(truth.words) if truth.kind == "colour" else truth.words)
    return "" if said & wanted else f"has none of: {', '.join(truth.words)}"


def count_said(answer: Answer) -> int | None:
    """Return how many an answer says there are: its number, or else how many places it gives."""
    number = said_number(answer.text)
    return number if number is not None else count_of_places(answer) or None


def asked_blindly(truths: Sequence[AskedTruth]) -> list[bool]:
    """Tell of each entry whether yes, or the most frequent number or word of its kind, is right."""
    words = {
        kind: Counter(word for truth in truths if truth.kind == kind for word in dict.fromkeys(truth.words))
        for kind in {truth.kind for truth in truths}
    }
    counts = Counter(truth.count for truth in truths if truth.count is not None).most_common(1)

    def right(truth: AskedTruth) -> bool:
        if truth.unanswerable:
            return False
        if truth.yes is not None:
            return truth.yes
        if truth.count is not None:
            return truth.count == counts[0][0]
        return words[truth.kind].most_common(1)[0][0] in truth.words

    return [right(truth) for truth in truths]
