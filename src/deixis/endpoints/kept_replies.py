"""Replies of endpoints on disk, by what was asked: a stopped run goes on, and nothing is paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.endpoints.chat import ChatRequest, Reply, Usage, usage_of
from deixis.errors import RecordError
from deixis.files.json_files import Fields, read_json
from deixis.files.writing import require_writable_folder, write_whole

LARGEST_REPLY = 64 << 20
Complete = Callable[[ChatRequest], str]  # such as ``Endpoint.complete``


@dataclass(frozen=True)
class ReplyFolder:
    """A folder with a file for each reply, named after what was asked.

    asked: what answers are from, such as an address; replies of others are kept apart. A request counts as
    the same if its model, messages, pictures and numbers are. Of pictures only digests are kept.
    UsageError: the folder can't be written. RecordError: a reply in it is damaged.
    """

    folder: Path
    asked: str

    def __post_init__(self) -> None:
        require_writable_folder(Path(self.folder), flag="the folder of replies")

    def content(self, request: ChatRequest) -> dict[str, Any]:
        """Return what was asked, as it is kept."""
        return {"asked": self.asked, "request": request.to_dict(pictures=False)}

    def path(self, request: ChatRequest) -> Path:
        """Return the file of the reply to a request, which may not be there."""
        return Path(self.folder) / f"{digest(self.content(request))}.json"

    def find(self, request: ChatRequest) -> Reply | None:
        """Return the reply that is kept, None if there is none."""
        content, path = self.content(request), self.path(request)
        return kept_reply(path, content) if path.is_file() else None

    def keep(self, request: ChatRequest, reply: Reply) -> None:
        """Write a reply."""
        fields = {**self.content(request), "reply": reply.text}
        if reply.text is None:
            fields["refusal"] = reply.refusal
        if reply.finish:
            fields["finish"] = reply.finish
        if reply.usage is not None:
            used = reply.usage
            fields["usage"] = {"prompt_tokens": used.prompt, "completion_tokens": used.completion}
        write_whole(self.path(request), json.dumps(fields, indent=1) + "\n")

    def replies(self) -> Iterator[Reply]:
        """Yield every reply that is kept."""
        for path in sorted(Path(self.folder).glob("[0-9a-f]*.json")):  # none that a killed run began to write
            yield reply_in(read_json(path, largest=LARGEST_REPLY))


@dataclass(frozen=True)
class KeptReplies:
    """A judge that asks another one only what a folder has no reply to, and keeps each reply there.

    judge: the one that is asked, such as ``Endpoint(...).complete``. asked: what it is called, such as its
    address; replies of judges with different names are kept apart. Failures are not kept. A request counts as
    the same if its model, messages and numbers are, so that the same question again gets the same reply.

    UsageError: the folder can't be written. RecordError: a reply in it is damaged.
    """

    judge: Complete
    folder: Path
    asked: str

    def __post_init__(self) -> None:
        require_writable_folder(Path(self.folder), flag="the folder of replies")

    def __call__(self, request: ChatRequest) -> str:
        """Return the reply that is kept, or else the judge's."""
        kept = ReplyFolder(self.folder, self.asked)
        found = kept.find(request)
        if found is None or found.text is None:
            found = Reply(self.judge(request))
            kept.keep(request, found)
        return str(found.text)


def digest(content: dict[str, Any]) -> str:
    """Return the name that is made of what was asked, the same whatever the order of its fields.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kept_reply(path: Path, content: dict[str, Any]) -> Reply:
    """Return the reply of a file; RecordError if it is damaged or answers something else."""
    fields = read_json(path, largest=LARGEST_REPLY)
    if any(fields.values.get(name) != value for name, value in content.items()):
        raise RecordError(f"{path} holds the reply to something else; delete it to have it asked anew")
    return reply_in(fields)


def reply_in(fields: Fields) -> Reply:
    """Return the reply that a file holds."""
    declined = "refusal" in fields.values
    used = fields.values.get("usage")
    usage: Usage | None = usage_of(used)
    return Reply(
        text=None if declined else fields.text("reply"),
        refusal=fields.text("refusal") if declined else "",
        finish=fields.optional_text("finish") or "",
        usage=usage,
    )
