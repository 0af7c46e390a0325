"""``deixis ask``: questions about pictures, answered on the terminal, drawn, or as files of other tools."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.answer_flags import add_answer_flags, settings_of
from deixis.cli.asked_pictures import AskedPictures
from deixis.cli.messages import LOG, NOTICE, is_quiet, warnings_said
from deixis.cli.outputs import mask_files
from deixis.cli.picture_files import PictureFile, picture_files, pictures_and_questions
from deixis.cli.picture_flags import PASS_OVER, REFUSE, add_picture_flags
from deixis.cli.progress_bars import ProgressBars
from deixis.cli.remote.server_flags import add_server_flags, asked_system, check_server_flags, send_file
from deixis.cli.system_flags import (
    add_paint_flags,
    add_system_flags,
    add_task_flags,
    answers_of,
    check_ground,
    check_task,
    checked_kind,
    set_paint,
)
from deixis.errors import BadRegion, UsageError
from deixis.progress import SILENT
from deixis.records.typed_regions import add_region_flags, parse_regions
from deixis.regions.doubts import frame_doubts
from deixis.regions.names import REGION_NAME, names_in, unknown_name

if TYPE_CHECKING:
    from deixis.cli.answer_outputs import AnswerOutput
    from deixis.cli.drawings import SeenPictures
    from deixis.regions.frames import Frame
    from deixis.regions.shapes import Region

FORMATS = ("text", "jsonl", "coco", "coco-results", "label-studio", "yolo")
LINES = (".jsonl", ".json")  # endings of files that JSON lines are written to
HELP = "ask about pictures, pointing with {names}"
EXAMPLE = """\
examples:
  deixis ask photo.jpg "Where is the dog?" --out answer.png
  deixis ask photo.jpg "What is {it}?" --point 120,80
  deixis ask photo.jpg "What is {a}?" -q "What is {b}?" --box a=10,20,110,220 --polygon "b=5,5;90,8;60,70"
  deixis ask photo.jpg "Describe it." --temperature 0.7 --seed 1
  deixis ask photo.jpg "Describe {it}." --box 100,200,500,900 --frame thousandths --json
  deixis ask photos "Where is the dog?" --json > answers.jsonl
  deixis ask photos "Where is the dog?" -q "Where is the ball?" --format coco --out found.json
  deixis ask photos "Where is the dog?" --out drawn
  deixis ask photo.jpg "What is {it}?" --box 10,20,110,220 --save-input seen.png
  deixis ask photo.jpg --model florence-vl-3b --task object-detection --out found.png
  deixis ask photo.jpg "Describe it." --model florence-vl-3b --ground
  deixis ask photo.jpg "Where is the dog?" --server http://127.0.0.1:8000

A region without a name is {it}; {{ and }} are braces themselves. Coordinates are pixels of the picture as it
is seen, turned upright, x to the right and y down, unless --frame says otherwise; a box is x0,y0,x1,y1.

