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


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "", "Where is the cup?"],
        ["ask", " "],
        ["paint", "", "--out", "marked.png"],
        ["data", "check", ""],
        ["gallery", "--data", "", "--split", "val", "--out", "page"],
    ],
)
def test_an_empty_name_is_not_the_working_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a variable that isn't set; ``ask`` looked through all pictures below the working folder."""
    try:
        code: object = main(words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert "names no file or folder" in capsys.readouterr().err
