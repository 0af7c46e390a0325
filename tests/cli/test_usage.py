"""Arguments that no command has are told with the usage of the command that they were given to."""

from __future__ import annotations

import pytest

from deixis.cli import main


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("ask photo.jpg what? --nonsense", "usage: deixis ask "),
        ("ask --nonsense=3 photo.jpg what?", "usage: deixis ask "),
        ("chat photo.jpg surplus --nonsense", "usage: deixis chat "),
        ("evaluate --pack p --split s --nonsense 3", "usage: deixis evaluate "),
        ("data check mine.jsonl --nonsense", "usage: deixis data check "),
        ("data --nonsense check mine.jsonl", "usage: deixis data "),
        ("--nonsense ask photo.jpg what?", "usage: deixis [-h]"),
    ],
)
def test_an_unknown_argument(words: str, usage: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words.split())
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert said.startswith(usage) and "unknown arguments: " in said and "--nonsense" in said
