"""Florence-2's encoder asked three prompts: without its decoder's step, and with one pass over DaViT.

Sizes are those of Florence-2-base at half the published side, so that it takes seconds.
"""

from __future__ import annotations

import time
from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

SIDE_OF_PICTURES = 384
BASE_TOWER = {
    "embed_dim": [128, 256, 512, 1024],
    "num_heads": [4, 8, 16, 32],
    "num_groups": [4, 8, 16, 32],
    "side": SIDE_OF_PICTURES,
}
BASE_ENCODER = {
    "d_model": 768,
    "encoder_layers": 6,
    "encoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
}
GIVEN = {"pictures": 1, "seed": 0}
WHAT = f"Florence-2-base at {SIDE_OF_PICTURES} pixels, three prompts about a picture, random weights"
ALONE, WASTED = "encoder alone", "with a step of the decoder"
ONCE, THRICE = "one pass over DaViT", "three passes over DaViT"
DECODER = Benchmark(
    name="florence_decoder",
    what=f"{WHAT}; the step that the published program throws away, in seconds of one processor",
    given={**GIVEN, "clock": "process"},
    sides=(
        Side(ALONE, "bench.florence_tower:alone", threads=1),
        Side(WASTED, "bench.florence_tower:wasted", threads=1),
    ),
    goals=(Goal("time", ALONE, 1.0, over=WASTED),),
    tolerance=1e-4,
)
PROMPTS = Benchmark(
    name="florence_prompts",
    what=WHAT,
    given=GIVEN,
    sides=(
        Side(ONCE, "bench.florence_tower:alone", threads=None),
        Side(THRICE, "bench.florence_tower:thrice", threads=None),
    ),
    goals=(Goal("time", ONCE, 0.6, over=THRICE),),
    tolerance=1e-4,
)


def alone(given: dict[str, Any]) -> dict[str, Any]:
    """Time the tower of this project: one map, three prompts as one batch."""
    tower, encoder, pixels = prepared(given)
    return timed(given, lambda: encoder(tower(pixels)))


def wasted(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same with the decoder's first step over the encoder's states, its head too.

    That is what ``generate`` with ``max_new_tokens=1`` and one beam runs: a row for each prompt, keys and
    values of all its states in every layer, and one token's logits.
    """
    import torch
    from transformers import BartConfig
    from transformers.models.bart.modeling_bart import BartDecoder

    tower, encoder, pixels = prepared(given)
    sizes: Any = {key.replace("encoder_", "decoder_"): one for key, one in BASE_ENCODER.items()}
    decoder = BartDecoder(BartConfig(**sizes, vocab_size=51289)).eval()
    first = torch.full((len(encoder.words) * len(pixels), 1), 2)

    def work() -> Any:
        visual = encoder.visual_tokens(tower(pixels))
        states = encoder.states(visual)
        said = decoder(input_ids=first, encoder_hidden_states=states.flatten(0, 1)).last_hidden_state
        torch.nn.functional.linear(said, decoder.embed_tokens.weight).argmax(dim=-1)
        return (visual, *states[:, :, : visual.shape[1]].unbind(1))

    return timed(given, work)


def thrice(given: dict[str, Any]) -> dict[str, Any]:
    """Time three whole passes, one a prompt."""
    from deixis.layers.towers.florence_prompts import PUBLISHED, prompt_ids

    tower, encoder, pixels = prepared(given)

    def work() -> Any:
        made = []
        for ids in prompt_ids(PUBLISHED):
            encoder.ask([ids])
            visual, state = encoder(tower(pixels))
            made.append(state)
        return (visual, *made)

    return timed(given, work)


def timed(given: dict[str, Any], work: Any) -> dict[str, Any]:
    """Return the times of some work, and a few numbers of all features (B, N, D) side by side."""
    import torch

    # The step is a few percent of all: wall time on a shared machine would tell nothing of it.
    clock = time.process_time if given.get("clock") == "process" else time.perf_counter
    with torch.inference_mode():
        made, times = repeated(given, work, clock=clock)
    features = torch.cat(made, dim=-1).double().abs().mean(dim=(0, 1))
    return {**times, "values": features[:: len(features) // 20].tolist()}


def prepared(given: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return tower and encoder of random weights, and normalised pixels."""
    import torch

    from deixis.layers.towers.florence_davit import DavitTower
    from deixis.layers.towers.florence_encoder import PromptedEncoder
    from deixis.layers.towers.florence_prompts import PUBLISHED, prompt_ids

    torch.manual_seed(given["seed"])
    tower = DavitTower(BASE_TOWER).eval()
    encoder = PromptedEncoder(BASE_ENCODER, inputs=tower.width, prompts=prompt_ids(PUBLISHED)).eval()
    return tower, encoder, torch.randn(given["pictures"], 3, SIDE_OF_PICTURES, SIDE_OF_PICTURES)
