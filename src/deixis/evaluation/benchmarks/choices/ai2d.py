"""AI2D (Kembhavi et al., 2016): multiple-choice questions about diagrams of school science."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.answer_rules.letters import lettered
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem
from deixis.evaluation.benchmarks.choices.lettered import (
    LETTER_ONLY,
    METRIC,
    UNREAD,
    Choices,
    lettered_prompt,
    score_letter,
)
from deixis.evaluation.benchmarks.marking import accuracy
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import texts_in, unique, wrong
from deixis.files.json_files import Fields, bounded_bytes, read_json

TEST_IDS = "ai2d_test_ids.csv"


def read(path: Path) -> list[BenchmarkItem[Choices]]:
    """Return the questions of all files in questions/; where the list of test pictures is there, of those."""
    files = sorted(Path(path).glob("questions/*.json"))
    if not files:
        raise RecordError(
            f"{path} has no questions/*.json; expected the folder of AI2D with images/ beside it"
        )
    listed = Path(path) / TEST_IDS
    wanted = None
    if listed.is_file():
        wanted = set(bounded_bytes(listed, largest=1 << 24).decode("ascii", errors="replace").split())
    chosen = [file for file in files if wanted is None or file.name.split(".")[0] in wanted]
    if not chosen:
        raise RecordError(f"{listed} names none of the {len(files)} files in questions/")
    pairs = [pair for file in chosen for pair in items_of(read_json(file), root=Path(path))]
    unique((item.id for item, _ in pairs), (where for _, where in pairs))
    return [item for item, _ in pairs]


def items_of(content: Fields, *, root: Path) -> Iterator[tuple[BenchmarkItem[Choices], str]]:
    """Yield the questions of one diagram with their places."""
    questions = content.inside("questions")
    for text in questions.values:
        row = questions.inside(text)
        choices = lettered(texts_in(row, "answerTexts"))
        right = row.whole("correctAnswer", least=0)
        if right >= len(choices):
            raise wrong(row, "correctAnswer", f"a number below {len(choices)}, of one of the answers")
        picture = picture_file(root, content.text("imageName"), where=row.where, folders=("images",))
        item = BenchmarkItem(
            id=row.text("questionId"),
            pictures=(picture,),
            question=text,
            truth=Choices(choices, list(choices)[right]),
            kinds={"answers": "letters in the diagram" if row.flag("abcLabel") else "texts"},
        )
        yield item, row.where


AI2D = Benchmark(
    name="ai2d",
    title="AI2D",
    layout=f"folder with questions/0.png.json, …, images/0.png, … and {TEST_IDS} (else all are asked)",
    prompt_text=f"<question>\nA. <choice>\nB. …\n{LETTER_ONLY}",
    metric=f"{METRIC}; the diagrams as released, labels unchanged",
    read=read,
    prompt=lettered_prompt,
    score=score_letter,
    tabulate=accuracy("answers"),
    numbers="Florence-VL, tables 2 and 3",
    unread=UNREAD,
)
