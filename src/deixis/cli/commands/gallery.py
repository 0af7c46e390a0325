"""`deixis gallery`: a page of photos of a dataset, drawn at random, with a system's answers, good and bad."""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.cli.counting import counted
from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.folders import require_folder
from deixis.cli.messages import LOG, is_quiet
from deixis.cli.system_flags import add_system_flags, open_system

HELP = "make a page of photos with a system's answers, good and bad"
EXAMPLE = "deixis gallery --data data/flickr_grounding --split val --out gallery"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis gallery`."""
    add_dataset_flags(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a new folder, or one with a gallery"
    )
    add_system_flags(parser)
    parser.add_argument("--count", type=int, default=24, metavar="N", help="how many photos (default: 24)")
    parser.add_argument("--seed", type=int, default=0, help="draws photos and questions (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Make the gallery and say where it is."""
    from deixis.data.set_aside import boxes_outside
    from deixis.errors import UsageError
    from deixis.gallery.making import INDEX, check_folder, make_gallery

    # Whatever can be wrong with the call shows before the weights are read.
    if arguments.count < 1:
        raise UsageError(f"--count is {arguments.count}; expected a whole number from 1")
    if arguments.seed < 0:
        raise UsageError(f"--seed is {arguments.seed}; expected a whole number from 0")
    require_folder(arguments.dataset, flag=arguments.dataset_flag)
    check_folder(arguments.out, flag="--out")
    dataset = open_dataset(arguments)
    gallery = make_gallery(
        open_system(arguments),
        dataset.scenes,
        arguments.out,
        data=arguments.dataset.resolve().name,
        split=arguments.split,
        count=arguments.count,
        seed=arguments.seed,
        outside=boxes_outside(dataset.boxes),
        broken=arguments.broken,
        progress=not is_quiet(arguments),
    )
    questions = sum(len(card.exhibits) for card in gallery.cards)
    photos = counted(len(gallery.cards), "photo")
    print(f"{photos} with {counted(questions, 'question')}: {arguments.out / INDEX}")
    for fault, what in ((gallery.outside, "boxes that stick out"), (gallery.broken, "broken photos")):
        if fault.count:
            LOG.warning("%s", fault.sentence(what))
    return 0
