"""The pictures that a command is told to ask about: files, and all of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import UsageError

# What the names of pictures end in; in a folder other files are passed over.
ENDINGS = frozenset((
    ".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm",
    ".avif", ".jp2", ".j2k", ".tga", ".ico", ".heic", ".heif", ".jxl",
))  # fmt: skip


@dataclass(frozen=True)
class PictureFile:
    """A file, and what its picture is called: in a folder, the path inside of it."""

    path: Path
    name: str


def pictures_and_questions(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return what of the words of a command are pictures or folders, and what is a question.

    The last of several words is the question, unless there is a file of that name or it ends as pictures do.
    UsageError: a picture's name is empty, as that of a variable that isn't set; it is not the working folder.
    """
    *first, last = words
    for word in first or words:
        if not word.strip():
            raise UsageError(f"picture {word!r} names no file or folder; the working folder is '.'")
    if first and not looks_like_a_picture(last):
        return [Path(word) for word in first], [last]
    return [Path(word) for word in words], []


def looks_like_a_picture(word: str) -> bool:
    """Tell whether a word is a file or folder that is there, or one word that ends as pictures' names do.

    >>> looks_like_a_picture("gone.JPG"), looks_like_a_picture("What is in photo.jpg")
    (True, False)
    """
    if not word.strip() or "\0" in word:
        return False
    try:
        named = Path(word).suffix.lower() in ENDINGS and len(word.split()) == 1
        return named or Path(word).exists()
    except OSError:  # too long for a name, and so a question
        return False


def picture_files(paths: Sequence[Path]) -> list[PictureFile]:
    """Return the pictures of files and folders, each once; those of a folder by their names.

    Folders are looked through with all that is in them, but for hidden files. UsageError: a folder without
    pictures.
    """
    several = len(paths) > 1
    files: dict[Path, PictureFile] = {}
    for path in paths:
        if path.is_dir():
            for inside in pictures_in(path):
                name = inside.relative_to(path).as_posix()
                files.setdefault(
                    inside, PictureFile(inside, f"{path.as_posix()}/{name}" if several else name)
                )
        else:
            files.setdefault(path, PictureFile(path, path.as_posix() if several else path.name))
    return list(files.values())


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder, by name; UsageError if it has none or can't be read."""
    try:
        inside = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in ENDINGS
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.is_file()
        )
    except OSError as fault:
        raise UsageError(f"folder {str(folder)!r} cannot be read: {fault.strerror or fault}") from fault
    if not inside:
        raise UsageError(
            f"folder {str(folder)!r} holds no pictures; expected names that end in .jpg, .png and the like"
        )
    return inside
