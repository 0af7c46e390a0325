"""How samples name pictures: below the folder of a dataset, or unpacked beside the samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deixis.data.scene import Scene
from deixis.files.writing import write_whole


@dataclass(frozen=True)
class PictureFiles:
    """The names of pictures. root: the folder that samples' pictures are named from.

    unpacked: a folder in it for pictures of shards; None if all are ordinary files below the root already.
    """

    root: Path
    unpacked: str | None = None

    def name(self, scene: Scene) -> str:
        """Return the name of a scene's picture, which is written if it lies in a shard or elsewhere."""
        if self.unpacked is None:
            return scene.picture.path.relative_to(self.root).as_posix()
        encoded = scene.picture.read()
        given = Path(scene.picture.member or scene.picture.path.name)
        stem = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in given.stem)[:80]
        ending = given.suffix if given.suffix[1:].isalnum() and len(given.suffix) < 8 else ""
        name = f"{self.unpacked}/{stem}-{hashlib.sha256(encoded).hexdigest()[:12]}{ending.lower()}"
        if not (self.root / name).is_file():
            write_whole(self.root / name, encoded)
        return name


def picture_files(scenes: Iterable[Scene], *, images: Path, out: Path) -> PictureFiles:
    """Return how samples in the file ``out`` name pictures of scenes: from ``images`` if they lie there."""
    ordinary = all(
        scene.picture.offset is None and scene.picture.path.is_relative_to(images) for scene in scenes
    )
    return PictureFiles(images) if ordinary else PictureFiles(out.parent, f"{out.stem}.pictures")
