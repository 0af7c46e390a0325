"""The program around the commands: it chooses among them, keeps the streams in order and sets exit codes."""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from deixis.cli.answer_flags import in_flags
from deixis.cli.messages import add_message_flags, said, wants_traceback
from deixis.errors import DeixisError, UsageError
from deixis.extras import missing_package

COMMANDS = (
    "ask",
    "chat",
    "serve",
    "studio",
    "train",
    "evaluate",
    "gallery",
    "study",
    "convert",
    "data",
    "teach",
    "paint",
    "claims",
    "compare",
)
MESSAGE_FLAGS = ("--verbose", "--quiet", "--traceback")  # that may stand before a command
INTERNAL_FAULT = 70
# What a file or stream says that takes no more, or was closed.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

EPILOG = """\
exit codes: 0 done, 2 wrong use, 3 bad picture or region, 4 missing or wrong weights,
5 no answer from a server, 70 internal fault

example: deixis ask photo.jpg "What is {it}?" --point 120,80 --out answer.png
"""


class CommandParser(argparse.ArgumentParser):
    """A parser that tells of unknown arguments with its own usage, not with that of the whole program.

    A command whose defaults say ``further_words`` takes words between and behind its options as well, to the
    argument of that name.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.register("type", Path, named_path)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse; every argument has to be known."""
        known, unknown = super().parse_known_args(args, namespace)
        further = getattr(known, "further_words", None)
        if further and not any(word.startswith("-") for word in unknown):
            setattr(known, further, [*getattr(known, further), *unknown])
            unknown = []
        if unknown:
            self.error(f"unknown arguments: {' '.join(unknown)}{self.meant(unknown)}")
        return known, unknown

    def meant(self, unknown: Sequence[str]) -> str:
        """Return which option the first unknown one is most like, as the end of a message; often empty."""
        options = [option for option in self._option_string_actions if option.startswith("--")]
        typed = next((word.partition("=")[0] for word in unknown if word.startswith("-")), "")
        near = difflib.get_close_matches(typed, options, n=1)
        return f"; did you mean {near[0]}?" if near else ""


def named_path(word: str) -> Path:
    """Return the path of a word. An empty one, as of a variable that isn't set, is not the working folder.

    >>> named_path("photos/cup.jpg").name
    'cup.jpg'
    """
    if not word.strip():
        raise argparse.ArgumentTypeError(f"{word!r} names no file or folder; the working folder is '.'")
    return Path(word)


def build_parser(*, only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with every command, or with one alone: importing the others takes a while."""
    from deixis import __version__

    parser = CommandParser(
        prog="deixis",
        description="Point at part of a picture and ask; answers in words, with the places they speak of.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"deixis {__version__}")
    add_message_flags(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS if only is None else (only,):
        command = import_module(f"deixis.cli.commands.{name}")
        own = commands.add_parser(
            name,
            help=command.HELP,
            description=command.HELP[0].upper() + command.HELP[1:] + ".",
            epilog=command.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(own)
        add_message_flags(own)
        own.set_defaults(run=command.run)
    return parser


def command_of(words: Sequence[str]) -> str | None:
    """Return the command that is certain to be run, None where all of them may be wanted, as for help.

    >>> command_of(["--quiet", "ask", "photo.jpg"]), command_of(["--help", "ask"])
    ('ask', None)
    """
    first = next((word for word in words if word not in MESSAGE_FLAGS), None)
    return first if first in COMMANDS else None


def prepare_streams() -> None:
    """Let characters that the terminal lacks, and bytes of no character, be printed as escapes.

    Output that is closed is written nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Write what is left of standard output nowhere, so that leaving doesn't fail on it once more."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno())
        os.close(nowhere)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what goes wrong is said on standard error.

    KeyboardInterrupt is left to the caller.
    """
    prepare_streams()
    words = sys.argv[1:] if arguments is None else arguments
    parsed = build_parser(only=command_of(words)).parse_args(words)
    try:
        with said(parsed):
            code = int(parsed.run(parsed))
        sys.stdout.flush()
        return code
    except DeixisError as mistake:
        if wants_traceback(parsed):
            traceback.print_exc()
        traceback.clear_frames(mistake.__traceback__)  # what they hold ends: an open bar closes its line
        print(f"deixis: {in_flags(str(mistake))}", file=sys.stderr)
        return mistake.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as in `deixis ... | head`
        drop_output()
        return 0
    except Exception as fault:
        if isinstance(fault, OSError) and fault.errno in UNWRITABLE:
            drop_output()
            print(f"deixis: reading or writing failed: {fault.strerror}", file=sys.stderr)
            return UsageError.exit_code
        if isinstance(fault, ModuleNotFoundError) and (missing := missing_package(fault)):
            print(f"deixis: {missing}", file=sys.stderr)
            return missing.exit_code
        traceback.print_exc()
        print(f"deixis: internal fault: {type(fault).__name__}: {fault}", file=sys.stderr)
        return INTERNAL_FAULT
