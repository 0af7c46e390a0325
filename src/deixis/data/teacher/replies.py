"""From a teacher's reply to the JSON in it; refusals and halves of replies are told from other faults."""

from __future__ import annotations

import json
import re
from typing import Any

from deixis.data.teacher.lesson import Rejected
from deixis.endpoints.chat import Reply

LONGEST = 200_000  # characters
FENCED = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)
DECLINES = re.compile(
    r"\bas an ai\b|\blanguage model\b|^\W*sorry\b"
    r"|\bi(?:'m|’m| am) (?:very |really )?(?:sorry|unable|not able)\b"
    r"|\bi (?:can(?:no|'|’)t|will not|won['’]t) (?:assist|help|identify|comply|provide|do|see)\b",
    re.IGNORECASE,
)


def content_of(reply: Reply) -> Any:
    """Return the JSON of a reply, bare or in one fence; Rejected with the reason where there is none."""
    if reply.text is None:
        raise Rejected(f"refusal: {reply.refusal:.200}")
    if reply.finish == "content_filter":
        raise Rejected("refusal: the server's filter of contents took the reply away")
    if reply.finish == "length":
        raise Rejected("cut off: the reply was longer than max_tokens")
    if len(reply.text) > LONGEST:
        raise Rejected(f"too long: {len(reply.text):,} characters; expected at most {LONGEST:,}")
    try:
        reply.text.encode()
    except UnicodeEncodeError as fault:
        raise Rejected("no text: it holds halves of characters") from fault
    fences = FENCED.findall(reply.text)
    text = fences[0] if len(fences) == 1 else reply.text
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        if DECLINES.search(reply.text):
            raise Rejected(f"refusal: {' '.join(reply.text.split()):.200}") from fault
        if isinstance(fault, json.JSONDecodeError) and fault.pos >= len(text.rstrip()):
            raise Rejected("cut off: the JSON has no end") from fault
        raise Rejected(f"no JSON: {fault if isinstance(fault, ValueError) else 'too deep'!s:.200}") from fault


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
