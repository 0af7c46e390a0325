"""`deixis convert`: published checkpoints to folders that `--model` opens, and back.

Which there are, and what each takes, is said by the systems themselves (``systems/*/conversion.py``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from deixis.checkpoints.convert.converters import Converter, Option, Way
from deixis.errors import UsageError
from deixis.systems.registry import converters

HELP = "turn published weights into a folder that deixis opens, or back"
EXAMPLE = """\
Folders hold config.json, the tokenizer's files, and weights as safetensors or pytorch_model*.bin, in one
file or several. Nothing is fetched. Weights are read one tensor at a time; code in a pickle is refused, never
run.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments, and show the systems' examples before our own words."""
    known = converters()
    examples = "".join(f"  deixis convert {example}\n" for one in known for example in one.examples)
    parser.epilog = f"examples:\n{examples}\n{EXAMPLE}"
    options = all_options(known)
    parser.add_argument("system", choices=[one.name for one in known], help="whose weights they are")
    for option in options:
        if option.kind == "folder":
            add_folder(parser, option)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder to write")
    ways = parser.add_mutually_exclusive_group()
    for option in options:
        if option.kind == "way":
            ways.add_argument(option.flag, action="store_true", help=option.help)
    for option in options:
        if option.kind == "switch":
            parser.add_argument(option.flag, action="store_true", help=option.help)


def add_folder(parser: argparse.ArgumentParser, option: Option) -> None:
    """Declare the option that names a folder, and its former name, of which the help says nothing."""
    parser.add_argument(option.flag, type=Path, metavar="DIR", help=option.help)
    if option.former_flag is not None:
        parser.add_argument(option.former_flag, dest=option.name, type=Path, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Convert, and print what was written."""
    known = converters()
    (converter,) = (one for one in known if one.name == arguments.system)
    way = converter.way(arguments)
    check(arguments, way, all_options(known))
    print(f"{way.run(arguments)}: {arguments.out}")
    return 0


def all_options(known: Iterable[Converter]) -> list[Option]:
    """Return the options of all converters, each once; where they differ in words, all of these are said."""
    options: dict[str, Option] = {}
    for option in (option for converter in known for option in converter.options):
        earlier = options.setdefault(option.name, option)
        if option.kind != earlier.kind:
            raise ValueError(
                f"{option.flag} is a {earlier.kind} of one system and a {option.kind} of another"
            )
        if option.help not in earlier.help.split("; "):
            options[option.name] = replace(earlier, help=f"{earlier.help}; {option.help}")
    return list(options.values())


def check(arguments: argparse.Namespace, way: Way, options: Iterable[Option]) -> None:
    """Raise UsageError unless exactly the arguments that this way of converting takes are given."""
    for option in way.needed:
        if not option.given(arguments):
            raise UsageError(
                f"{option.flag} is missing; {arguments.system} needs it here: see deixis convert --help"
            )
    taken = {option.name for option in way.takes}
    for option in options:
        if option.name not in taken and option.given(arguments):
            raise UsageError(f"{option.flag} has no meaning here; leave it out, or see deixis convert --help")
