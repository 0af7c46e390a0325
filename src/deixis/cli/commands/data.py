"""`deixis data check FILE` and `deixis data show FILE N`: a user's own samples, checked and drawn.

`deixis data rows FILE` counts what of a large file of dialogues or captions can be learnt from, and
`deixis data lvis-questions` makes the questions of an evaluation whose file was never released.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.cli.counting import counted
from deixis.cli.messages import add_message_flags
from deixis.cli.outputs import refuse_inputs
from deixis.cli.picture_flags import add_max_pixels_flag

HELP = "check a file of your own samples, draw one of them, or make evaluation questions from LVIS"
EXAMPLE = """\
examples:
  deixis data check samples.jsonl
  deixis data show samples.jsonl 1 --out drawn.png
  deixis data rows llava_v1_5_mix665k.json --filter
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    commands = parser.add_subparsers(
        dest="data_command", required=True, metavar="check|show|rows|lvis-questions"
    )
    check = commands.add_parser(
        "check", help="report what is wrong in which line and field; exit code 2 if anything is"
    )
    add_message_flags(check)
    add_max_pixels_flag(check)
    check.add_argument(
        "file", type=Path, metavar="FILE", help="samples, one JSON object a line (docs/data.md)"
    )
    show = commands.add_parser("show", help="draw a sample's regions and answer places, and print its turns")
    add_message_flags(show)
    add_max_pixels_flag(show)
    show.add_argument(
        "file", type=Path, metavar="FILE", help="samples, one JSON object a line (docs/data.md)"
    )
    show.add_argument("line", type=int, metavar="N", help="the line that the sample is on, from 1")
    show.add_argument("--out", type=Path, help="the picture to write (default: FILE-N.png in this folder)")
    rows = commands.add_parser(
        "rows",
        help="count what of dialogues or captions is kept, and what is dropped why (docs/instructions.md)",
    )
    add_message_flags(rows)
    rows.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="a JSON list, JSON lines, or a table (.csv, .tsv)"
    )
    rows.add_argument(
        "--captions",
        action="store_true",
        help="rows are captions as in PixelProse, not dialogues as in LLaVA",
    )
    rows.add_argument("--filter", action="store_true", help="drop answers that are no use as captions")
    rows.add_argument("--json", type=Path, metavar="FILE", help="write the counts to a file as well")
    questions = commands.add_parser(
        "lvis-questions", help="write questions for referring object classification on LVIS (docs/ferret.md)"
    )
    add_message_flags(questions)
    questions.add_argument(
        "--annotations", type=Path, required=True, metavar="FILE", help="LVIS's lvis_v1_val.json"
    )
    questions.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON lines to write")
    questions.add_argument(
        "--limit", type=int, default=2667, metavar="N", help="at most N objects (default: 2667, as published)"
    )
    questions.add_argument("--seed", type=int, default=0, metavar="S", help="of all choices (default: 0)")
    questions.add_argument(
        "--shape",
        choices=("point", "box", "free_shape"),
        help="write this form of region only (default: all three)",
    )
    questions.add_argument(
        "--pictures", default="val2017", metavar="F", help="COCO's folder, or all (default: val2017)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen sub-command and return the exit code."""
    if arguments.data_command == "check":
        return check(arguments.file, max_pixels=arguments.max_pixels)
    if arguments.data_command == "lvis-questions":
        return lvis_questions(arguments)
    if arguments.data_command == "rows":
        return count_rows(arguments)
    return show(arguments.file, line=arguments.line, out=arguments.out, max_pixels=arguments.max_pixels)


def check(file: Path, *, max_pixels: int) -> int:
    """Print every problem, a line each, and what the file holds; 0 if there is no problem, else 2."""
    from deixis.records.check import check_records, count_records

    problems = check_records(file, max_pixels=max_pixels)
    for problem in problems:
        where = f"{file}:{problem.line}:" + (f" {problem.field}:" if problem.field else "")
        print(f"{where} {problem.message}")
    counts = count_records(file)
    kinds = ", ".join(counted(number, kind) for kind, number in counts.regions.items())
    print(
        f"{file}: {counted(counts.records, 'sample')} about {counted(counts.pictures, 'picture')}, "
        f"{counted(counts.turns, 'turn')}, {counted(counts.phrases, 'phrase')} with a place "
        f"({counts.nowhere} not in the picture); regions: {kinds or 'none'}"
    )
    print(counted(len(problems), "problem") if problems else "no problems")
    return 2 if problems else 0


def show(file: Path, *, line: int, out: Path | None, max_pixels: int) -> int:
    """Write the drawn sample and print where, and its turns."""
    from deixis.answers.drawing.drawn_file import format_of, require_format
    from deixis.files.writing import replacing, require_writable
    from deixis.records.record import read_record
    from deixis.records.show import draw_record

    record = read_record(file, line, max_pixels=max_pixels)
    target = out or Path(f"{file.stem}-{line}.png")
    refuse_inputs(target, {file: "the file of samples itself", record.path: "the sample's picture itself"})
    require_writable(target, flag="--out")
    require_format(target, flag="--out")
    drawn = draw_record(record)
    with replacing(target) as partial:
        drawn.save(partial, format_of(target))
    for turn in record.turns:
        print(f"user:      {turn.question}")
        print(f"assistant: {turn.answer}")
        for phrase in turn.phrases:
            places = ", ".join(phrase.regions) or "not in the picture"
            print(f"           {turn.answer[phrase.start : phrase.end]!r}: {places}")
    print(target)
    return 0


def count_rows(arguments: argparse.Namespace) -> int:
    """Print how many rows are kept, and how many are dropped for which reason; 2 if any is faulty."""
    import json

    from deixis.data.instructions.caption_filter import REASONS, CaptionFilter
    from deixis.data.instructions.reading import RowRules, read_instructions
    from deixis.files.writing import replacing, require_writable

    if arguments.json is not None:
        refuse_inputs(arguments.json, dict.fromkeys(arguments.files, "a file of rows itself"))
        require_writable(arguments.json, flag="--json")
    rules = RowRules(
        kind="captions" if arguments.captions else "conversations",
        faulty="pass_over",
        captions=CaptionFilter() if arguments.filter else None,
    )
    counts = read_instructions(arguments.files, rules).counts
    print(counts.to_markdown(), end="")
    if arguments.json is not None:
        with replacing(arguments.json) as partial:
            partial.write_text(json.dumps(counts.to_dict(), indent=2) + "\n", encoding="utf-8")
    return 2 if set(counts.dropped) - set(REASONS) else 0


def lvis_questions(arguments: argparse.Namespace) -> int:
    """Write the questions and print how many there are."""
    from deixis.evaluation.benchmarks.lvis_objects import choose_lvis_objects
    from deixis.evaluation.benchmarks.lvis_questions import FORMS, write_lvis_questions
    from deixis.files.writing import require_writable

    refuse_inputs(arguments.out, {arguments.annotations: "the file of annotations itself"})
    require_writable(arguments.out, flag="--out")
    records = choose_lvis_objects(
        arguments.annotations,
        seed=arguments.seed,
        limit=arguments.limit,
        pictures=None if arguments.pictures == "all" else arguments.pictures,
        forms=FORMS if arguments.shape is None else (arguments.shape,),
    )
    write_lvis_questions(records, arguments.out)
    print(f"{arguments.out}: {counted(len(records), 'object')}, each in a picture of its own")
    return 0
