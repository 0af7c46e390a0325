"""A drawing is written whole, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deixis.answers.drawing.drawn_file import write_drawing
from deixis.answers.grounded import Answer
from deixis.errors import UsageError
from deixis.pictures.opening import open_picture

ANSWER = Answer("Grass.", (), open_picture(np.zeros((60, 80, 3), np.uint8)), "none", 0.0)


def test_folders_are_made_and_nothing_else_is_left(tmp_path):
    out = tmp_path / "new" / "drawn.png"
    write_drawing(ANSWER, out)
    assert Image.open(out).size[0] == 640
    assert list(out.parent.iterdir()) == [out]


def test_who_still_reads_the_old_drawing_has_it_whole(tmp_path):
    out = tmp_path / "drawn.png"
    write_drawing(ANSWER, out)
    old = out.read_bytes()
    with out.open("rb", buffering=0) as reader:
        start = reader.read(100)
        write_drawing(replace(ANSWER, text="Trees."), out)
        assert start + reader.read() == old
    assert out.read_bytes() != old


def test_a_drawing_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    out = tmp_path / "drawn.png"
    write_drawing(ANSWER, out)
    old = out.read_bytes()

    def full(image, path, *_, **__):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(UsageError, match=r"cannot write .*drawn.png: no space left"):
        write_drawing(ANSWER, out)
    assert out.read_bytes() == old and list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["drawn", "drawn.nonsense", "drawn.psd"])
def test_a_name_without_a_format_we_can_write(tmp_path, name):
    with pytest.raises(UsageError, match=r"ends in \.png or \.jpg"):
        write_drawing(ANSWER, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
