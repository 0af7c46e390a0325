"""The folder that the documentation's commands run in: photographs that come with scikit-image."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

PHOTOS = {"astronaut.jpg": "astronaut", "cat.jpg": "chelsea", "coffee.jpg": "coffee"}
FOLDER = "photos"  # holds all of them, for what is done to a whole folder


def make_place(folder: Path) -> None:
    """Write the photographs, and photo.jpg, which is the first of them."""
    from skimage import data

    (folder / FOLDER).mkdir()
    for name, photo in PHOTOS.items():
        image = Image.fromarray(getattr(data, photo)())
        for path in (folder / name, folder / FOLDER / name):
            image.save(path, quality=95)
    image = Image.fromarray(data.astronaut())
    image.save(folder / "photo.jpg", quality=95)
