"""A dialogue as JSON lines: one exchange a line, with its question, regions and answer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.chat.session import Exchange
from deixis.errors import UsageError
from deixis.regions.as_objects import region_object


def exchange_object(exchange: Exchange, *, turn: int) -> dict[str, Any]:
    """Return an exchange as plain values.

    turn: its number, from 1. The regions are written as in records (docs/data.md), in pixels of the picture,
    the answer as ``answer_schema`` describes it; "remembered" counts the earlier answers that the system was
    given.
    """
    answer = exchange.answer
    return {
        "turn": turn,
        "picture": answer.picture.name,
        "question": answer.question,
        "regions": {name: region_object(region) for name, region in answer.regions},
        "remembered": exchange.given,
        "answer": answer.to_dict(),
    }


def write_transcript(exchanges: Sequence[Exchange], path: Path) -> None:
    """Write exchanges, oldest first; a file that was there is replaced. UsageError: it cannot be written."""
    lines = [
        json.dumps(exchange_object(exchange, turn=number), allow_nan=False)
        for number, exchange in enumerate(exchanges, start=1)
    ]
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.replace(partial, path)
    except OSError as fault:
        raise UsageError(f"cannot write {path}: {fault.strerror or fault}; give another name") from fault
    finally:
        partial.unlink(missing_ok=True)
