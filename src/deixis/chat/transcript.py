"""A dialogue as JSON lines: one exchange a line, with its question, regions and answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.chat.session import Exchange
from deixis.files.writing import write_whole
from deixis.regions.as_objects import region_object


def exchange_object(exchange: Exchange, *, turn: int, weights: str = "") -> dict[str, Any]:
    """Return an exchange as plain values.

    turn: its number, from 1. weights: the fingerprint of those that answered. The regions are written as in
    samples (docs/data.md), in pixels of the picture, the answer as ``answer_schema`` describes it;
    "remembered" counts the earlier answers that the system was given.
    """
    answer = exchange.answer
    return {
        "turn": turn,
        "picture": answer.picture.name,
        "question": answer.question,
        "regions": {name: region_object(region) for name, region in answer.regions},
        "remembered": exchange.given,
        "answer": answer.to_dict(weights=weights),
    }


def write_transcript(exchanges: Sequence[Exchange], path: Path, *, weights: str = "") -> None:
    """Write exchanges, oldest first; a file that was there is replaced. UsageError: it cannot be written."""
    lines = [
        json.dumps(exchange_object(exchange, turn=number, weights=weights), allow_nan=False)
        for number, exchange in enumerate(exchanges, start=1)
    ]
    write_whole(path, "".join(f"{line}\n" for line in lines))
