"""``deixis study NAME``: experiments that compare variants side by side, as a table and a plot."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from deixis.cli.messages import add_message_flags
from deixis.cli.studies import alignment, captions, proposals, resolution

HELP = "compare variants of a recipe, trained runs, vision encoders or proposals side by side"
STUDIES: Mapping[str, ModuleType] = MappingProxyType(
    {"resolution": resolution, "alignment": alignment, "proposals": proposals, "captions": captions}
)
EXAMPLE = "\n".join(["examples:", *(study.EXAMPLE for study in STUDIES.values())])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe every study's own arguments."""
    studies = parser.add_subparsers(dest="study", required=True, metavar="|".join(STUDIES))
    for name, study in STUDIES.items():
        own = studies.add_parser(
            name,
            help=study.HELP,
            description=f"{study.HELP[0].upper()}{study.HELP[1:]}.",
            epilog=f"example:\n{study.EXAMPLE}\n{study.ABOUT}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        study.add_arguments(own)
        add_message_flags(own)


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen study and return the exit code."""
    return int(STUDIES[arguments.study].run(arguments))
