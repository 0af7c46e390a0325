"""A judge's replies on disk, by what was asked: a stopped run goes on, and nothing is paid for twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.errors import RecordError
from deixis.evaluation.judging.endpoint import ChatRequest
from deixis.evaluation.judging.judge import Judge
from deixis.files.json_files import read_json
from deixis.files.writing import require_writable_folder, write_whole

LARGEST_REPLY = 64 << 20


@dataclass(frozen=True)
class KeptReplies:
    """A judge that asks another one only what a folder has no reply to, and keeps each reply there.

    judge: the one that is asked, such as ``Endpoint(...).complete``. asked: what it is called, such as its
    address; replies of judges with different names are kept apart. Failures are not kept. A request counts as
    the same if its model, messages and numbers are, so that the same question again gets the same reply.

    UsageError: the folder can't be written. RecordError: a reply in it is damaged.
    """

    judge: Judge
    folder: Path
    asked: str

    def __post_init__(self) -> None:
        require_writable_folder(Path(self.folder), flag="the folder of replies")

    def __call__(self, request: ChatRequest) -> str:
        """Return the reply that is kept, or else the judge's."""
        content = {"asked": self.asked, "request": request.to_dict()}
        path = Path(self.folder) / f"{digest(content)}.json"
        if path.is_file():
            return kept_reply(path, content)
        reply = self.judge(request)
        write_whole(path, json.dumps({**content, "reply": reply}, indent=1) + "\n")
        return reply


def digest(content: dict[str, Any]) -> str:
    """Return the name that is made of what was asked, the same whatever the order of its fields.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kept_reply(path: Path, content: dict[str, Any]) -> str:
    """Return the reply of a file; RecordError if it is damaged or answers something else."""
    fields = read_json(path, largest=LARGEST_REPLY)
    if any(fields.values.get(name) != value for name, value in content.items()):
        raise RecordError(f"{path} holds the reply to something else; delete it to have it asked anew")
    return fields.text("reply")
