"""`deixis ask --paint … --save-input …`: how regions are painted, and what the model saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.pictures.opening import open_picture
from deixis.regions.shapes import Box
from deixis.systems import load
from tests.systems.ferret.tiny import fresh_ferret
from tests.systems.vip_llava.tiny import fresh_vip_llava

ASK = ["what is {it}?", "--box", "20,20,90,80", "--max-new-tokens", "2"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("vip")
    fresh_vip_llava().save(folder)
    return str(folder)


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (160, 120), (128, 128, 128)).save("photo.png")
    return "photo.png"


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_painted_picture_is_what_the_model_saw(photo: str, model: str) -> None:
    paint = ["--paint", "ellipse", "--paint-style", "clean", "--save-input", "new/seen.png"]
    assert main(["ask", photo, *ASK, "--model", model, *paint]) == 0
    system = load(model, device="cpu")
    system.paint_as(kind="ellipse", style="clean")
    (seen,) = system.seen(open_picture(photo), "what is {it}?", it=Box(20, 20, 90, 80))
    assert np.array_equal(pixels("new/seen.png"), seen.pixels)
    assert (pixels("new/seen.png")[18:82, 18:92] != 128).any() and (pixels("new/seen.png")[100:] == 128).all()
    assert (pixels("new/seen.png")[21, 21] == 128).all(), "an ellipse has no corner"


def test_each_question_has_its_own_paint(photo: str, model: str) -> None:
    words = [
        "ask",
        photo,
        "what is {a}?",
        "-q",
        "what is {b}?",
        "--box",
        "a=5,5,40,40",
        "--box",
        "b=90,60,150,110",
    ]
    assert main([*words, "--max-new-tokens", "2", "--model", model, "--save-input", "seen.png"]) == 0
    first, second = pixels("seen.png"), pixels("seen-2.png")
    assert (first[:50, :50] != 128).any() and (first[60:, 90:] == 128).all()
    assert (second[60:, 90:] != 128).any() and (second[:50, :50] == 128).all()


def test_a_folder_of_pictures(photo: str, model: str) -> None:
    Path("photos").mkdir()
    for name in ("one.png", "two.png"):
        Image.new("RGB", (160, 120), (128, 128, 128)).save(Path("photos") / name)
    assert main(["ask", "photos", *ASK, "--model", model, "--save-input", "seen"]) == 0
    assert (pixels("seen/one.png") != 128).any() and (pixels("seen/two.png") != 128).any()


def test_without_paint_the_picture_is_saved_as_it_was_opened(photo: str, tmp_path: Path) -> None:
    fresh_ferret().save(tmp_path / "ferret")
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rng.integers(0, 255, (60, 90, 3), dtype=np.uint8)).save("turned.png", exif=exif)
    words = ["ask", "turned.png", "what is {it}?", "--box", "5,5,40,40", "--max-new-tokens", "2"]
    assert main([*words, "--model", str(tmp_path / "ferret"), "--save-input", "seen.png"]) == 0
    assert np.array_equal(pixels("seen.png"), open_picture("turned.png").pixels)


def test_a_system_that_does_not_paint_is_told(
    photo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh_ferret().save(tmp_path / "ferret")
    for flags in (["--paint", "arrow"], ["--paint-style", "clean"]):
        assert main(["ask", photo, *ASK, "--model", str(tmp_path / "ferret"), *flags]) == 2
        assert "system 'ferret' doesn't paint regions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--paint", "star"], "no visual prompt 'star'"),
        (["--save-input", "photo.png"], "--save-input photo.png is the picture itself"),
        (["--save-input", "seen.txt"], "--save-input seen.txt has no format"),
        (["--save-input", "a.png", "--out", "a.png"], "--out and --save-input are both a.png"),
        (
            ["--save-input", "a-2.png", "--out", "a.png", "-q", "and {it}?"],
            "--save-input a-2.png is a drawing",
        ),
    ],
)
def test_mistakes_are_told_before_the_weights_are_read(
    photo: str, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (4, 4)).save("a.png")
    assert main(["ask", photo, *ASK, "--model", "/nowhere", *flags]) == 2
    assert message in capsys.readouterr().err
