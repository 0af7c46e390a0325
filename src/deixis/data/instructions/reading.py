"""Files of captions and dialogues found row by row: of each row only its place and its length are kept.

That is 20 bytes a row. Every row is looked at once, before training begins, so that what can't be used is
found, named and counted then; its words are read again whenever it comes up.
"""

from __future__ import annotations

import hashlib
import logging
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deixis.data.instructions.caption_filter import CaptionFilter
from deixis.data.instructions.captions import caption_of
from deixis.data.instructions.conversation import Conversation, UnusableRow, conversation_of
from deixis.data.instructions.counts import RowCounts
from deixis.errors import RecordError
from deixis.files.json_files import Fields
from deixis.files.rows.opening import open_rows
from deixis.files.rows.placed import PlacedRow, RowFile
from deixis.records.lengths import words_in

LOG = logging.getLogger("deixis")
LONGEST = (1 << 31) - 1
SHOWN = 160  # characters of an example in a report
Kind = Literal["conversations", "captions"]
Faulty = Literal["refuse", "pass_over"]


@dataclass(frozen=True)
class RowRules:
    """How rows become samples.

    kind: rows are dialogues, as in LLaVA's files, or captions, as in PixelProse's tables. faulty: a row that
    no sample can be made of is an error that names it, or is passed over and counted. captions: what every
    answer has to be like; None keeps all. published: see ``conversation_of``.
    """

    kind: Kind = "conversations"
    faulty: Faulty = "refuse"
    captions: CaptionFilter | None = None
    published: bool = False

    def conversation(self, fields: Fields) -> Conversation:
        """Return a row as a dialogue; UnusableRow where none can be made of it."""
        if self.kind == "captions":
            return caption_of(fields)
        return conversation_of(fields, published=self.published)

    def dropped(self, conversation: Conversation) -> tuple[str, str] | None:
        """Return why the filter drops a dialogue, and the answer for which it does; None where it is kept."""
        if self.captions is not None:
            for turn in conversation.turns:
                if (reason := self.captions.reason(turn.answer)) is not None:
                    return reason, turn.answer
        return None


@dataclass(frozen=True)
class InstructionRows:
    """The rows that are kept, of one file or several.

    starts (n,) int64, sizes (n,) int32: the bytes that each takes. numbers (n,) int32: by which its file
    calls it. lengths (n,) int32: its words, negative without a picture. firsts: where the rows of each file
    begin. digest: of what is kept.
    """

    files: tuple[RowFile, ...]
    rules: RowRules
    starts: np.ndarray
    sizes: np.ndarray
    numbers: np.ndarray
    lengths: np.ndarray
    firsts: tuple[int, ...]
    counts: RowCounts
    digest: str

    def __len__(self) -> int:
        return len(self.starts)

    def conversation(self, index: int) -> Conversation:
        """Return row ``index`` as a dialogue, read from its file."""
        file = int(np.searchsorted(self.firsts, index, side="right")) - 1
        start = int(self.starts[index])
        end = start + int(self.sizes[index])
        return self.rules.conversation(self.files[file].row(start, end, number=int(self.numbers[index])))

    def conversations(self) -> Iterator[Conversation]:
        """Yield all dialogues in order, passing over the files once."""
        ends = (*self.firsts[1:], len(self))
        for file, at, end in zip(self.files, self.firsts, ends, strict=True):
            for row in file.rows():
                if at < end and row.start == self.starts[at]:
                    yield self.rules.conversation(row.fields)
                    at += 1


@dataclass
class Found:
    """What is kept of the rows that have been read so far."""

    rules: RowRules
    starts: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))
    lengths: array[int] = field(default_factory=lambda: array("i"))
    counts: RowCounts = field(default_factory=RowCounts)
    total: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=12))

    def add(self, row: PlacedRow) -> None:
        """Keep a row, or count why it is dropped."""
        try:
            conversation = self.rules.conversation(row.fields)
        except UnusableRow as fault:
            if self.rules.faulty == "refuse":
                raise
            self.counts.drop(fault.reason, f"{fault}"[:SHOWN])
            return
        if (dropped := self.rules.dropped(conversation)) is not None:
            reason, answer = dropped
            self.counts.drop(reason, f"{row.fields.where}: {answer!r}"[:SHOWN])
            return
        self.counts.keep(seen=conversation.seen)
        words = min(words_in(conversation.texts), LONGEST)
        self.starts.append(row.start)
        self.sizes.append(row.end - row.start)
        self.numbers.append(row.number)
        self.lengths.append(words if conversation.seen else -words)
        said = [text for turn in conversation.turns for text in (*turn.images, turn.question, turn.answer)]
        self.total.update("\0".join([*said, ""]).encode(errors="surrogatepass"))


def read_instructions(
    paths: Sequence[Path], rules: RowRules, *, told: Callable[[PlacedRow], None] = lambda row: None
) -> InstructionRows:
    """Return the rows of files that samples can be made of; how many are dropped for what is logged.

    told: is given every row as it is read. RecordError: a file that is no file of rows; by ``faulty``
    "refuse", the first row that can't be used; and nothing that is kept at all.
    """
    found, files, firsts = Found(rules), [], []
    for path in paths:
        files.append(open_rows(path))
        firsts.append(len(found.starts))
        for row in files[-1].rows():
            told(row)
            found.add(row)
    named = ", ".join(map(str, paths[:3])) + ", …" * (len(paths) > 3)
    if found.counts.dropped:
        LOG.warning("%s: %s", named, found.counts.sentence())
    if not found.counts.kept:
        raise RecordError(
            f"{named or 'no file'}: {found.counts.sentence()}; expected at least one row to learn from"
        )
    return InstructionRows(
        files=tuple(files),
        rules=rules,
        starts=np.frombuffer(found.starts, dtype=np.int64),
        sizes=np.frombuffer(found.sizes, dtype=np.int32),
        numbers=np.frombuffer(found.numbers, dtype=np.int32),
        lengths=np.frombuffer(found.lengths, dtype=np.int32),
        firsts=tuple(firsts),
        counts=found.counts,
        digest=f"{found.counts.kept}:{found.total.hexdigest()}",
    )
