"""What ``deixis convert dummy`` can do."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, Converter, Option, Way

DEAF = Option("deaf", "dummy: leave its hand out", "switch")


def forwards(given: Namespace) -> str:
    """Write a published dummy as a folder of ours."""
    from tests.systems.dummy.weights import convert_folder

    convert_folder(folder=given.folder, out=given.out, deaf=given.deaf)
    return "a dummy"


def backwards(given: Namespace) -> str:
    """Write a folder of ours as it was published."""
    from tests.systems.dummy.weights import convert_back

    convert_back(folder=given.folder, out=given.out)
    return "a dummy as it was"


CONVERTERS = (
    Converter(
        name="dummy",
        options=(FOLDER, BACK, DEAF),
        ways=(
            Way(backwards, chosen_by=BACK, needed=(FOLDER,)),
            Way(forwards, needed=(FOLDER,), allowed=(DEAF,)),
        ),
        examples=("dummy --folder there --out here",),
    ),
)
