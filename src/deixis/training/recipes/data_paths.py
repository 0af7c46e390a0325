"""Where a recipe may look for data: below the folder that ``--data`` names, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import RecipeError


def below(data: Path, named: str, *, where: str) -> Path:
    """Return ``data / named``; RecipeError where that, links followed, leads out of ``data``.

    where: what names it, for the message.

    >>> below(Path("data"), "../else", where="source")
    Traceback (most recent call last):
    deixis.errors.RecipeError: source '../else' leads out of the data folder 'data'; expected a name below it
    """
    try:
        path = data / named
        inside = path.resolve().is_relative_to(data.resolve())
    except (OSError, ValueError, RuntimeError) as fault:  # null bytes, circles of links
        raise RecipeError(f"{where} {named!r:.100} is no name of a file or folder: {fault}") from fault
    if not inside:
        raise RecipeError(
            f"{where} {named!r:.100} leads out of the data folder {str(data)!r}; expected a name below it"
        )
    return path
