"""Write the photographs of the documentation into the current folder, and again into a folder photos.

They come with scikit-image (pip install '.[demo]'). Run: python examples/photos.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from skimage import data

PHOTOS = {"astronaut.jpg": "astronaut", "cat.jpg": "chelsea", "coffee.jpg": "coffee"}
FOLDER = "photos"


def main(folder: Path = Path()) -> int:
    """Write the files and print their names; photo.jpg is the astronaut."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, photo in [*PHOTOS.items(), ("photo.jpg", "astronaut")]:
        image = Image.fromarray(getattr(data, photo)())
        for path in [folder / name, folder / FOLDER / name][: 1 if name == "photo.jpg" else 2]:
            image.save(path, quality=95)
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
