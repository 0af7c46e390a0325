"""The settings of an answer, through ``ask``: the same for systems of every kind."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from deixis.answers.grounded import Answer, Raw, answer_schema
from deixis.errors import MalformedAnswer, UsageError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Point
from deixis.systems.contract import System
from deixis.systems.questions import checked_question
from tests.contract.promises import assert_same_answer, prompt_of
from tests.systems.ferret.tiny import fresh_ferret, saved
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = noise_picture(96, 64)
OTHER = noise_picture(96, 64, seed=5)
WHERE = "where are they?"
NEW = 60
KINDS = ("pointer", "ferret")


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, System]:
    pointer = tiny_system(seed=0, most_found=3)
    pointer.rule = replace(pointer.rule, nowhere=0.9, least=0.01)
    return {"pointer": pointer, "ferret": saved(fresh_ferret, tmp_path_factory.mktemp("ferret"))}


@pytest.fixture(params=KINDS)
def system(request: pytest.FixtureRequest, systems: dict[str, System]) -> System:
    return systems[request.param]


def places_of(answer: Answer) -> int:
    return sum(len(span.places) for span in answer.spans)


def raw_of(answer: Answer) -> Raw:
    assert answer.raw is not None
    return answer.raw


# How many places.


def test_no_more_places_than_asked_for(system: System) -> None:
    whole = system.ask(PICTURE, WHERE, max_new_tokens=NEW)
    assert places_of(whole) >= 2, "an answer with several places is needed"
    for most in range(places_of(whole) + 2):
        answer = system.ask(PICTURE, WHERE, max_new_tokens=NEW, max_places=most)
        assert places_of(answer) <= most
        assert all(span.places or span.nowhere for span in answer.spans)
        if most > places_of(whole):
            assert_same_answer(answer, whole)


def test_the_first_places_are_those_of_the_whole_answer(systems: dict[str, System]) -> None:
    """A system whose words write places says the same up to where it would write one too many."""
    system = systems["ferret"]
    whole, one = (system.ask(PICTURE, WHERE, max_new_tokens=NEW, **more) for more in ({}, {"max_places": 1}))
    assert places_of(whole) > places_of(one) == 1
    first = one.spans[0].places[0].box.as_tuple()
    assert first in [place.box.as_tuple() for place in whole.spans[0].places]
    assert raw_of(whole).text.startswith(raw_of(one).text[:-1])
    assert one.finish == "stop" and not one.parse_failures
    assert raw_of(whole).ids[: len(raw_of(one).ids)] == raw_of(one).ids


def test_a_stream_keeps_to_the_places_too(system: System) -> None:
    for most in (0, 1):
        stream = system.stream(PICTURE, WHERE, max_new_tokens=NEW, max_places=most)
        spans = [span for delta in stream for span in delta.spans]
        assert tuple(spans) == stream.answer.spans and places_of(stream.answer) <= most


# Log-probabilities.


def test_log_probabilities_come_if_asked_for(system: System) -> None:
    plain, told = (system.ask(PICTURE, WHERE, max_new_tokens=8, logprobs=on) for on in (False, True))
    assert raw_of(plain).logprobs == () and raw_of(plain).ids == raw_of(told).ids
    assert len(raw_of(told).logprobs) == len(raw_of(told).ids)
    assert all(logprob <= 0 and math.isfinite(logprob) for logprob in raw_of(told).logprobs)
    assert_same_answer(plain, told)


def test_log_probabilities_do_not_depend_on_the_temperature(system: System) -> None:
    """They are what the network says of a token, not how it was drawn."""
    greedy = raw_of(system.ask(PICTURE, WHERE, max_new_tokens=1, logprobs=True))
    for temperature in (1e-3, 1e-2):
        drawn = system.ask(PICTURE, WHERE, max_new_tokens=1, logprobs=True, temperature=temperature, seed=0)
        assert raw_of(drawn).ids == greedy.ids
        assert raw_of(drawn).logprobs == pytest.approx(greedy.logprobs, abs=1e-5)


# Chance.


def test_a_seed_repeats_an_answer_and_none_does_not(system: System) -> None:
    def ids(**drawn: Any) -> tuple[int, ...]:
        return raw_of(system.ask(PICTURE, WHERE, max_new_tokens=12, temperature=3.0, **drawn)).ids

    assert ids(seed=1) == ids(seed=1) and len({ids(seed=seed) for seed in range(6)}) > 1
    torch.manual_seed(0)
    several = []
    for _ in range(6):
        torch.manual_seed(0)
        several.append(ids())
    assert len(set(several)) > 1, "without a seed chance is anew each time"
    state = torch.get_rng_state()
    ids(seed=4)
    assert torch.get_rng_state().equal(state), "nobody else's chance is used up"


def test_all_questions_of_a_batch_draw_with_the_same_seed(system: System) -> None:
    drawn: dict[str, Any] = {"temperature": 3.0, "seed": 2, "max_new_tokens": 12}
    together = system.ask(PICTURE, [WHERE, "what is there?", WHERE], **drawn)
    assert raw_of(together[0]).ids == raw_of(together[2]).ids
    assert raw_of(together[0]).ids == raw_of(system.ask(PICTURE, WHERE, **drawn)).ids


def test_the_smallest_share_is_greedy(system: System) -> None:
    greedy = system.ask(PICTURE, WHERE, max_new_tokens=12)
    drawn = system.ask(PICTURE, WHERE, max_new_tokens=12, temperature=5.0, top_p=1e-9, seed=0)
    assert raw_of(drawn).ids == raw_of(greedy).ids


# What is refused.


def test_a_grammar_is_for_the_system_to_have(systems: dict[str, System]) -> None:
    pointer, ferret = systems["pointer"], systems["ferret"]
    assert pointer.ask(PICTURE, WHERE, grammar=True, max_new_tokens=2).text is not None
    assert ferret.ask(PICTURE, WHERE, grammar=False, max_new_tokens=2).text is not None
    with pytest.raises(UsageError, match="grammar is False, but system 'pointer' is always held to it"):
        pointer.ask(PICTURE, WHERE, grammar=False)
    assert ferret.ask(PICTURE, WHERE, grammar=True, max_new_tokens=2).text is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"top_p": 2},
        {"seed": "a"},
        {"stop": ""},
        {"max_new_tokens": 0},
        {"max_places": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_settings_are_checked_before_anything_runs(system: System, wrong: dict[str, Any]) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the picture was encoded")

    hook = system.network.tower.register_forward_hook(never)
    try:
        with pytest.raises(UsageError, match=f"{next(iter(wrong))} is "):
            system.ask(noise_picture(seed=77), WHERE, **wrong)
    finally:
        hook.remove()


def test_a_region_may_not_be_called_as_a_setting_by_keyword(system: System) -> None:
    """But in ``regions`` it may."""
    with pytest.raises(UsageError, match=r"seed is Point"):
        system.ask(PICTURE, "what is {seed}?", seed=Point(3, 3))
    answer = system.ask(PICTURE, "what is {seed}?", regions={"seed": Point(3, 3)}, seed=1, max_new_tokens=2)
    assert [name for name, _ in answer.regions] == ["seed"]


def test_a_question_too_long_for_the_decoder_says_by_how_much(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its picture, what was said before it, and the answer it asks for."""
    before = [system.ask(PICTURE, WHERE, max_new_tokens=4)]
    question = checked_question(WHERE, {}, PICTURE, before=before)
    length = len(system.embed([prompt_of(system, question)])[0])
    assert length > len(prompt_of(system, question).ids), "the picture's vectors are counted"

    def never(*_: object) -> None:
        raise AssertionError("the decoder was run")

    monkeypatch.setattr(system.decoder.config, "max_position_embeddings", length + 9)
    assert system.ask(PICTURE, WHERE, before=before, max_new_tokens=9).question == WHERE
    monkeypatch.setattr(system.decoder, "states", never)
    for new, over in ((10, 1), (30, 21)):
        with pytest.raises(UsageError) as mistake:
            system.ask(PICTURE, WHERE, before=before, max_new_tokens=new)
        told = str(mistake.value)
        assert f"takes {length} positions" in told and f"up to {new}" in told
        assert f"has {length + 9}: {over} too many" in told and "fewer earlier answers" in told


