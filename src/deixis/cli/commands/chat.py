"""``deixis chat``: a dialogue about one picture, on a terminal or from a pipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.answer_flags import add_answer_flags, in_flags, settings_of
from deixis.cli.messages import wants_traceback, warnings_said
from deixis.cli.outputs import mask_files, refuse_inputs
from deixis.cli.picture_flags import add_picture_flags
from deixis.cli.remote.server_flags import add_server_flags, asked_system, check_server_flags, send_file
from deixis.cli.system_flags import add_system_flags
from deixis.errors import DeixisError, UsageError
from deixis.records.typed_regions import add_region_flags, parse_regions
from deixis.regions.doubts import frame_doubts

if TYPE_CHECKING:
    from deixis.chat.conversation import Conversation

HELP = "talk about a picture, in the terminal"
EXAMPLE = """\
examples:
  deixis chat photo.jpg
  deixis chat photo.jpg --box a=10,20,110,220 --point b=300,80
  deixis chat photo.jpg --server http://127.0.0.1:8000
  printf 'Where is the dog?\\nWhat does it look like?\\n' | deixis chat photo.jpg --out drawn.png

Type questions; {a} in one is the region named a, given by a flag or in the dialogue: /box a 10,20,110,220.
Two regions at once: What is the difference between {a} and {b}?  /help lists all commands.

Coordinates are pixels of the picture, x to the right and y down, unless --frame says otherwise; a box is
x0,y0,x1,y1. Answers give pixels always.
"""
PROMPT = "> "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="a picture file")
    add_region_flags(parser)
    add_picture_flags(parser)
    add_system_flags(parser)
    add_server_flags(parser)
    add_answer_flags(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where each answer is drawn, in place of the last (default: PICTURE.chat.png in this folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the dialogue and keep it until its end."""
    if sys.stdin is None:
        raise UsageError("standard input is closed; type questions, or send them through a pipe")
    from deixis.chat.commands import reply

    conversation = begin(arguments)
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    for line in lines(interactive=interactive):
        try:
            said = reply(line, conversation)
            if said:
                print(in_flags(said), flush=True)
        except DeixisError as mistake:
            if wants_traceback(arguments):
                raise
            sys.stdout.flush()
            print(f"deixis: {in_flags(str(mistake))}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            if not interactive:
                raise
            print("\ninterrupted; the question does not count", flush=True)
        if conversation.over:
            break
        if line.strip():
            print(flush=True)
    return 0


def begin(arguments: argparse.Namespace) -> Conversation:
    """Check everything that was given, load the system and say the first words."""
    check_server_flags(arguments)
    regions = parse_regions(arguments.typed or [], frame=arguments.frame, max_pixels=arguments.max_pixels)
    from deixis.chat.conversation import Conversation, begin_drawing
    from deixis.chat.session import Session, within
    from deixis.pictures.opening import open_picture

    picture = open_picture(arguments.picture, max_pixels=arguments.max_pixels)
    notes = list(frame_doubts(regions, picture.frame))
    # All that can be wrong should be told before the weights are read.
    settings = settings_of(arguments)
    for name, region in regions.items():
        regions[name], own = within(region, picture.frame)
        notes += own
    out = arguments.out or Path(f"{arguments.picture.stem}.chat.png")
    refuse_inputs(out, {arguments.picture: "the picture itself"} | mask_files(arguments))
    begin_drawing(picture, regions, out=out, source=arguments.picture)
    with warnings_said():
        system = asked_system(arguments)
    if arguments.server is not None:
        send_file(system, picture, arguments.picture)
    session = Session(system, picture, regions=regions, settings=settings)
    conversation = Conversation(
        session, source=arguments.picture, out=out, frame=arguments.frame, max_pixels=arguments.max_pixels
    )
    print("\n".join([conversation.opening(), *(f"note: {note}" for note in notes)]), end="\n\n", flush=True)
    return conversation


def lines(*, interactive: bool) -> Iterator[str]:
    """Yield the lines that are typed, to the end of input or Ctrl-C; what comes from a pipe is echoed."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a wrong byte is one wrong letter, not the end
    if interactive:
        editing()
    while True:
        try:
            if interactive:
                line = input(PROMPT)
            else:
                line = sys.stdin.readline()
                if not line:
                    return
                if line.strip():
                    print(line.strip(), flush=True)
        except (EOFError, KeyboardInterrupt):
            print(flush=True)
            return
        yield line


def editing() -> None:
    """Let ``input`` have its history and arrow keys, where Python was built with them."""
    try:
        import_module("readline")
    except ImportError:
        return
