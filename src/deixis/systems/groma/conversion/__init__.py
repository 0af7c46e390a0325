"""What ``deixis convert groma`` can do, and what it needs for it."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, Converter, Way


def back(given: Namespace) -> str:
    """Write a folder of ours in the authors' format."""
    from deixis.systems.groma.conversion.weights import convert_back

    return f"{convert_back(folder=given.folder, out=given.out)} in its authors' format"


def from_checkpoint(given: Namespace) -> str:
    """Write a published checkpoint, whole or the proposer alone, as a folder of ours."""
    from deixis.systems.groma.conversion.weights import convert_folder

    config = convert_folder(folder=given.folder, out=given.out)
    return "Groma" if config.model_type == "deixis_groma" else "Groma's proposer"


CONVERTERS = (
    Converter(
        name="groma",
        options=(FOLDER, BACK),
        ways=(
            Way(back, chosen_by=BACK, needed=(FOLDER,)),
            Way(from_checkpoint, needed=(FOLDER,)),
        ),
        examples=(
            "groma --folder groma-7b-finetune --out groma-7b",
            "groma --folder groma-det-pretrain --out groma-proposer",
            "groma --folder groma-7b --back --out groma-7b-original",
        ),
    ),
)
