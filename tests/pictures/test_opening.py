"""Pictures of every kind are opened upright and in RGB; what is no picture is refused in words."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin, features

from deixis.errors import BadPicture
from deixis.pictures.opening import LARGEST_PIXELS, Picture, open_picture
from deixis.regions.frames import Frame, same_frame
from tests.pictures.made import CORNERS, UPRIGHT, colours, corners, encoded

GREY = np.full((4, 6), 120, np.uint8)
SEEN = [[120] * 3]  # the first pixel of all that is made of GREY


def first(picture: Picture) -> list[list[int]]:
    """The first pixel."""
    return picture.pixels[0, :1].tolist()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA", "JPEG2000"])
def test_formats(form: str) -> None:
    codec = {"WEBP": "webp", "JPEG2000": "jpg_2000"}.get(form)
    if codec and not features.check(codec):
        pytest.skip(f"this Pillow cannot write {form}")
    picture = open_picture(encoded(corners(), form))
    assert (picture.width, picture.height) == (32, 16)
    assert same_frame(picture.frame, Frame.original(32, 16)) and picture.frame.content
    assert colours(picture.pixels, tolerance=40) == UPRIGHT


def test_a_jpeg_with_several_pictures_is_opened() -> None:
    content = encoded(corners(), "MPO", save_all=True, append_images=[corners().rotate(180)])
    assert colours(open_picture(content).pixels, tolerance=40) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(orientation: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = stored_as(corners(), orientation)
    picture = open_picture(encoded(stored, form, exif=exif))
    assert (picture.width, picture.height) == (32, 16)
    assert colours(picture.pixels, tolerance=40) == UPRIGHT


def stored_as(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels as a camera writes them that was held so: first row and first column as EXIF names them."""
    pixels = np.asarray(image)
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    # What row 0 and column 0 of the file are in the upright picture: orientations by rows, then by columns.
    row_from_bottom = orientation in (3, 4)
    column_from_right = orientation in (2, 3)
    if orientation >= 5:
        # The file's rows are columns here, from the left (5, 8) or the right (6, 7); its columns are rows.
        row_from_bottom = orientation in (6, 7)
        column_from_right = orientation in (7, 8)
    pixels = pixels[::-1] if row_from_bottom else pixels
    pixels = pixels[:, ::-1] if column_from_right else pixels
    return Image.fromarray(np.ascontiguousarray(pixels))


def test_an_orientation_that_does_not_exist_is_passed_over() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert colours(open_picture(encoded(corners(), "JPEG", exif=exif)).pixels, tolerance=40) == UPRIGHT


RATIONALS = {  # kind 5 is unsigned, 10 signed; these are numbers that can't be written again
    "resolution": (0x011B, 10, struct.pack("<ii", -72, 0)),
    "unsigned": (0x011A, 5, struct.pack("<II", 1, 0)),
}


def broken_exif(orientation: int, *, place: bool) -> bytes:
    """EXIF with an orientation and numbers that are none, as cameras and phones write them."""
    entries = [(0x0112, 3, 1, struct.pack("<HH", orientation, 0))]
    tail, begin = b"", 8 + 2 + 12 * (3 + place) + 4
    for tag, kind, value in RATIONALS.values():
        entries.append((tag, kind, 1, struct.pack("<I", begin + len(tail))))
        tail += value
    if place:  # GPS, with a latitude of 0/0, 0/0, 0/0
        entries.append((0x8825, 4, 1, struct.pack("<I", begin + len(tail))))
        tail += struct.pack("<HHHII", 1, 2, 5, 3, begin + len(tail) + 18) + bytes(4) + bytes(24)
    body = b"".join(struct.pack("<HHI", tag, kind, n) + value for tag, kind, n, value in sorted(entries))
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + tail


@pytest.mark.parametrize("place", [False, True])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "MPO"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_of_broken_exif_only_the_orientation_matters(form: str, orientation: int, place: bool) -> None:
    content = encoded(stored_as(corners(), orientation), form, exif=broken_exif(orientation, place=place))
    assert colours(open_picture(content).pixels, tolerance=40) == UPRIGHT
    with Image.open(io.BytesIO(content)) as image:
        assert colours(open_picture(image).pixels, tolerance=40) == UPRIGHT


def test_exif_that_makes_no_sense_is_passed_over() -> None:
    for content in (
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"nonsense",
        b"Exif\0\0MM\0*\0\0\0\x08\xff",
    ):
        assert colours(open_picture(encoded(corners(), "JPEG", exif=content)).pixels, tolerance=40) == UPRIGHT


