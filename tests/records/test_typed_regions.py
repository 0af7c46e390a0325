"""What is asked about and pointed with, in files: how large it may be, and what belongs to a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.cli.picture_flags import LARGEST_PIXELS
from deixis.errors import BadPicture
from deixis.pictures import opening
from deixis.records.typed_regions import parse_regions
from deixis.regions.pixels import RegionPixels
from deixis.regions.shapes import Mask


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    Image.new("RGB", (80, 60), "red").save(path)
    return str(path)


@pytest.mark.parametrize("command", [["ask", "what is here?"], ["chat"]])
def test_the_limit_of_pixels_is_an_option_that_the_message_names(
    command: list[str],
    photo: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # a dialogue is drawn there
    words = [command[0], photo, *command[1:], "--model", "none"]
    assert main([*words, "--max-pixels", "4_799"]) == 3
    told = capsys.readouterr().err
    assert "4,800 pixels; at most 4,799 are decoded" in told and "--max-pixels" in told
    assert main([*words, "--max-pixels", "4800"]) == 2  # on to the model, which isn't there
    assert "no system is called 'none'" in capsys.readouterr().err
    for wrong in ("0", "-5", "many"):
        with pytest.raises(SystemExit) as left:
            main([*words, "--max-pixels", wrong])
        assert left.value.code == 2


def test_the_default_is_that_of_pictures() -> None:
    assert LARGEST_PIXELS == opening.LARGEST_PIXELS


def test_regions_of_pictures_beyond_the_default_have_their_pixels() -> None:
    assert RegionPixels.rectangle(1, 2, 3, 4, width=20_000, height=10_000).count == 4


def test_masks_obey_the_limit_and_their_alpha(tmp_path: Path) -> None:
    inside = np.zeros((40, 60), bool)
    inside[10:30, 20:40] = True
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[inside] = (0, 0, 0, 255)
    path = tmp_path / "m.png"
    Image.fromarray(pixels).save(path)
    typed = [("mask", f"m={path}")]
    assert parse_regions(typed)["m"] == Mask.from_array(inside)
    with pytest.raises(BadPicture, match="at most 2,399 are decoded"):
        parse_regions(typed, max_pixels=2_399)
