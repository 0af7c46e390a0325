"""ViP-Bench asked of a system and graded by a judge; both go on where they were stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.endpoints.chat import ChatRequest
from deixis.endpoints.kept_replies import Complete, KeptReplies
from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.vip_bench import (
    LONGEST_REPLY,
    PAPER_RUNS,
    Grade,
    Variant,
    VipQuestion,
    grade,
)
from deixis.files.json_files import below, read_json_lines
from deixis.files.writing import require_writable
from deixis.pictures.opening import LARGEST_PIXELS, open_picture
from deixis.progress import SILENT, Progress

MODEL = "gpt-4-0613"
MAX_NEW_TOKENS = 1024


def ask_items(
    system: Any,
    items: Sequence[VipQuestion],
    *,
    folder: Path,
    variant: Variant,
    kept: Path,
    max_new_tokens: int = MAX_NEW_TOKENS,
    max_pixels: int = LARGEST_PIXELS,
    progress: Progress = SILENT,
) -> dict[str, str]:
    """Return a system's answers by the items' keys.

    folder: of the published layout; the marks are on its pictures already. kept: JSON lines to which each
    answer is added at once, and whose answers are not asked for again. max_pixels: of a picture.
    UsageError: ``kept`` can't be written. RecordError: it holds answers of other weights or variants.
    """
    asked_by = {"system": system.name, "weights": system.fingerprint(), "variant": variant}
    if kept.exists():
        drop_unfinished_line(kept)
    answers = kept_answers(kept, asked_by) if kept.exists() else {}
    require_writable(kept, flag="the file of answers", makes_folders=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    pictures = Path(folder) / variant / "images"
    with kept.open("a", encoding="ascii") as stream:
        for item in progress.track(items, "asking", total=len(items), unit="question"):
            if item.key in answers:
                continue
            path = below(pictures, item.image, where=item.key)
            picture = open_picture(path, max_pixels=max_pixels, name=item.image)
            text = item.text.replace("{", "{{").replace("}", "}}")
            answers[item.key] = system.ask(picture, text, max_new_tokens=max_new_tokens).text
            line = {"question_id": item.key, "text": answers[item.key], **asked_by}
            stream.write(json.dumps(line) + "\n")
            stream.flush()
    return {item.key: answers[item.key] for item in items}


def drop_unfinished_line(path: Path) -> None:
    """Cut what was being written when a run was killed: the end of a file behind its last whole line."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as stream:
            stream.truncate(whole)


def kept_answers(path: Path, asked_by: Mapping[str, str]) -> dict[str, str]:
    """Return the answers of a file by their keys; RecordError if they are not of the same system."""
    answers = {}
    for line in read_json_lines(path):
        for name, value in asked_by.items():
            if line.text(name) != value:
                raise RecordError(
                    f"{line.where}: an answer of {name} {line.text(name)!r}, now asked of {value!r}; give "
                    "another file"
                )
        answers[line.text("question_id")] = line.text("text")
    return answers


def judges_of_runs(complete: Complete, *, folder: Path, asked: str, runs: int = PAPER_RUNS) -> list[Complete]:
    """Return a judge for each run that keeps its replies, so that a run that was stopped goes on.

    complete: what asks, such as ``Endpoint(...).complete``. folder: of the replies, with one folder a run, as
    runs ask the same and are to get replies of their own. asked: see ``KeptReplies``.
    """
    if runs < 1:
        raise UsageError(f"runs is {runs}; expected at least 1")
    folders = [Path(folder) / f"run-{number}" for number in range(1, runs + 1)]
    return [KeptReplies(complete, own, asked) for own in folders]


def grade_items(
    items: Sequence[VipQuestion],
    answers: Mapping[str, str],
    judges: Sequence[Complete],
    *,
    model: str = MODEL,
    progress: Progress = SILENT,
) -> dict[str, list[Grade]]:
    """Return the grades of all answers by the items' keys, one from each judge; see ``judges_of_runs``.

    An answer without any text is worth nothing, and no judge is asked about it.
    RecordError: an item without an answer. EndpointError: the judge gave none; what it gave before is kept.
    """
    missing = [item.key for item in items if item.key not in answers]
    if missing:
        raise RecordError(f"{len(missing)} of {len(items)} items have no answer: {', '.join(missing[:5])}")
    grades: dict[str, list[Grade]] = {item.key: [] for item in items}
    for number, judge in enumerate(judges, start=1):
        for item in progress.track(items, f"grading, run {number}", total=len(items), unit="answer"):
            grades[item.key].append(graded(item, answers[item.key], judge, model=model))
    return grades


def graded(item: VipQuestion, answer: str, judge: Complete, *, model: str) -> Grade:
    """Return what one judge gives an answer."""
    if not answer.strip():
        return Grade("", 0.0)

    def ask(message: str, temperature: float) -> str:
        return judge(ChatRequest(model, (("user", message),), temperature, LONGEST_REPLY))

    return grade(item, answer, ask)
