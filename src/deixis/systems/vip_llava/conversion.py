"""What ``deixis convert vip-llava`` can do, and what it needs for it."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, VISION_ENCODER, Converter, Option, Way

TO_TRANSFORMERS = Option("transformers", "write a folder of ours as transformers publishes it", "way")


def back(given: Namespace) -> str:
    """Write a folder of ours in the authors' format."""
    from deixis.systems.vip_llava.weights import convert_back

    convert_back(folder=given.folder, out=given.out)
    return "ViP-LLaVA in its authors' format"


def to_transformers(given: Namespace) -> str:
    """Write a folder of ours as ``transformers`` publishes it."""
    from deixis.systems.vip_llava.weights import convert_back_to_transformers

    convert_back_to_transformers(folder=given.folder, out=given.out)
    return "ViP-LLaVA in the format of transformers"


def from_checkpoint(given: Namespace) -> str:
    """Write a published checkpoint, in either format, as a folder of ours."""
    from deixis.systems.vip_llava.weights import convert_folder

    convert_folder(folder=given.folder, out=given.out, tower=given.vision_encoder)
    return "ViP-LLaVA"


CONVERTERS = (
    Converter(
        name="vip-llava",
        options=(FOLDER, VISION_ENCODER, BACK, TO_TRANSFORMERS),
        ways=(
            Way(back, chosen_by=BACK, needed=(FOLDER,)),
            Way(to_transformers, chosen_by=TO_TRANSFORMERS, needed=(FOLDER,)),
            Way(from_checkpoint, needed=(FOLDER,), allowed=(VISION_ENCODER,)),
        ),
        examples=(
            "vip-llava --folder vip-llava-7b --vision-encoder clip-336 --out vip-7b",
            "vip-llava --folder vip-llava-7b-hf --out vip-7b",
            "vip-llava --folder vip-7b --back --out vip-7b-original",
        ),
    ),
)
