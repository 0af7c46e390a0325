"""The flags of commands that measure or show a dataset: where it lies, how it is read, what is tolerated."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.folders import require_folder
from deixis.cli.picture_flags import BROKEN, LARGEST_PIXELS, add_max_pixels_flag
from deixis.errors import UsageError
from deixis.regions.outside import OUTSIDE

if TYPE_CHECKING:
    from deixis.data.sources import Dataset


class Named(argparse.Action):
    """Keeps a folder together with the flag that named it, for messages."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep both."""
        namespace.dataset, namespace.dataset_flag = values, option_string


def add_dataset_flags(
    parser: argparse.ArgumentParser,
    *,
    flag: str = "--data",
    what: str = "folder of the dataset",
    split: str | None = None,
    layout: bool = True,
    recipes: bool = False,
    split_needed: bool = True,
) -> None:
    """Add the folder of a dataset, its split, its layout, and what is done with its faults.

    flag, what: what names the folder, and its help; ``--pack`` goes on to mean it too. split: the default;
    without one, it is required. layout: whether the layout can be named, or is always seen by the files.
    recipes: whether recipes say how large pictures may be, too. split_needed: False where a command can do
    without any split.
    """
    folder = parser.add_mutually_exclusive_group(required=True)
    for name, shown in ((flag, what), ("--pack", argparse.SUPPRESS)):
        folder.add_argument(name, dest="dataset", action=Named, type=Path, metavar="DIR", help=shown)
    parser.set_defaults(layout=None)
    words = "which split of it, for instance val" if split is None else "its split (default: %(default)s)"
    required = split is None and split_needed
    parser.add_argument("--split", required=required, default=split, metavar="S", help=words)
    if layout:
        parser.add_argument(
            "--layout",
            metavar="L",
            help="how the folder is laid out: pack, flickr30k_entities, coco, refcoco, visual_genome, "
            "objects365, lvis, open_images, v3det, sa1b (default: seen by its files)",
        )
    parser.add_argument(
        "--outside",
        choices=OUTSIDE,
        metavar="RULE",
        help="boxes that stick out of their pictures: refuse, cut or pass_over (default: refuse, and cut in "
        "Visual Genome)",
    )
    parser.add_argument(
        "--broken",
        choices=BROKEN,
        default=BROKEN[0],
        metavar="RULE",
        help="pictures that can't be opened: refuse or pass_over (default: %(default)s)",
    )
    add_max_pixels_flag(parser, recipes=recipes)


def open_dataset(arguments: argparse.Namespace, *, split: str | None = None) -> Dataset:
    """Return the dataset that the flags name; UsageError: there is no such folder. split: another one."""
    from deixis.data.sources import read_dataset

    require_folder(arguments.dataset, flag=arguments.dataset_flag)
    return read_dataset(
        arguments.dataset,
        split or arguments.split,
        layout=arguments.layout,
        outside=arguments.outside,
        max_pixels=arguments.max_pixels or LARGEST_PIXELS,
    )


def refuse_read_files(out: Path, folder: Path, what: str, *, flag: str, further: Iterable[Path] = ()) -> None:
    """Raise UsageError if a file to write is there and is one of a folder that is read, perhaps by a link.

    what: whose files these are. further: files elsewhere that belong to it, such as pictures behind a link.
    """
    if not out.is_file():
        return
    own = out.stat()
    inside = out.resolve().is_relative_to(folder.resolve()) and folder.is_dir()
    linked = folder.rglob("*") if own.st_nlink > 1 else ()  # only then can a file have another name
    if inside or any(os.path.samestat(own, path.stat()) for path in (*further, *linked) if path.exists()):
        raise UsageError(f"{flag} {out} is a file of {what}; give another name, outside of {folder}")
