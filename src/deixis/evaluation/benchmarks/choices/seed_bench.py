"""SEED-Bench (Li et al., 2023), the questions about pictures: nine dimensions, four choices each."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import lettered
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    UNREAD,
    Choices,
    answer_letter,
    choices_of,
    lettered_prompt,
    score_letter,
)
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import cell, find_file, identifier, named, root_of, unique
from deixis.files.json_files import Fields, read_json


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return the questions about pictures; those about videos are left out, as published for "image"."""
    content = read_json(find_file(path, ("SEED-Bench.json",), what="SEED-Bench.json"))
    dimensions = {str(number): name for name, number in content.inside("question_type").values.items()}
    rows = [one for one in content.rows("questions") if one.text("data_type") == "image"]
    if not rows:
        raise RecordError(f"{content.where}: none of its questions has the data_type 'image'")
    items = [item_of(one, dimensions, root=root_of(path)) for one in rows]
    unique((item.id for item in items), (one.where for one in rows))
    return items


def item_of(fields: Fields, dimensions: dict[str, str], *, root: Path) -> BenchmarkItem[Choices]:
    """Return one question."""
    texts = [text for letter in "abcd" if (text := cell(fields, f"choice_{letter}"))]
    kind = identifier(fields, "question_type_id")
    folders = ("SEED-Bench-image", "")
    return BenchmarkItem(
        id=identifier(fields, "question_id"),
        pictures=(picture_file(root, named(fields, "data_id"), where=fields.where, folders=folders),),
        question=fields.text("question"),
        truth=choices_of(fields, lettered(texts), answer_letter(fields)),
        kinds={"dimension": dimensions.get(kind, kind)},
    )


SEED_BENCH = Benchmark(
    name="seed_bench",
    title="SEED-Bench, pictures",
    layout="folder with SEED-Bench.json and SEED-Bench-image/…",
    prompt_text=f"<question>\nA. <choice>\nB. …\n{LETTER_ONLY}",
    metric=METRIC,
    read=read,
    prompt=lettered_prompt,
    score=score_letter,
    tabulate=accuracy("dimension"),
    numbers="Florence-VL, table 2 (SEED-I)",
    unread=UNREAD,
)
