"""The flag that says how large a picture may be that is asked about."""

from __future__ import annotations

import argparse

LARGEST_PIXELS = 100_000_000  # the same as of ``deixis.pictures.opening``, which takes a while to import


def add_picture_flags(parser: argparse.ArgumentParser) -> None:
    """Add --max-pixels."""
    parser.add_argument(
        "--max-pixels",
        type=pixels,
        default=LARGEST_PIXELS,
        metavar="N",
        help=f"refuse pictures of more pixels, before decoding them (default: {LARGEST_PIXELS:,})",
    )


def pixels(text: str) -> int:
    """Return a number of pixels as it is typed: 200000000 or 200_000_000."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
