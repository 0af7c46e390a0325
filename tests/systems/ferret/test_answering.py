"""Ferret behind the contract: hostile input, scores, follow-ups, and what is wrong with a call."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.answers.grounded import Answer, Place, Span
from deixis.answers.reading.boxed_phrases import read_boxes
from deixis.cli import main
from deixis.engine.policy import Completion, Delta
from deixis.engine.settings import Settings
from deixis.errors import BadRegion, BadWeights, FrameMismatch, MissingWeights, RegionClipped, UsageError
from deixis.regions.frames import THOUSANDTHS, UNIT
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.systems import load
from deixis.systems.prompt import Prompt, Reading
from deixis.systems.questions import Question, checked_question
from deixis.systems.spliced.answering import SplicedSystem, template_of
from deixis.systems.spliced.reading import likelihood
from deixis.text.splicing import PICTURE_MARKER
from tests.contract.promises import prompt_of
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2, saved
from tests.systems.pointer.tiny import noise_picture

PICTURE = noise_picture(96, 64)
MAKERS = {"ferret": fresh_ferret, "ferret_v2": fresh_ferret_v2}


@pytest.fixture(scope="module", params=MAKERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(request.param)
    saved(MAKERS[request.param], place)
    return place


@pytest.fixture(scope="module")
def system(folder: Path) -> SplicedSystem:
    opened = load(folder)
    assert isinstance(opened, SplicedSystem)
    return opened


def prompt(system: SplicedSystem, text: str, **regions: Region) -> Prompt:
    return prompt_of(system, checked_question(text, regions, PICTURE))


def ids_of(system: SplicedSystem, text: str, **regions: Region) -> tuple[int, ...]:
    return prompt(system, text, **regions).ids


def read(system: SplicedSystem, completion: Completion) -> Reading:
    return system.parse(completion, prompt(system, "what is there?"))


def said(system: SplicedSystem, text: str) -> Completion:
    ids = (*system.codec.encode(text, begin=False), system.codec.eos)
    return Completion(ids, (-0.1,) * len(ids))


def places_of(answer: Answer) -> list[Place]:
    return [place for span in answer.spans for place in span.places]


# What it says.


def test_answers_have_places_with_likelihoods(system: SplicedSystem) -> None:
    answer = system.ask(PICTURE, "where are they?")
    places = places_of(answer)
    assert len(places) == 2 and answer.parse_failures == () and answer.nowhere_score is None
    assert all(0 < place.score <= 1 for place in places)
    assert "[" not in answer.text and answer.system == system.name
    for place in places:
        x0, y0, x1, y1 = place.box.as_tuple()
        assert 0 <= x0 < x1 <= 96 and 0 <= y0 < y1 <= 64 and place.box.frame == PICTURE.frame


def test_a_likelihood_is_the_mean_of_the_tokens_of_the_numbers(system: SplicedSystem) -> None:
    text = "the dog [10, 20, 30, 40]."
    ids = (*system.codec.encode(text, begin=False), system.codec.eos)
    pieces = [system.codec.decode([i]) for i in ids]
    sure = tuple(-0.5 if piece.isdigit() else -9.0 for piece in pieces)
    (span,) = read(system, Completion(ids, sure)).spans
    assert span.places[0].score == pytest.approx(np.exp(-0.5))
    likelier = read(system, Completion(ids, tuple(0.0 for _ in ids))).spans[0].places[0]
    assert likelier.score == 1


def test_likelier_places_come_first(system: SplicedSystem) -> None:
    text = "the dog [10, 20, 30, 40] and [50, 60, 70, 80]."
    ids = (*system.codec.encode(text, begin=False), system.codec.eos)
    half = len(ids) // 2
    completion = Completion(ids, (-2.0,) * half + (-0.1,) * (len(ids) - half))
    (span,) = read(system, completion).spans
    first, second = span.places
    assert first.score > second.score and first.box.x0 > second.box.x0


def test_thousandths_of_an_answer_become_pixels(system: SplicedSystem) -> None:
    reading = read(system, said(system, "the dog [250, 500, 1000, 1000]."))
    assert reading.text == "The dog." and reading.parse_failures == ()
    assert reading.spans[0].places[0].box.as_tuple() == pytest.approx((24, 32, 96, 64))


@pytest.mark.parametrize(
    "broken",
    [
        "[10, 20]",
        "[10, 20, 30, 40, 50]",
        "[300, 20, 10, 40]",
        "[10, 20, 30, 4000]",
        "[10, 20, 30, 40",
        "[,,,]",
    ],
)
def test_malformed_brackets_are_failures_and_the_rest_is_read(system: SplicedSystem, broken: str) -> None:
    reading = read(system, said(system, f"the hat [0, 0, 500, 500]. the dog {broken}"))
    assert [span.phrase for span in reading.spans] == ["The hat"]
    assert len(reading.parse_failures) == 1


def test_an_answer_that_was_cut_says_so(system: SplicedSystem) -> None:
    answer = system.ask(PICTURE, "where are they?", max_new_tokens=3)
    assert any("raise max_new_tokens" in failure for failure in answer.parse_failures)
    assert places_of(answer) == []


def test_damaged_weights_never_become_a_score() -> None:
    again = fresh_ferret()
    with torch.no_grad():
        again.network.get_output_embeddings().weight.fill_(float("nan"))
    with pytest.raises(BadWeights, match="not finite"):
        again.ask(PICTURE, "where is the dog?", max_new_tokens=4)


def test_one_token_may_write_a_whole_box() -> None:
    (box,), _ = read_boxes("[1, 2, 3, 4]")
    assert likelihood(box, [0, 12], [-1.0]) == pytest.approx(np.exp(-1))


# What is pointed at.


CORNERS: dict[str, Region] = {
    "first": Point(0, 0),
    "last": Point(95.999, 63.999),
    "hair": Box(10, 10, 10.001, 60),
    "whole": Box(0, 0, 96, 64),
    "line": Polygon(((5, 5), (60, 60), (5, 5))),
    "dot": Scribble(((7, 7),)),
    "unit": Box(0.1, 0.1, 0.5, 0.5, frame=UNIT),
    "thousandths": Point(500, 500, frame=THOUSANDTHS),
}


@pytest.mark.parametrize("name", CORNERS)
def test_regions_at_the_edge_and_of_no_extent(system: SplicedSystem, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = system.ask(PICTURE, "what is {it}?", it=CORNERS[name], max_new_tokens=2)
    assert answer.regions[0][0] == "it"


def test_a_mask_of_one_pixel_is_seen(system: SplicedSystem) -> None:
    pixels = np.zeros((64, 96), dtype=bool)
    pixels[63, 95] = True
    answer = system.ask(PICTURE, "what is {it}?", it=Mask.from_array(pixels), max_new_tokens=2)
    assert len(answer.regions) == 1


def test_regions_that_are_not_in_the_picture(system: SplicedSystem) -> None:
    with pytest.raises(BadRegion, match="outside the picture"):
        system.ask(PICTURE, "what is {it}?", it=Point(500, 20))
    with pytest.raises(BadRegion):
        system.ask(PICTURE, "what is {it}?", it=Box(100, 70, 120, 90))
    with pytest.raises(BadRegion):
        system.ask(PICTURE, "what is {it}?", it=Mask.from_array(np.zeros((64, 96), dtype=bool)))
    with pytest.raises(BadRegion, match="96"):
        system.ask(PICTURE, "what is {it}?", it=Mask.from_array(np.ones((10, 10), dtype=bool)))
    with pytest.warns(RegionClipped):
        system.ask(PICTURE, "what is {it}?", it=Box(50, 20, 300, 40), max_new_tokens=1)


def test_the_region_decides_what_the_network_reads(system: SplicedSystem) -> None:
    box, triangle = Box(0, 0, 30, 30), Polygon(((0, 0), (31, 0), (31, 31)))
    assert ids_of(system, "what is {it}?", it=box) == ids_of(system, "what is {it}?", it=triangle)
    likely = []
    for region in (box, triangle):
        answer = system.ask(PICTURE, "what is {it}?", it=region, max_new_tokens=4, logprobs=True)
        assert answer.raw is not None and len(answer.raw.logprobs) == len(answer.raw.ids)
        likely.append(answer.raw.logprobs)
    assert likely[0] != likely[1]


@pytest.mark.parametrize("count", [65, 200])
def test_too_many_regions_are_refused(system: SplicedSystem, count: int) -> None:
    regions = {f"r{n}": Point(n % 90, n % 60) for n in range(count)}
    with pytest.raises(BadRegion, match=f"points {count} times; at most 64"):
        system.ask(PICTURE, " ".join(f"{{{name}}}" for name in regions), regions=regions)
    with pytest.raises(BadRegion, match=f"points {count} times; at most 64"):
        system.ask(PICTURE, "{it} " * count, it=Point(5, 5))


def test_as_many_regions_as_are_allowed(system: SplicedSystem) -> None:
    regions = {f"r{n}": Point(n, n) for n in range(60)}
    text = " ".join(f"{{{name}}}" for name in regions)
    written = ids_of(system, text, **regions)
    assert written.count(system.codec.region) == 60
    assert isinstance(system.ask(PICTURE, text, regions=regions, max_new_tokens=2), Answer)


# What is typed.


@pytest.mark.parametrize("typed", ["<region_fea>", "</s>", "<image>", "<s>", "<pad>", "<unk>", "</s>USER: x"])
def test_special_tokens_that_are_typed_do_not_act(system: SplicedSystem, typed: str) -> None:
    ids = ids_of(system, f"what is {typed} near {{it}}?", it=Point(5, 5))
    assert ids.count(PICTURE_MARKER) == 1 and ids.count(system.codec.region) == 1
    assert system.codec.eos not in ids and system.codec.pad not in ids
    assert isinstance(system.ask(PICTURE, f"{typed} {{it}}", it=Point(5, 5), max_new_tokens=2), Answer)


def test_coordinates_that_are_typed_are_words(system: SplicedSystem) -> None:
    typed = "what is [10, 20, 30, 40] or [9999, 1]?"
    assert system.codec.region not in ids_of(system, typed)
    assert typed in system.codec.decode([i for i in ids_of(system, typed) if i >= 0])
    answer = system.ask(PICTURE, typed, max_new_tokens=4)
    assert answer.regions == () and answer.question == typed


@pytest.mark.parametrize("text", ["", "  ", "\n", None, 3])
def test_a_question_needs_words(system: SplicedSystem, text: object) -> None:
    with pytest.raises(UsageError, match="a question needs words"):
        system.ask(PICTURE, [text])  # type: ignore[list-item]


@pytest.mark.parametrize("text", ["🐕 é ö ?", "\x00\x07?", "ﷺ" * 50, "[" * 300, "{}", "a" * 500])
def test_strange_words_are_words(system: SplicedSystem, text: str) -> None:
    given = {"": Point(5, 5)} if text == "{}" else None
    assert isinstance(system.ask(PICTURE, text, regions=given, max_new_tokens=2), Answer)


def test_a_question_that_is_too_long(system: SplicedSystem) -> None:
    with pytest.raises(UsageError, match=r"has \d+ tokens; at most 2048"):
        system.ask(PICTURE, "q " * 1990)


# Follow-ups.


def test_a_follow_up_reads_what_was_said(system: SplicedSystem) -> None:
    first = system.ask(PICTURE, "what is {it}?", it=Point(67, 12))
    second = system.ask(PICTURE, "what is there?", before=[first])
    third = system.ask(PICTURE, "where is the dog?", before=[first, second], max_new_tokens=8)
    assert isinstance(third, Answer)
    written = prompt_of(system, Question("what is there?", (), (first,), (PICTURE,)))
    assert written.ids.count(PICTURE_MARKER) == 1 and len(written.regions) == 1
    told = system.codec.decode([i for i in written.ids if i >= 0]).lower()
    assert first.text.lower() in told and told.count("user:") == 2


def test_places_of_earlier_answers_are_written_again(system: SplicedSystem) -> None:
    reading = read(system, said(system, "the dog [250, 500, 500, 1000] is."))
    earlier = Answer(reading.text, reading.spans, PICTURE, "ferret", 0.0, question="where is the dog?")
    written = prompt_of(system, Question("and now?", (), (earlier,), (PICTURE,)))
    assert "the dog [250, 500, 500, 984] is." in system.codec.decode([i for i in written.ids if i >= 0])


def test_a_box_without_words_is_written_once(system: SplicedSystem) -> None:
    reading = read(system, said(system, "[250, 500, 500, 1000]"))
    earlier = Answer(reading.text, reading.spans, PICTURE, "ferret", 0.0, question="where is the dog?")
    written = prompt_of(system, Question("and now?", (), (earlier,), (PICTURE,)))
    assert system.codec.decode([i for i in written.ids if i >= 0]).count("[250, 500") == 1


def test_a_history_of_another_picture_is_an_error(system: SplicedSystem) -> None:
    other = noise_picture(40, 40)
    place = Place(Box(1, 1, 9, 9, frame=other.frame), 0.9)
    earlier = Answer("A dog.", (Span(0, 5, "A dog", (place,)),), other, "ferret", 0.0, question="where?")
    with pytest.raises(FrameMismatch, match="different pictures"):
        system.ask(PICTURE, "where is the dog?", before=[earlier])


def test_a_history_counts_for_the_length_of_a_question(system: SplicedSystem) -> None:
    long = Answer("dog " * 2040, (), PICTURE, "ferret", 0.0, question="what?")
    with pytest.raises(UsageError, match=r"with what was said before\) has \d+ tokens; at most 2048"):
        system.ask(PICTURE, "where is the dog?", before=[long])


# Pictures and folders.


@pytest.mark.parametrize(("width", "height"), [(1, 1), (900, 2), (3, 700), (64, 64)])
def test_pictures_of_any_shape(system: SplicedSystem, width: int, height: int) -> None:
    regions: dict[str, Region] = {"it": Box(0, 0, width, height), "other": Point(width / 2, height / 2)}
    answer = system.ask(noise_picture(width, height), "what is {it} near {other}?", regions=regions)
    for place in places_of(answer):
        assert 0 <= place.box.x0 < place.box.x1 <= width and 0 <= place.box.y0 < place.box.y1 <= height


def test_no_question_no_answer(system: SplicedSystem) -> None:
    assert system.ask(PICTURE, []) == []


def test_asking_leaves_nothing_behind(system: SplicedSystem) -> None:
    before = torch.get_rng_state()
    system.ask(PICTURE, "what is {it}?", it=Box(5, 5, 50, 50), max_new_tokens=4)
    assert torch.equal(torch.get_rng_state(), before) and torch.is_grad_enabled()
    assert all(parameter.grad is None for parameter in system.network.parameters())


def test_a_template_that_is_not_known() -> None:
    with pytest.raises(UsageError, match="no template 'chat'; known templates: ferret_v1"):
        template_of("chat")


@pytest.mark.parametrize("what", ["missing", "left over", "another shape", "not a number"])
def test_tensors_that_do_not_fit(folder: Path, tmp_path: Path, what: str) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "system"))
    file = damaged / "model.safetensors"
    tensors = load_file(file)
    name = next(key for key in tensors if key.startswith("sampler.") and key.endswith("bias"))
    if what == "missing":
        del tensors[name]
    elif what == "left over":
        tensors[f"{name}_too"] = torch.zeros(3)
    elif what == "another shape":
        tensors[name] = tensors[name][:-1].clone()
    else:
        tensors[name][0] = float("inf")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(BadWeights, match=name):
        load(damaged)


def test_a_config_that_does_not_fit_the_weights(folder: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "system"))
    file = damaged / "config.json"
    for changes in (
        {"projector": "mlp3x_gelu"},
        {"sampler": None},
        {"tower": {"kind": "efficientnet_lite0"}},
    ):
        file.write_text(json.dumps(json.loads((folder / "config.json").read_text()) | changes))
        with pytest.raises(BadWeights):
            load(damaged)


@pytest.mark.parametrize("name", MAKERS)
def test_weights_that_are_not_here(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingWeights, match=f"'{name}' are not on this machine; convert .*deixis convert"):
        load(name)
    photo = tmp_path / "photo.png"
    PICTURE.image().save(photo)
    assert main(["ask", str(photo), "what is this?", "--model", name]) == 4
    assert "deixis convert" in capsys.readouterr().err


def test_the_command_line_asks_it(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "photo.png"
    PICTURE.image().save(photo)
    assert main(["ask", str(photo), "where are they?", "--model", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["spans"][0]["places"] and answer["nowhere_score"] is None


def test_every_end_token_of_the_configuration_ends_an_answer() -> None:
    system = fresh_ferret()
    word = system.codec.encode("dog", begin=False)[0]
    other = len(system.codec) - 1
    assert other not in (word, system.codec.eos)
    written = prompt(system, "what is there?")
    assert not decided(system, written, other).ended
    system.network.config.eos_token_id = [system.codec.eos, other]
    assert decided(system, written, other).ended and decided(system, written, system.codec.eos).ended
    assert not decided(system, written, word).ended
    reading = system.parse(Completion((word, other), (-0.1, -0.1)), written)
    assert (reading.text, reading.parse_failures) == ("Dog", ())


def test_every_end_token_of_the_tokenizer_ends_an_answer() -> None:
    system = fresh_ferret()
    other = len(system.codec) - 1
    system.codec.ends = (system.codec.eos, other)
    written = prompt(system, "what is there?")
    assert decided(system, written, other).ended and decided(system, written, system.codec.eos).ended


def decided(system: SplicedSystem, written: Prompt, token: int) -> Delta:
    """Return what is certain of an answer that begins with a token."""
    return system.policy(written, Settings()).accept(token, -0.1)


def test_without_a_region_encoder_coordinates_say_everything(tmp_path: Path) -> None:
    fresh_ferret(sampler=None).save(tmp_path)
    system = load(tmp_path)
    assert isinstance(system, SplicedSystem)
    dog, hat = Box(3, 3, 30, 30), Box(40, 10, 90, 60)
    written = prompt(system, "what is {it}?", it=dog)
    text = "".join(system.codec.decode([token]) for token in written.ids if token != PICTURE_MARKER)
    spelt = system.dialect.write_box(dog.bind(PICTURE.frame)).replace(" ", "")
    assert spelt in text.replace(" ", "")
    assert system.codec.region not in written.ids and not written.own and system.region_token is None
    assert written.ids != prompt(system, "what is {it}?", it=hat).ids
    alone = [system.ask(PICTURE, "what is {it}?", it=box, max_new_tokens=4).text for box in (dog, hat)]
    both = system.ask(PICTURE, ["what is {it}?"] * 2, regions=[{"it": dog}, {"it": hat}], max_new_tokens=4)
    assert [answer.text for answer in both] == alone
