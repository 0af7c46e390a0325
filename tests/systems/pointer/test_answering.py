"""The pointer behind the contract: asking, history, limits, and what is wrong with a call."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.answers.grounded import Answer, Place, Span
from deixis.engine.policy import Completion
from deixis.errors import (
    BadPicture,
    BadRegion,
    BadWeights,
    DeixisError,
    FrameMismatch,
    RegionClipped,
    UsageError,
)
from deixis.pictures.opening import Picture
from deixis.regions.frames import THOUSANDTHS, UNIT
from deixis.regions.overlap import iou
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.systems.encoded import EncodedCache
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.place_reading import PlaceReading
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question, checked_question
from deixis.text.tokenizers.word_pieces.vocabulary import END, FOUND, NOWHERE, PHRASE, PHRASE_END, PLACE
from tests.contract.promises import prompt_of
from tests.systems.decoding import decoded
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = noise_picture()
WIDTH, HEIGHT = PICTURE.frame.size


@pytest.fixture(scope="module")
def system() -> PointerSystem:
    return tiny_system()


def said(system: PointerSystem, text: str) -> list[int]:
    return system.vocabulary.encode(text)


def plain_prompt(system: PointerSystem) -> Prompt:
    return prompt_of(system, checked_question("where is it?", {}, PICTURE))


def shown(system: PointerSystem, ids: tuple[int, ...]) -> str:
    return " ".join(system.vocabulary.pieces[token] for token in ids)


def reading_of(box: tuple[float, ...], *, nowhere: bool = False) -> PlaceReading:
    return PlaceReading(torch.tensor([box]), torch.tensor([0.8]), 0.9 if nowhere else 0.1, nowhere)


def test_an_answer_knows_what_it_answers(system: PointerSystem) -> None:
    answer = system.ask(PICTURE, " what is {it}? ", it=Box(5, 5, 50, 50), max_new_tokens=8)
    assert isinstance(answer, Answer) and answer.system == "pointer"
    assert answer.question == "what is {it}?" and answer.picture is PICTURE
    assert answer.regions == (("it", Box(5, 5, 50, 50, frame=PICTURE.frame)),)
    assert answer.seconds > 0
    for span in answer.spans:
        assert answer.text[span.start : span.end] == span.phrase


def test_every_way_to_give_a_picture_is_one_picture(system: PointerSystem) -> None:
    ways = [PICTURE, PICTURE.pixels, PICTURE.image()]
    answers = [system.ask(way, "where is the dog?", max_new_tokens=8) for way in ways]
    assert answers[0].text == answers[1].text == answers[2].text
    with pytest.raises(BadPicture):
        system.ask("no such file.jpg", "where is the dog?")


def test_regions_by_keyword_mapping_and_list_are_the_same(system: PointerSystem) -> None:
    it: Region = Point(30, 40)
    texts = ["what is {it}?", "is {it} a dog?"]
    ways = [
        system.ask(PICTURE, texts, it=it, max_new_tokens=8),
        system.ask(PICTURE, texts, regions={"it": it}, max_new_tokens=8),
        system.ask(PICTURE, texts, regions=[{"it": it}, {"it": it}], max_new_tokens=8),
    ]
    for answers in ways[1:]:
        assert [(a.text, a.regions) for a in answers] == [(a.text, a.regions) for a in ways[0]]


def test_a_frame_does_not_change_what_is_pointed_at(system: PointerSystem) -> None:
    pixels = Box(12, 9, 60, 45)
    same = (Box(0.1, 0.1, 0.5, 0.5, frame=UNIT), Box(100, 100, 500, 500, frame=THOUSANDTHS))
    written = [
        prompt_of(system, checked_question("what is {it}?", {"it": region}, PICTURE))
        for region in (pixels, *same)
    ]
    for other in written[1:]:
        assert other.ids == written[0].ids
        assert other.regions[0].bounds().as_tuple() == pytest.approx(
            written[0].regions[0].bounds().as_tuple()
        )


def test_no_question_no_answer(system: PointerSystem) -> None:
    assert system.ask(PICTURE, []) == []


def test_the_region_decides_what_the_network_reads(system: PointerSystem) -> None:
    ends = []
    for region in (Box(0, 0, 30, 30), Box(80, 50, 119, 89)):
        question = checked_question("what is {it}?", {"it": region}, PICTURE)
        (completion,) = decoded(system, [prompt_of(system, question)], max_new_tokens=12)
        ends.append((completion.ids, [read.masses.tolist() for read in completion.places]))
    assert ends[0] != ends[1]


# What is wrong with a call.


@pytest.mark.parametrize("text", ["", "   ", "\n", None, 3, b"what?"])
def test_a_question_needs_words(system: PointerSystem, text: object) -> None:
    with pytest.raises(UsageError, match="a question needs words"):
        system.ask(PICTURE, [text])  # type: ignore[list-item]


def test_a_missing_region_is_named(system: PointerSystem) -> None:
    with pytest.raises(UsageError, match=r"speaks of \{that\}, but the regions given are: it"):
        system.ask(PICTURE, "is {it} near {that}?", it=Point(1, 1))
    with pytest.raises(UsageError, match=r"speaks of \{it\}, but the regions given are: none"):
        system.ask(PICTURE, "what is {it}?")


def test_an_unused_region_is_named(system: PointerSystem) -> None:
    with pytest.raises(UsageError, match=r"region 'it' is not used; write \{it\}"):
        system.ask(PICTURE, "what is this?", it=Point(1, 1))


def test_a_region_is_a_region(system: PointerSystem) -> None:
    with pytest.raises(UsageError, match=r"it=\[1, 2, 3\] is not a region; expected Point, Box"):
        system.ask(PICTURE, "what is {it}?", regions={"it": [1, 2, 3]})


def test_one_mapping_for_each_question(system: PointerSystem) -> None:
    with pytest.raises(UsageError, match="2 questions came with 1 mappings"):
        system.ask(PICTURE, ["what is {it}?", "what?"], regions=[{"it": Point(1, 1)}])


@pytest.mark.parametrize("most", [0, -1, 1025, 10**9])
def test_how_long_an_answer_may_be(system: PointerSystem, most: int) -> None:
    with pytest.raises(UsageError, match=f"max_new_tokens is {most}; expected a whole number from 1 to 1024"):
        system.ask(PICTURE, "what?", max_new_tokens=most)


def test_too_many_regions(system: PointerSystem) -> None:
    names = [f"r{number}" for number in range(65)]
    text = " ".join(f"{{{name}}}" for name in names)
    regions = {name: Point(number, 5) for number, name in enumerate(names)}
    with pytest.raises(BadRegion, match="points 65 times; at most 64"):
        system.ask(PICTURE, text, regions=regions)
    with pytest.raises(BadRegion, match="points 65 times; at most 64"):
        system.ask(PICTURE, "{it} " * 65, it=Point(3, 3))
    most = {name: regions[name] for name in names[:64]}
    answer = system.ask(PICTURE, text.replace("{r64}", ""), regions=most, max_new_tokens=1)
    assert len(answer.regions) == 64


def test_too_long_a_question(system: PointerSystem) -> None:
    with pytest.raises(UsageError, match="the question has 4002 characters; at most 4000"):
        system.ask(PICTURE, "a" * 4002)
    with pytest.raises(UsageError, match=r"has 602 tokens; at most 512"):
        system.ask(PICTURE, "dog " * 600)
    assert system.ask(PICTURE, "dog " * 509, max_new_tokens=1).question


def test_a_region_outside_and_one_that_sticks_out(system: PointerSystem) -> None:
    with pytest.raises(BadRegion, match="lies outside the picture"):
        system.ask(PICTURE, "what is {it}?", it=Box(500, 500, 600, 600))
    with pytest.raises(BadRegion, match="lies outside"):
        system.ask(PICTURE, "what is {it}?", it=Point(WIDTH + 1, 5))
    with pytest.warns(RegionClipped, match="sticks out"):
        answer = system.ask(PICTURE, "what is {it}?", it=Box(100, 50, 600, 600), max_new_tokens=1)
    assert answer.regions[0][1] == Box(100, 50, WIDTH, HEIGHT, frame=PICTURE.frame)


def test_a_region_of_another_picture(system: PointerSystem) -> None:
    other = noise_picture(50, 50)
    with pytest.raises(FrameMismatch):
        system.ask(PICTURE, "what is {it}?", it=Box(1, 1, 9, 9, frame=other.frame))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_coordinates_that_are_no_numbers(system: PointerSystem, bad: float) -> None:
    for make in (lambda: Point(bad, 3), lambda: Box(1, 1, bad, 9), lambda: Scribble(((1, 1), (2, bad)))):
        with pytest.raises(BadRegion):
            system.ask(PICTURE, "what is {it}?", it=make())
    with pytest.raises(BadPicture):
        system.ask(np.full((9, 9, 3), bad), "what is this?")


CORNERS: dict[str, Region] = {
    "corner": Point(WIDTH, HEIGHT),
    "edge": Point(0, 10),
    "hair": Box(10, 10, 10.001, 80),
    "whole": Box(0, 0, WIDTH, HEIGHT),
    "line": Polygon(((5, 5), (60, 60), (5, 5))),
    "dot": Scribble(((7, 7),)),
}


@pytest.mark.parametrize("name", CORNERS)
def test_regions_at_the_edge_and_of_no_extent(system: PointerSystem, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = system.ask(PICTURE, "what is {it}?", it=CORNERS[name], max_new_tokens=2)
    assert not np.isnan([place.score for span in answer.spans for place in span.places]).any()


def test_a_mask_of_one_pixel_survives_a_smaller_view(system: PointerSystem) -> None:
    """The view has one pixel in two of the picture; the mask must not get lost between them."""
    for x, y in ((50, 50), (51, 51), (50, 51), (51, 50), (119, 89)):
        pixels = np.zeros((int(HEIGHT), int(WIDTH)), dtype=bool)
        pixels[y, x] = True
        answer = system.ask(PICTURE, "what is {it}?", it=Mask.from_array(pixels), max_new_tokens=1)
        assert len(answer.regions) == 1


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2000, 2), (3, 900), (64, 64), (7, 5)])
def test_pictures_of_any_shape(system: PointerSystem, width: int, height: int) -> None:
    picture = noise_picture(width, height)
    regions: dict[str, Region] = {"it": Box(0, 0, width, height), "at": Point(width / 2, height / 2)}
    answer = system.ask(picture, "what is {it} near {at}?", regions=regions, max_new_tokens=16)
    for place in (place for span in answer.spans for place in span.places):
        assert 0 <= place.box.x0 < place.box.x1 <= width and 0 <= place.box.y0 < place.box.y1 <= height


# History.


def earlier(text: str, *spans: Span, picture: Picture = PICTURE, **more: object) -> Answer:
    return Answer(text, spans, picture, "pointer", 0.0, **more)  # type: ignore[arg-type]


def test_a_history_is_written_as_it_was_learnt(system: PointerSystem) -> None:
    place = Place(Box(10, 10, 60, 60, frame=PICTURE.frame), 0.9)
    before = [
        earlier("A dog.", question="what is {it}?", regions=(("it", Point(30, 30, frame=PICTURE.frame)),)),
        earlier(
            "The dog is here.", Span(0, 7, "The dog", (place,), False, 0.1), question="where is the dog?"
        ),
        earlier("A cat is not here.", Span(0, 5, "A cat", (), True, 0.9), question="where is a cat?"),
    ]
    written = prompt_of(system, Question("and the hat?", (), tuple(before), (PICTURE,)))
    assert shown(system, written.ids) == (
        "<user> what is <region> ? <answer> a dog . <end> "
        "<user> where is the dog ? <answer> <p> the dog </p> <place> <found> is here . <end> "
        "<user> where is a cat ? <answer> <p> a cat </p> <place> <nowhere> is not here . <end> "
        "<user> and the hat ? <answer>"
    )
    assert [region.frame for region in written.regions] == [written.encoded[0].view.frame]


def test_a_history_changes_the_answer_and_its_own_answers_can_be_one() -> None:
    system = tiny_system()
    first = system.ask(PICTURE, "what is {it}?", it=Box(5, 5, 60, 60), max_new_tokens=10)
    second = system.ask(PICTURE, "where is the dog?", before=[first], max_new_tokens=10)
    third = system.ask(PICTURE, "is it red?", before=[first, second], max_new_tokens=10)
    plain = system.ask(PICTURE, "where is the dog?", max_new_tokens=10)
    assert isinstance(third, Answer)
    assert (second.text, second.spans) != (plain.text, plain.spans)


def test_a_history_counts_for_the_length_of_a_question(system: PointerSystem) -> None:
    long = earlier("dog " * 505, question="what?")
    with pytest.raises(UsageError, match=r"with what was said before\) has \d+ tokens; at most 512"):
        system.ask(PICTURE, "where is the dog?", before=[long])


def test_a_history_of_another_picture_is_an_error(system: PointerSystem) -> None:
    other = noise_picture(40, 40)
    place = Place(Box(1, 1, 9, 9, frame=other.frame), 0.9)
    before = [earlier("A dog.", Span(0, 5, "A dog", (place,)), picture=other, question="where?")]
    with pytest.raises(DeixisError, match="different pictures"):
        system.ask(PICTURE, "where is the dog?", before=before)


# Reading.


def test_reading_gives_phrases_with_their_places(system: PointerSystem) -> None:
    prompt = plain_prompt(system)  # 120 x 90, shown as 64 x 48 with 8 pixels of grey above
    dog = (PHRASE.id, *said(system, "the dog"), PHRASE_END.id, PLACE.id, FOUND.id)
    cat = (PHRASE.id, *said(system, "cat"), PHRASE_END.id, PLACE.id, NOWHERE.id)
    ids = (*dog, *said(system, "is here. no"), *cat, *said(system, "."), END.id)
    found = reading_of((16.0, 8.0, 32.0, 56.0))
    gone = reading_of((1.0, 1.0, 9.0, 9.0), nowhere=True)
    reading = system.parse(Completion(ids, places=(found, gone)), prompt)
    assert reading.text == "The dog is here. No cat." and reading.parse_failures == ()
    first, second = reading.spans
    assert (first.start, first.end, first.phrase) == (0, 7, "The dog")
    assert first.places[0].box.as_tuple() == pytest.approx((30, 0, 60, 90))
    assert first.places[0].score == pytest.approx(0.8) and first.nowhere_score == pytest.approx(0.1)
    assert (second.phrase, second.nowhere, second.places) == ("cat", True, ())
    assert second.nowhere_score == pytest.approx(0.9)


@pytest.mark.parametrize(("share", "told"), [(0.0, 0.001), (0.4, 0.4), (0.99995, 0.999), (1.0, 0.999)])
def test_nowhere_is_never_told_as_surer_than_is_known(
    system: PointerSystem, share: float, told: float
) -> None:
    ids = (PHRASE.id, *said(system, "cat"), PHRASE_END.id, PLACE.id, NOWHERE.id, END.id)
    gone = replace(reading_of((1.0, 1.0, 9.0, 9.0), nowhere=True), nowhere_share=share)
    (span,) = system.parse(Completion(ids, places=(gone,)), plain_prompt(system)).spans
    assert span.nowhere_score == pytest.approx(told)


@pytest.mark.parametrize("cut", range(1, 9))
def test_an_answer_that_was_cut_keeps_what_was_complete(system: PointerSystem, cut: int) -> None:
    """Wherever it is cut, also right behind a place token, the phrase before it keeps its place."""
    prompt = plain_prompt(system)
    phrase = (PHRASE.id, *said(system, "dog"), PHRASE_END.id, PLACE.id, FOUND.id)
    both = (*phrase, *said(system, "and"), *phrase, *said(system, "."))
    ids = both[: len(phrase) + cut]
    count = sum(token == FOUND.id for token in ids)
    reading = system.parse(Completion(ids, places=(reading_of((16.0, 8.0, 32.0, 56.0)),) * count), prompt)
    assert len(reading.spans) == count >= 1 and reading.spans[0].places
    assert len(reading.parse_failures) == 1
    assert reading.parse_failures[0].startswith("the answer stopped in ")


def test_places_are_read_from_the_second_look() -> None:
    """Answers hold its boxes, cut to the picture, and it may say that there is none."""
    twice = tiny_system(candidates=6)
    answers = twice.ask(PICTURE, ["where is the dog?", "cat"], max_new_tokens=20)
    places = [place for answer in answers for span in answer.spans for place in span.places]
    assert places
    for place in places:
        x0, y0, x1, y1 = place.box.as_tuple()
        assert 0 <= x0 < x1 <= WIDTH and 0 <= y0 < y1 <= HEIGHT and 0 < place.score <= 1
    before = [place.box for place in places]
    with torch.no_grad():
        twice.network.second_look.refine.bias.fill_(0.2)
    moved = twice.ask(PICTURE, ["where is the dog?", "cat"], max_new_tokens=20)
    assert [place.box for answer in moved for span in answer.spans for place in span.places] != before
    with torch.no_grad():
        twice.network.second_look.none.bias.fill_(50.0)
    gone = twice.ask(PICTURE, ["where is the dog?", "cat"], max_new_tokens=20)
    spans = [span for answer in gone for span in answer.spans]
    assert spans and all(span.nowhere and not span.places for span in spans)


def test_a_damaged_second_look_is_no_place() -> None:
    twice = tiny_system(candidates=6)
    with torch.no_grad():
        twice.network.second_look.score.bias.fill_(math.nan)
    with pytest.raises(BadWeights, match="not finite"):
        twice.ask(PICTURE, ["where is the dog?", "cat"], max_new_tokens=20)


def test_what_follows_a_mistake_is_not_read(system: PointerSystem) -> None:
    prompt = plain_prompt(system)
    good = (PHRASE.id, *said(system, "dog"), PHRASE_END.id, PLACE.id, FOUND.id)
    reading = system.parse(
        Completion((*good, PHRASE_END.id, *good, END.id), places=(reading_of((16.0, 8.0, 32.0, 56.0)),) * 2),
        prompt,
    )
    assert [span.phrase for span in reading.spans] == ["Dog"]
    assert reading.parse_failures == ("token </p> can't follow a place that was found",)


def test_memory_holds_the_last_few_pictures() -> None:
    system = tiny_system()
    one = prompt_of(system, checked_question("what?", {}, PICTURE)).encoded[0].nbytes
    system.encoded_pictures = EncodedCache(budget=4 * one + one // 2)
    for seed in range(7):
        system.ask(noise_picture(seed=seed), "what?", max_new_tokens=1)
    assert len(system.encoded_pictures) == 4
    tower: list[int] = []
    system.network.tower.register_forward_hook(lambda *_: tower.append(1))
    system.ask(noise_picture(seed=6), "what?", max_new_tokens=1)
    assert not tower
    system.ask(noise_picture(seed=0), "what?", max_new_tokens=1)
    assert len(tower) == 1


def test_asking_leaves_no_graph_behind(system: PointerSystem) -> None:
    system.ask(PICTURE, "where is the dog?", max_new_tokens=4)
    assert all(parameter.grad is None for parameter in system.network.parameters())
    assert torch.is_grad_enabled()


def test_places_are_proposed_before_anything_is_asked(system: PointerSystem) -> None:
    picture = noise_picture(120, 90)
    places = system.propose(picture)
    assert 1 < len(places) <= 100 and system.propose(picture, most=3) == places[:3]
    scores = [place.score for place in places]
    assert scores == sorted(scores, reverse=True) and 0 < scores[-1] <= scores[0] <= 1
    edges = [place.box.as_tuple() for place in places]
    assert all(0 <= x0 < x1 <= 120 and 0 <= y0 < y1 <= 90 for x0, y0, x1, y1 in edges)
    assert all(iou(edges[a], edges[b]) <= 0.6 + 1e-4 for a in range(len(edges)) for b in range(a))
