"""The step of a decoder of 7 billion weights on a GPU, over the time of reading them once; run by hand.

python -m bench.gpu_step [--compile]

One row and eight: without a graph, with the engine's graphs over its own store, and with ``--compile`` also
with the decoder's layers compiled before the graph is recorded.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from deixis.engine.decoders.causal import CausalDecoder

PROMPT, STEPS = 640, 60
WHAT = ("a step", "with logits and choice")


def main() -> None:
    """Print milliseconds a token with and without graphs and a compiler, for one row and for eight."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu_step")
    parser.add_argument("--compile", action="store_true", help="time compiled layers as well")
    chosen = parser.parse_args()
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = LlamaForCausalLM(
            LlamaConfig(vocab_size=32_001, intermediate_size=11_008, max_position_embeddings=2048)
        ).eval()
    torch.set_default_dtype(torch.float32)
    size = sum(weight.nbytes for weight in model.parameters())
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    reading = read_once(list(model.parameters()))
    print(f"weights {size / 1e9:.2f} GB, read once in {reading:.2f} ms")
    decoder = CausalDecoder(model)
    for rows in (1, 8):
        slow, fast = steps(decoder, rows, graphs=False), steps(decoder, rows, graphs=True)
        for what, before, now in zip(WHAT, slow, fast, strict=True):
            print(
                f"{rows} rows, {what}: {before:.2f} ms, recorded {now:.2f} ms, "
                f"{now / reading:.2f} times reading the weights",
                flush=True,
            )
    if not chosen.compile:
        return
    compiled = CausalDecoder(model, compile=True)
    for rows in (1, 8):
        for what, now in zip(WHAT, steps(compiled, rows, graphs=True), strict=True):
            print(
                f"{rows} rows, {what}: compiled and recorded {now:.2f} ms, "
                f"{now / reading:.2f} times reading the weights",
                flush=True,
            )


def read_once(weights: list[torch.Tensor]) -> float:
    """Return the milliseconds that reading all weights takes: half of copying as much on the device."""
    size = sum(weight.nbytes for weight in weights)
    source = torch.empty(size, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        started = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return best * 1000 / 2


@torch.inference_mode()
def steps(decoder: CausalDecoder, rows: int, *, graphs: bool) -> tuple[float, float]:
    """Return the median milliseconds of a step, and of one with its logits and the choice of a token."""
    kept = decoder._recorded
    if not graphs:
        decoder._recorded = lambda *_, **__: None  # type: ignore[method-assign]
    store = decoder.new_store(rows, PROMPT + STEPS + 8)
    prompts = [torch.randn(PROMPT, decoder.width, device="cuda", dtype=torch.bfloat16) for _ in range(rows)]
    hidden = decoder.read(store, store.add(rows), prompts)
    times = []
    for _ in range(STEPS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        tokens = decoder.logits(hidden).float().argmax(dim=-1).tolist()
        words = decoder.words(tokens)
        torch.cuda.synchronize()
        chosen = time.perf_counter()
        hidden = decoder.step(store, range(rows), words)
        torch.cuda.synchronize()
        ended = time.perf_counter()
        times.append((ended - chosen, ended - started))
    decoder._recorded = kept  # type: ignore[method-assign]
    step, whole = (statistics.median(each) * 1000 for each in zip(*times[10:], strict=True))
    return step, whole


if __name__ == "__main__":
    main()
