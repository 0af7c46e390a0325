"""A dialogue about a picture, or about none, and the rules by which published rows become one.

The schema is LLaVA's: ``id``, ``image`` (a relative path, or none), and ``conversations``, a list of ``from``
("human" or "gpt") and ``value`` (florence_vl.md section 6). The rules are those of the published programs,
each a function of its own; what they would turn into a broken sample is refused with a reason instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.errors import RecordError
from deixis.files.json_files import Fields
from deixis.text.templates import IMAGE, picture_first

HUMAN, MODEL = "human", "gpt"
MOST_PICTURES = 16
Said = tuple[str, str]
"""Who speaks, HUMAN or MODEL, and the words."""


class UnusableRow(RecordError):
    """A row that no sample can be made of. reason: in a few words, the same for all rows of a kind."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Asked:
    """A question without its pictures' markers, its answer, and the pictures that come with it, by name."""

    question: str
    answer: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conversation:
    """A dialogue. name: what messages call it."""

    name: str
    turns: tuple[Asked, ...]

    @property
    def seen(self) -> bool:
        """Whether there is a picture."""
        return any(turn.images for turn in self.turns)

    @property
    def texts(self) -> tuple[str, ...]:
        """All questions and answers."""
        return tuple(text for turn in self.turns for text in (turn.question, turn.answer))


def conversation_of(fields: Fields, *, published: bool = False) -> Conversation:
    """Return a row as a dialogue; UnusableRow where none can be made of it.

    published: a picture that no question marks is left out, as the published programs do in effect; otherwise
    it comes before the first question.
    """
    where, images = fields.where, images_of(fields)
    said = without_leading_answer(said_in(fields))
    turns = paired(said, where=where)
    marked = [IMAGE in question for question, _ in turns]
    name = " ".join([where, *images])
    if any(IMAGE in answer for _, answer in turns):
        raise UnusableRow("marker in an answer", f"{where}: an answer holds {IMAGE}; expected words only")
    if not images and any(marked):
        raise UnusableRow(
            "marker without a picture", f"{where}: a question holds {IMAGE}, but there is no field 'image'"
        )
    places = placed(images, marked, published=published, where=where)
    asked = [Asked(without_marker(q), answer, own) for (q, answer), own in zip(turns, places, strict=True)]
    return Conversation(name, tuple(asked))


def images_of(fields: Fields) -> tuple[str, ...]:
    """Return the names of a row's pictures: one, several, or none."""
    given = fields.values.get("image")
    listed = [] if given is None or given == "" else given if isinstance(given, list) else [given]
    if not all(isinstance(one, str) and one for one in listed) or len(listed) > MOST_PICTURES:
        raise UnusableRow(
            "no name of a picture",
            f"{fields.where}: field 'image' is {given!r:.80}; expected a relative path, or up to "
            f"{MOST_PICTURES}",
        )
    return tuple(listed)


def said_in(fields: Fields) -> list[Said]:
    """Return who says what."""
    try:
        said = [(turn.text("from"), turn.text("value")) for turn in fields.rows("conversations")]
    except RecordError as fault:
        raise UnusableRow("no conversation", str(fault)) from fault
    if not said:
        raise UnusableRow("no conversation", f"{fields.where}: its conversation is empty")
    return said


def without_leading_answer(said: Sequence[Said]) -> list[Said]:
    """Return a conversation without an answer at its beginning, which answers nothing.

    >>> without_leading_answer([("gpt", "Hi."), ("human", "Who?"), ("gpt", "A dog.")])
    [('human', 'Who?'), ('gpt', 'A dog.')]
    """
    return list(said[1:] if said and said[0][0] == MODEL else said)


def paired(said: Sequence[Said], *, where: str) -> list[tuple[str, str]]:
    """Return questions with their answers; UnusableRow unless both come in turn and answers have words."""
    sides = [side for side, _ in said]
    if not said or len(said) % 2 or sides != [HUMAN, MODEL] * (len(said) // 2):
        raise UnusableRow(
            "not human and gpt in turn",
            f"{where}: conversations are from {sides[:6]}; expected human and gpt in turn",
        )
    words = [text for _, text in said]
    if not all(answer.strip() for answer in words[1::2]):
        raise UnusableRow("empty answer", f"{where}: an answer is empty; expected words to be learnt")
    return list(zip(words[::2], words[1::2], strict=True))


def without_marker(question: str) -> str:
    """Return a question as published programs write it behind its picture: without markers, stripped.

    They put one marker in front of it, wherever and however often it stood (``picture_first``).

    >>> without_marker("What is this?\\n<image>"), without_marker("<image><image>Who?"), without_marker(" a ")
    ('What is this?', 'Who?', ' a ')
    """
    return picture_first(question).removeprefix(f"{IMAGE}\n")


def placed(
    images: Sequence[str], marked: Sequence[bool], *, published: bool, where: str
) -> list[tuple[str, ...]]:
    """Return the pictures that come with each question.

    One marked question gets all of them; as many as there are pictures get one each. Without a mark they come
    with the first, or not at all if ``published``.
    """
    count = sum(marked)
    if count and count == len(images):
        left = iter(images)
        return [(next(left),) if own else () for own in marked]
    if count > 1:
        raise UnusableRow(
            "other numbers of markers and pictures",
            f"{where}: {count} questions hold {IMAGE}, but there are {len(images)} pictures; expected as "
            "many",
        )
    first = marked.index(True) if count else 0
    shown = () if published and not count else tuple(images)
    return [shown if number == first else () for number in range(len(marked))]
