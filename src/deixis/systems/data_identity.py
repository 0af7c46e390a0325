"""Which data these are: short digests by which a resumed run knows that nothing has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from deixis.data.scene import Scene


def digest(parts: Iterable[object]) -> str:
    """Return a digest of what parts say of themselves, in their order, and how many they are.

    >>> digest(["a", "b"]) == digest(["a", "b"]), digest(["a", "b"]) == digest(["b", "a"])
    (True, False)
    """
    total, count = hashlib.blake2b(digest_size=12), 0
    for part in parts:
        total.update(repr(part).encode(errors="surrogatepass") + b"\0")
        count += 1
    return f"{count}:{total.hexdigest()}"


def scenes_identity(scenes: Iterable[Scene], folder: Path) -> dict[str, str]:
    """Return the digests of what scenes say ("annotations") and of their pictures' names and sizes."""
    said, pictures = [], []
    for scene in scenes:
        file = scene.picture
        named = (relative(file.path, folder), file.member, file.offset)
        pictures.append((*named, file.size if file.size is not None else bytes_of(file.path)))
        said.append(
            (
                (scene.id, scene.width, scene.height, named[0], file.member),
                (scene.things, scene.captions, scene.expressions, sorted(scene.exhaustive)),
            )
        )
    return {"annotations": digest(said), "pictures": digest(pictures)}


def files_identity(paths: Iterable[Path], folder: Path) -> str:
    """Return the digest of files' names and sizes, each file once."""
    return digest((relative(path, folder), bytes_of(path)) for path in dict.fromkeys(paths))


def relative(path: Path, folder: Path) -> str:
    """Return a file's name below a folder, so that data may be moved as a whole."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def bytes_of(path: Path) -> int | None:
    """Return how large a file is; None where it isn't there."""
    try:
        return path.stat().st_size
    except OSError:
        return None
