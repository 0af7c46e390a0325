"""The folder of a saved system: written beside its final place, and moved there when it is complete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deixis.errors import MissingWeights, UsageError

TOKENIZER_FILES = (
    "tokenizer.model",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write in, which becomes ``out`` when all went well and vanishes when not.

    UsageError: ``out`` is there already and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already; give the name of a new folder with --out")
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as fault:
        raise UsageError(f"cannot write {out}: {fault.strerror or fault}") from fault
    inner = work / out.name
    try:
        inner.mkdir()  # with the rights of any new folder; the one around it is for the owner alone
        yield inner
        inner.replace(out)
    except OSError as fault:
        raise UsageError(f"cannot write {out}: {fault.strerror or fault}") from fault
    finally:
        shutil.rmtree(work, ignore_errors=True)


def tokenizer_place(source: Path, *, otherwise: Path | None = None) -> Path:
    """Return the folder that holds a checkpoint's tokenizer: its own, or the other where it has none.

    MissingWeights: neither has one.
    """
    for place in (source, otherwise):
        if place is not None and any((place / name).is_file() for name in TOKENIZER_FILES[:2]):
            return place
    raise MissingWeights(
        f"{source} has no tokenizer; expected {' or '.join(TOKENIZER_FILES[:2])} beside the weights: fetch "
        "all files of the checkpoint"
    )


def copy_tokenizer(source: Path, folder: Path, *, otherwise: Path | None = None) -> None:
    """Copy the tokenizer files of a checkpoint, or those of ``otherwise`` where it has none."""
    place = tokenizer_place(source, otherwise=otherwise)
    for name in TOKENIZER_FILES:
        if (place / name).is_file():
            shutil.copyfile(place / name, folder / name)
