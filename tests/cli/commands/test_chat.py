"""`deixis chat`: from a pipe, on a terminal, and how it ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from tests.chat.remembering import Remembering
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from deixis.systems.pointer.weights import save_network

    folder = tmp_path_factory.mktemp("model")
    save_network(tiny_network(), tiny_vocabulary(), folder)
    return str(folder)


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photos" / "photo.png")
    return "photos/photo.png"


@pytest.fixture
def fake(monkeypatch):
    system = Remembering()
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: system)
    return system


@pytest.fixture
def piped(monkeypatch):
    def pipe(text: str | bytes) -> None:
        content = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    return pipe


@pytest.fixture
def typed(monkeypatch):
    """Type lines on a terminal; an exception among them is raised, as Ctrl-C and Ctrl-D do."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def terminal(*keys: str | BaseException) -> tuple[list[str], io.StringIO]:
        left, prompts, screen = list(keys), [], Terminal()

        def read(prompt: str = "") -> str:
            prompts.append(prompt)
            key = left.pop(0) if left else EOFError()
            if isinstance(key, str):
                return key
            raise key

        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setattr("builtins.input", read)
        return prompts, screen

    return terminal


def test_a_pipe_is_echoed_without_prompts_and_ends_with_0(photo, fake, piped, capsys):
    piped("what is there?\n\nwhat is {a}?\n/box b 5,6,40,50\n{a} or {b}?")
    assert main(["chat", photo, "--point", "a=5,6", "--max-new-tokens", "9"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "deixis: fake on cpu in float32\n"
    assert captured.out.splitlines() == [
        "photo.png, 80 x 60 pixels; fake answers",
        "each answer is drawn to photo.chat.png; /help says what can be typed",
        "{a}: point (5, 6)",
        "",
        "what is there?",
        "Number 1.",
        "  Number: box 1.0, 1.0, 21.0, 30.0, score 0.75",
        "  0.25 s",
        "",
        "what is {a}?",
        "Number 2.",
        "  Number: box 2.0, 1.0, 22.0, 30.0, score 0.75",
        "  0.25 s",
        "",
        "/box b 5,6,40,50",
        "{b}: box (5, 6, 40, 50)",
        "",
        "{a} or {b}?",
        "Number 3.",
        "  Number: box 3.0, 1.0, 23.0, 30.0, score 0.75",
        "  0.25 s",
        "",
    ]
    assert [one.before for one in fake.asked][2] == ("what is there?", "what is {a}?")
    assert list(fake.asked[2].regions) == ["a", "b"] and fake.asked[0].settings["max_new_tokens"] == 9
    assert Path("photo.chat.png").is_file()


def test_settings_are_those_of_every_question(photo, fake, piped):
    piped("1?\n2?\n")
    flags = ["--temperature", "0.5", "--top-p", "0.9", "--seed", "4", "--stop", "##", "--max-places", "2"]
    assert main(["chat", photo, *flags]) == 0
    first, second = (one.settings for one in fake.asked)
    assert first == second
    assert (first["temperature"], first["top_p"], first["seed"]) == (0.5, 0.9, 4)
    assert (first["stop"], first["max_places"]) == (("##",), 2)


def test_mistakes_do_not_end_the_dialogue(photo, fake, piped, capsys):
    piped(b"what is {x}?\n/box a 1,2\n/point a 900,900\n/nonsense\nd\xffg?\n/json\n")
    assert main(["chat", photo]) == 0
    captured = capsys.readouterr()
    loaded, *errors = captured.err.splitlines()
    assert loaded == "deixis: fake on cpu in float32"
    assert len(errors) == 4 and all(line.startswith("deixis: ") for line in errors)
    assert fake.asked[0].question == "d\ufffdg?"  # one wrong byte is one wrong letter
    assert json.loads(captured.out.splitlines()[-2])["text"] == "Number 1."


def test_quit_leaves_the_rest_unread(photo, fake, piped):
    piped("1?\n/quit\n2?\n")
    assert main(["chat", photo]) == 0
    assert [one.question for one in fake.asked] == ["1?"]


def test_a_tiny_system_draws_its_answers(photo, model, piped, capsys, monkeypatch):
    from deixis.systems.pointer.answering import PointerSystem

    encoded = []
    encode = PointerSystem.encode
    monkeypatch.setattr(
        PointerSystem, "encode", lambda *given: encoded.append(len(given[1])) or encode(*given)
    )
    piped("where is the dog?\nwhat is {it}?\nwhat does it look like?\n/save out/chat.jsonl\n")
    words = ["chat", photo, "--box", "500,100,900,900", "--frame", "thousandths", "--model", model]
    assert main([*words, "--out", "out/new.jpg"]) == 0
    assert encoded == [1]
    assert Image.open("out/new.jpg").format == "JPEG"
    turns = [json.loads(line) for line in Path("out/chat.jsonl").read_text().splitlines()]
    assert [turn["remembered"] for turn in turns] == [0, 1, 2]
    assert turns[1]["regions"] == {"it": {"box": [40, 6, 72, 54]}}
    assert "drawn to out/new.jpg" in capsys.readouterr().out


def test_a_flag_that_sticks_out_is_cut_with_a_note(photo, fake, piped, capsys):
    piped("")
    assert main(["chat", photo, "--box", "50,20,300,40"]) == 0
    said = capsys.readouterr().out
    assert "{it}: box (50, 20, 80, 40)\nnote: " in said and "sticks out" in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["gone.jpg"], 3, "there is no picture file"),
        (["PHOTO", "--box", "1,2,3"], 2, "expected x0,y0,x1,y1"),
        (["PHOTO", "--point", "900,2"], 3, "outside the picture"),
        (["PHOTO", "--point", "1,1", "--box", "1,2,3,4"], 2, "two regions are called 'it'"),
        (["PHOTO", "--max-new-tokens", "0"], 2, "max_new_tokens is 0"),
        (["PHOTO", "--temperature", "-1"], 2, "temperature is -1"),
        (["PHOTO", "--device", "gpu"], 2, "'gpu'"),
        (["PHOTO", "--out", "answer.nonsense"], 2, "ends in .png or .jpg"),
        (["PHOTO", "--out", "answer.psd"], 2, "ends in .png or .jpg"),
        (["PHOTO", "--out", "PHOTO"], 2, "is the picture itself"),
        (["PHOTO", "--model", "nobody"], 2, "known systems: pointer"),
        (["PHOTO", "--model", "ferret"], 4, "deixis convert ferret"),
    ],
)
def test_a_wrong_beginning_has_an_exit_code(photo, piped, capsys, words, code, message):
    piped("never read\n")
    content = Path(photo).read_bytes()
    assert main(["chat", *(photo if word == "PHOTO" else word for word in words)]) == code
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert Path(photo).read_bytes() == content


