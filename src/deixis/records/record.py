"""Samples: a user's own dialogues, one JSON object a line; docs/data.md describes the format.

{"picture": "photo.jpg", "frame": "pixels", "regions": {"a": {"box": [12, 30, 96, 140]}},
 "turns": [{"user": "What is {a}?", "assistant": "It is [a dog](a)."}]}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deixis.errors import RecordError, UsageError
from deixis.pictures.broken import REFUSE, BrokenPictures
from deixis.pictures.opening import LARGEST_PIXELS
from deixis.records.dialogue import Example
from deixis.records.lengths import words_in
from deixis.records.record_fields import numbered_lines
from deixis.records.record_line import strictly
from deixis.records.sample import Record, RecordTurn
from deixis.regions.outside import CUT, OUTSIDE, PASS_OVER

__all__ = ["Record", "RecordSource", "RecordTurn", "read_record", "read_records", "write_record"]

LOG = logging.getLogger("deixis")


class RecordSource:
    """Training examples of samples: each picture letterboxed to `side`, regions and places carried along.

    Without `side` pictures stay as they are.
    """

    def __init__(self, records: Sequence[Record], *, side: int | None) -> None:
        if not records:
            raise RecordError("there are no samples to train from; expected at least one")
        self.records = tuple(records)
        self.side = side

    def __len__(self) -> int:
        return len(self.records)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return sample `index` as it is; nothing about it is drawn from `rng`."""
        return self.records[index].to_example(self.side)

    def lengths(self) -> list[int]:
        """Return how many words each sample has."""
        return [
            words_in(text for t in record.turns for text in (t.question, t.answer)) for record in self.records
        ]


def read_records(
    path: Path | str, *, broken: str = REFUSE, outside: str = CUT, max_pixels: int = LARGEST_PIXELS
) -> Iterator[Record]:
    """The samples of a file, one by one; RecordError names file, line and field of the first mistake.

    broken: "pass_over" opens every picture and leaves out samples about damaged ones, logging how many
    pictures there were; else they are an error once they are needed ("refuse").
    outside: regions that stick out of their pictures are cut, with a warning, once they are needed
    ("cut"), an error then ("refuse"), or the samples that have some are left out, which opens every picture
    beforehand ("pass_over"); how many there were is logged.
    max_pixels: how large pictures may be that are opened; larger ones are broken.
    """
    file, pictures = Path(path), BrokenPictures(broken)
    if outside not in OUTSIDE:
        raise UsageError(f"outside is {outside!r}; expected one of {', '.join(OUTSIDE)}")
    read = (
        replace(strictly(content, file=file, line=line), outside=outside, max_pixels=max_pixels)
        for line, content in numbered_lines(file)
    )
    left_out = 0
    for record in pictures.sound(read, opened=Record.open, name=lambda record: record.picture):
        if outside == PASS_OVER and record.sticks_out():
            left_out += 1
        else:
            yield record
    pictures.report(file)
    if left_out:
        LOG.warning("%s: samples with regions that stick out, which were passed over: %d", file, left_out)


def read_record(path: Path | str, line: int, *, max_pixels: int = LARGEST_PIXELS) -> Record:
    """The sample on one line of a file, whatever the other lines are. max_pixels: as for `read_records`."""
    file, last = Path(path), 0
    for number, content in numbered_lines(file):
        if number == line:
            return replace(strictly(content, file=file, line=line), max_pixels=max_pixels)
        last = number
    raise RecordError(f"{file} has no sample on line {line}; its last one is on line {last}")


def write_record(record: Record, path: Path | str) -> None:
    """Append a sample to a file; RecordError if it would not be read back as it is."""
    file, line = Path(path), record.to_line()
    again = strictly(line.encode("utf-8", "surrogatepass"), file=file, line=record.line, pictures=False)
    if again != record:
        raise RecordError(
            f"the sample about {record.picture!r} would be read back as another one: {line:.200}"
        )
    with file.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
