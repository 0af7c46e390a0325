"""Reading a prompt: the logits of its last token only, against those of every position."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

LAST, ALL = "logits of the last token", "logits of all positions"
BENCHMARK = Benchmark(
    name="prefill",
    what="a prompt of 640 positions read by a Llama of 8 layers, 1,024 wide, 32,000 words",
    given={"positions": 640, "seed": 0},
    sides=(
        Side(LAST, "bench.prefill:last", threads=None),
        Side(ALL, "bench.prefill:all_positions", threads=None),
    ),
    goals=(Goal("time of the last token's logits, over all", LAST, 1.0, over=ALL),),
    tolerance=1e-3,
)


def last(given: dict[str, Any]) -> dict[str, Any]:
    """Time reading with one row of logits."""
    return read(given, kept=1)


def all_positions(given: dict[str, Any]) -> dict[str, Any]:
    """Time reading with all of them."""
    return read(given, kept=0)


def read(given: dict[str, Any], *, kept: int) -> dict[str, Any]:
    """Time one pass over the prompt; what is compared are the last token's logits."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(given["seed"])
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=8,
        num_attention_heads=16,
        num_key_value_heads=16,
    )
    model = LlamaForCausalLM(config).eval()
    embeds = torch.randn(1, given["positions"], 1024)
    with torch.inference_mode():
        made, times = repeated(
            given, lambda: model(inputs_embeds=embeds, use_cache=True, logits_to_keep=kept).logits[0, -1]
        )
    return {**times, "values": [float(value) for value in made[::1600]]}
