"""What of a network learns through low-rank adapters (LoRA; Hu et al., 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.errors import RecipeError
from deixis.training.recipes.parameter_names import stored, written
from deixis.training.recipes.ranges import check_numbers


@dataclass(frozen=True)
class LowRank:
    """Which linear maps get an adapter: those whose names begin with one of ``parts`` ("": all of them).

    rank: the inner width of an adapter. scale: what its product is multiplied by, divided by the rank
    (published as alpha). Adapters are the parameters whose names contain "lora_"; a recipe without groups
    trains them and nothing else. In the model that is saved they are added to the weights.
    """

    rank: int = 8
    scale: float = 16.0
    parts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(map(written, self.parts)))
        check_numbers(self, {"rank": (1, 4096), "scale": (0, 1e6)}, what="lora")
        if self.scale == 0 or not self.parts:
            raise RecipeError("lora: scale is 0 or there are no parts: no adapter would learn; change that")

    @property
    def stored_parts(self) -> tuple[str, ...]:
        """The parts under the names that the network has for them."""
        return tuple(map(stored, self.parts))
