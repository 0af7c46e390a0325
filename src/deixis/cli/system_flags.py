"""Flags that all commands share that load a system, and opening it as they say."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG, NOTICE
from deixis.errors import UsageError
from deixis.painting.kinds import KINDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deixis.answers.grounded import Answer
    from deixis.pictures.opening import Picture
    from deixis.regions.shapes import Region
    from deixis.systems.contract import System

MODEL = "a system's name or a saved folder (default: the embedded one)"
DEVICE = "where to compute: auto, cpu, cuda, cuda:1, mps (default: auto, a GPU if there is one)"
PAINT_STYLES = ("clean", "published")  # as ``deixis.painting.painter`` has them, which is slow to import
DTYPE = "numbers to compute with: auto, float32, bfloat16, float16, stored (default: auto, float32 on a CPU)"


def add_system_flags(parser: argparse.ArgumentParser, *, endpoints: bool = False) -> None:
    """Add --model, --device and --dtype. endpoints: whether a model may be an address."""
    if endpoints:
        parser.add_argument(
            "--model", metavar="NAME|DIR|URL", help=f"{MODEL}, or an OpenAI-compatible endpoint up to /v1"
        )
    else:
        parser.add_argument("--model", metavar="NAME|DIR", help=MODEL)
    add_device_flags(parser)


def add_device_flags(parser: argparse.ArgumentParser) -> None:
    """Add --device and --dtype."""
    add_device_flag(parser)
    parser.add_argument("--dtype", default="auto", metavar="T", help=DTYPE)


def add_device_flag(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", default="auto", metavar="D", help=DEVICE)


def open_system(arguments: argparse.Namespace) -> System:
    """Return the system that the flags name, and say once on standard error where it computes.

    It does what ``deixis.load`` does, sooner. The libraries that are imported make a million objects that
    stay for as long as the process. The garbage collector would walk over them again and again while they are
    made, and once more in the end: a fifth of the time from the shell to the first answer. It does so once,
    to keep memory small, and then lets them be.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        from deixis.systems import load

        system = load(arguments.model, device=arguments.device, dtype=arguments.dtype)
    finally:
        gc.collect()
        gc.freeze()
        if collecting:
            gc.enable()
    numbers = str(system.dtype).removeprefix("torch.")
    LOG.log(NOTICE, "%s on %s in %s", system.name, system.device, numbers)
    return system


def add_paint_flags(parser: argparse.ArgumentParser) -> None:
    """Add --paint, --paint-style and --save-input."""
    parser.add_argument(
        "--paint",
        metavar="KIND",
        help=f"for systems that paint regions on the picture: as {', '.join(KINDS)} (default: what suits "
        "the region)",
    )
    parser.add_argument(
        "--paint-style",
        choices=PAINT_STYLES,
        help="for these systems: clean lines, or ViP-LLaVA's own paint (default: what the model knows)",
    )
    parser.add_argument(
        "--save-input",
        type=Path,
        metavar="PATH",
        help="write the picture that the model saw, painted and in its own pixels: to this file, for several "
        "pictures into this folder",
    )


def add_task_flags(parser: argparse.ArgumentParser) -> None:
    """Add --task and --ground."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--task",
        metavar="T",
        help="for systems with Florence-2 inside: instead of a question one of its tasks, such as "
        "object-detection or region-to-description; where it takes a text, that is the question; its answer "
        "is as long as the model can write unless --max-new-tokens is given",
    )
    ways.add_argument(
        "--ground",
        action="store_true",
        help="for the same systems: answer in words, then locate the phrases of the answer",
    )


def check_task(arguments: argparse.Namespace, regions: Mapping[str, Region]) -> None:
    """Raise UsageError for what has no meaning where a task is asked for."""
    if arguments.task is None:
        return
    for name, default in (
        ("temperature", 0.0), ("top_p", 1.0), ("seed", None), ("stop", []), ("max_places", None),
        ("logprobs", False), ("paint", None), ("paint_style", None), ("save_input", None),
    ):  # fmt: skip
        if getattr(arguments, name) != default:
            raise UsageError(f"--{name.replace('_', '-')} has no meaning with --task; leave it out")
    if len(regions) > 1:
        raise UsageError(f"--task takes one region; got {len(regions)}: {', '.join(regions)}")


def check_ground(system: System, arguments: argparse.Namespace) -> None:
    """Raise, before anything is asked, what would hinder places of the answers' phrases."""
    if arguments.ground:
        system.require_places()


def answers_of(
    system: System,
    picture: Picture,
    questions: Sequence[str],
    regions: Sequence[Mapping[str, Region]],
    *,
    arguments: argparse.Namespace,
    settings: Mapping[str, Any],
) -> list[Answer]:
    """Return the answers to questions, or to the task that the flags ask for; see ``System.locate``."""
    if arguments.task is None:
        answers = system.ask(picture, questions, regions=regions, **settings)
        return [system.ground(one) for one in answers] if arguments.ground else answers
    limit = {name: settings[name] for name in ("max_new_tokens",) if name in settings}
    return [
        system.locate(
            picture, arguments.task, text=text or None, region=next(iter(own.values()), None), **limit
        )
        for text, own in zip(questions, regions, strict=True)
    ]


def checked_kind(arguments: argparse.Namespace) -> str | None:
    """Return the kind of mark that is asked for; UsageError if there is none of that name."""
    return None if arguments.paint is None else kind_of(arguments.paint)


def set_paint(system: System, arguments: argparse.Namespace) -> None:
    """Let a system paint as the flags say; UsageError for one that doesn't paint."""
    if arguments.paint is not None or arguments.paint_style is not None:
        system.paint_as(kind=checked_kind(arguments), style=arguments.paint_style)
