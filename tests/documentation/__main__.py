"""``python -m tests.documentation --check | --write [PAGE ...]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.documentation.pages import pages, renewed


def main() -> int:
    """Check or write the pages that were named, or all; 1 if a check found something out of date."""
    parser = argparse.ArgumentParser(prog="python -m tests.documentation")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--check", action="store_true", help="say what is out of date")
    ways.add_argument("--write", action="store_true", help="bring it up to date")
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="default: all that have output")
    arguments = parser.parse_args()
    stale = [
        line for page in arguments.pages or pages() for line in renewed(page.resolve(), write=arguments.write)
    ]
    for line in stale:
        print(line)
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