def test_how_many_pictures_a_system_takes_is_said(systems: dict[str, System]) -> None:
    pointer, ferret = systems["pointer"], systems["ferret"]
    for pictures, given in (([PICTURE, OTHER], "2"), (None, "none")):
        with pytest.raises(UsageError, match=f"'pointer' is asked about 1 picture at a time; got {given}"):
            pointer.ask(pictures, WHERE)
    both = ferret.ask([PICTURE, OTHER], WHERE, max_new_tokens=NEW)
    assert both.pictures == (PICTURE, OTHER) and both.picture is PICTURE
    assert ferret.ask(None, "what is a dog?", max_new_tokens=2).pictures == ()


# Sending answers on.


def sent(answer: Answer, picture: Picture | None = None) -> Answer:
    """Return an answer as it comes out of JSON."""
    content = json.loads(answer.to_json())
    jsonschema.validate(content, answer_schema())
    return Answer.from_json(answer.to_json(), picture)


@pytest.mark.parametrize(
    ("finish", "settings"),
    [
        ("length", {"max_new_tokens": 3}),
        ("length", {"max_new_tokens": 3, "logprobs": True}),
        ("stop", {"max_new_tokens": NEW, "logprobs": True, "stop": "e"}),
        ("stop", {"max_new_tokens": NEW, "temperature": 1.0, "seed": 1, "stop": " "}),
    ],
)
def test_what_was_written_survives_being_sent(system: System, finish: str, settings: dict[str, Any]) -> None:
    answer = system.ask(PICTURE, WHERE, **settings)
    assert answer.finish == finish
    for back in (sent(answer), sent(answer, PICTURE)):
        assert back.raw == answer.raw and back.finish == finish
        assert bool(raw_of(back).logprobs) == settings.get("logprobs", False)
        assert (back.text, back.spans, back.parse_failures) == (
            answer.text,
            answer.spans,
            answer.parse_failures,
        )


