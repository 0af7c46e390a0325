"""A model behind an endpoint that speaks OpenAI's chat protocol, asked as a system on this machine is.

Regions go as parts of a message to a server that knows them (``deixis serve``), or as coordinates in words to
any other; places come back with the reply, or are read from its words.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from deixis.answers.grounded import Answer
from deixis.client.question import chat_request, png_of
from deixis.client.reply import answer_in
from deixis.endpoints.chat import Usage, reply_of, usage_of
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.keys import holds_key
from deixis.errors import EndpointError, RefusedRequest, UsageError
from deixis.evaluation.endpoint.wording import worded_messages
from deixis.evaluation.endpoint.written_frames import FRAMES, WrittenFrame
from deixis.evaluation.endpoint.written_places import Reading, raw_of, read_places, without_coordinates
from deixis.evaluation.keeping.answer_log import AnswerLog, digest_of
from deixis.evaluation.keeping.kept_answers import pictures_of
from deixis.evaluation.refusals import refusal
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region

RegionFormat = Literal["parts", "words"]
CHAT = "chat/completions"
MOST_REFUSALS = 8  # in a row from the first on, before an endpoint counts as one that takes no such requests
TEMPERATURE = 0.0


@dataclass
class Spent:
    """What the answers of a model took: tokens where the server counts them, and which weights gave them."""

    usage: Usage = field(default_factory=Usage)
    counted: int = 0
    replies: int = 0
    refused: int = 0
    weights: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, kept: Mapping[str, Any]) -> None:
        """Count a reply; EndpointError once nothing but refusals came."""
        with self.lock:
            self.replies += 1
            self.refused += bool(kept.get("refused"))
            if used := usage_of(kept.get("usage")):
                self.usage, self.counted = self.usage + used, self.counted + 1
            if weights := (kept.get("answer") or {}).get("weights"):
                self.weights.add(weights)
            if self.replies == self.refused == MOST_REFUSALS:
                raise EndpointError(f"the first {MOST_REFUSALS} requests are refused: {kept['refused']:.300}")

    def tokens(self) -> dict[str, int] | None:
        """Return the tokens of prompts and replies; None where the server didn't count those of every one."""
        if not self.replies or self.counted < self.replies:
            return None
        return {"prompt": self.usage.prompt, "completion": self.usage.completion}


