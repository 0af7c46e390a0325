"""Pictures from paths, bytes, Pillow images and arrays, upright, in RGB, within bounds."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from deixis.errors import BadPicture
from deixis.pictures.depth import as_bytes, is_inverted, white_of
from deixis.pictures.headers import check_tiles, inspected
from deixis.regions.frames import Frame

LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 1_000_000
# Pictures of more pixels aren't kept as Pillow's image as well: it takes 4 bytes a pixel, the array 3.
KEPT_TWICE = 4_000_000
LARGEST_FILE = 1 << 30
LIMIT = threading.Lock()  # for who moves Pillow's own
# Formats that hold pixels and nothing that could run.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA", "ICO")
# More of them, which Pillow reads once a package such as pillow-heif has registered its opener.
REGISTERED = ("HEIF", "HEIC", "JXL")
# How an image is turned that was stored with an EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoded:
    """A Pillow image and the array of its pixels: of that very array and of no other."""

    image: Image.Image
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Upright:
    """A Pillow image turned upright, in the mode of its file.

    white: the value of white in it; None where its file doesn't say (32-bit integers, floats).
    """

    image: Image.Image
    white: int | None


@dataclass(frozen=True)
class Picture:
    """RGB pixels (H, W, 3) uint8 and the frame that their coordinates are in.

    decoded: the image that Pillow made these pixels from, where it did and they are few: resizing need not
    copy them back.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    frame: Frame
    name: str = ""
    decoded: Decoded | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise BadPicture(
                f"pixels are uint8 of shape height x width x 3; got {self.pixels.dtype} {self.pixels.shape}"
            )
        if self.pixels.shape[1::-1] != tuple(map(round, self.frame.size)):
            raise BadPicture(f"pixels of shape {self.pixels.shape} don't fit the frame {self.frame}")

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    def image(self) -> Image.Image:
        """Return the picture for Pillow, to be read only."""
        if self.decoded is not None and self.decoded.pixels is self.pixels:
            return self.decoded.image
        return Image.fromarray(self.pixels)


def open_picture(source: Any, *, max_pixels: int = LARGEST_PIXELS, name: str = "") -> Picture:
    """Return a picture in its original frame.

    source: a path, encoded bytes, a Pillow image, an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of
    uint8, uint16, bool or floats in 0..1, or a Picture. The EXIF orientation is applied, transparency is
    laid over white, 12- and 16-bit grey is scaled to 8 bits, 32-bit grey is refused, and of an animation
    the first frame counts.
    Raises BadPicture for anything else, and before decoding for more than ``max_pixels``.

    >>> open_picture(np.zeros((2, 3), dtype=np.uint8)).frame.size
    (3, 2)
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return from_array(source, max_pixels=max_pixels, name=name)
    upright = open_upright(source, max_pixels=max_pixels, name=name)
    return from_upright(upright, name=name or name_of(source))


def open_upright(source: Any, *, max_pixels: int, name: str = "") -> Upright:
    """Return the image of a path, encoded bytes or a Pillow image, decoded and upright."""
    if isinstance(source, Image.Image):
        with reported(max_pixels=max_pixels, name=name or "image"):  # it may not be decoded yet
            return turned(source, max_pixels=max_pixels, name=name)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode(io.BytesIO(bytes(source)), max_pixels=max_pixels, name=name or "bytes")
    if isinstance(source, str | os.PathLike):
        return from_path(source, max_pixels=max_pixels, name=name)
    raise BadPicture(
        f"cannot open a {type(source).__name__} as a picture; expected a path, bytes, a Pillow image or "
        "an array"
    )


def name_of(source: Any) -> str:
    """Return what a picture is called that was given no name."""
    if isinstance(source, Image.Image):
        return ""
    return Path(source).name if isinstance(source, str | os.PathLike) else "bytes"


def from_path(source: str | os.PathLike[str], *, max_pixels: int, name: str) -> Upright:
    """Open a file."""
    if str(source).startswith(("http://", "https://")):
        raise BadPicture(f"{source} is an address; download the picture and give its path or bytes")
    if not os.path.isfile(source):  # unlike Path.is_file, also False for a name too long to be one
        raise BadPicture(f"there is no picture file {str(source)[:200]!r}")
    path = Path(source)
    if path.stat().st_size > LARGEST_FILE:
        raise BadPicture(f"{path} has {path.stat().st_size:,} bytes; at most {LARGEST_FILE:,} are read")
    try:
        stream = path.open("rb")
    except OSError as fault:
        raise BadPicture(f"picture file {str(path)!r} cannot be read: {fault.strerror}") from fault
    with stream:
        return decode(stream, max_pixels=max_pixels, name=name or path.name)


def decode(stream: IO[bytes], *, max_pixels: int, name: str) -> Upright:
    """Open an encoded picture."""
    check = partial(check_size, max_pixels=max_pixels, name=name)
    with reported(max_pixels=max_pixels, name=name):
        stream = inspected(stream, check=check, name=name)
        with allowed(max_pixels), Image.open(stream, formats=known_formats()) as image:
            return turned(image, max_pixels=max_pixels, name=name)


@contextmanager
def allowed(max_pixels: int) -> Iterator[None]:
    """Let Pillow open pictures of so many pixels, where somebody asked for more than the default."""
    if max_pixels <= LARGEST_PIXELS:
        yield
        return
    with LIMIT:  # Pillow's limit is one for the whole program
        own = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = own if own is None else max(own, max_pixels)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = own


@contextmanager
def reported(*, max_pixels: int, name: str) -> Iterator[None]:
    """Turn what Pillow raises while it opens and decodes into BadPicture."""
    try:
        with warnings.catch_warnings():
            # Pillow warns above its own limit; ours is checked before any pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except BadPicture:
        raise
    except Image.DecompressionBombError as fault:
        raise BadPicture(
            f"picture {name!r} is too large: at most {max_pixels:,} pixels are decoded, fewer where "
            "PIL.Image.MAX_IMAGE_PIXELS is lower (max_pixels raises the limit; on the command line "
            "--max-pixels)"
        ) from fault
    except UnidentifiedImageError as fault:
        raise BadPicture(
            f"{name!r} is not a picture in a known format ({', '.join(known_formats())}; HEIC and AVIF where "
            "an opener is registered with Pillow, such as pillow-heif's)"
        ) from fault
    except Exception as fault:  # decoders raise errors of many kinds where bytes make no sense
        raise BadPicture(f"picture {name!r} is damaged or cut: {fault}") from fault


def known_formats() -> list[str]:
    """Return the formats that the installed Pillow can read; it has no patience with others."""
    Image.init()
    return [name for name in (*FORMATS, *REGISTERED) if name in Image.OPEN]


def turned(image: Image.Image, *, max_pixels: int, name: str) -> Upright:
    """Decode a Pillow image, the first frame of an animation, and turn it upright."""
    check_size(image.width, image.height, max_pixels=max_pixels, name=name)
    check_tiles(image, max_pixels=max_pixels, name=name)
    if getattr(image, "is_animated", False):
        image.seek(0)
    image.load()
    white, inverted, turn = white_of(image), is_inverted(image), TURNS.get(orientation_of(image))
    if turn is not None:
        image = image.transpose(turn)
    if inverted:
        image = Image.fromarray((white or 0) - np.asarray(image).astype(np.uint16))
    return Upright(image, white)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation; 1, which is upright, where there is none or it can't be read."""
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # as many kinds of errors as there are ways to damage EXIF
        return 1
    return orientation if isinstance(orientation, int) else 1


