"""Opening the pictures that are asked about, one after the other, and what becomes of damaged ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deixis.cli.counting import counted
from deixis.cli.messages import LOG
from deixis.cli.picture_files import PictureFile
from deixis.cli.picture_flags import PASS_OVER
from deixis.errors import BadPicture
from deixis.progress import Progress

if TYPE_CHECKING:
    from deixis.pictures.opening import Picture


class AskedPictures:
    """Pictures of files. broken: "refuse" ends at the first that can't be opened, "pass_over" names it."""

    def __init__(self, files: Sequence[PictureFile], *, max_pixels: int, broken: str) -> None:
        self.files, self.max_pixels, self.broken = files, max_pixels, broken
        self.faults: list[str] = []
        self.kept: dict[PictureFile, Picture] = {}

    def open(self, file: PictureFile) -> Picture:
        """Return a picture; BadPicture names its file."""
        from deixis.pictures.opening import open_picture

        return open_picture(file.path, max_pixels=self.max_pixels, name=file.name)

    def first(self) -> Picture:
        """Return the first picture, which is opened for good."""
        self.kept[self.files[0]] = picture = self.open(self.files[0])
        return picture

    def opened(self, progress: Progress) -> Iterator[tuple[Picture, PictureFile]]:
        """Yield the pictures that can be opened, one at a time."""
        for file in progress.track(self.files, "asking", unit="picture"):
            try:
                picture = self.kept.pop(file, None) or self.open(file)
            except BadPicture as fault:
                if self.broken != PASS_OVER:
                    raise
                LOG.warning("passed over: %s", fault)
                self.faults.append(str(fault))
                continue
            yield picture, file

    def report(self) -> int:
        """Say how many pictures were passed over, and return the exit code: 3 if that was all of them."""
        if not self.faults:
            return 0
        LOG.warning(
            "%s of %s passed over", counted(len(self.faults), "broken picture"), f"{len(self.files):,}"
        )
        return BadPicture.exit_code if len(self.faults) == len(self.files) else 0