def test_orientation_of_an_opened_image_is_applied_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(io.BytesIO(encoded(corners(), "JPEG", exif=exif))) as image:
        assert open_picture(image).frame.size == (16, 32)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(GREY), 120),
        (Image.fromarray(GREY).convert("P"), 120),
        (Image.fromarray(GREY).convert("RGB").quantize(4), 120),
        (Image.fromarray(GREY > 200), 0),
        (Image.fromarray(GREY < 200), 255),
        (Image.fromarray(GREY.astype(np.uint16) * 257), 120),
        (Image.fromarray(np.full((4, 6), 65535, np.uint16)), 255),
        (Image.fromarray(GREY).convert("LA"), 120),
        (Image.fromarray(GREY).convert("RGBA"), 120),
        (Image.fromarray(GREY).convert("PA"), 120),
        (Image.fromarray(GREY).convert("RGB").convert("YCbCr"), 120),
        (Image.fromarray(GREY).convert("RGB").convert("HSV"), 120),
        (Image.fromarray(GREY).convert("RGB").convert("CMYK"), 120),
        (Image.fromarray(GREY).convert("RGBX"), 120),
    ],
    ids=lambda value: getattr(value, "mode", value),
)
def test_every_mode_becomes_rgb(image: Image.Image, expected: int) -> None:
    pixels = open_picture(image).pixels
    assert pixels.dtype == np.uint8 and pixels.shape == (4, 6, 3)
    assert np.abs(pixels.astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.fromarray(GREY.astype(np.uint16) * 257), {}),
        (Image.fromarray(GREY).convert("L"), {"transparency": 7}),
        (Image.fromarray(GREY).convert("RGB"), {"transparency": (1, 2, 3)}),
        (Image.fromarray(GREY).convert("P"), {"transparency": 3}),
        (Image.fromarray(GREY).convert("P"), {"transparency": bytes([255] * 256)}),
    ],
)
def test_kinds_of_png(image: Image.Image, options: dict[str, Any]) -> None:
    assert first(open_picture(encoded(image, "PNG", **options))) == SEEN


def test_what_is_transparent_is_white() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    clear[0, 1] = (0, 0, 0, 128)
    expected = [[[10, 20, 30], [127, 127, 127]], [[255] * 3] * 2]
    for source in (
        clear,
        Image.fromarray(clear),
        encoded(Image.fromarray(clear)),
        clear.astype(np.float32) / 255,
    ):
        assert open_picture(source).pixels.tolist() == expected
    grey = Image.fromarray(np.array([[40, 50]], np.uint8))
    assert open_picture(encoded(grey, "PNG", transparency=50)).pixels.tolist() == [[[40] * 3, [255] * 3]]
    assert open_picture(encoded(grey.convert("P"), "PNG", transparency=50)).pixels.tolist() == [
        [[40] * 3, [255] * 3]
    ]


def test_a_cmyk_jpeg() -> None:
    red = open_picture(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")).pixels
    assert np.abs(red[8, 8].astype(int) - (255, 0, 0)).max() <= 12


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_an_animation_counts(form: str) -> None:
    later = [Image.new("RGB", (32, 16), colour) for colour in ("black", "yellow")]
    content = encoded(corners(), form, save_all=True, append_images=later)
    assert colours(open_picture(content).pixels, tolerance=40) == UPRIGHT
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        assert colours(open_picture(image).pixels, tolerance=40) == UPRIGHT


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[:, :, None],
        np.repeat(GREY[:, :, None], 3, axis=2),
        np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)]),
        GREY.astype(np.uint16) * 257,
        GREY / 255,
        (GREY / 255).astype(np.float32),
        (GREY / 255).astype(np.float16),
        np.asfortranarray(GREY),
        np.repeat(GREY[:, :, None], 6, axis=2)[:, :, ::2],
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_arrays(array: np.ndarray) -> None:
    picture = open_picture(array)
    assert first(picture) == SEEN and picture.frame.size == (6, 4)
    assert picture.pixels.flags["C_CONTIGUOUS"]