def from_upright(upright: Upright, *, name: str) -> Picture:
    """Return a picture of a Pillow image that was decoded and turned."""
    with reported(max_pixels=0, name=name or "image"):
        image = to_rgb(upright.image, white=upright.white, name=name or "image")
    pixels = np.asarray(image)
    pixels.setflags(write=False)  # or the two could come to differ
    decoded = Decoded(image, pixels) if image.width * image.height <= KEPT_TWICE else None
    return Picture(pixels, frame_of(pixels), name, decoded)


def has_transparency(image: Image.Image) -> bool:
    """Return whether some of an image may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def to_rgb(image: Image.Image, *, white: int | None, name: str) -> Image.Image:
    """Return the image in RGB, transparency laid over white."""
    if image.mode == "F":
        raise BadPicture(f"picture {name!r} holds floats; scale them to 0..255 and give an array")
    if image.mode.startswith("I"):
        return Image.fromarray(as_bytes(np.asarray(image), white=white, name=name)).convert("RGB")
    if has_transparency(image):
        with_alpha = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, with_alpha).convert("RGB")
    return image.convert("RGB")


def from_array(array: NDArray[Any], *, max_pixels: int, name: str) -> Picture:
    """Check an array's shape and type and bring it to uint8 RGB."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise BadPicture(
            "an array picture is (height, width) or (height, width, 1, 3 or 4 channels); got shape "
            f"{array.shape}"
        )
    check_size(array.shape[1], array.shape[0], max_pixels=max_pixels, name=name or "array")
    if array.dtype == np.uint16:
        array = np.round(array / 257).astype(np.uint8)
    elif array.dtype == bool:
        array = array.astype(np.uint8) * 255
    elif np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise BadPicture("an array of floats must lie in 0..1, without NaN; or give uint8")
        array = np.round(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise BadPicture(f"an array picture is uint8, uint16, bool or float; got {array.dtype}")
    if array.shape[2] == 4:
        return wrap(np.asarray(to_rgb(Image.fromarray(array, "RGBA"), white=255, name=name)), name=name)
    return wrap(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array, name=name)


def check_size(width: int, height: int, *, max_pixels: int, name: str) -> None:
    """Raise BadPicture for a picture without pixels or with too many."""
    if width < 1 or height < 1:
        raise BadPicture(f"picture {name!r} has {width} x {height} pixels; expected at least one")
    if width * height > max_pixels:
        raise BadPicture(
            f"picture {name!r} has {width} x {height} = {width * height:,} pixels; at most {max_pixels:,} "
            "are decoded (max_pixels raises the limit; on the command line --max-pixels)"
        )
    if max(width, height) > LONGEST_SIDE:  # rows cost memory of their own
        raise BadPicture(
            f"picture {name!r} has {width} x {height} pixels; a side is at most {LONGEST_SIDE:,}, whatever "
            "max_pixels is; cut it into pieces"
        )


def wrap(pixels: NDArray[np.uint8], *, name: str) -> Picture:
    """Return pixels as a picture in a frame of its own."""
    own = np.array(pixels, order="C")  # what the caller does to its array later is no business of ours
    own.setflags(write=False)
    return Picture(own, frame_of(own), name)


def frame_of(pixels: NDArray[np.uint8]) -> Frame:
    """Return the frame of a picture whose pixels (H, W, 3) are these."""
    height, width = pixels.shape[:2]
    return Frame.original(width, height, content=digest_of(pixels))


def digest_of(pixels: NDArray[np.uint8]) -> str:
    """Return by what pixels are known: equal ones have the same digest."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).hexdigest()
