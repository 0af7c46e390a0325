"""Five levels of CLIP-L/336: computed as far as they are needed, against keeping every hidden state."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

NEEDED, EVERY = "the needed states", "every state through the last block"
BENCHMARK = Benchmark(
    name="levels",
    what="five levels of CLIP ViT-L/14 at 336 pixels, 4 pictures, random weights",
    given={"pictures": 4, "seed": 0},
    sides=(
        Side(NEEDED, "bench.levels:needed", threads=None),
        Side(EVERY, "bench.levels:every", threads=None),
    ),
    goals=(
        Goal("memory above the weights", NEEDED, 0.6, measure="peak_above_loaded_bytes", over=EVERY),
        Goal("time", NEEDED, 1.0, over=EVERY),
    ),
    tolerance=1e-4,
)


def needed(given: dict[str, Any]) -> dict[str, Any]:
    """Time the tower of this project."""
    import torch

    tower, pixels = prepared(given)
    with torch.inference_mode():
        made, times = repeated(given, lambda: tower(pixels))
    return {**times, "values": summary(made)}


def every(given: dict[str, Any]) -> dict[str, Any]:
    """Time the library's model with all hidden states, of which five are then taken."""
    import torch
    from transformers import CLIPVisionModel

    from deixis.systems.vip_llava.config import FIVE_LEVELS

    tower, pixels = prepared(given)
    library = CLIPVisionModel(tower.vision.config).eval()
    library.load_state_dict(tower.vision.state_dict())
    del tower

    def work() -> Any:
        states = library(pixels, output_hidden_states=True).hidden_states
        return torch.cat([states[level][:, 1:] for level in FIVE_LEVELS], dim=-1)

    with torch.inference_mode():
        made, times = repeated(given, work)
    return {**times, "values": summary(made)}


def prepared(given: dict[str, Any]) -> tuple[Any, Any]:
    """Return a tower of random weights, and normalised pixels."""
    import torch

    from deixis.layers.towers.clip import ClipTower
    from deixis.systems.vip_llava.config import FIVE_LEVELS

    torch.manual_seed(given["seed"])
    tower = ClipTower({}, select_layer=list(FIVE_LEVELS)).eval()
    return tower, torch.randn(given["pictures"], 3, 336, 336)


def summary(made: Any) -> list[float]:
    """Return a few numbers of features (B, N, C) that tell whether they are the same."""
    return [float(value) for value in made.double().abs().mean(dim=(0, 1))[:: made.shape[-1] // 20]]
