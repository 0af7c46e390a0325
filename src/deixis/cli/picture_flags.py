"""The flags that say which pictures are opened: how large they may be, and what is done with broken ones."""

from __future__ import annotations

import argparse

# The same as of ``deixis.pictures``, which takes a while to import.
LARGEST_PIXELS = 100_000_000
REFUSE, PASS_OVER = BROKEN = ("refuse", "pass_over")


def add_max_pixels_flag(parser: argparse.ArgumentParser, *, recipes: bool = False) -> None:
    """Add --max-pixels; recipes: where recipes say it too, it is None without the flag."""
    otherwise = f"what the recipe says, or {LARGEST_PIXELS:,}" if recipes else f"{LARGEST_PIXELS:,}"
    parser.add_argument(
        "--max-pixels",
        type=pixels,
        default=None if recipes else LARGEST_PIXELS,
        metavar="N",
        help=f"refuse pictures of more pixels, before decoding them (default: {otherwise})",
    )


def add_picture_flags(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """Add --max-pixels; many: and --broken, where a command takes several pictures."""
    add_max_pixels_flag(parser)
    if many:
        parser.add_argument(
            "--broken",
            choices=BROKEN,
            help="of several pictures, name those that can't be opened and pass over them (the default), or "
            "refuse and stop",
        )


def pixels(text: str) -> int:
    """Return a number of pixels as it is typed: 200000000 or 200_000_000."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