@dataclass(frozen=True)
class EndpointModel:
    """A model of an endpoint, with the ``ask`` of a system.

    model: its name there. region_format: how regions go and places come. frame, reading: of coordinates in
    words. places: whether questions are to be answered with places, which words have to say. log: where every
    reply is kept as it came. workers: how many pictures may be asked about at once.
    """

    endpoint: Endpoint
    model: str
    region_format: RegionFormat = "words"
    frame: WrittenFrame = FRAMES["thousandths"]
    reading: Reading = "strict"
    places: bool = False
    workers: int = 1
    log: AnswerLog = field(default_factory=AnswerLog, repr=False)
    spent: Spent = field(default_factory=Spent, repr=False)

    @property
    def name(self) -> str:
        """The model and where it is."""
        return f"{self.model} at {self.endpoint.address}"

    def fingerprint(self) -> str:
        """Return the fingerprint of the weights as its answers tell it; "" where they don't."""
        return "+".join(sorted(self.spent.weights))

    def for_places(self) -> EndpointModel:
        """Return the same model, asked for places."""
        return replace(self, places=True)

    def read_by(self, reading: Reading) -> EndpointModel:
        """Return the same model, its words read in another way; what it took is counted anew."""
        return replace(self, reading=reading, spent=Spent())

    def card(self) -> dict[str, str]:
        """Return how regions go and places come, for a protocol card."""
        if self.region_format == "parts":
            return {"region_format": "parts of the message, places in the reply, in pixels; no rounding"}
        return {
            "region_format": "coordinates in words; masks as the boxes around them",
            "written_frame": self.frame.explained(),
            "reading": "strict; what lenient reading makes of the same replies stands beside it",
        }

    def ask(
        self,
        picture: Any,
        question: Sequence[str],
        *,
        regions: Sequence[Mapping[str, Region]],
        before: Sequence[Answer] = (),
        max_new_tokens: int,
    ) -> list[Answer]:
        """Return an answer to each question; what a model declines is a refusal, as ``refusals`` has it.

        EndpointError: the endpoint gave no usable answer after all attempts, or refuses everything.
        UsageError: a question that can't be asked so.
        """
        pictures = pictures_of(picture)
        encoded = [png_of(one) for one in pictures]
        answers = []
        for text, own in zip(question, regions, strict=True):
            body = self._body(pictures, encoded, text, own, before, max_new_tokens)
            kept = self._reply(body)
            self.spent.add(kept)
            answers.append(self._answer(kept, pictures, text, own))
        return answers

    def _body(
        self,
        pictures: Sequence[Picture],
        encoded: Sequence[bytes],
        text: str,
        regions: Mapping[str, Region],
        before: Sequence[Answer],
        max_new_tokens: int,
    ) -> dict[str, Any]:
        if self.region_format == "parts":
            if len(pictures) != 1:
                raise UsageError(f"regions as parts go with one picture; got {len(pictures)}")
            settings = {"max_new_tokens": max_new_tokens, "temperature": TEMPERATURE}
            return chat_request(
                pictures[0],
                text,
                encoded=encoded[0],
                regions=regions,
                before=before,
                model=self.model,
                settings=settings,
            )
        messages = worded_messages(
            text, regions, pictures, self.frame, encoded=encoded, before=before, places=self.places
        )
        return {
            "model": self.model,
            "messages": messages,
            "temperature": TEMPERATURE,
            "max_tokens": max_new_tokens,
        }

    def _reply(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply that is kept, or ask for it and keep it."""
        digest = digest_of({"address": self.endpoint.address, "request": by_digests(body)})
        kept = self.log.find(digest)
        if kept is None:
            started = time.perf_counter()
            try:
                kept = kept_of(self.endpoint.post(CHAT, body), parts=self.region_format == "parts")
            except RefusedRequest as fault:
                kept = {"refused": str(fault)}
            except UsageError as fault:  # of the endpoint, not of the question: no further one fares better
                raise EndpointError(str(fault)) from fault
            if holds_key(kept.get("text", ""), self.endpoint.key_to_send()):
                raise EndpointError(f"{self.endpoint.address} repeats the key in its answer")
            kept["seconds"] = time.perf_counter() - started
            self.log.keep({digest: kept})
        return dict(kept)

    def _answer(
        self, kept: Mapping[str, Any], pictures: Sequence[Picture], text: str, regions: Mapping[str, Region]
    ) -> Answer:
        if kept.get("refused"):
            return refusal(pictures, str(kept["refused"]))
        if self.region_format == "parts":
            return answer_in(kept.get("answer"), pictures[0], question=text)
        said = str(kept["text"])
        shown = {name: region.clipped(pictures[0].frame) for name, region in regions.items()}
        if pictures:
            places = read_places(said, pictures[0], self.frame, reading=self.reading)
            words, spans = without_coordinates(said, places)
            failures = places.failures
        else:
            words, spans, failures = said, (), ()
        return Answer(
            words,
            spans,
            tuple(pictures),
            system=self.model,
            seconds=float(kept["seconds"]),
            parse_failures=failures,
            question=text,
            regions=tuple(shown.items()),
            finish="length" if kept.get("finish") == "length" else "stop",
            raw=raw_of(said),
        )


def kept_of(content: Any, *, parts: bool) -> dict[str, Any]:
    """Return what is kept of a chat completion; EndpointError where there is no answer in it."""
    reply = reply_of(content)
    if reply.text is None:
        return {"refused": f"the model declines: {reply.refusal:.300}"}
    kept: dict[str, Any] = {"text": reply.text, "finish": reply.finish}
    if reply.usage is not None:
        kept["usage"] = {
            "prompt_tokens": reply.usage.prompt,
            "completion_tokens": reply.usage.completion,
        }
    if parts:
        answer = content["choices"][0]["message"].get("answer")
        if not isinstance(answer, dict):
            raise EndpointError(
                "the reply has no answer with places (choices[0].message.answer); is it a deixis server? For "
                "others ask with --region-format words"
            )
        kept["answer"] = answer
    return kept


def by_digests(value: Any) -> Any:
    """Return a request with a digest in the place of each picture."""
    if isinstance(value, Mapping):
        if set(value) == {"url"} and str(value["url"]).startswith("data:"):
            return {"url": digest_of(value["url"])}
        return {name: by_digests(one) for name, one in value.items()}
    return [by_digests(one) for one in value] if isinstance(value, list) else value


def listed_models(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return what an endpoint lists as its models; EndpointError where it lists none."""
    content = endpoint.get("models")
    try:
        return [dict(one) | {"id": str(one["id"])} for one in content["data"]]
    except (KeyError, TypeError, ValueError):
        raise EndpointError(
            f"{endpoint.address} lists no models at /models: {json.dumps(content)[:200]}"
        ) from None
