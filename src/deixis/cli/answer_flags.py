"""Flags that say how an answer is decoded: the fields of ``deixis.engine.settings.Settings``."""

from __future__ import annotations

import argparse
import re
from typing import Any

from deixis.errors import UsageError

FIELDS = ("max_new_tokens", "temperature", "top_p", "seed", "stop", "max_places", "logprobs")


# How to mend something, as Python is told; a setting of one word is a word like others.
ADVICE = re.compile(rf"\b({'|'.join(name for name in FIELDS if '_' in name)})\b(?! is )")


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return f"--{name.replace('_', '-')}"


def in_flags(text: str) -> str:
    """Return a message that advises another setting, with its flag.

    >>> in_flags("the answer stopped before its end; raise max_new_tokens")
    'the answer stopped before its end; raise --max-new-tokens'
    """
    return ADVICE.sub(lambda match: flag(match[1]), text)


def add_answer_flags(parser: argparse.ArgumentParser) -> None:
    """Add --max-new-tokens, --temperature, --top-p, --seed, --stop, --max-places and --logprobs."""
    parser.add_argument("--max-new-tokens", type=int, metavar="N", help="longest answer (default: 64)")
    parser.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="draw words, the more freely the higher"
    )
    parser.add_argument(
        "--top-p", type=float, default=1.0, metavar="P", help="draw among the likeliest with this share"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="draw the same answer again")
    parser.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="end an answer before this text"
    )
    parser.add_argument("--max-places", type=int, metavar="N", help="name so many places at most")
    parser.add_argument(
        "--logprobs", action="store_true", help="keep each token's log-probability, for --json"
    )


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the flags give, checked; UsageError for one out of range."""
    from deixis.engine.settings import Settings
    from deixis.systems.questions import require_characters

    given = {name: value for name in FIELDS if (value := getattr(arguments, name)) is not None}
    given["stop"] = tuple(given["stop"])
    for text in given["stop"]:
        require_characters(text, what="--stop")
    try:
        Settings(**given)
    except UsageError as fault:  # its message begins with the setting
        raise UsageError(f"{flag(str(fault).split()[0])}: {fault}") from fault
    return given
