"""The fresh process of one side: ``python -m bench.worker MODULE:FUNCTION RESULT``, its input on stdin."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main(function: str, result: str) -> None:
    """Call the function with the input and write what it returns; what it prints doesn't matter."""
    module, _, name = function.partition(":")
    returned = getattr(import_module(module), name)(json.load(sys.stdin))
    Path(result).write_text(json.dumps(returned), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
