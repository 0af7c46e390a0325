"""What a recipe says of parameters by their names: how fast they learn, what is mixed in from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.errors import RecipeError
from deixis.training.recipes.parameter_names import begins, written
from deixis.training.recipes.ranges import LARGEST, check_numbers


@dataclass(frozen=True)
class Group:
    """Parameters whose names begin with one of ``parts`` ("" is how every name begins).

    A vision encoder is ``network.vision_encoder`` (``network.tower``, as the network has it, means it too).
    containing: of these, only parameters whose names contain one of these texts anywhere; empty takes all.
    The first group that takes a parameter counts. They learn at ``rate``, but are frozen for the first
    ``frozen_until`` (0..1) of the run; 1 is for good.
    """

    parts: tuple[str, ...]
    rate: float
    frozen_until: float = 0.0
    containing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(map(written, self.parts)))
        check_numbers(self, {"rate": (0, LARGEST), "frozen_until": (0, 1)}, what=f"group {list(self.parts)}")

    @property
    def frozen(self) -> bool:
        """Whether these parameters never learn."""
        return self.rate == 0 or self.frozen_until >= 1

    def takes(self, name: str) -> bool:
        """Tell whether a parameter of that name belongs here, unless an earlier group takes it.

        >>> adapters = Group(("network.language",), 1e-4, containing=("lora_", "norm"))
        >>> adapters.takes("network.language.0.lora_a"), adapters.takes("network.language.0.weight")
        (True, False)
        """
        inside = not self.containing or any(text in name or text in written(name) for text in self.containing)
        return inside and any(begins(name, part) for part in self.parts)


@dataclass(frozen=True)
class Mixture:
    """Another model (a recipe's name, or a folder) whose weights are mixed in before anything is learnt.

    shares: by the beginning of a parameter's name, the share (0..1) that comes from the other model. The
    longest beginning counts; "" matches all.
    """

    model: str
    shares: dict[str, float]

    def __post_init__(self) -> None:
        shares = {written(part): share for part, share in self.shares.items()}
        if len(shares) < len(self.shares):
            raise RecipeError(f"the shares mixed in from {self.model!r} name a part twice: {self.shares}")
        object.__setattr__(self, "shares", shares)
        wrong = {part: share for part, share in self.shares.items() if not 0 <= share <= 1}
        if wrong or not self.shares:
            raise RecipeError(
                f"the shares mixed in from {self.model!r} are {self.shares}; expected 0 to 1 each"
            )
