"""Which kind and which colour mark which region, as published (vip_llava.md section 3.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from deixis.painting.colours import NAMED, Colour, named
from deixis.painting.draws import Draws
from deixis.painting.kinds import Kind
from deixis.painting.sign import Sign


def unnamed(draws: Draws) -> Colour:
    """Draw any colour, which has no name."""
    red, green, blue = (draws.randint(0, 255) for _ in range(3))
    return Colour((red, green, blue))


def distinct_signs(kinds: Sequence[Kind], count: int, draws: Draws) -> list[Sign]:
    """Draw signs of several regions that words can tell apart.

    Regions of one kind get names of different colours, while there are any left.
    """
    return signs_of([kinds[index] for index in draws.choices(len(kinds), count)], draws)


def signs_of(chosen: Sequence[Kind], draws: Draws) -> list[Sign]:
    """Draw colours for the kinds of several regions, so that words can tell them apart."""
    often, taken = Counter(chosen), {kind: list[str]() for kind in chosen}
    signs = []
    for kind in chosen:
        if often[kind] > 1 or taken[kind]:
            free = [name for name in NAMED if name not in taken[kind]]
            colour = named(free[draws.choice(len(free))]) if free else unnamed(draws)
        elif draws.choice(2) == 0:
            colour = named(list(NAMED)[draws.choice(len(NAMED))])
        else:
            colour = unnamed(draws)
        if colour.name is not None:
            taken[kind].append(colour.name)
        signs.append(Sign(kind, colour))
    return signs


def loose_signs(
    kinds: Sequence[Kind], count: int, draws: Draws, *, apart: bool, inherit: bool = True
) -> list[Sign]:
    """Draw signs of one or two regions.

    apart: two of one kind get named colours. inherit: with other kinds the second region gets the colour of
    the first, as the published program has it; otherwise each draws its own.
    """
    chosen = [kinds[draws.choice(len(kinds))] for _ in range(count)]
    must_name = apart and count > 1 and len(set(chosen)) == 1
    taken: list[Colour] = []
    signs: list[Sign] = []
    colour: Colour | None = None
    for kind in chosen:
        if not inherit:
            colour = None
        while colour is None or colour in taken:
            if draws.random() < (0.0 if must_name else 0.5):
                colour = unnamed(draws)
            else:
                colour = named(list(NAMED)[draws.choice(len(NAMED))])
        if must_name:
            taken.append(colour)
        signs.append(Sign(kind, colour))
    return signs
