"""Files are read in allowed folders, and no way leads out of these."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deixis.errors import BadPicture, UsageError
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.pictures.folders import file_bytes
from tests.server.asking import Client, png, shown, user


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """An allowed folder with a picture, beside a secret."""
    folder = tmp_path / "inside"
    (folder / "below").mkdir(parents=True)
    (folder / "a b.png").write_bytes(png())
    (folder / "below" / "c.png").write_bytes(png())
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "inner.png").symlink_to(folder / "a b.png")
    (folder / "way").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.mark.parametrize("name", ["a%20b.png", "below/c.png", "./below//c.png"])
@pytest.mark.parametrize("host", ["", "localhost"])
def test_files_below_the_folder_are_read(inside: Path, name: str, host: str) -> None:
    client = Client(pictures=AllowedSources(folders=(inside,)))
    url = f"file://{host}{inside.as_posix()}/{name}"
    assert client.asked({"messages": [user(shown(url), "What?")]}).pictures[0].width == 80


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "%2e%2e/secret.png",
        "below/../../secret.png",
        "link.png",
        "inner.png",
        "way/secret.png",
        "pipe.png",
        "below",
        "",
        "absent.png",
        "a b.png%00",
        "a%20b.png?x",
        "a%20b.png/more",
        "/".join(["below"] * 70),
        "x" * 300,
    ],
)
def test_all_else_is_refused_alike(inside: Path, name: str) -> None:
    allowed = AllowedSources(folders=(inside,))
    with pytest.raises(BadPicture, match="url is no file that may be read here") as told:
        file_bytes(f"file://{inside.as_posix()}/{name}", allowed, where="url", most=100_000)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["file://example.org/a.png", "file:a.png", "file://[::/a.png", "file:", "file:///"]
)
def test_what_names_no_file_of_this_machine(inside: Path, url: str) -> None:
    with pytest.raises(BadPicture, match="no file that may be read"):
        file_bytes(url, AllowedSources(folders=(inside,)), where="url", most=1000)


def test_large_files_are_not_read(inside: Path) -> None:
    url = f"file://{inside.as_posix()}/a%20b.png"
    with pytest.raises(BadPicture, match="at most 100 bytes"):
        file_bytes(url, AllowedSources(folders=(inside,)), where="url", most=100)


def test_a_folder_that_is_a_link_is_what_it_leads_to(inside: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(inside)
    allowed = AllowedSources(folders=(tmp_path / "alias",))
    url = f"file://{inside.as_posix()}/below/c.png"
    assert file_bytes(url, allowed, where="url", most=100_000) == png()


def test_a_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        AllowedSources(folders=(tmp_path / "absent",))
