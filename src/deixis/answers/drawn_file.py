"""A drawn answer as a file that is never half there: a viewer sees the old drawing or the new one."""

from __future__ import annotations

import os
from pathlib import Path

from deixis.answers.grounded import Answer
from deixis.errors import UsageError


def write_drawing(answer: Answer, path: Path) -> None:
    """Draw an answer on its picture and write that, in the format that the name ends in.

    Folders that are missing are made. UsageError: the name has no format, or cannot be written.
    """
    image = answer.draw()
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(partial)
        os.replace(partial, path)
    except (OSError, ValueError, KeyError) as fault:  # KeyError: a format that Pillow reads but cannot write
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
        raise UsageError(f"cannot write {path}: {reason}; give a name that ends in .png or .jpg") from fault
    finally:
        partial.unlink(missing_ok=True)
