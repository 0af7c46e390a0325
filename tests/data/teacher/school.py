"""A small dataset, and a teacher on this machine that does as it is told, or misbehaves."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.data.scene import Caption, Expression, Phrase, PictureFile, Scene, Thing
from deixis.regions.shapes import Box, Mask
from tests.endpoints.test_endpoint import Said, completion

WIDTH, HEIGHT = 120, 80
DOG, CUP = Box(20, 15, 70, 60), Box(80, 10, 110, 50)
PLATE = Thing(3, Box(75, 55, 110, 75), "plate")
Answer = Callable[[dict[str, Any]], Said]


def scenes(folder: Path, count: int = 3, *, masks: bool = False, plates: bool = False) -> list[Scene]:
    """Scenes with dog and cup (and plate), a caption and an expression, each with a picture of its own."""
    found = []
    for number in range(count):
        path = folder / f"{number}.png"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(number)
            Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).save(path)
        mask = None
        if masks:
            pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
            pixels[20:55, 25:65] = True
            mask = Mask.from_array(pixels)
        text = "a brown dog beside a cup"
        found.append(
            Scene(
                str(number),
                PictureFile(path),
                WIDTH,
                HEIGHT,
                things=(Thing(1, DOG, "dog", mask=mask), Thing(2, CUP, "cup"), *((PLATE,) if plates else ())),
                captions=(
                    Caption(text, (Phrase(0, 11, "a brown dog", (1,)), Phrase(19, 24, "a cup", (2,)))),
                ),
                expressions=(Expression("the brown dog", 1, True, False, 0),),
                source="made up",
            )
        )
    return found


def coco(folder: Path, count: int = 3, *, plates: bool = False) -> Path:
    """The same as a folder in COCO's layout, with outlines; returns it."""
    scenes(folder / "images", count)
    images = [{"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in range(count)]
    boxes = (DOG, CUP, PLATE.box) if plates else (DOG, CUP)
    annotations = [
        {
            "id": len(boxes) * n + place,
            "image_id": n,
            "category_id": place + 1,
            "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
            "area": box.area,
            "iscrowd": 0,
            "segmentation": [[box.x0, box.y0, box.x1, box.y0, box.x1, box.y1, box.x0, box.y1]],
        }
        for n in range(count)
        for place, box in enumerate(boxes)
    ]
    categories = [{"id": n, "name": name} for n, name in enumerate(("dog", "cup", "plate"), start=1)]
    (folder / "train_instances.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    captions = [{"id": n, "image_id": n, "caption": "a dog beside a cup"} for n in range(count)]
    (folder / "train_captions.json").write_text(json.dumps({"images": images, "annotations": captions}))
    return folder


def dialogue(*texts: str) -> str:
    """A dialogue as a teacher writes it."""
    return json.dumps([{("gpt" if n % 2 else "human"): text} for n, text in enumerate(texts)])


GOOD = {
    "region": dialogue(
        "What is the dog <within red mask> doing?",
        "The dog <within red mask> lies still.",
        "Why may it rest?",
        "It is warm, and animals rest when it is warm.",
    ),
    "pair": dialogue(
        "Is the dog <within red box> near the cup <within blue box>?",
        "Yes, it lies beside it.",
        "Could it spill it?",
        "With its tail it could.",
    ),
    "conversation": dialogue(
        "What lies beside the thing <thing 2>?",
        "A dog <thing 1> lies beside the thing <thing 2>.",
        "Is it asleep?",
        "It may well be.",
    ),
    "grounded": dialogue(
        "What is going on here?",
        "<p> A brown dog </p> [1] lies beside <p>two more things</p> [2] [3].",
        "Is it asleep?",
        "It may well be.",
    ),
    "negatives": json.dumps([{"number": 1, "wrong": "a white cat"}, {"number": 2, "wrong": "a glass"}]),
}


def said(text: str | None, *, tokens: tuple[int, int] | None = (1000, 100), finish: str = "stop") -> Said:
    """A completion with its count of tokens."""
    content = json.loads(completion(text))
    content["choices"][0]["finish_reason"] = finish
    if tokens is not None:
        content["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return Said(body=json.dumps(content).encode())


class School(ThreadingHTTPServer):
    """Answers each request by a function of it, and keeps all requests."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Teacher)
        self.answer, self.requests = answer, list[dict[str, Any]]()
        self.keys: list[str | None] = []
        self.most_at_once = self.at_once = 0
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Teacher(BaseHTTPRequestHandler):
    server: School

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests.append(content)
            self.server.keys.append(self.headers.get("Authorization"))
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        reply = self.server.answer(content)
        time.sleep(reply.delay)
        with self.server.lock:
            self.server.at_once -= 1
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.cut))
            self.end_headers()
            self.wfile.write(reply.body)
        except ConnectionError:
            pass  # the client gave up

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def school(answer: Answer) -> Iterator[School]:
    """A teacher that is there for the time of a block."""
    with School(answer) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def kind_asked(request: dict[str, Any]) -> str:
    """Which kind of lesson a request is, by its instruction."""
    words = request["messages"][0]["content"]
    for sign, kind in (
        ("<p>", "grounded"),
        ("trick", "negatives"),
        ("<thing", "conversation"),
        ("blue", "pair"),
    ):
        if re.search(sign, words):
            return kind
    return "region"


def good(request: dict[str, Any]) -> Said:
    """What a teacher says that does as it is told."""
    return said(GOOD[kind_asked(request)])