def test_an_array_of_truth_values() -> None:
    assert open_picture(np.eye(2, dtype=bool)).pixels[:, :, 0].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 3), np.nan), "floats must lie in 0..1, without NaN"),
        (np.array([[0.5, np.inf]]), "must lie in 0..1"),
        (np.array([[0.5, -0.1]]), "must lie in 0..1"),
        (np.array([[0.5, 255.0]]), "or give uint8"),
        (np.zeros((3, 3), np.int64), "uint8, uint16, bool or float; got int64"),
        (np.zeros((3, 3), np.complex64), "got complex64"),
        (np.zeros((3, 3), object), "got object"),
        (np.zeros(3, np.uint8), r"1, 3 or 4 channels\); got shape \(3,\)"),
        (np.zeros((3, 3, 2), np.uint8), r"got shape \(3, 3, 2\)"),
        (np.zeros((1, 3, 3, 3), np.uint8), r"got shape \(1, 3, 3, 3\)"),
        (np.zeros((0, 3, 3), np.uint8), "has 3 x 0 pixels; expected at least one"),
        (np.zeros((3, 0), np.float32), "has 0 x 3 pixels; expected at least one"),
        (
            np.broadcast_to(np.uint8(0), (10_001, 10_000, 3)),
            "10000 x 10001 = 100,010,000 pixels; at most 100,000,000",
        ),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray, message: str) -> None:
    with pytest.raises(BadPicture, match=message):
        open_picture(array)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"no picture at all", b"%PDF-1.7\n", b"<svg/>", b"\xff\xd8\xff" * 9]
)
def test_bytes_that_are_no_picture(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    for source, name in (
        (content, "bytes"),
        (bytearray(content), "bytes"),
        (path, "photo.jpg"),
        (str(path), "photo.jpg"),
    ):
        with pytest.raises(
            BadPicture, match=rf"'{name}' is (not a picture in a known format|damaged or cut)"
        ):
            open_picture(source)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "ICO", "PPM"])
def test_a_cut_file_is_refused_wherever_it_is_cut(form: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), form)
    whole = open_picture(content).pixels
    for length in {*range(0, 200, 7), *range(0, len(content) - 16, max(len(content) // 40, 1))}:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                # Some formats keep nothing needed at their end: then the picture must be the same.
                assert np.array_equal(open_picture(content[:length]).pixels, whole), length
            except BadPicture as fault:
                assert "damaged or cut" in str(fault) or "not a picture" in str(fault)


@pytest.mark.parametrize(
    "form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "ICO", "PPM", "JPEG2000", "AVIF"]
)
def test_damage_anywhere_is_told_or_harmless(form: str) -> None:
    try:
        content = encoded(
            corners(), form, **({"exif": exif()} if form in ("JPEG", "PNG", "WEBP", "TIFF") else {})
        )
    except (KeyError, OSError):
        pytest.skip(f"this Pillow cannot write {form}")
    random = np.random.default_rng(1)
    for _ in range(120):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), random.integers(1, 5)):
            damaged[place] = random.integers(0, 256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(BadPicture):
                open_picture(bytes(damaged), max_pixels=1_000_000)


def test_damaged_exif_in_a_webp_is_told_or_harmless() -> None:
    """Pillow raises struct.error for some, which is no ValueError."""
    content = bytearray(encoded(corners(), "WEBP", exif=exif()))
    start = content.index(b"EXIF")
    for place in range(start, len(content)):
        for value in (0, 2, 3, 7, 255):
            damaged = bytes(content[:place]) + bytes([value]) + bytes(content[place + 1 :])
            with warnings.catch_warnings(), contextlib.suppress(BadPicture):
                warnings.simplefilter("ignore")
                open_picture(damaged)


def exif() -> Image.Exif:
    """Orientation and a few other entries."""
    made = Image.Exif()
    made[0x0112], made[0x010F], made[0x011A] = 3, "a maker", 72.0
    return made


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises this size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(10_001, 10_000), (13_000, 13_000), (20_000, 20_000), (100_000, 100_000)]
)
def test_a_huge_picture_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadPicture, match=r"at most 100,000,000 (pixels )?are decoded|too large"):
            open_picture(png_header(width, height))


def test_the_limit_can_be_moved() -> None:
    content = encoded(corners())
    with pytest.raises(
        BadPicture, match=r"has 32 x 16 = 512 pixels; at most 511 are decoded \(max_pixels raises"
    ):
        open_picture(content, max_pixels=511)
    for source in (corners(), np.asarray(corners())):
        with pytest.raises(BadPicture, match="at most 511 are decoded"):
            open_picture(source, max_pixels=511)
    assert open_picture(content, max_pixels=512).width == 32
    with pytest.raises(BadPicture, match="damaged or cut"):  # large enough now, but there is nothing in it
        open_picture(png_header(10_001, 10_000), max_pixels=2 * LARGEST_PIXELS)


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(BadPicture, match="0 x 5 pixels; expected at least one"):
        open_picture(Image.new("RGB", (0, 5)))
    with pytest.raises(BadPicture):
        open_picture(png_header(0, 0))


def test_images_that_cannot_be_read_are_refused_too() -> None:
    content = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    with pytest.raises(BadPicture, match="damaged or cut"):
        open_picture(Image.open(io.BytesIO(content[:3000])))
    closed = Image.open(io.BytesIO(content))
    closed.close()
    with pytest.raises(BadPicture, match="damaged or cut"):
        open_picture(closed)
    with pytest.raises(BadPicture, match=r"holds floats; scale them to 0\.\.255 and give an array"):
        open_picture(Image.fromarray(GREY.astype(np.float32)))


