"""POPE (Li et al., 2023) under the interface of benchmarks; the metric is ``metrics.pope``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import row
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_files, root_of
from deixis.evaluation.metrics.pope import YesNo, read_pope, read_yes_or_no, score_pope

REQUEST = "Answer the question using a single word or phrase."
FOLDERS = ("val2014", "images", "")
MEASURES = ("f1", "value", "precision", "recall", "yes_ratio")
NAMES = {"value": "accuracy", "yes_ratio": "said yes"}


def read(path: Path) -> list[BenchmarkItem[YesNo]]:
    """Return the questions of all files, or of the one that is given; each file is a split by its name."""
    items = []
    for file in find_files(
        path, ("*pope*.json", "*pope*.jsonl"), what="coco_pope_random.json and the others"
    ):
        split = file.stem.rpartition("_")[2]
        for name, (picture, question, label) in read_pope(file).items():
            shown = picture_file(root_of(path), picture, where=f"{file} {name}", folders=FOLDERS)
            items.append(
                BenchmarkItem(
                    id=f"{split}/{name}",
                    pictures=(shown,),
                    question=question,
                    truth=label,
                    kinds={"split": split},
                )
            )
    return items


def prompt(item: BenchmarkItem[YesNo]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{REQUEST}"


def score(item: BenchmarkItem[YesNo], reply: Reply, scoring: Scoring) -> Mark:
    """Return whether a reply says what is true."""
    said = read_yes_or_no(reply.text, protocol=scoring.rules)
    if said is None:
        return unparsed("it says neither yes nor no")
    return Mark(float(said == item.truth), read=said)


def tabulate(items: Sequence[BenchmarkItem[YesNo]], marks: Sequence[Mark]) -> Table:
    """Return F1 as the mean over the splits, that over all questions, and every measure of each split."""
    splits = sorted({item.kinds["split"] for item in items})
    whole = row(marks)
    rows: dict[str, Row] = {}
    for split in splits:
        own = [(item, one) for item, one in zip(items, marks, strict=True) if item.kinds["split"] == split]
        rows |= measured(own, split)
    firsts = [value for split in splits if (value := rows[f"{split}: f1"].value) is not None]
    mean = sum(firsts) / len(firsts) if len(firsts) == len(splits) else None
    pooled = measured(list(zip(items, marks, strict=True)), "all")
    return Table({"f1": Row(mean, whole.n, whole.unparsed, whole.refused)} | pooled | rows)


def measured(pairs: Sequence[tuple[BenchmarkItem[YesNo], Mark]], of: str) -> dict[str, Row]:
    """Return the measures of some questions in percent."""
    counts = row([one for _, one in pairs])
    scores = score_pope(
        {item.id: item.truth for item, _ in pairs}, {item.id: one.read for item, one in pairs}
    )
    rows = {}
    for name in MEASURES:
        value = getattr(scores, name)
        percent = None if value is None else 100 * value
        rows[f"{of}: {NAMES.get(name, name)}"] = Row(percent, counts.n, counts.unparsed, counts.refused)
    return rows


POPE = Benchmark(
    name="pope",
    title="POPE (COCO val2014)",
    layout="folder with coco_pope_random.json, …_popular.json, …_adversarial.json and val2014/…",
    prompt_text=f"<question>\n{REQUEST}",
    metric="F1 of yes, the mean over the splits; accuracy, precision, recall and the share of yes beside it. "
    "Published rules: a reply says no if a word of its first sentence is No, not or no, and yes otherwise",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3; Ferret, table 6",
    unread="wrong, and counted as unparsed: a reply that says neither",
    rules=("corrected", "published"),
)
