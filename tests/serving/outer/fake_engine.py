"""A fake of vLLM's completions route with ``prompt_embeds``: a Llama of ``transformers`` writes greedily.

It knows nothing of this package: vectors are decoded as vLLM decodes them, and the words are those of the
library's own forward.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch


class FakeEngine(ThreadingHTTPServer):
    """Serves one language model as "llama". stops_early: after how many tokens answers end without reason."""

    daemon_threads = True

    def __init__(self, language: Any) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.language = language
        self.lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.written = 0
        self.stops_early: int | None = None
        self.breaks_after: int | None = None
        self.without_ids = False
        self.names = ["llama"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FakeEngine

    def do_GET(self) -> None:
        listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in self.server.names]}
        self.answer(200, listed)

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({name: one for name, one in content.items() if name != "prompt_embeds"})
        if self.path != "/v1/completions" or content.get("model") != "llama":
            self.refuse(404, "The model does not exist.")
            return
        packed = base64.b64decode(content["prompt_embeds"], validate=True)
        vectors = torch.load(io.BytesIO(packed), weights_only=True)
        width = self.server.language.config.hidden_size
        if (
            vectors.dim() != 2
            or vectors.shape[1] != width
            or vectors.dtype not in (torch.float32, torch.bfloat16)
        ):
            self.refuse(400, f"prompt_embeds of {tuple(vectors.shape)}; expected (length, {width})")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client has heard enough
            self.write(content, vectors)

    def refuse(self, status: int, message: str) -> None:
        self.answer(status, {"error": {"message": message, "type": "BadRequestError", "code": status}})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def write(self, content: dict[str, Any], vectors: torch.Tensor) -> None:
        most = content["max_tokens"]
        for number, (token, logprob) in enumerate(self.greedy(vectors), start=1):
            ended = token in content["stop_token_ids"]
            early = number == self.server.stops_early
            finish = "stop" if ended or early else "length" if number == most else None
            choice: dict[str, Any] = {"index": 0, "text": "?", "finish_reason": finish}
            choice["logprobs"] = {"tokens": ["?"], "token_logprobs": [logprob]}
            if not self.server.without_ids:
                choice["token_ids"] = [token]
            self.event({"object": "text_completion", "choices": [choice]})
            self.server.written += 1
            if number == self.server.breaks_after:
                return
            if finish is not None:
                break
        self.event({"choices": [], "usage": {"completion_tokens": number}})
        self.wfile.write(b"data: [DONE]\n\n")

    @torch.inference_mode()
    def greedy(self, vectors: torch.Tensor) -> Iterator[tuple[int, float]]:
        """The likeliest tokens; everything is read anew for each."""
        language = self.server.language
        while True:
            with self.server.lock:
                shares = language(inputs_embeds=vectors[None]).logits[0, -1].float().log_softmax(-1)
            token = int(shares.argmax())
            yield token, float(shares[token])
            vectors = torch.cat([vectors, language.get_input_embeddings()(torch.tensor([token]))])

    def event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def running(language: Any) -> Iterator[FakeEngine]:
    """An engine for as long as a test lasts."""
    with FakeEngine(language) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
