"""What commands say on standard error: messages of the package's logger, as many as the flags ask for."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOG = logging.getLogger("deixis")
NOTICE = (logging.INFO + logging.WARNING) // 2  # said by default, but for no trouble: where it computes


class ToStandardError(logging.Handler):
    """Prints each message as a line behind the program's name, wherever standard error leads by then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        print(f"deixis: {self.format(record)}", file=sys.stderr, flush=True)


def add_message_flags(parser: argparse.ArgumentParser) -> None:
    """Add --verbose, --quiet and --traceback, which are taken before and after a command's name."""
    amount = parser.add_mutually_exclusive_group()
    absent: Any = argparse.SUPPRESS  # a default would undo what was said before the command's name
    amount.add_argument(
        "--verbose", action="store_true", default=absent, help="say more on standard error about what is done"
    )
    amount.add_argument(
        "--quiet", action="store_true", default=absent, help="say nothing on standard error but errors"
    )
    parser.add_argument(
        "--traceback", action="store_true", default=absent, help="show where in the code an error arose"
    )


def is_quiet(arguments: argparse.Namespace) -> bool:
    """Tell whether only errors are to be said."""
    return getattr(arguments, "quiet", False)


def wants_traceback(arguments: argparse.Namespace) -> bool:
    """Tell whether errors are to be shown with where they arose."""
    return getattr(arguments, "traceback", False)


def level_of(arguments: argparse.Namespace) -> int:
    """Return the least level of the messages that are said."""
    if is_quiet(arguments):
        return logging.ERROR
    return logging.INFO if getattr(arguments, "verbose", False) else NOTICE


@contextmanager
def said(arguments: argparse.Namespace) -> Iterator[None]:
    """Print the package's messages on standard error while a command runs."""
    handler, before = ToStandardError(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(level_of(arguments))
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(before)


@contextmanager
def warnings_said() -> Iterator[None]:
    """Print warnings, such as that of a region that is cut, as messages."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: LOG.warning("%s", message)
        yield