@pytest.mark.parametrize("source", [None, 3, [[1, 2]], {"path": "x"}, io.BytesIO(b"x")])
def test_other_things_are_refused(source: Any) -> None:
    with pytest.raises(
        BadPicture, match=rf"cannot open a {type(source).__name__} as a picture; expected a path"
    ):
        open_picture(source)


def test_paths(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    corners().save(path)
    assert open_picture(path).name == "photo.png"
    assert np.array_equal(open_picture(str(path)).pixels, np.asarray(corners()))
    for missing in (tmp_path / "none.png", tmp_path, ""):
        with pytest.raises(BadPicture, match="there is no picture file"):
            open_picture(missing)
    with pytest.raises(BadPicture, match="is an address; download the picture"):
        open_picture("https://example.org/photo.png")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photo.png"
    corners().save(path)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadPicture, match=r"photo.png.*Permission denied"):
        open_picture(path)


def test_names_that_are_no_file() -> None:
    for name in ("a" * 5000, "a\0b"):
        with pytest.raises(BadPicture, match="there is no picture file"):
            open_picture(name)


def test_a_given_name_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    corners().save(path)
    for source in (path, path.read_bytes(), corners(), CORNERS):
        assert open_picture(source, name="mine").name == "mine"


def test_formats_that_hold_programs_are_refused() -> None:
    content = encoded(corners(), "EPS")
    assert content.startswith(b"%!PS")
    with pytest.raises(BadPicture, match="'bytes' is not a picture in a known format"):
        open_picture(content)


def test_a_picture_is_opened_already() -> None:
    picture = open_picture(CORNERS, name="corners")
    assert open_picture(picture) is picture and picture.name == "corners"
    assert np.array_equal(np.asarray(picture.image()), CORNERS)


@pytest.mark.parametrize(
    ("pixels", "frame", "message"),
    [
        (GREY, Frame.original(6, 4), r"uint8 of shape height x width x 3; got uint8 \(4, 6\)"),
        (CORNERS.astype(float), Frame.original(4, 2), "got float64"),
        (CORNERS, Frame.original(2, 4), "don't fit the frame pixels 2x4"),
    ],
)
def test_pixels_fit_their_frame(pixels: np.ndarray, frame: Frame, message: str) -> None:
    with pytest.raises(BadPicture, match=message):
        Picture(pixels, frame)


def test_upright_pictures_are_those_of_pillow() -> None:
    for orientation in range(1, 9):
        tagged = Image.Exif()
        tagged[0x0112] = orientation
        content = encoded(corners(), "PNG", exif=tagged)
        with Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(open_picture(content).pixels, np.asarray(ImageOps.exif_transpose(image)))


def test_a_decoded_picture_keeps_its_image_and_a_changed_one_does_not() -> None:
    picture = open_picture(Image.fromarray(CORNERS))
    assert picture.image() is picture.image()
    assert np.array_equal(np.asarray(picture.image()), picture.pixels)
    grey = replace(picture, pixels=np.full_like(picture.pixels, 9))
    assert np.array_equal(np.asarray(grey.image()), grey.pixels)
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0] = 0


@pytest.mark.parametrize("form", ["HEIF", "AVIF", "JXL"])
def test_formats_of_a_registered_opener_are_opened(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"\0\0\0\x18ftypmine" + encoded(corners())

    class Opener(PngImagePlugin.PngImageFile):
        def _open(self) -> None:
            assert self.fp is not None
            self.fp = io.BytesIO(self.fp.read()[12:])
            super()._open()

    Image.init()
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", [one for one in Image.ID if one != form])
    if form != "AVIF":
        with pytest.raises(BadPicture, match="HEIC and AVIF where an opener is registered with Pillow"):
            open_picture(content)
    Image.register_open(form, Opener, lambda start: start[4:12] == b"ftypmine")
    assert colours(open_picture(content).pixels) == UPRIGHT


def test_more_than_pillow_allows_is_opened_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(
        BadPicture, match=r"fewer where PIL\.Image\.MAX_IMAGE_PIXELS is lower .* --max-pixels\)"
    ):
        open_picture(encoded(corners()), max_pixels=200)
    assert open_picture(encoded(corners()), max_pixels=LARGEST_PIXELS + 1).width == 32
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(BadPicture, match="damaged or cut"):
        open_picture(encoded(corners())[:60], max_pixels=LARGEST_PIXELS + 1)
    assert Image.MAX_IMAGE_PIXELS == 100
