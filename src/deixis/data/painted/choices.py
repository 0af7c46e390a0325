"""Questions with four lettered answers."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.data.painted.assignment import distinct_signs
from deixis.data.painted.instruction import Instruction, PaintedRegion
from deixis.data.painted.tables import LETTERS, MULTIPLE_CHOICE
from deixis.errors import RecordError
from deixis.painting.draws import Draws
from deixis.painting.kinds import CODE
from deixis.painting.silhouette import Edges, Silhouette
from deixis.text.templates import IMAGE


def multiple_choice(question: str, choices: Sequence[str]) -> str:
    """Return a question with its four answers, to be answered by a letter."""
    a, b, c, d = choices
    return MULTIPLE_CHOICE.format(question=question, a=a, b=b, c=c, d=d)


def visual7w_instruction(question: str, boxes: Sequence[Edges], answer: Edges, draws: Draws) -> Instruction:
    """Return which of four painted boxes a question means (Visual7W, pointing).

    RecordError: not four boxes, or the answer is none of them.
    """
    if len(boxes) != len(LETTERS) or answer not in boxes:
        raise RecordError(
            f"{len(boxes)} boxes and the answer {answer}; expected four, one of them the answer"
        )
    signs = distinct_signs(CODE["v7w"], len(boxes), draws)
    choices = [f"The object {sign.reference(article=draws.random() < 0.5)}" for sign in signs]
    turn = (f"{IMAGE}\n{multiple_choice(question, choices)}", LETTERS[list(boxes).index(answer)])
    regions = tuple(PaintedRegion(Silhouette(box), sign) for box, sign in zip(boxes, signs, strict=True))
    return Instruction((turn,), regions, constant=True)
