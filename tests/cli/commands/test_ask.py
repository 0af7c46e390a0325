"""`deixis ask`: what it prints, what it draws, and how it fails."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from PIL import Image

from deixis.answers import answer_schema
from deixis.cli import main
from deixis.errors import UsageError
from deixis.pictures.opening import open_picture
from deixis.records.typed_regions import parse_regions
from deixis.regions.frames import THOUSANDTHS
from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble
from deixis.systems import load
from tests.systems.pointer.tiny import tiny_network, tiny_vocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from deixis.systems.pointer.weights import save_network

    folder = tmp_path_factory.mktemp("model")
    save_network(tiny_network(), tiny_vocabulary(), folder)
    return str(folder)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


def test_text_and_drawing(photo, model, tmp_path, capsys):
    out = tmp_path / "new" / "out.png"
    words = ["ask", photo, "what is {it}?", "-q", "where is the dog?", "--box", "5,6,40,50", "--model", model]
    assert main([*words, "--out", str(out)]) == 0
    assert Image.open(out).width >= 80
    assert (tmp_path / "new" / "out-2.png").is_file()
    assert f"drawn: {out}" in capsys.readouterr().out


def test_json_is_one_object_a_question_and_nothing_else(photo, model, tmp_path, capsys):
    questions = ["what is {a}?", "-q", "where is the dog?", "-q", "what is {b}?"]
    regions = ["--point", "a=5,6", "--scribble", "b=1,2;30,40", "--json", "--out", str(tmp_path / "o.png")]
    assert main(["ask", photo, *questions, *regions, "--model", model]) == 0
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert len(lines) == 3
    for line in lines:
        jsonschema.validate(line, answer_schema())
        digest = open_picture(photo).frame.content
        assert (
            line["picture"] == {"name": "photo.png", "width": 80, "height": 60, "digest": digest} and digest
        )
        assert line["system"] == "pointer"
        for span in line["spans"]:
            for place in span["places"]:
                x0, y0, x1, y1 = place["box"]
                assert 0 <= x0 < x1 <= 80 and 0 <= y0 < y1 <= 60


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["gone.jpg", "what?"], 3, "there is no picture file"),
        (["https://example.org/a.jpg", "what?"], 3, "download the picture and give its path"),
        (["PHOTO"], 2, "nothing is asked"),
        (["PHOTO", "what is {a}?"], 2, "add --box a="),
        (["PHOTO", "what?", "--box", "1,2,3,4"], 2, "'it' is in no question"),
        (["PHOTO", "{it}?", "--box", "1,2,3"], 2, "expected x0,y0,x1,y1"),
        (["PHOTO", "{it}?", "--box", "30,2,10,4"], 3, "needs x0 < x1"),
        (["PHOTO", "{it}?", "--box", "nan,2,10,4"], 3, "expected finite numbers"),
        (["PHOTO", "{it}?", "--point", "900,2"], 3, "outside the picture"),
        (["PHOTO", "{it}?", "--polygon", "1,1;2,2"], 3, "needs 3 to"),
        (["PHOTO", "{it}?", "--point", "1,1", "--box", "1,2,3,4"], 2, "two regions are called 'it'"),
        (["PHOTO", "what?", "--model", "nobody"], 2, "known systems: pointer"),
        (["PHOTO", "what?", "--model", "ferret"], 4, "deixis convert ferret"),
        (["PHOTO", "what?", "--max-new-tokens", "0"], 2, "deixis: --max-new-tokens: max_new_tokens is 0"),
        (["PHOTO", "what?", "--temperature", "-1"], 2, "deixis: --temperature: temperature is -1"),
        (["PHOTO", "what?", "--top-p", "0"], 2, "deixis: --top-p: top_p is 0"),
        (["PHOTO", "what?", "--seed", "-1"], 2, "deixis: --seed: seed is -1"),
        (["PHOTO", "what?", "--stop", ""], 2, "deixis: --stop: stop is"),
        (["PHOTO", "what?", "--max-places", "-1"], 2, "deixis: --max-places: max_places is -1"),
        (["PHOTO", "what?", "--device", "gpu"], 2, "'gpu'"),
        (["PHOTO", "what?", "--dtype", "int8"], 2, "dtype is 'int8'"),
        (["PHOTO", "what?", "--out", "answer.nonsense"], 2, "ends in .png or .jpg"),
    ],
)
def test_mistakes_have_a_message_and_an_exit_code(
    photo, model, capsys, tmp_path, monkeypatch, words, code, message
):
    monkeypatch.chdir(tmp_path)
    words = [photo if word == "PHOTO" else word for word in words]
    given = [] if "--model" in words else ["--model", model]
    assert main(["ask", *words, *given]) == code
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err


def test_advice_names_the_flag(photo, model, capsys, monkeypatch):
    assert main(["ask", photo, "where is the dog?", "--model", model, "--max-new-tokens", "1"]) == 0
    said = capsys.readouterr().out
    assert "raise --max-new-tokens" in said and "max_new_tokens" not in said

    def refuse(*_, **__):
        raise UsageError("Ask for a shorter answer (max_new_tokens), or give fewer earlier answers")

    monkeypatch.setattr("deixis.systems.load", refuse)
    assert main(["ask", photo, "where is the dog?", "--model", model]) == 2
    assert "a shorter answer (--max-new-tokens)" in capsys.readouterr().err


def asked(capsys, *words):
    """Return the answers that a command prints as JSON."""
    assert main(["ask", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_settings_are_those_of_ask(photo, model, capsys):
    """Each flag does on the command line what it does in Python."""
    words = [photo, "where is the dog?", "--model", model, "--device", "cpu"]
    system, picture = load(model, device="cpu"), open_picture(photo)
    for flags, settings in (
        ([], {}),
        (["--max-new-tokens", "3"], {"max_new_tokens": 3}),
        (
            ["--temperature", "2", "--seed", "7", "--top-p", "0.9"],
            {"temperature": 2.0, "seed": 7, "top_p": 0.9},
        ),
        (["--stop", "e", "--stop", "a"], {"stop": ("e", "a")}),
        (["--max-places", "0"], {"max_places": 0}),
        (["--logprobs"], {"logprobs": True}),
    ):
        (told,) = asked(capsys, *words, *flags)
        expected = system.ask(picture, "where is the dog?", **settings)
        assert (told["text"], told["finish"]) == (expected.text, expected.finish)
        assert told["raw"]["ids"] == list(expected.raw.ids)
        assert ("logprobs" in told["raw"]) == settings.get("logprobs", False)
        if settings.get("max_places") == 0:
            assert not any(span["places"] for span in told["spans"])


def test_a_seed_repeats_an_answer(photo, model, capsys):
    words = [photo, "where is the dog?", "--model", model, "--temperature", "3"]
    texts = [asked(capsys, *words, "--seed", seed)[0]["text"] for seed in ("1", "1", "2", "3")]
    assert texts[0] == texts[1] and len(set(texts)) > 1


def test_where_it_computes_is_said_once_and_apart(photo, model, capsys):
    assert main(["ask", photo, "what?", "-q", "where?", "--model", model, "--device", "cpu", "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("deixis: pointer on cpu in float32\n") == 1
    assert len(captured.out.splitlines()) == 2


def test_a_region_that_sticks_out_is_cut_with_a_warning(photo, model, capsys):
    assert main(["ask", photo, "what is {it}?", "--box", "50,20,300,40", "--model", model]) == 0
    assert "sticks out" in capsys.readouterr().err


def test_an_internal_fault_is_70(photo, model, capsys, monkeypatch):
    monkeypatch.setattr("deixis.systems.load", lambda *_, **__: 1 / 0)
    assert main(["ask", photo, "what?", "--model", model]) == 70
    assert "internal fault: ZeroDivisionError" in capsys.readouterr().err


def test_wrong_words_are_usage(capsys):
    for words in ([], ["ask"], ["nonsense"], ["ask", "a.jpg", "b", "--frame", "furlongs"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2


@pytest.mark.parametrize("command", ["ask", "chat", "train", "evaluate", "data"])
def test_help_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"deixis {command}" in capsys.readouterr().out


def test_every_kind_is_parsed(tmp_path):
    mask = np.zeros((6, 8), np.uint8)
    mask[1:3, 2:5] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    typed = [
        ("box", "a=100,200,300,400"),
        ("point", "b=5,6"),
        ("polygon", "c=0,0;9,0;9,9"),
        ("scribble", "d=1,1;2,2"),
        ("mask", f"e={tmp_path / 'm.png'}"),
    ]
    regions = parse_regions(typed, frame="thousandths")
    assert regions["a"] == Box(100, 200, 300, 400, frame=THOUSANDTHS)
    assert regions["b"] == Point(5, 6, frame=THOUSANDTHS)
    assert regions["c"] == Polygon(((0, 0), (9, 0), (9, 9)), frame=THOUSANDTHS)
    assert regions["d"] == Scribble(((1, 1), (2, 2)), frame=THOUSANDTHS)
    assert regions["e"] == Mask.from_array(mask)
    with pytest.raises(UsageError, match="can't be read"):
        parse_regions([("point", "a=b")])
