"""A system behind a server: asked as one on this machine is, without any of its libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, overload

from deixis.answers.grounded import Answer
from deixis.client.question import chat_request
from deixis.client.reply import answer_of
from deixis.client.server import Server
from deixis.errors import EndpointError, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Region

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
MOST_AT_ONCE = 8  # questions about one picture, which a server answers together


class RemoteSystem:
    """The model of a name on a server; None leaves the choice to the server.

    It has the ``ask`` of ``systems.contract.System`` for one picture.
    """

    def __init__(self, server: Server, *, model: str | None = None) -> None:
        self.server, self.model = server, model
        self._sent: tuple[Picture, bytes] | None = None

    @cached_property
    def name(self) -> str:
        """What the server calls the model; EndpointError or UsageError where there is none."""
        listed = self.server.get(MODELS)
        try:
            names = [str(one["id"]) for one in listed["data"]]
        except (KeyError, TypeError):
            raise EndpointError(
                f"{self.server.address} lists no models; is it the address of a deixis server?"
            ) from None
        if self.model is not None and self.model not in names:
            raise UsageError(
                f"--model {self.model!r:.80} is not on {self.server.address}; it has: {', '.join(names)}"
            )
        if not names:
            raise EndpointError(f"{self.server.address} has no model loaded")
        return self.model or names[0]

    def fingerprint(self) -> str:
        """Return nothing: answers say themselves which weights gave them, where the server tells."""
        return ""

    def send_as(self, picture: Picture, encoded: bytes) -> None:
        """Let questions about a picture go with these bytes, its file; without, its pixels go as PNG."""
        self._sent = (picture, encoded)

    @overload
    def ask(
        self,
        picture: Picture,
        question: str,
        *,
        regions: Mapping[str, Region] | None = None,
        before: Sequence[Answer] = (),
        **settings: Any,
    ) -> Answer: ...

    @overload
    def ask(
        self,
        picture: Picture,
        question: Sequence[str],
        *,
        regions: Sequence[Mapping[str, Region]],
        before: Sequence[Answer] = (),
        **settings: Any,
    ) -> list[Answer]: ...

    def ask(
        self,
        picture: Picture,
        question: str | Sequence[str],
        *,
        regions: Any = None,
        before: Sequence[Answer] = (),
        **settings: Any,
    ) -> Answer | list[Answer]:
        """Return the answer to a question, or to each of several, which are asked at the same time.

        regions: by name; for several questions one mapping each. settings: the fields of
        ``engine.settings.Settings``. Errors: those of ``client.server`` and ``client.question``.
        """
        if isinstance(question, str):
            return self._answered(picture, question, self._body(picture, question, regions, before, settings))
        bodies = [
            self._body(picture, text, own, before, settings)
            for text, own in zip(question, regions, strict=True)
        ]
        with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
            return list(threads.map(lambda text, body: self._answered(picture, text, body), question, bodies))

    def _body(
        self,
        picture: Picture,
        question: str,
        regions: Mapping[str, Region] | None,
        before: Sequence[Answer],
        settings: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return what is sent to have a question answered."""
        return chat_request(
            picture,
            question,
            encoded=self._sent[1] if self._sent is not None and self._sent[0] is picture else None,
            regions=regions,
            before=before,
            model=self.model,
            settings=settings,
        )

    def _answered(self, picture: Picture, question: str, body: Mapping[str, Any]) -> Answer:
        return answer_of(self.server.post(CHAT, body), picture, question=question)
