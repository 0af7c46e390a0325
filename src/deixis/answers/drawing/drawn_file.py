"""A drawn answer as a file that is never half there: a viewer sees the old drawing or the new one."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from deixis.answers.content import AnswerContent
from deixis.answers.drawing.drawn_answer import draw
from deixis.errors import UsageError
from deixis.files.writing import replacing, shown


def write_drawing(answer: AnswerContent, path: Path) -> None:
    """Draw an answer on its picture and write that, in the format that the name ends in.

    Folders that are missing are made. UsageError: the name has no format, or cannot be written.
    """
    require_format(path)
    write_picture(draw(answer), path)


def write_picture(image: Image.Image, path: Path) -> None:
    """Write a picture in the format that the name ends in, as ``write_drawing`` does."""
    require_format(path)
    try:
        with replacing(path) as partial:
            image.save(partial, format_of(path))
    except (ValueError, KeyError) as fault:  # a picture that the format doesn't take, such as one too large
        raise UsageError(
            f"cannot write {shown(path)}: {fault}; give a name that ends in .png or .jpg"
        ) from fault


def require_format(path: Path, *, flag: str = "") -> None:
    """Raise UsageError unless the name of a drawing ends in a format that can be written."""
    if format_of(path) is None:
        named = f"{flag} {shown(path)}".strip()
        raise UsageError(f"{named} has no format for a picture; give a name that ends in .png or .jpg")


def format_of(path: Path) -> str | None:
    """Return the format that a name ends in, as Pillow calls it; None where it writes no such format.

    >>> format_of(Path("a.PNG")), format_of(Path("a.txt"))
    ('PNG', None)
    """
    Image.init()
    name = Image.EXTENSION.get(path.suffix.lower())
    return name if name in Image.SAVE else None
