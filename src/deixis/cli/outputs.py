"""Files that a command is to write, which are never those that it reads."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from deixis.errors import UsageError
from deixis.records.typed_regions import NAME


def refuse_inputs(out: Path, inputs: Mapping[Path, str], *, flag: str = "--out") -> None:
    """Raise UsageError if a file to write is one that is read; inputs: what each of them is."""
    for path, what in inputs.items():
        if out.resolve() == path.resolve() or (out.exists() and path.exists() and out.samefile(path)):
            raise UsageError(f"{flag} {out} is {what}; give another name")


def inputs_of(arguments: argparse.Namespace) -> dict[Path, str]:
    """Return the files that the arguments name to be read, and what each is."""
    typed = [NAME.fullmatch(text) or text for kind, text in arguments.typed or [] if kind == "mask"]
    masks = [Path(text if isinstance(text, str) else text.group(2)) for text in typed]
    return {arguments.picture: "the picture itself", **dict.fromkeys(masks, "a mask that is read")}
