"""Referring object classification asked of a system: every question of a file, scored by what it answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from deixis.data.opening import orientation_of, stored_size
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.lvis_questions import (
    ClassificationRecord,
    Form,
    called_by_id,
    turned_record,
)
from deixis.evaluation.metrics.referring_classification import ClassificationScores, score_classification
from deixis.evaluation.metrics.rules import Rules
from deixis.evaluation.runner import LARGEST_BATCH, MAX_NEW_TOKENS, Answerer
from deixis.files.json_files import below
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture


@dataclass(frozen=True)
class ClassifiedObjects:
    """What a system earned with one form of region, and its answers by the records' ids, in their order."""

    form: Form
    scores: ClassificationScores
    answers: dict[str, str]


def ask_lvis(
    system: Answerer,
    records: Sequence[ClassificationRecord],
    *,
    form: Form,
    pictures: Path,
    protocol: Rules = "corrected",
    max_pixels: int = LARGEST_PIXELS,
    progress: bool = False,
) -> ClassifiedObjects:
    """Ask a system about every record, pointing with one form of region, and score its answers.

    pictures: COCO's folder, in which ``val2017`` lies. protocol: see ``score_classification``. Questions
    about one picture are asked together. Which of the two names stands first depends on a record's place
    among ``records``, so give all of a file. max_pixels: how large pictures may be.
    RecordError: an id stands twice, a record lacks the form, or a picture has another size than its record.
    """
    by_id = {record.id: record for record in records}
    if len(by_id) < len(records):
        raise RecordError(f"{len(records)} records have {len(by_id)} different ids; expected one id each")
    places = {record.id: index for index, record in enumerate(records)}
    for record in records:
        record.pointing(form)
    together: dict[str, list[ClassificationRecord]] = {}
    for record in records:
        together.setdefault(record.picture, []).append(record)
    answers: dict[str, str] = {}
    bar = tqdm(together.values(), desc="asking", unit="picture", file=sys.stderr, disable=not progress)
    for group in bar:
        picture, shown = opened(group, folder=Path(pictures), max_pixels=max_pixels)
        questions = {record.id: record.question(places[record.id], form=form) for record in shown}
        for start in range(0, len(group), LARGEST_BATCH):
            batch = group[start : start + LARGEST_BATCH]
            given = system.ask(
                picture,
                [questions[record.id].text for record in batch],
                regions=[questions[record.id].regions(picture.frame) for record in batch],
                max_new_tokens=MAX_NEW_TOKENS,
            )
            answers |= {record.id: answer.text for record, answer in zip(batch, given, strict=True)}
    in_order = {record.id: answers[record.id] for record in records}
    return ClassifiedObjects(
        form, score_classification(called_by_id(by_id), in_order, protocol=protocol), in_order
    )


def opened(
    records: Sequence[ClassificationRecord], *, folder: Path, max_pixels: int = LARGEST_PIXELS
) -> tuple[Picture, list[ClassificationRecord]]:
    """Return the one picture that records are about, upright, and the records carried to it.

    RecordError if its size is not what they say, as stored or, where that was how they were made, upright.
    """
    name = records[0].picture
    path = below(folder, name, where=f"record {records[0].id!r}")
    picture = open_picture(path, max_pixels=max_pixels)
    orientation = orientation_of(path, max_pixels=max_pixels)
    upright = (picture.width, picture.height)
    stored = stored_size(upright, orientation)
    shown = []
    for record in records:
        if (record.width, record.height) not in (stored, upright):
            raise RecordError(
                f"picture {name} has {stored[0]} x {stored[1]} pixels, record {record.id!r} says "
                f"{record.width} x {record.height}; was it resized, or is it another version?"
            )
        turned = orientation != 1 and (record.width, record.height) == stored
        shown.append(turned_record(record, orientation) if turned else record)
    return picture, shown
