"""Flags that all commands share that load a system, and opening it as they say."""

from __future__ import annotations

import argparse
import gc
from typing import TYPE_CHECKING

from deixis.cli.messages import LOG, NOTICE

if TYPE_CHECKING:
    from deixis.systems.contract import System

MODEL = "a system's name or a saved folder (default: the embedded one)"
DEVICE = "where to compute: auto, cpu, cuda, cuda:1, mps (default: auto, a GPU if there is one)"
DTYPE = "numbers to compute with: auto, float32, bfloat16, float16, stored (default: auto, float32 on a CPU)"


def add_system_flags(parser: argparse.ArgumentParser) -> None:
    """Add --model, --device and --dtype."""
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
