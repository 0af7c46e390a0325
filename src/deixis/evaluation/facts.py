"""What a run was made of: digests of its data, versions, tokens and time, for cards and reports."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deixis import __version__

ANNOTATIONS = frozenset((".json", ".jsonl", ".txt", ".xml", ".p", ".csv", ".tsv", ".parquet", ".tar"))
MOST_LISTED = 12  # files that are named one by one; more have one digest together
PACKAGES = ("torch", "numpy", "pillow", "transformers", "tokenizers")
CHUNK = 1 << 20
SHORT = 16  # letters of a digest that are shown


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def data_files(path: Path) -> dict[str, str]:
    """Return digests of a dataset's files that are no pictures, by their names; of a file, its own.

    Those of a folder lie in it or in a folder of it. Where there are more than ``MOST_LISTED``, one digest of
    names and digests stands for all.
    """
    if path.is_file():
        return {path.name: file_digest(path)[:SHORT]}
    found = sorted(
        one
        for pattern in ("*", "*/*")
        for one in path.glob(pattern)
        if one.suffix.lower() in ANNOTATIONS and one.is_file()
    )
    digests = {one.relative_to(path).as_posix(): file_digest(one)[:SHORT] for one in found}
    if len(digests) <= MOST_LISTED:
        return digests
    return {f"{len(digests)} files": digest_of_all(digests.items())}


def digest_of_all(parts: Iterable[Any]) -> str:
    """Return a short digest of things that JSON can hold.

    >>> digest_of_all(["a"]) == digest_of_all(["a"]) != digest_of_all(["b"])
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, sort_keys=True, default=repr).encode() + b"\n")
    return digest.hexdigest()[:SHORT]


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of what computes."""
    found = {"deixis": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run_facts(
    system: Any,
    *,
    seconds: float,
    tokens: Mapping[str, int] | None,
    log: Any = None,
    data: Path | None = None,
) -> dict[str, Any]:
    """Return what of a run may differ between reports that can be compared.

    log: where answers are kept, which knows how many were there before. data: where the data lie.
    """
    own = getattr(system, "system", system)  # within what keeps its answers
    return {
        "seconds": round(seconds, 3),
        "tokens": None if tokens is None else dict(tokens),
        "kept_before": None if log is None else log.found,
        "asked_now": None if log is None else log.added,
        "device": None if getattr(own, "device", None) is None else str(own.device),
        "dtype": None if getattr(own, "dtype", None) is None else str(own.dtype).split(".")[-1],
        "versions": versions(),
        "data_path": None if data is None else str(data.resolve()),
    }


def tokens_of(counts: Sequence[int | None]) -> dict[str, int] | None:
    """Return how many tokens answers were written in; None where that isn't known of every one.

    >>> tokens_of([3, 4]), tokens_of([3, None]), tokens_of([])
    ({'completion': 7}, None, None)
    """
    known = [count for count in counts if count is not None]
    return {"completion": sum(known)} if counts and len(known) == len(counts) else None
