"""An answer of the engine as a chat completion, whole or in pieces."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from deixis.answers.as_json import answer_to_dict, span_to_dict
from deixis.answers.grounded import Answer, Raw
from deixis.engine.policy import Delta
from deixis.errors import ModelFailed
from deixis.pictures.opening import Picture
from deixis.serving.asked import Finished


@dataclass(frozen=True)
class Reply:
    """What all pieces of one reply share, and how its content is written.

    model: the name that the answer is given by. own_dialect: whether content is what the network wrote, to
    the letter. logprobs: whether to tell how likely each token was.
    """

    model: str
    own_dialect: bool = False
    logprobs: bool = False
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def completion(self, finished: Finished) -> dict[str, Any]:
        """Return the whole answer as a chat completion."""
        answer = finished.answer
        message = {
            "role": "assistant",
            "content": self.content(answer),
            "refusal": None,
            "places": [span_to_dict(span, answer.pictures) for span in answer.spans],
            "answer": answer_to_dict(answer),
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": self.likelihood(answer),
            "finish_reason": finish_reason(answer),
        }
        return self._object("chat.completion") | {"choices": [choice], "usage": usage(finished)}

    def first(self) -> dict[str, Any]:
        """Return the piece that a stream begins with."""
        return self._chunk({"role": "assistant", "content": ""})

    def progress(self, delta: Delta, pictures: tuple[Picture, ...]) -> dict[str, Any] | None:
        """Return the piece that tells what became certain; None where it says nothing.

        In the system's own dialect there is no saying what was written before all of it is.
        """
        said: dict[str, Any] = {"content": delta.text} if delta.text and not self.own_dialect else {}
        if delta.spans:
            said["places"] = [span_to_dict(span, pictures) for span in delta.spans]
        return self._chunk(said) if said else None

    def last(self, finished: Finished) -> dict[str, Any]:
        """Return the piece that a stream ends with: the whole answer, and why it ended."""
        said: dict[str, Any] = {"answer": answer_to_dict(finished.answer)}
        if self.own_dialect:
            said = {"content": self.content(finished.answer)} | said
        chunk = self._chunk(said)
        chunk["choices"][0] |= {
            "finish_reason": finish_reason(finished.answer),
            "logprobs": self.likelihood(finished.answer),
        }
        return chunk

    def usage(self, finished: Finished) -> dict[str, Any]:
        """Return the piece that tells the tokens, for those who ask for it."""
        return self._object("chat.completion.chunk") | {"choices": [], "usage": usage(finished)}

    def content(self, answer: Answer) -> str:
        """Return the text of an answer, in plain words or as the network wrote it."""
        return written(answer).text if self.own_dialect else answer.text

    def likelihood(self, answer: Answer) -> dict[str, Any] | None:
        """Return how likely each token was, where that was asked for.

        A token is told by its number in the model's vocabulary: not every one is a piece of text by itself.
        """
        if not self.logprobs:
            return None
        raw = written(answer)
        content: list[dict[str, Any]] = [
            {"token": f"token_id:{number}", "logprob": logprob, "bytes": None, "top_logprobs": []}
            for number, logprob in zip(raw.ids, raw.logprobs, strict=False)
        ]
        return {"content": content, "refusal": None}

    def _object(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, delta: dict[str, Any]) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        return self._object("chat.completion.chunk") | {"choices": [choice]}


def written(answer: Answer) -> Raw:
    """Return what the network wrote; ModelFailed for an answer that no network wrote."""
    if answer.raw is None:
        raise ModelFailed(f"model {answer.system!r} doesn't tell what it wrote to the letter")
    return answer.raw


def finish_reason(answer: Answer) -> str:
    """Return why an answer ended, as the protocol has it; one that was taken back was cut."""
    return "stop" if answer.finish == "stop" else "length"


def usage(finished: Finished) -> dict[str, Any]:
    """Return the tokens of a question, those of its pictures included, and of its answer."""
    wrote = 0 if finished.answer.raw is None else len(finished.answer.raw.ids)
    return {
        "prompt_tokens": finished.prompt_tokens,
        "completion_tokens": wrote,
        "total_tokens": finished.prompt_tokens + wrote,
        "prompt_tokens_details": {"cached_tokens": finished.reused_tokens},
    }
