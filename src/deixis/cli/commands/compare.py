"""`deixis compare`: two reports of one protocol, their paired differences, a page of where they differ."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deixis.cli.saving import save_or_print
from deixis.errors import UsageError

HELP = "compare two reports of the same protocol, with paired intervals and a page of where they differ"
EXAMPLE = "example: deixis compare before.json after.json --out comparison"
MOST_ITEMS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis compare`."""
    parser.add_argument("first", type=Path, metavar="A.json", help="a report of deixis evaluate --json")
    parser.add_argument("second", type=Path, metavar="B.json", help="another one of the same protocol")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write a page with the items where they differ here"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where the data lie (default: where they were measured)"
    )
    parser.add_argument(
        "--despite",
        metavar="LINE,…",
        default="",
        help="lines of the protocol card that may differ all the same; the page says so",
    )
    parser.add_argument(
        "--most", type=int, default=60, metavar="N", help="items on the page (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the differences here")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences, write what was asked for."""
    from deixis.comparison.making import INDEX, check_folder, make_page
    from deixis.comparison.page import shown
    from deixis.comparison.paired import differences
    from deixis.comparison.saved_report import read_report, require_comparable
    from deixis.files.writing import require_writable

    if not 1 <= arguments.most <= MOST_ITEMS:
        raise UsageError(f"--most is {arguments.most}; expected a whole number from 1 to {MOST_ITEMS}")
    if arguments.out is not None:
        check_folder(arguments.out)
    if arguments.json is not None:
        if arguments.json.resolve() in (arguments.first.resolve(), arguments.second.resolve()):
            raise UsageError(f"--json {arguments.json} is one of the reports; give another name")
        require_writable(arguments.json, flag="--json")
    first, second = read_report(arguments.first), read_report(arguments.second)
    given = (name.strip(" -").replace("-", "_") for name in arguments.despite.split(","))
    despite = [name for name in given if name]
    require_comparable(first, second, despite=despite)
    numbers = differences(first, second, data=arguments.data)
    print(f"A: {first.system} ({first.path})\nB: {second.system} ({second.path})\n")
    print("| | A | B | B - A | 95 % interval | n | |\n|---|---:|---:|---:|---|---:|---|")
    for one in numbers:
        values = (shown(one.first, one), shown(one.second, one), shown(one.difference, one, sign=True))
        low, high = (shown(edge, one, sign=True) for edge in (one.low, one.high))
        print(f"| {one.name} | {' | '.join(values)} | {low} to {high} | {one.n:,} | {one.verdict} |")
    if despite:
        print(f"\nCompared although these lines may differ: {', '.join(despite)}")
    if arguments.out is not None:
        count = make_page(
            first,
            second,
            numbers,
            arguments.out,
            data=arguments.data,
            despite=despite,
            most=arguments.most,
        )
        print(f"\n{count:,} of {len(first.items):,} items differ: {arguments.out / INDEX}")
    if arguments.json is not None:
        content = {"first": first.system, "second": second.system, "despite": despite}
        rows = {**content, "differences": [one.to_dict() for one in numbers]}
        save_or_print({arguments.json: json.dumps(rows, indent=1, ensure_ascii=False) + "\n"})
    return 0
