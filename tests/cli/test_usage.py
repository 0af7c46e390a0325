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


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("ask photo.jpg what? --bx 1,2,3,4", "; did you mean --box?"),
        ("train mine.yaml --data d --out o --max-stps=3", "; did you mean --max-steps?"),
        ("evaluate --data d --split s --task-s grounding", "; did you mean --tasks?"),
        ("ask photo.jpg what? --zzz", "--zzz\n"),
    ],
)
def test_the_nearest_option_is_named(words: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(words.split())
    assert capsys.readouterr().err.endswith(meant.rstrip("\n") + "\n")
