"""The file of a system's replies: JSON lines, one a reply, written as they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import Reply, ReplyPlace
from deixis.evaluation.benchmarks.vip_bench_asking import drop_unfinished_line
from deixis.files.json_files import Fields, ordinary_file, read_json_lines
from deixis.files.writing import require_writable

Add = Callable[[str, str, Reply], None]
LARGEST_LINE = 64 << 20
BEGINNING = b'{"item": '


@dataclass(frozen=True)
class ReplyFile:
    """Replies of one system to one benchmark. weights: the fingerprint of the network, "" for none."""

    path: Path
    benchmark: str
    system: str
    weights: str

    def open(self, digests: Mapping[str, str]) -> dict[str, Reply]:
        """Return the replies that are there to items of these digests, by the items' ids.

        A line that a killed run left unfinished is cut off. Replies to items that are not asked now (of a
        longer run) are left where they are.
        UsageError: the file can't be written. RecordError: a reply is by another system or weights, or to
        something else under the same id.
        """
        require_writable(self.path, flag="the file of answers", makes_folders=True)
        if not self.path.exists():
            return {}
        check_replies(self.path)
        drop_unfinished_line(self.path)
        found: dict[str, Reply] = {}
        for line in read_json_lines(self.path, largest_line=LARGEST_LINE):
            name = line.text("item")
            for field, own in (
                ("benchmark", self.benchmark),
                ("system", self.system),
                ("weights", self.weights),
            ):
                if line.text(field) != own:
                    raise RecordError(
                        f"{line.where}: a reply of {field} {line.text(field)!r}, now asked of {own!r}; give "
                        "another file for the answers"
                    )
            if name in digests:
                if line.text("asked") != digests[name]:
                    raise RecordError(
                        f"{line.where}: item {name!r} was asked something else (another prompt, picture, "
                        "region or bound of tokens); give another file for the answers"
                    )
                found[name] = reply_in(line)
        return found

    @contextmanager
    def adding(self) -> Iterator[Add]:
        """Give a function that adds a reply: an item's id, the digest of what was asked, the reply."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as stream:

            def add(name: str, digest: str, reply: Reply) -> None:
                line: dict[str, Any] = {
                    "item": name,
                    "text": reply.text,
                    "places": [asdict(place) for place in reply.places],
                    "failures": list(reply.failures),
                    "benchmark": self.benchmark,
                    "system": self.system,
                    "weights": self.weights,
                    "asked": digest,
                }
                stream.write(json.dumps(line, allow_nan=False) + "\n")
                stream.flush()

            yield add


def check_replies(path: Path) -> None:
    """Raise RecordError for a file that begins like no file of replies, before anything of it is cut off."""
    ordinary_file(path)
    with path.open("rb") as stream:
        beginning = stream.read(len(BEGINNING))
    if beginning != BEGINNING[: len(beginning)]:
        raise RecordError(f"{path} is there and isn't a file of answers; give another name")


def reply_in(line: Fields) -> Reply:
    """Return the reply of a line."""
    return Reply(
        text=line.text("text"),
        places=tuple(place_in(row) for row in line.rows("places")),
        failures=line.texts("failures"),
    )


def place_in(row: Fields) -> ReplyPlace:
    """Return a place of a line."""
    x0, y0, x1, y1 = row.numbers("box", count=4)
    score = None if row.values.get("score") is None else row.values["score"]
    if score is not None and type(score) not in (int, float):
        raise RecordError(f"{row.where}: field 'score' is {score!r:.80}; expected a number or null")
    named = None if row.values.get("named") is None else row.whole("named", least=0)
    return ReplyPlace((x0, y0, x1, y1), score, row.text("phrase"), row.whole("picture", least=0), named)
