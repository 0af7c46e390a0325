"""The studio's page in a headless Chromium: strokes, the first answer, and memory after many questions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.benchmark import Benchmark, Goal, Side

STROKE, ANSWER, MEMORY = "a stroke, input to paint", "first answer", "memory, 10 to 50 questions"
BENCHMARK = Benchmark(
    name="studio",
    what="the studio's page: strokes among 30 regions on 12 megapixels; answers of the embedded model",
    sides=(
        Side(STROKE, "bench.studio:stroke", threads=None, given={"regions": 30, "moves": 60}),
        Side(ANSWER, "bench.studio:first_answer", threads=None, given={"question": "Where is the cup?"}),
        Side(MEMORY, "bench.studio:memory", threads=None, given={"questions": 50}),
    ),
    goals=(
        Goal("median time of a stroke from input to paint", STROKE, 0.016),
        Goal("time of the first answer once the page is open", ANSWER, 2.0),
        Goal("what the page's memory grew by", MEMORY, 4e6, measure="peak_bytes"),
    ),
)
# When a frame has been painted that follows an event: the next frame's callback, and a task behind it.
PAINTED = """() => document.querySelector('#stage').addEventListener('pointermove', (event) => {
  const channel = new MessageChannel(), begun = event.timeStamp;
  channel.port1.onmessage = () => window.times.push(performance.now() - begun);
  requestAnimationFrame(() => channel.port2.postMessage(0));
})"""


def stroke(given: dict[str, Any]) -> dict[str, Any]:
    """Time a brush over a picture of 12 megapixels with many regions: each move until its paint is there."""
    from tests.studio.desk import picture
    from tests.studio.scripted_server import Script, scripted_app

    seconds = []
    with opened(scripted_app(Script())) as desk:
        desk.open(picture(4000, 3000, form="JPEG"), "large.jpg", "image/jpeg")
        for number in range(given["regions"]):
            left, top = 100 + 600 * (number % 6), 100 + 550 * (number // 6)
            desk.page.focus("#stage")
            desk.page.keyboard.press("Escape")
            desk.drag([(left, top), (left + 450, top + 400)], steps=1)
        desk.tool("brush")
        desk.page.evaluate(PAINTED)
        for _ in range(given["repeats"]):
            desk.page.evaluate("() => { window.times = []; }")
            along = [(200 + 3500 * step / given["moves"], 1500.0) for step in range(given["moves"])]
            desk.drag(along, steps=1)
            desk.settle()
            times = sorted(desk.page.evaluate("() => window.times"))
            seconds.append(times[len(times) // 2] / 1000)
    return {"seconds": seconds, "values": given["regions"]}


def first_answer(given: dict[str, Any]) -> dict[str, Any]:
    """Time a first answer about a sample, from when the page is open; the model is loaded already."""
    import numpy as np

    from deixis.pictures.opening import open_picture
    from deixis.serving.asked import Asked
    from deixis.serving.engine import Engine
    from deixis.serving.models import Models
    from deixis.studio.application import create_studio

    seconds, texts = [], []
    for _ in range(given["repeats"]):
        with Engine(Models({"pointer": "pointer"}, device="cpu")) as engine:
            grey = open_picture(np.full((32, 32, 3), 128, np.uint8))
            engine.ask(Asked(None, (grey,), "What is there?"))
            with opened(create_studio(engine)) as desk:
                started = time.perf_counter()
                desk.page.click(".sample >> nth=0")
                desk.page.wait_for_selector("#strip .thumb")
                desk.ask(given["question"])
                desk.answered()
                seconds.append(time.perf_counter() - started)
                texts.append(desk.page.locator(".phrase").evaluate("e => e.firstChild.data"))
    return {"seconds": seconds, "values": texts[0]}


def memory(given: dict[str, Any]) -> dict[str, Any]:
    """Ask many questions; tell how much more memory the page holds after the last than after the tenth."""
    from tests.studio.scripted_server import Script, scripted_app

    grown, seconds = 0, []
    for _ in range(given["repeats"]):
        with opened(scripted_app(Script())) as desk:
            client = desk.context.new_cdp_session(desk.page)
            desk.sample()
            held, started = {}, time.perf_counter()
            for number in range(1, given["questions"] + 1):
                desk.ask("Where is the cup?")
                desk.answered(number)
                if number in (10, given["questions"]):
                    client.send("HeapProfiler.collectGarbage")
                    held[number] = client.send("Runtime.getHeapUsage")["usedSize"]
            seconds.append(time.perf_counter() - started)
        grown = max(grown, int(held[given["questions"]] - held[10]))
    return {"seconds": seconds, "values": given["questions"], "peak_bytes": grown}


@contextmanager
def opened(app: Any) -> Iterator[Any]:
    """Open the page of an application in a browser."""
    from tests.studio.browser import Served, launched
    from tests.studio.desk import Desk

    served = Served(app)
    with launched() as browser:
        desk = Desk(browser, served)
        yield desk
        desk.close()
    served.kill()
