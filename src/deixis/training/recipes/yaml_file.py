"""A recipe's file as plain values, read within bounds: yaml can say very much in a few bytes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deixis.errors import RecipeError

LARGEST = 1 << 20  # bytes of a file
MOST_VALUES = 20_000  # in a file, those that an alias stands for counted again
DEEPEST = 32  # lists and mappings inside each other
# What yaml's own constructors raise at values that are not what their tag says.
MISREAD = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def read_yaml(path: Path) -> Any:
    """Return what a yaml file says; RecipeError: it can't be read, is no yaml, or says too much.

    A key that is given twice in one mapping is an error, too.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RecipeError(f"recipe {str(path)!r} is no ordinary file")
        if status.st_size > LARGEST:
            raise RecipeError(f"recipe {path} is over {LARGEST:,} bytes")
        text = path.read_text(encoding="utf-8")
        check_events(yaml.parse(text, Loader=yaml.SafeLoader), where=f"recipe {str(path)!r}")
        return yaml.safe_load(text)
    except RecipeError:
        raise
    except OSError as fault:
        raise RecipeError(f"recipe {str(path)!r} cannot be read: {fault.strerror or fault}") from fault
    except (yaml.YAMLError, *MISREAD) as fault:
        raise RecipeError(f"recipe {str(path)!r} is not valid yaml: {str(fault)[:500]}") from fault


@dataclass
class Open:
    """A list or mapping that is being read. values: how many it holds so far, itself included."""

    anchor: str | None
    is_mapping: bool
    values: int = 1
    entries: int = 0
    keys: set[str] = field(default_factory=set)


def check_events(events: Iterator[Any], *, where: str) -> None:
    """Raise RecipeError for keys given twice, and for more values or deeper ones than a recipe needs."""
    sizes: dict[str, int] = {}
    opened: list[Open] = [Open(None, is_mapping=False)]
    for event in events:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            opened.append(Open(event.anchor, isinstance(event, yaml.MappingStartEvent)))
            if len(opened) > DEEPEST:
                raise RecipeError(f"{where} has more than {DEEPEST} lists and mappings inside each other")
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            closed = opened.pop()
            anchor, size = closed.anchor, closed.values
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
            check_key(opened[-1], event, where=where)
        elif isinstance(event, yaml.AliasEvent):
            anchor, size = None, sizes.get(event.anchor or "", 1)
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size
        opened[-1].values += size
        opened[-1].entries += 1
        if opened[-1].values > MOST_VALUES:
            raise RecipeError(f"{where} holds more than {MOST_VALUES:,} values, aliases unfolded")


def check_key(mapping: Open, event: Any, *, where: str) -> None:
    """Raise RecipeError where a scalar is a key that its mapping has already."""
    if not mapping.is_mapping or mapping.entries % 2:
        return
    if event.value in mapping.keys:
        line = event.start_mark.line + 1
        raise RecipeError(f"{where}, line {line}: key {event.value!r} is given twice; keep one of them")
    mapping.keys.add(event.value)
