"""Referring object classification on LVIS (Ferret, section 5.1) under the interface of benchmarks.

Every object is asked about with each form of region that its record has; see ``lvis_questions``.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring, unparsed
from deixis.evaluation.benchmarks.lvis_asking import opened
from deixis.evaluation.benchmarks.lvis_questions import ClassificationRecord, Form, read_lvis_questions
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.evaluation.metrics.referring_classification import NamedObject, score_classification

FILES = ("lvis_questions*.jsonl", "*.jsonl")
FOLDERS = ("", "images", "val2017", "train2017")


def read(path: Path) -> list[BenchmarkItem[NamedObject]]:
    """Return the questions of a file of records, or of the one such file in a folder."""
    records = read_lvis_questions(find_file(path, FILES, what="a file of referring questions"))
    root = root_of(path)
    items = []
    for place, record in enumerate(records):
        picture, (shown,) = opened([record], folder=root)
        source = picture_file(root, record.picture, where=f"record {record.id!r}", folders=FOLDERS)
        for form in get_args(Form):
            if not has(record, form):
                continue
            asked = shown.question(place, form=form)
            items.append(
                BenchmarkItem(
                    id=f"{record.id}/{form}",
                    pictures=(source,),
                    question=asked.text,
                    truth=record.called,
                    regions=tuple(asked.regions(picture.frame).items()),
                    kinds={"form": form},
                )
            )
    return items


def has(record: ClassificationRecord, form: Form) -> bool:
    """Tell whether a record has a region of some form."""
    try:
        record.pointing(form)
    except RecordError:
        return False
    return True


def prompt(item: BenchmarkItem[NamedObject]) -> str:
    """Return what is asked: whether the region is one name or the other."""
    return item.question


def score(item: BenchmarkItem[NamedObject], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply names the object."""
    scores = score_classification({item.id: item.truth}, {item.id: reply.text}, protocol=scoring.rules)
    if scores.parse_failures:
        return unparsed("it names neither")
    return Mark(float(scores.right[0]), read=reply.text)


LVIS_CLASSIFICATION = Benchmark(
    name="lvis_classification",
    title="LVIS referring object classification",
    layout="a JSON lines file of records (lvis_questions), COCO's pictures beside it",
    prompt_text="Is the object <region> a <name> or a <name>? (as lvis_questions words it)",
    metric="share of objects whose name or a synonym is in the reply; corrected: as whole words, not the "
    "other class; published: the very letters. By the form of region: point, box, free form",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("form"),
    numbers="Ferret-v2, table 1; the published questions were never released",
    unread="wrong, and counted as unparsed: neither name",
    rules=("corrected", "published"),
)