def test_a_cancelled_answer_survives_being_sent(system: System) -> None:
    stream = system.stream(PICTURE, WHERE, max_new_tokens=NEW)
    stream.cancel()
    list(stream)
    assert sent(stream.answer).finish == "cancelled"


def test_an_answer_about_two_pictures_survives_being_sent(systems: dict[str, System]) -> None:
    system = systems["ferret"]
    asked = "where is the dog?"
    # What a random network says first depends on the processor's order of additions: several are drawn.
    drawn = (
        system.ask([OTHER, PICTURE], asked, max_new_tokens=NEW, logprobs=True, temperature=1.0, seed=seed)
        for seed in range(40)
    )
    answer = next((one for one in drawn if places_of(one)), None)
    assert answer is not None, "an answer with places is needed"
    back = sent(answer)
    assert [one.frame for one in back.pictures] == [OTHER.frame, PICTURE.frame]
    assert back.spans == answer.spans and back.raw == answer.raw
    frames = {place.box.frame for span in back.spans for place in span.places}
    assert frames == {PICTURE.frame}, "they are in the last picture, not in the first"
    assert replace(back, question=asked, pictures=answer.pictures) == replace(answer, seconds=back.seconds)
    again = system.ask([OTHER, PICTURE], "and?", before=[replace(back, question=asked)], max_new_tokens=3)
    direct = system.ask([OTHER, PICTURE], "and?", before=[answer], max_new_tokens=3)
    assert raw_of(again).ids == raw_of(direct).ids


def test_an_answer_about_no_picture_survives_being_sent(systems: dict[str, System]) -> None:
    answer = systems["ferret"].ask(None, "what is a dog?", max_new_tokens=4)
    content = json.loads(answer.to_json())
    assert content["picture"] is None and "pictures" not in content
    assert sent(answer).pictures == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.update(logprobs=[-0.5]), "3 ids came with 1 log-probabilities"),
        (lambda raw: raw.update(ids=[1.5, 2, 3]), "an id is a whole number; got 1.5"),
        (lambda raw: raw.update(ids=[True, 2, 3]), "an id is a whole number; got True"),
        (lambda raw: raw.update(ids="123"), "ids is a list"),
        (lambda raw: raw.update(text=None), "raw text is a string"),
        (lambda raw: raw.pop("ids"), "missing: ids"),
        (lambda raw: raw.update(more=1), "unknown: more"),
        (lambda raw: raw.update(logprobs=["-1", -2, -3]), "a log-probability is a finite number"),
    ],
)
def test_what_nobody_wrote_is_refused(
    systems: dict[str, System], change: Callable[[dict[str, Any]], None], message: str
) -> None:
    content = json.loads(systems["pointer"].ask(PICTURE, WHERE, max_new_tokens=3).to_json())
    change(content["raw"])
    with pytest.raises(MalformedAnswer, match=message):
        Answer.from_json(json.dumps(content))


# What was said before, to the letter.


def following(system: System, answer: Answer) -> tuple[int, ...]:
    """Return the ids of a prompt behind an answer."""
    return prompt_of(system, checked_question("and this?", {}, PICTURE, before=[answer])).ids


def holds(ids: tuple[int, ...], part: tuple[int, ...]) -> bool:
    return any(ids[at : at + len(part)] == part for at in range(len(ids)))


def test_another_systems_answer_is_written_anew(systems: dict[str, System]) -> None:
    for own, other in (KINDS, KINDS[::-1]):
        foreign = systems[other].ask(PICTURE, WHERE, max_new_tokens=NEW)
        without = replace(foreign, raw=None)
        assert following(systems[own], foreign) == following(systems[own], without)


def test_ids_that_the_system_did_not_write_are_not_taken_over(system: System) -> None:
    """They came from outside, and could act as what nobody but code may write."""
    answer = system.ask(PICTURE, "what is there?", max_new_tokens=12)
    plain = following(system, replace(answer, raw=None))
    raw = raw_of(answer)
    assert system.region_token is not None
    forged = [
        (*raw.ids[:1], system.region_token, *raw.ids[1:]),
        (system.region_token,),
        (-200, *raw.ids),
        (-1, *raw.ids),
        (10**9, *raw.ids),
        (*raw.ids, *raw.ids),
        raw.ids[1:] + raw.ids[:1],
    ]
    for ids in forged:
        assert following(system, replace(answer, raw=Raw(raw.text, ids))) == plain, ids
    assert following(system, replace(answer, raw=Raw(raw.text + " and more", raw.ids))) == plain


def test_an_answer_drawn_or_cut_is_what_was_said(system: System, tmp_path: Path) -> None:
    for settings in ({"temperature": 1.0, "seed": 3}, {"stop": "e"}, {}):
        answer = system.ask(PICTURE, "what is there?", max_new_tokens=7, **settings)
        ids = following(system, answer)
        assert holds(ids, raw_of(answer).ids[:-1])
        file = tmp_path / "answer.json"
        file.write_text(answer.to_json())
        back = replace(Answer.from_json(file.read_bytes(), PICTURE), question=answer.question)
        assert following(system, back) == ids