formats: text; jsonl, a JSON object an answer, as --json prints; coco, one file of images, categories and
annotations; coco-results, detection results; label-studio, tasks with predictions; yolo, a folder of labels.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "picture", metavar="PICTURE", help="a picture file, or a folder: all pictures in it are asked about"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="PICTURE|QUESTION",
        help="further pictures and folders, then a question; {a} in it is the region named a",
    )
    parser.set_defaults(further_words="words")
    parser.add_argument("-q", "--question", dest="more", action="append", default=[], help="another question")
    add_region_flags(parser)
    add_picture_flags(parser, many=True)
    add_system_flags(parser)
    add_server_flags(parser)
    add_answer_flags(parser)
    add_paint_flags(parser)
    add_task_flags(parser)
    parser.add_argument(
        "--format", choices=FORMATS, metavar="F", help=f"how to answer: {', '.join(FORMATS)} (default: text)"
    )
    parser.add_argument("--json", action="store_true", help="the same as --format jsonl")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="draw the places: to this file, for several pictures into this folder; with --format, the file "
        "(for yolo the folder) to write",
    )
    parser.add_argument(
        "--image-prefix",
        default="",
        metavar="P",
        help="for label-studio: what its address of a picture has before the name, such as "
        "'/data/local-files/?d='",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask, print, draw, write. All that can be wrong shows before the weights are read."""
    paths, questions = pictures_and_questions([arguments.picture, *arguments.words])
    questions += arguments.more
    if not questions and arguments.task is not None:
        questions = [""]
    if not questions:
        raise UsageError('nothing is asked; give a question: deixis ask photo.jpg "Where is the dog?"')
    files = picture_files(paths)
    several = len(files) > 1 or any(path.is_dir() for path in paths)
    check_server_flags(arguments)
    regions = parse_regions(arguments.typed or [], frame=arguments.frame, max_pixels=arguments.max_pixels)
    check_task(arguments, regions)
    if arguments.task is None:
        check_names(questions, regions)
    settings = settings_of(arguments)
    output = output_of(arguments, files, questions=len(questions), several=several)
    checked_kind(arguments)
    inputs = {file.path: "the picture itself" for file in files} | mask_files(arguments)
    output.check(inputs)
    seen = seen_of(arguments, output, files, inputs, questions=len(questions), several=several)
    pictures = AskedPictures(
        files, max_pixels=arguments.max_pixels, broken=arguments.broken or (PASS_OVER if several else REFUSE)
    )
    with warnings_said():
        if not several:
            check_regions(regions, pictures.first().frame)
            warnings.simplefilter("ignore")  # they were said
        system = asked_system(arguments)
        set_paint(system, arguments)
        check_ground(system, arguments)
        # It takes a while to find by what weights are known, and text doesn't show it.
        weights = system.fingerprint() if format_of(arguments) != "text" else ""
        own = [regions_of(text, regions, task=arguments.task) for text in questions]
        progress = SILENT if not several or is_quiet(arguments) else ProgressBars()
        try:
            for picture, file in pictures.opened(progress):
                if arguments.server is not None:
                    send_file(system, picture, file.path)
                with located(file.name if several else ""):
                    if seen is not None:
                        seen.write(system, picture, questions, own, file.name)
                    answers = answers_of(
                        system, picture, questions, own, arguments=arguments, settings=settings
                    )
                known = [replace(answer, weights=weights or answer.weights) for answer in answers]
                output.add(known, picture, file.name)
        finally:
            output.close()
        if arguments.out is not None and format_of(arguments) != "text":
            LOG.log(NOTICE, "written: %s", arguments.out)
    return pictures.report()


def format_of(arguments: argparse.Namespace) -> str:
    """Return the format of the answers; UsageError where two are asked for."""
    if arguments.json and arguments.format not in (None, "jsonl"):
        raise UsageError(f"--json and --format {arguments.format} are two formats; leave one out")
    return "jsonl" if arguments.json else arguments.format or "text"


def output_of(
    arguments: argparse.Namespace, files: Sequence[PictureFile], *, questions: int, several: bool
) -> AnswerOutput:
    """Return where the answers go."""
    from deixis.cli import answer_outputs as outputs
    from deixis.cli.drawings import Drawings

    out, kind, names = arguments.out, format_of(arguments), [file.name for file in files]
    if arguments.image_prefix and kind != "label-studio":
        raise UsageError("--image-prefix has a meaning with --format label-studio only; leave it out")
    match kind:
        case "coco" | "coco-results":
            return outputs.CocoDocument(out, names, results=kind == "coco-results")
        case "label-studio":
            return outputs.LabelStudioDocument(out, prefix=arguments.image_prefix)
        case "yolo":
            if out is None:
                raise UsageError("--format yolo writes a folder; say which: --out labels")
            return outputs.YoloFolder(out, names)
        case "jsonl" if out is not None and out.suffix in LINES:
            return outputs.LinesFile(out)
    drawings = None if out is None else Drawings(out, names, questions, in_folder=several)
    return outputs.Printed(as_json=kind == "jsonl", headed=several, drawings=drawings)


def seen_of(
    arguments: argparse.Namespace,
    output: AnswerOutput,
    files: Sequence[PictureFile],
    inputs: Mapping[Path, str],
    *,
    questions: int,
    several: bool,
) -> SeenPictures | None:
    """Return where the pictures go that the model saw, tried out; None if nobody asked for them."""
    from deixis.cli.answer_outputs import Printed
    from deixis.cli.drawings import seen_pictures

    seen = seen_pictures(arguments, [file.name for file in files], questions=questions, several=several)
    if seen is not None:
        seen.check(inputs, output.drawings if isinstance(output, Printed) else None)
    return seen


def regions_of(text: str, regions: Mapping[str, Region], *, task: str | None) -> dict[str, Region]:
    """Return the regions that a question speaks of; a task has the only one, whatever its text says."""
    if task is not None:
        return dict(regions)
    return {name: regions[name] for name in dict.fromkeys(names_in(text))}


def check_regions(regions: Mapping[str, Region], frame: Frame) -> None:
    """Raise BadRegion for one that isn't in the picture; warn of one that is hardly meant so."""
    for region in regions.values():
        region.clipped(frame)
    for doubt in frame_doubts(regions, frame):
        LOG.warning("%s", doubt)


def check_names(questions: Sequence[str], regions: Mapping[str, Any]) -> None:
    """Raise UsageError for a region that no question uses, or a ``{name}`` that is no region."""
    used = {name for text in questions for name in names_in(text)}
    for name in regions:
        if name not in used:
            raise UsageError(
                f"region {name!r} is in no question; write {{{name}}} where a question speaks of it"
            )
    for name in sorted(used):
        if name not in regions:
            raise UsageError(
                f"{unknown_name(name, regions, where='a question')}. To give a region, "
                f"add --box {name if REGION_NAME.fullmatch(name) else 'NAME'}=x0,y0,x1,y1"
            )


@contextmanager
def located(name: str) -> Iterator[None]:
    """Say in errors about a region which picture it isn't in. name: empty for the only one."""
    try:
        yield
    except BadRegion as fault:
        raise type(fault)(f"{name}: {fault}" if name else str(fault)) from fault