@pytest.mark.parametrize("words", [[], ["a.jpg", "a question?"], ["a.jpg", "--frame", "furlongs"]])
def test_wrong_words_are_usage(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["chat", *words])
    assert stopped.value.code == 2


@pytest.mark.parametrize("end", [EOFError(), KeyboardInterrupt()])
def test_a_terminal_has_prompts_no_echo_and_a_clean_end(photo, fake, typed, end):
    prompts, screen = typed("what is there?", end)
    assert main(["chat", photo]) == 0
    assert prompts == ["> ", "> "]
    assert "what is there?" not in screen.getvalue() and "Number 1." in screen.getvalue()


def test_an_interrupted_question_does_not_count(photo, fake, typed):
    _, screen = typed("1?", "stop!", "2?")
    assert main(["chat", photo]) == 0
    assert "the question does not count" in screen.getvalue()
    assert [one.question for one in fake.asked] == ["1?", "2?"] and fake.asked[1].before == ("1?",)


def test_an_interrupted_pipe_ends(photo, fake, piped):
    piped("1?\nstop!\n2?\n")
    assert main(["chat", photo]) == 130
    assert [one.question for one in fake.asked] == ["1?"]


def test_a_fault_of_our_own_is_70(photo, fake, piped, monkeypatch, capsys):
    piped("1?\n")
    monkeypatch.setattr(fake, "ask", lambda *_, **__: 1 / 0)
    assert main(["chat", photo]) == 70
    assert "internal fault" in capsys.readouterr().err


def test_traceback_shows_where_a_mistake_arose(photo, fake, piped, capsys):
    piped("what is {x}?\n")
    assert main(["--traceback", "chat", photo]) == 2
    assert "Traceback" in capsys.readouterr().err
