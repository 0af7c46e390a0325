"""Opening a system on the command line, in as little time as the libraries beneath it allow."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deixis.systems.contract import System


def open_system(name_or_folder: str | None) -> System:
    """Return what ``deixis.load`` does, sooner.

    The libraries that are imported make a million objects that stay for as long as the process. The garbage
    collector would walk over them again and again while they are made, and once more in the end: a fifth of
    the time from the shell to the first answer. It does so once, to keep memory small, and then lets them be.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        from deixis.systems import load

        return load(name_or_folder)
    finally:
        gc.collect()
        gc.freeze()
        if collecting:
            gc.enable()
