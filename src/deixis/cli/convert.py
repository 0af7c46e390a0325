"""`deixis convert`: published checkpoints to folders that `--model` opens, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.errors import UsageError

HELP = "turn published weights into a folder that deixis opens, or back"
EXAMPLE = """\
examples:
  deixis convert ferret --base vicuna-7b-v1.3 --delta ferret-7b-delta --tower clip-336 --out ferret-7b
  deixis convert ferret --folder ferret-7b --back --out ferret-7b-original
  deixis convert ferret --make-delta --base vicuna-7b-v1.3 --target ferret-7b --out ferret-7b-delta
  deixis convert ferret-ui --folder Ferret-UI-Gemma2b --out ferret-ui-gemma

Folders hold config.json, the tokenizer's files, and weights as safetensors or pytorch_model*.bin, in one
file or several. Nothing is fetched. Weights are read one tensor at a time; code in a pickle is refused, never
run.
"""
SYSTEMS = ("ferret", "ferret-ui", "ferret-v2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("system", choices=SYSTEMS, help="whose weights they are")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="a whole checkpoint")
    parser.add_argument(
        "--base", type=Path, metavar="DIR", help="ferret: the decoder that a delta belongs to"
    )
    parser.add_argument("--delta", type=Path, metavar="DIR", help="ferret: the delta, as published")
    parser.add_argument(
        "--target", type=Path, metavar="DIR", help="ferret: the checkpoint to make a delta of"
    )
    parser.add_argument(
        "--tower", type=Path, metavar="DIR", help="the vision tower, if the checkpoint has none"
    )
    parser.add_argument(
        "--local-tower",
        type=Path,
        metavar="DIR",
        help="ferret-v2: the tiles' tower, if the checkpoint has none",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder to write")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--back", action="store_true", help="from a folder of deixis to the original format")
    way.add_argument("--make-delta", action="store_true", help="write the difference of --target from --base")
    parser.add_argument(
        "--any-base", action="store_true", help="go on though --base is not what the delta was made from"
    )


def run(arguments: argparse.Namespace) -> int:
    """Convert, and print what was written."""
    said = ferret(arguments) if arguments.system == "ferret" else ferret_v2(arguments)
    print(f"{said}: {arguments.out}")
    return 0


def ferret(arguments: argparse.Namespace) -> str:
    """Run one of Ferret's conversions and return what it wrote."""
    from deixis.systems.ferret import weights

    if arguments.make_delta:
        check(
            arguments,
            needed=("base", "target"),
            unused=("folder", "delta", "tower", "local_tower", "any_base"),
        )
        missed = weights.make_delta_folder(base=arguments.base, target=arguments.target, out=arguments.out)
        return f"a delta of {arguments.target}, {missed} numbers of it in the file of corrections"
    if arguments.back:
        check(
            arguments,
            needed=("folder",),
            unused=("base", "delta", "target", "tower", "local_tower", "any_base"),
        )
        weights.convert_back(folder=arguments.folder, out=arguments.out)
        return "Ferret in its original format"
    if arguments.folder is not None:
        check(arguments, needed=("folder",), unused=("base", "delta", "target", "local_tower", "any_base"))
        weights.convert_folder(folder=arguments.folder, out=arguments.out, tower=arguments.tower)
        return "Ferret, from a whole checkpoint"
    check(arguments, needed=("base", "delta"), unused=("target", "local_tower"))
    weights.convert_delta(
        base=arguments.base,
        delta=arguments.delta,
        out=arguments.out,
        tower=arguments.tower,
        any_base=arguments.any_base,
    )
    return "Ferret, from base and delta"


def ferret_v2(arguments: argparse.Namespace) -> str:
    """Run one of the conversions of Ferret-UI or Ferret-v2 and return what it wrote."""
    from deixis.systems.ferret_v2 import weights

    published = arguments.system == "ferret-ui"
    unused = ("base", "delta", "target", "any_base", "make_delta")
    check(arguments, needed=("folder",), unused=(*unused, "local_tower") if published else unused)
    name = "Ferret-UI" if published else "Ferret-v2"
    if arguments.back:
        check(arguments, needed=("folder",), unused=("tower", "local_tower"))
        back = weights.convert_ferret_ui_back if published else weights.convert_back
        back(folder=arguments.folder, out=arguments.out)
        return f"{name} in its original format"
    if published:
        weights.convert_ferret_ui(folder=arguments.folder, out=arguments.out, tower=arguments.tower)
    else:
        weights.convert_folder(
            folder=arguments.folder,
            out=arguments.out,
            tower=arguments.tower,
            local_tower=arguments.local_tower,
        )
    return name


def check(arguments: argparse.Namespace, *, needed: tuple[str, ...], unused: tuple[str, ...]) -> None:
    """Raise UsageError unless exactly the arguments that this way of converting takes are given."""
    for name in needed:
        if getattr(arguments, name) is None:
            raise UsageError(
                f"{flag(name)} is missing; {arguments.system} needs it here: see deixis convert --help"
            )
    for name in unused:
        if getattr(arguments, name):
            raise UsageError(f"{flag(name)} has no meaning here; leave it out, or see deixis convert --help")


def flag(name: str) -> str:
    """Return an argument as it is typed.

    >>> flag("make_delta")
    '--make-delta'
    """
    return "--" + name.replace("_", "-")
