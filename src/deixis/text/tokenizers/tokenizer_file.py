"""The file ``tokenizer.json``, opened with care: it neither cuts nor fills texts; its steps are bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from deixis.errors import BadWeights, MissingWeights, RecordError
from deixis.files.json_files import bounded_bytes

TOKENIZER_FILE = "tokenizer.json"
LARGEST_FILE = 256 << 20  # bytes; those of Gemma 3 have 33 million
LONGEST_INSERT = 64  # letters that a step may write in the place of others
MOST_HOLES = 4096  # ids between the first and the last that no token has
INSERTS = ("content", "prepend", "replacement")


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, which neither cuts texts nor fills them up, whatever the file says.

    MissingWeights where there is no file. BadWeights for one that is no tokenizer, is very large, writes long
    texts in the place of short ones, or has ids without tokens up to a large one.
    """
    if not path.is_file():
        raise MissingWeights(f"there is no tokenizer file {str(path)!r}; expected a tokenizer.json")
    try:
        tokenizer = Tokenizer.from_buffer(bounded_bytes(path, largest=LARGEST_FILE))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except RecordError as fault:
        raise BadWeights(str(fault)) from fault
    except BaseException as fault:  # the package raises Exception itself, and panics below it
        raise BadWeights(f"{path} is not a tokenizer file, or it is damaged: {fault!s:.500}") from fault
    # Prompts are never cut, and never filled up one by one: rows of a batch are filled where it is made.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    check_steps(tokenizer, path)
    return tokenizer


def check_steps(tokenizer: Tokenizer, path: Path) -> None:
    """Raise BadWeights for a step that writes a long text in the place of a short one."""
    for step in (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder):
        if step is None:
            continue
        for name, text in inserts(json.loads(step.__getstate__())):
            if len(text) > LONGEST_INSERT:
                raise BadWeights(
                    f"{path}: a step of the tokenizer has {name} of {len(text):,} letters; expected at most "
                    f"{LONGEST_INSERT}"
                )


def inserts(value: Any) -> list[tuple[str, str]]:
    """Return all texts that a step writes, with the names of their fields."""
    if isinstance(value, list):
        return [one for part in value for one in inserts(part)]
    if not isinstance(value, dict):
        return []
    own = [(name, text) for name, text in value.items() if name in INSERTS and isinstance(text, str)]
    return [*own, *(one for part in value.values() for one in inserts(part))]


def count_ids(tokenizer: Tokenizer, path: object) -> int:
    """Return one more than the largest id; BadWeights where far fewer tokens are there."""
    ids = tokenizer.get_vocab(with_added_tokens=True).values()
    size = 1 + max(ids, default=-1)
    if size > len(ids) + MOST_HOLES:
        raise BadWeights(f"{path} has {len(ids):,} tokens, but one with the id {size - 1:,}; it is damaged")
    return size
