"""Files that a command is to write, which are never those that it reads."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from deixis.errors import UsageError
from deixis.files.writing import unwritable
from deixis.records.typed_regions import NAME


def refuse_inputs(out: Path, inputs: Mapping[Path, str], *, flag: str = "--out") -> None:
    """Raise UsageError if a file to write is one that is read; inputs: what each of them is."""
    for path, what in inputs.items():
        try:
            same = out.resolve() == path.resolve() or (out.exists() and path.exists() and out.samefile(path))
        except (OSError, ValueError) as fault:  # no file can have such a name
            raise unwritable(out, fault, flag=flag) from fault
        if same:
            raise UsageError(f"{flag} {out} is {what}; give another name")


def mask_files(arguments: argparse.Namespace) -> dict[Path, str]:
    """Return the files of masks that the arguments name to be read, and what they are."""
    typed = [NAME.fullmatch(text) or text for kind, text in arguments.typed or [] if kind == "mask"]
    masks = [Path(text if isinstance(text, str) else text.group(2)) for text in typed]
    return dict.fromkeys(masks, "a mask that is read")
