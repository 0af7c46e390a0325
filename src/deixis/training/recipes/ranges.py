"""Within which bounds the numbers of a recipe have to lie."""

from __future__ import annotations

from collections.abc import Mapping

from deixis.errors import RecipeError

MOST = 10**9  # steps, pictures and the like: more is a slip of the finger
LARGEST = 1e6  # rates, weights and the like
Bounds = Mapping[str, tuple[float, float]]


def check_numbers(given: object, bounds: Bounds, *, what: str) -> None:
    """Raise RecipeError for the first field that is outside its bounds (both included); None is no number.

    Fields that are tuples are looked at entry by entry. what: whose fields they are, for the message.

    >>> class Schedule:
    ...     warmup = -3
    >>> check_numbers(Schedule(), {"warmup": (0, MOST)}, what="schedule")
    Traceback (most recent call last):
    deixis.errors.RecipeError: schedule: warmup is -3; expected at least 0
    """
    for name, (least, most) in bounds.items():
        value = getattr(given, name)
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and not least <= number <= most:
                wanted = f"{least:.15g} to {most:.15g}"
                if number < least and most >= LARGEST:
                    wanted = f"at least {least:.15g}"
                raise RecipeError(f"{what}: {name} is {value}; expected {wanted}")
