"""What ``deixis convert ferret`` can do, and what it needs for it."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, VISION_ENCODER, Converter, Option, Way

BASE = Option("base", "ferret: the decoder that a delta belongs to")
DELTA = Option("delta", "ferret: the delta, as published")
TARGET = Option("target", "ferret: the checkpoint to make a delta of")
MAKE_DELTA = Option("make_delta", "write the difference of --target from --base", "way")
ANY_BASE = Option("any_base", "go on though --base is not what the delta was made from", "switch")


def make_delta(given: Namespace) -> str:
    """Write the difference of a checkpoint from its base."""
    from deixis.systems.ferret.weights import make_delta_folder

    missed = make_delta_folder(base=given.base, target=given.target, out=given.out)
    return f"a delta of {given.target}, {missed} numbers of it in the file of corrections"


def back(given: Namespace) -> str:
    """Write a folder of ours as it was published."""
    from deixis.systems.ferret.weights import convert_back

    convert_back(folder=given.folder, out=given.out)
    return "Ferret in its original format"


def from_checkpoint(given: Namespace) -> str:
    """Write a whole checkpoint as a folder of ours."""
    from deixis.systems.ferret.weights import convert_folder

    convert_folder(folder=given.folder, out=given.out, tower=given.vision_encoder)
    return "Ferret, from a whole checkpoint"


def from_delta(given: Namespace) -> str:
    """Write what a base and a delta stand for as a folder of ours."""
    from deixis.systems.ferret.weights import convert_delta

    convert_delta(
        base=given.base, delta=given.delta, out=given.out, tower=given.vision_encoder, any_base=given.any_base
    )
    return "Ferret, from base and delta"


CONVERTERS = (
    Converter(
        name="ferret",
        options=(FOLDER, BASE, DELTA, TARGET, VISION_ENCODER, BACK, MAKE_DELTA, ANY_BASE),
        ways=(
            Way(make_delta, chosen_by=MAKE_DELTA, needed=(BASE, TARGET)),
            Way(back, chosen_by=BACK, needed=(FOLDER,)),
            Way(from_checkpoint, chosen_by=FOLDER, needed=(FOLDER,), allowed=(VISION_ENCODER,)),
            Way(from_delta, needed=(BASE, DELTA), allowed=(VISION_ENCODER, ANY_BASE)),
        ),
        examples=(
            "ferret --base vicuna-7b-v1.3 --delta ferret-7b-delta --vision-encoder clip-336 --out ferret-7b",
            "ferret --folder ferret-7b --back --out ferret-7b-original",
            "ferret --make-delta --base vicuna-7b-v1.3 --target ferret-7b --out ferret-7b-delta",
        ),
    ),
)
