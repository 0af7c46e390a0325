"""The command line: one thin file a command; ``program`` chooses among them and sets exit codes.

Nothing is imported here, so that Ctrl-C is caught from the first moment on.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

INTERRUPTED = 130


def build_parser() -> ArgumentParser:
    """Return the parser with every command."""
    from deixis.cli import program

    return program.build_parser()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what goes wrong is said on standard error."""
    try:
        from deixis.cli import program

        return program.run(arguments)
    except KeyboardInterrupt:
        print("deixis: interrupted", file=sys.stderr)
        return INTERRUPTED
