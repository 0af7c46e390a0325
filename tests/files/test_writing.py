"""Files are written whole or not at all, and what stands in their way is told before."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deixis.errors import UsageError
from deixis.files.writing import replacing, require_writable, require_writable_folder, write_whole


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as on a disk that is almost full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "old.json").write_text("old", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is a folder"),
        ("inner", "is a folder"),
        ("old.json/new.json", "cannot be written"),
        ("nowhere/new.json", "make it first"),
        ("n" * 300 + ".json", "name too long"),
        ("inner/" + "n" * 256, "name too long"),
        ("n" * 300 + "/new.json", "name too long"),
        ("/".join(["n" * 200] * 30), "name too long"),
        ("nul\0.json", "null"),
        ("/dev/full", "no space left"),
        ("/proc/new.json", "cannot be written"),
    ],
)
def test_what_is_in_the_way_of_a_file_is_told_and_nothing_stays(
    name: str, message: str, folder: Path
) -> None:
    before = names(folder)
    with pytest.raises(UsageError) as caught:
        require_writable(folder / name, flag="--json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("--json ")
    assert len(str(caught.value)) < 400
    assert names(folder) == before


def test_a_file_that_can_be_written_is_let_be(folder: Path) -> None:
    before = names(folder)
    require_writable(folder / "old.json", flag="--json")
    require_writable(folder / "new.json", flag="--json")
    require_writable(folder / "a" / "b" / "new.json", flag="--json", makes_folders=True)
    require_writable(folder / ("n" * 250), flag="--json")
    require_writable(Path("/dev/null"), flag="--json")
    require_writable(Path("/dev/stdout"), flag="--json")
    assert names(folder) == before
    assert (folder / "old.json").read_text(encoding="utf-8") == "old"


def test_a_folder_that_may_not_be_read_or_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "old.json").chmod(0o444)
    monkeypatch.setattr(os, "access", lambda path, mode: bool(os.stat(path).st_mode & 0o222))  # also for root
    with pytest.raises(UsageError, match="may not be written"):
        require_writable(folder / "old.json", flag="--json")


def test_a_full_disk_shows_before(folder: Path) -> None:
    before = names(folder)
    with room_for(1000):
        with pytest.raises(UsageError, match=r"--json .*: file too large"):
            require_writable(folder / "new.json", flag="--json")
        with pytest.raises(UsageError, match=r"--out .*: file too large"):
            require_writable_folder(folder / "new" / "deep", flag="--out")
        require_writable(folder / "new.json", flag="--json", room=10)
    assert names(folder) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("old.json", "is a file"),
        ("old.json/new", "cannot be written"),
        ("n" * 300, "name too long"),
        ("inner/" + "n" * 300 + "/new", "name too long"),
        ("/dev/full", "is a file"),
        ("/proc/new", "cannot be written"),
    ],
)
def test_what_is_in_the_way_of_a_folder_is_told(name: str, message: str, folder: Path) -> None:
    before = names(folder)
    with pytest.raises(UsageError) as caught:
        require_writable_folder(folder / name, flag="--out")
    assert message in str(caught.value)
    assert names(folder) == before


def test_a_folder_that_can_be_written_is_let_be(folder: Path) -> None:
    before = names(folder)
    for name in ("inner", "new", "new/deep/er", "."):
        require_writable_folder(folder / name, flag="--out")
    assert names(folder) == before


def test_a_file_is_replaced_whole_with_its_mode(folder: Path) -> None:
    (folder / "old.json").chmod(0o640)
    write_whole(folder / "old.json", "new ü")
    assert (folder / "old.json").read_bytes() == "new ü".encode()
    assert stat.S_IMODE((folder / "old.json").stat().st_mode) == 0o640
    previous = os.umask(0o022)
    try:
        write_whole(folder / "a" / "b" / ("n" * 250), b"\0bytes")
    finally:
        os.umask(previous)
    made = folder / "a" / "b" / ("n" * 250)
    assert made.read_bytes() == b"\0bytes"
    assert stat.S_IMODE(made.stat().st_mode) == 0o644


def test_the_old_file_stays_where_the_new_one_has_no_room(folder: Path) -> None:
    before = names(folder)
    with room_for(1000), pytest.raises(UsageError, match=r"cannot write .*old.json: file too large"):
        write_whole(folder / "old.json", "n" * 5000)
    assert (folder / "old.json").read_text(encoding="utf-8") == "old"
    assert names(folder) == before


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "way.json").symlink_to("old.json")
    write_whole(folder / "way.json", "new")
    assert (folder / "way.json").is_symlink()
    assert (folder / "old.json").read_text(encoding="utf-8") == "new"


def test_devices_and_pipes_are_written_to(folder: Path) -> None:
    write_whole(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(UsageError, match="cannot write /dev/full: no space left"):
        write_whole(Path("/dev/full"), "more")
    os.mkfifo(folder / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text(encoding="utf-8")))
    reader.start()
    require_writable(folder / "pipe", flag="--json")
    write_whole(folder / "pipe", "through")
    reader.join(timeout=10)
    assert read == ["through"]


def test_an_unfinished_file_is_deleted(folder: Path) -> None:
    before = names(folder)
    with pytest.raises(ZeroDivisionError), replacing(folder / "new.png") as partial:
        assert partial.suffix == ".png"
        partial.write_bytes(b"half")
        raise ZeroDivisionError
    assert names(folder) == before


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no file system in memory")
def test_a_file_below_dev_is_a_file() -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        for text in ("first", "second"):
            require_writable(Path(folder) / "report.json", flag="--json")
            write_whole(Path(folder) / "report.json", text)
        assert (Path(folder) / "report.json").read_text(encoding="utf-8") == "second"


def test_a_stream_that_is_a_file_is_added_to(folder: Path) -> None:
    """As in `deixis evaluate --json /dev/stdout > file`: what was printed before stays."""
    words = "from pathlib import Path; from deixis.files.writing import require_writable, write_whole;"
    words += "print('first', flush=True); out = Path('/dev/stdout'); require_writable(out, flag='--json');"
    words += "write_whole(out, 'second\\n'); print('third', flush=True)"
    with (folder / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", words], stdout=out, check=True)
    assert (folder / "out").read_text(encoding="utf-8").splitlines() == ["first", "second", "third"]
