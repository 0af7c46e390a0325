"""What ``deixis convert florence-vl`` can do, and what it needs for it."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, VISION_ENCODER, Converter, Way


def back(given: Namespace) -> str:
    """Write a folder of ours in the authors' format."""
    from deixis.systems.florence_vl.weights import convert_back

    convert_back(folder=given.folder, out=given.out)
    return "Florence-VL in its authors' format"


def from_checkpoint(given: Namespace) -> str:
    """Write a published checkpoint as a folder of ours."""
    from deixis.systems.florence_vl.weights import convert_folder

    convert_folder(folder=given.folder, out=given.out, tower=given.vision_encoder)
    return "Florence-VL"


CONVERTERS = (
    Converter(
        name="florence-vl",
        options=(FOLDER, VISION_ENCODER, BACK),
        ways=(
            Way(back, chosen_by=BACK, needed=(FOLDER,)),
            Way(from_checkpoint, needed=(FOLDER,), allowed=(VISION_ENCODER,)),
        ),
        examples=(
            "florence-vl --folder florence-vl-3b-sft --out florence-vl-3b",
            "florence-vl --folder florence-vl-3b --back --out florence-vl-3b-original",
        ),
    ),
)
