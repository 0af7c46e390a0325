"""Questions about painted regions with one right answer, asked of a system or scored from predictions.

As published (vip_llava.md section 9): marks are painted at alpha 128 and in one width, and an answer is right
if it is the very text, whatever its case and the white space around it. Unlike the published program a
question that can't be painted is counted and named, never replaced by another one, and an empty answer is
never right.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.data.painted.building import build
from deixis.data.painted.instruction import Instruction
from deixis.data.painted.records import RegionRecord, read_region_records
from deixis.data.painted.source import PICTURE_LINE, doubled, painted_picture, path_of
from deixis.data.painted.vcr import Asked
from deixis.errors import BadRegion, RecordError
from deixis.evaluation.benchmarks.predictions import paired
from deixis.evaluation.metrics.rules import share
from deixis.evaluation.runner import Answerer
from deixis.painting.draws import SeededDraws
from deixis.painting.published import ANCHOR, Look, strokes_of
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.pictures.resizing import resize
from deixis.progress import SILENT, Progress

EVALUATED = Look(alpha=128)  # the width of lines is the questions' own
MAX_NEW_TOKENS = 128


@dataclass(frozen=True)
class PaintedScores:
    """The share of right answers among the questions that can be painted.

    empty: how many answers had no text; they are wrong. unpaintable: what the other questions are called.
    """

    n: int
    right: int
    empty: int
    unpaintable: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """The share of right answers, 0 to 1; None of no questions."""
        return share(self.right, self.n)


@dataclass(frozen=True)
class PaintedAnswers:
    """What a system earned, and its answers by the questions' names."""

    scores: PaintedScores
    answers: dict[str, str]


def read_questions(path: Path, *, root: Path, kind: str) -> dict[str, RegionRecord]:
    """Return the records of one kind by their ids, or by their numbers in the file where ids aren't unique.

    root: the folder that pictures and metadata are named from. RecordError: a record is of another kind.
    """
    records = read_region_records(path, root=root)
    for record in records:
        if record.kind != kind:
            raise RecordError(f"{record.where}: a record of {record.kind}; expected {kind} only")
    ids = {record.id for record in records}
    names = [record.id for record in records] if len(ids) == len(records) else map(str, range(len(records)))
    return dict(zip(names, records, strict=True))


def ask_questions(
    system: Answerer,
    records: Mapping[str, RegionRecord],
    *,
    root: Path,
    form: Asked = "train",
    side: int | None = None,
    seed: int = 0,
    max_pixels: int = LARGEST_PIXELS,
    progress: Progress = SILENT,
) -> PaintedAnswers:
    """Ask a system about painted pictures and score its answers.

    form: what VCR asks. side: pictures are resized to a square of so many pixels, whatever their proportions;
    None shows them as they are. seed: of the colours; a question's don't depend on the other ones.
    max_pixels: of a picture's file.
    RecordError or BadPicture: a picture is missing or damaged.
    """
    asked, answers, unpaintable = {}, {}, []
    for name, record in progress.track(records.items(), "asking", total=len(records), unit="question"):
        path_of(record, root)  # a picture outside of its folder is a mistake in the file
        try:
            made, draws = instruction_of(record, name, form=form, seed=seed)
            picture = painted_picture(record, made, draws, root=root, look=EVALUATED, max_pixels=max_pixels)
        except RecordError:
            unpaintable.append(name)
            continue
        ((question, truth),) = made.turns
        shown = picture if side is None else squared(picture, side)
        (answer,) = system.ask(
            shown, [doubled(question.removeprefix(PICTURE_LINE))], max_new_tokens=MAX_NEW_TOKENS
        )
        asked[name], answers[name] = truth, answer.text
    return PaintedAnswers(scored(asked, answers, unpaintable), answers)


def score_questions(
    records: Mapping[str, RegionRecord], predictions: Mapping[str, str], *, form: Asked = "train"
) -> PaintedScores:
    """Return the score of predictions by the questions' names.

    Predictions about questions that can't be painted are left out: the published program asks others there.
    RecordError: a question without a prediction, or a prediction without a question.
    """
    truths, unpaintable = {}, []
    for name, record in records.items():
        try:
            made, _ = instruction_of(record, name, form=form, seed=0)
            check_paintable(made)
        except (RecordError, BadRegion):
            unpaintable.append(name)
            continue
        ((_, truths[name]),) = made.turns
    kept = {name: text for name, text in predictions.items() if name not in unpaintable}
    return scored(truths, kept, unpaintable)


def instruction_of(
    record: RegionRecord, name: str, *, form: Asked, seed: int
) -> tuple[Instruction, SeededDraws]:
    """Return what is asked and painted, and where further chance comes from; RecordError if it can't be."""
    draws = SeededDraws(zlib.crc32(f"{seed}\n{form}\n{name}".encode(errors="surrogatepass")))
    return build(record, draws, form=form), draws


def check_paintable(made: Instruction) -> None:
    """Raise BadRegion for a mark that can't be painted, without a picture."""
    for region in made.regions:
        strokes_of(
            region.sign.kind,
            region.silhouette,
            rgb=region.sign.colour.rgb,
            size=(ANCHOR, ANCHOR),
            draws=SeededDraws(0),
            look=EVALUATED,
        )


def scored(
    truths: Mapping[str, str], answers: Mapping[str, str], unpaintable: Sequence[str]
) -> PaintedScores:
    """Return the score of answers by the questions' names."""
    pairs = paired(truths, answers, of="questions")
    right = sum(is_right(text, truth) for truth, text in pairs)
    empty = sum(not text.strip() for _, text in pairs)
    return PaintedScores(len(pairs), right, empty, tuple(unpaintable))


def is_right(answer: str, truth: str) -> bool:
    """Tell whether an answer is the right text.

    >>> is_right(" b\\n", "B"), is_right("B.", "B"), is_right(" ", "")
    (True, False, False)
    """
    said = answer.strip().lower()
    return bool(said) and said == truth.lower()


def squared(picture: Picture, side: int) -> Picture:
    """Return a picture as a square of ``side`` pixels, as an original of its own."""
    return open_picture(resize(picture, side, side).pixels, name=picture.name)
