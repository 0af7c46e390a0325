"""Questions about painted pictures as items of a benchmark; they are painted when they are asked about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deixis.data.painted.records import RegionRecord
from deixis.data.painted.source import PICTURE_LINE, painted_picture, path_of
from deixis.data.painted.tables import LETTERS, MULTIPLE_CHOICE
from deixis.data.painted.vcr import Asked
from deixis.errors import BadRegion, RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import read_letter
from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import normalised
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem, Mark, Reply, Scoring, Shown, unparsed
from deixis.evaluation.benchmarks.painted.questions import (
    EVALUATED,
    check_paintable,
    instruction_of,
    is_right,
    squared,
)
from deixis.pictures.opening import Picture

SEED = 0  # of the colours and kinds of marks; a question's don't depend on the other ones
CHOICES = dict.fromkeys(LETTERS, "")
LETTERED = MULTIPLE_CHOICE.format(question="<question>", a="<choice>", b="…", c="…", d="…")
STRICT = "right is the very answer, whatever its case and the white space around it"
LENIENT = "lenient: the letter is read as of other benchmarks with choices"
UNREAD = "wrong, and counted as unparsed: an empty reply, or no letter of a choice"


@dataclass(frozen=True)
class PaintedFile:
    """A record's picture with its marks, painted when it is opened.

    name: the question's, on which what is drawn by chance depends. form: what VCR asks. side: of the square
    to which it is resized, None for none.
    """

    record: RegionRecord = field(hash=False, repr=False)
    name: str
    root: Path
    form: Asked = "train"
    side: int | None = None

    @property
    def path(self) -> Path:
        """The picture's file; RecordError for one outside of the folder."""
        return path_of(self.record, self.root)

    def recipe(self) -> str:
        """Return a digest of the record and of how it is painted."""
        told = (replace(self.record, where=""), self.name, self.form, self.side, SEED, EVALUATED)
        return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()

    def opened(self, *, max_pixels: int) -> Picture:
        """Return the painted picture; RecordError where a mark lies outside of it."""
        made, draws = instruction_of(self.record, self.name, form=self.form, seed=SEED)
        picture = painted_picture(
            self.record, made, draws, root=self.root, look=EVALUATED, max_pixels=max_pixels
        )
        return picture if self.side is None else squared(picture, self.side)


def painted_items(records: Mapping[str, RegionRecord], *, root: Path) -> list[BenchmarkItem[str]]:
    """Return a question about each record, its truth the answer; RecordError where a picture isn't there."""
    return [painted_item(record, PaintedFile(record, name, root)) for name, record in records.items()]


def painted_item(
    record: RegionRecord, source: PaintedFile, *, ending: str = "", kinds: Mapping[str, str] | None = None
) -> BenchmarkItem[str]:
    """Return the question about a record. ending: of its id, where a record has several questions.

    One whose marks can't be painted is left out, with the reason.
    """
    if not source.path.is_file():
        raise RecordError(
            f"{record.where}: there is no picture {source.path}; is the folder of pictures beside the file?"
        )
    question, truth, why = record.text, "", ""
    try:
        made, _ = instruction_of(record, source.name, form=source.form, seed=SEED)
        check_paintable(made)
        ((asked, truth),) = made.turns
        question = asked.removeprefix(PICTURE_LINE)
    except (RecordError, BadRegion) as fault:
        why = str(fault).removeprefix(f"{record.where}: ")
    return BenchmarkItem(
        id=f"{source.name}{ending}",
        pictures=(Shown(record.image, source),),
        question=question,
        truth=truth,
        group=source.name if ending else "",
        kinds=kinds or {},
        left_out=why,
    )


def prompt(item: BenchmarkItem[str]) -> str:
    """Return what is asked: the question, which names the marks."""
    return item.question


def score_letter(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is the right letter and nothing else."""
    said = reply.text.strip().upper()
    if said not in LETTERS:
        return unparsed("it is no letter of a choice and nothing else")
    return Mark(float(is_right(said, item.truth)), read=said)


def score_letter_leniently(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply says the right letter in one of the usual ways."""
    letter = read_letter(reply.text, CHOICES)
    if letter is None:
        return unparsed("it says the letter of no choice, or of several")
    return Mark(float(is_right(letter, item.truth)), read=letter)


def score_words(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is the very answer."""
    return Mark(float(is_right(reply.text, item.truth)), read=reply.text.strip())


def score_words_leniently(item: BenchmarkItem[str], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply is the answer but for signs, articles, and numbers in words or digits."""
    said = normalised(reply.text)
    return Mark(float(bool(said) and said == normalised(item.truth)), read=said)
