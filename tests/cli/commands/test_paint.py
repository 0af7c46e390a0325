"""`deixis paint`: marks for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.painting.kinds import KINDS


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (160, 120), (128, 128, 128)).save("photo.png")
    return Path("photo.png")


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_painted_and_said(photo: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["paint", str(photo), "--box", "20,20,90,80", "--kind", kind.replace(" ", "-"), "--colour", "red"]
    assert main([*words, "--out", "new/seen.png"]) == 0
    said, written = capsys.readouterr().out.splitlines()
    assert said.startswith("1: ") and said.endswith(f"the red {kind}") and written == "new/seen.png"
    seen = pixels("new/seen.png")
    assert seen.shape == (120, 160, 3) and (seen[..., 0].astype(int) - seen[..., 1] > 40).any()


def test_regions_have_names_labels_and_colours(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["paint", str(photo), "--box", "dog=20,20,90,80", "--point", "120,60", "--box", "b=5,90,50,110"]
    assert main([*words, "--out", "plain.png"]) == 0
    said = capsys.readouterr().out.splitlines()[:3]
    assert [line.split(":")[0] for line in said] == ["dog", "2", "b"]
    assert said[0] != said[2].replace("b:", "dog:"), "two rectangles of one colour"
    assert main([*words, "--labels", "--out", "labelled.png"]) == 0
    assert (pixels("plain.png") != pixels("labelled.png")).any()


def test_published_style_is_drawn_from_a_seed(photo: Path) -> None:
    words = ["paint", str(photo), "--box", "20,20,90,80", "--style", "published", "--kind", "arrow"]
    for seed, out in (("1", "first.png"), ("1", "again.png"), ("2", "other.png")):
        assert main([*words, "--seed", seed, "--out", out]) == 0
    assert np.array_equal(pixels("first.png"), pixels("again.png"))
    assert not np.array_equal(pixels("first.png"), pixels("other.png"))
    more = ["--alpha", "255", "--width", "3", "--colour", "0,0,255", "--out", "solid.png"]
    assert main([*words[:-1], "rectangle", *more]) == 0
    assert (pixels("solid.png")[20, 30] == (0, 0, 255)).all()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["PHOTO"], 2, "there is nothing to paint"),
        (
            ["PHOTO", "--box", "1,2,9,9", "--kind", "star"],
            2,
            "no visual prompt 'star'; the kinds are rectangle",
        ),
        (["PHOTO", "--box", "1,2,9,9", "--colour", "pinkish"], 2, "no colour 'pinkish'"),
        (["PHOTO", "--box", "1,2,9,9", "--colour", "1,2"], 2, "three numbers"),
        (["PHOTO", "--box", "1,2,9,9", "--colour", "1,2,900"], 2, "whole numbers from 0 to 255"),
        (["PHOTO", "--box", "1,2,9,9", "--alpha", "7"], 2, "of style 'published'"),
        (["PHOTO", "--box", "1,2,9,9", "--alpha", "700", "--style", "published"], 2, "alpha is 700"),
        (["PHOTO", "--box", "a=1,2,9,9", "--point", "a=1,2"], 2, "two regions are called 'a'"),
        (["PHOTO", "--box", "500,2,900,9"], 3, "outside the picture"),
        (["PHOTO", "--box", "1,2,9,9", "--kind", "point", "--style", "published"], 3, "only a box"),
        (["gone.png", "--box", "1,2,9,9"], 3, "there is no picture file"),
        (["PHOTO", "--box", "1,2,9,9", "--out", "PHOTO"], 2, "is the picture itself"),
        (["PHOTO", "--box", "1,2,9,9", "--out", "words.txt"], 2, "no format for a picture"),
    ],
)
def test_mistakes_are_told(
    photo: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(photo) if word == "PHOTO" else word for word in words]
    out = [] if "--out" in given else ["--out", "seen.png"]
    assert main(["paint", *given, *out]) == code
    assert message in capsys.readouterr().err
