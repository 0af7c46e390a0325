"""Eight regions of one picture, painted and named: asked as one batch, against one by one."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench.benchmark import Benchmark, Goal, Side
from bench.memory import PeakMemory

BATCH, ALONE = "one batch", "one by one"
BENCHMARK = Benchmark(
    name="painted_regions",
    what="8 painted regions of one picture asked about, 32 tokens each, a small random ViP-LLaVA",
    given={"regions": 8, "tokens": 32, "seed": 0},
    sides=(
        Side(BATCH, "bench.painted_regions:batch", threads=None),
        Side(ALONE, "bench.painted_regions:alone", threads=None),
    ),
    goals=(Goal("time of one batch, over one by one", BATCH, 0.5, over=ALONE),),
)


def batch(given: dict[str, Any]) -> dict[str, Any]:
    """Time one call."""
    return asked(given, at_once=True)


def alone(given: dict[str, Any]) -> dict[str, Any]:
    """Time a call for each region."""
    return asked(given, at_once=False)


def asked(given: dict[str, Any], *, at_once: bool) -> dict[str, Any]:
    """Time asking about pictures not seen before; what is compared are the tokens of the answers."""
    from deixis.regions.shapes import Box

    system = small_system(given["seed"])
    pixels = np.random.default_rng(given["seed"]).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    regions = [{"it": Box(8 + 36 * n, 20, 36 + 36 * n, 200)} for n in range(given["regions"])]
    memory, seconds, tokens = PeakMemory(), [], []
    for number in range(given["repeats"] + 1):
        pixels[0, 0] = number  # another picture: nothing is remembered of it
        picture = pixels.copy()
        texts = ["what is {it}?"] * len(regions)
        settings = {"max_new_tokens": given["tokens"]}
        started = time.perf_counter()
        if at_once:
            answers = system.ask(picture, texts, regions=regions, **settings)
        else:
            answers = [
                system.ask(picture, text, regions=own, **settings)
                for text, own in zip(texts, regions, strict=True)
            ]
        if number:
            seconds.append(time.perf_counter() - started)
        tokens = [list(answer.raw.ids) if answer.raw else [] for answer in answers]
    return {"seconds": seconds, "values": tokens, **memory.read()}


def small_system(seed: int) -> Any:
    """Return a random system of the size that is trained here."""
    import torch

    from deixis.layers.language.small_decoders import small_language
    from deixis.systems.vip_llava.answering import vip_llava_system
    from deixis.systems.vip_llava.config import VipLlavaConfig
    from deixis.systems.vip_llava.model import VipLlavaNetwork
    from deixis.text.tokenizers.codecs.opening import WordCodec
    from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary

    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = ["[UNK]", "what", "is", "within", "the", *characters, *(f"##{one}" for one in characters)]
    codec = WordCodec(
        build_vocabulary(pieces[1:], {one: i for i, one in enumerate(dict.fromkeys(pieces))}, at_least=1)
    )
    torch.manual_seed(seed)
    config = VipLlavaConfig(
        language=small_language("small", words=len(codec), positions=2048),
        tower={"kind": "efficientnet_lite0", "side": 192},
        select_layers=None,
        side=192,
        codec="words",
        bos_token_id=codec.bos,
        eos_token_id=codec.eos,
        pad_token_id=codec.pad,
    )
    return vip_llava_system(VipLlavaNetwork(config), codec)
