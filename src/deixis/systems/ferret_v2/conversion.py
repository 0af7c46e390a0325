"""What ``deixis convert ferret-ui`` and ``deixis convert ferret-v2`` can do, and what they need for it."""

from __future__ import annotations

from argparse import Namespace

from deixis.checkpoints.convert.converters import BACK, FOLDER, VISION_ENCODER, Converter, Option, Way

LOCAL_VISION_ENCODER = Option(
    "local_vision_encoder",
    "ferret-v2: the tiles' vision encoder, if the checkpoint has none",
    former="local_tower",
)


def ferret_ui(given: Namespace) -> str:
    """Write a checkpoint of Ferret-UI as a folder of ours."""
    from deixis.systems.ferret_v2.weights import convert_ferret_ui

    convert_ferret_ui(folder=given.folder, out=given.out, tower=given.vision_encoder)
    return "Ferret-UI"


def ferret_ui_back(given: Namespace) -> str:
    """Write a folder of ours as Ferret-UI was published."""
    from deixis.systems.ferret_v2.weights import convert_ferret_ui_back

    convert_ferret_ui_back(folder=given.folder, out=given.out)
    return "Ferret-UI in its original format"


def ferret_v2(given: Namespace) -> str:
    """Write a checkpoint of Ferret-v2 as a folder of ours."""
    from deixis.systems.ferret_v2.weights import convert_folder

    convert_folder(
        folder=given.folder, out=given.out, tower=given.vision_encoder, local_tower=given.local_vision_encoder
    )
    return "Ferret-v2"


def ferret_v2_back(given: Namespace) -> str:
    """Write a folder of ours in the manner of the published checkpoints."""
    from deixis.systems.ferret_v2.weights import convert_back

    convert_back(folder=given.folder, out=given.out)
    return "Ferret-v2 in its original format"


CONVERTERS = (
    Converter(
        name="ferret-ui",
        options=(FOLDER, VISION_ENCODER, BACK),
        ways=(
            Way(ferret_ui_back, chosen_by=BACK, needed=(FOLDER,)),
            Way(ferret_ui, needed=(FOLDER,), allowed=(VISION_ENCODER,)),
        ),
        examples=("ferret-ui --folder Ferret-UI-Gemma2b --out ferret-ui-gemma",),
    ),
    Converter(
        name="ferret-v2",
        options=(FOLDER, VISION_ENCODER, LOCAL_VISION_ENCODER, BACK),
        ways=(
            Way(ferret_v2_back, chosen_by=BACK, needed=(FOLDER,)),
            Way(ferret_v2, needed=(FOLDER,), allowed=(VISION_ENCODER, LOCAL_VISION_ENCODER)),
        ),
    ),
)
