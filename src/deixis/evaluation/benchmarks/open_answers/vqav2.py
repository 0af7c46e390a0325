"""VQAv2 (Goyal et al., 2017): open questions about COCO's photos, soft accuracy over ten people's answers."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import normalised, soft_accuracy
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Mark, Reply, Scoring
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.open_answers.people import SHORT_ANSWER, people_in
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, rows_of, unique
from deixis.files.json_files import Fields

People = tuple[str, ...]
SPLIT = "val2014"
QUESTIONS, ANSWERS = "*OpenEnded_mscoco_val2014_questions.json", "*mscoco_val2014_annotations.json"


def read(path: Path) -> list[BenchmarkItem[People]]:
    """Return the questions of val2014 with their answers."""
    if not Path(path).is_dir():
        raise RecordError(f"{path} is no folder; expected one with {QUESTIONS}, {ANSWERS} and {SPLIT}/")
    questions = find_file(path, [QUESTIONS], what=QUESTIONS)
    answers = find_file(path, [ANSWERS], what=ANSWERS)
    known: dict[int, Fields] = {row.whole("question_id"): row for row in rows_of(answers, key="annotations")}
    items, places = [], []
    for row in rows_of(questions, key="questions"):
        number, picture = row.whole("question_id"), row.whole("image_id", least=0)
        if number not in known:
            raise RecordError(f"{row.where}: question_id {number} has no answers in {answers}")
        given = known[number]
        name = f"{SPLIT}/COCO_{SPLIT}_{picture:012d}.jpg"
        item = BenchmarkItem(
            id=str(number),
            pictures=(picture_file(path, name, where=row.where),),
            question=row.text("question"),
            truth=people_in(given),
            kinds={"answer": given.text("answer_type")},
        )
        items.append(item)
        places.append(row.where)
    unique((item.id for item in items), places)
    return items


def prompt(item: BenchmarkItem[People]) -> str:
    """Return what is asked."""
    return f"{item.question}\n{SHORT_ANSWER}"


def score(item: BenchmarkItem[People], reply: Reply, scoring: Scoring) -> Mark:
    """Return the soft accuracy of a reply."""
    return Mark(soft_accuracy(reply.text, item.truth, rules=scoring.rules), read=normalised(reply.text))


METRIC = (
    "soft accuracy: min(1, people who say the same / 3), averaged over the ten choices of nine of the ten "
    "people; answers normalised as in VQA's evaluation (signs, articles, digits, contractions)"
)
VQAV2 = Benchmark(
    name="vqav2",
    title="VQAv2 (val2014)",
    layout=f"folder with {QUESTIONS}, {ANSWERS} and {SPLIT}/COCO_{SPLIT}_000000000042.jpg, …",
    prompt_text=f"<question>\n{SHORT_ANSWER}",
    metric=METRIC,
    read=read,
    prompt=prompt,
    score=score,
    tabulate=accuracy("answer"),
    numbers="Florence-VL, table 2 (on test-dev, whose answers only the benchmark's server has)",
    rules=("corrected", "published"),
)
