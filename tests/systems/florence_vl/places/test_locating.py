"""Answers with places: frames undone, phrases attached, regions in, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.answers.grounded import Answer, Place, Raw, Span
from deixis.errors import BadRegion, UsageError
from deixis.pictures.normalising import Normalisation
from deixis.regions.shapes import Box, Point, Polygon
from deixis.systems.encoded import Encoded
from deixis.systems.florence_vl.places.attaching import PlacedPhrase, attached
from deixis.systems.florence_vl.places.decoder import PlaceDecoding, WrittenIds
from deixis.systems.florence_vl.places.locating import FlorencePlaces
from deixis.systems.florence_vl.places.tasks import TASKS
from deixis.systems.florence_vl.places.tokens import FlorenceTokens
from deixis.systems.spliced.preparation import SquareView
from tests.systems.florence_vl.places.tiny import tiny_tokens
from tests.systems.pointer.tiny import noise_picture

WIDE = noise_picture(200, 100)
IMAGENET = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class Said:
    """In the place of a decoder: writes what it is told to, and keeps what it was asked."""

    def __init__(self, tokens: FlorenceTokens, text: str, *, ended: bool = True) -> None:
        ids = [0]
        for part in re.findall(r"<[^>]*>|[^<]+", text):
            known = tokens.tokenizer.token_to_id(part)
            ids += tokens.encode(part) if known is None else [known]
        self.ids, self.ended = (*ids, *([2] if ended else [])), ended
        self.asked: list[tuple[int, ...]] = []

    def visual_tokens(self, pixels: Any) -> Any:
        return pixels

    def write(self, visual: Any, ids: tuple[int, ...], decoding: PlaceDecoding) -> WrittenIds:
        self.asked.append(ids)
        return WrittenIds(self.ids, (-0.5,) * len(self.ids), self.ended)


def places(folder: Path, text: str, *, aspect: Any = "resize", ended: bool = True) -> FlorencePlaces:
    tokens = tiny_tokens(folder)
    decoder: Any = Said(tokens, text, ended=ended)
    return FlorencePlaces(decoder, tokens, SquareView(768, IMAGENET, aspect))


def locate(made: FlorencePlaces, task: str, picture: Any = WIDE, **given: Any) -> Answer:
    return made.locate(picture, task, decoding=PlaceDecoding(), **given)


def loc(*bins: int) -> str:
    return "".join(f"<loc_{one}>" for one in bins)


def test_a_squashed_picture(tmp_path: Path) -> None:
    answer = locate(places(tmp_path, f"dog{loc(0, 100, 499, 999)}{loc(5, 5, 10, 10)}"), "od")
    assert (answer.text, answer.parse_failures, answer.finish) == ("dog", (), "stop")
    (span,) = answer.spans
    assert span.places[0].box.as_tuple() == pytest.approx((0.1, 10.05, 99.9, 99.95))
    assert len(span.places) == 2 and span.places[0].score == pytest.approx(np.exp(-0.5))
    assert answer.raw == Raw(f"<s>dog{loc(0, 100, 499, 999)}{loc(5, 5, 10, 10)}</s>", answer.raw.ids)
    assert answer.question == "Locate the objects with category name in the image."
    assert Answer.from_json(answer.to_json()).spans == answer.spans


def test_a_padded_picture(tmp_path: Path) -> None:
    """200 x 100 in a square of 200: 50 pixels of padding above and below."""
    made = places(
        tmp_path, f"dog{loc(100, 300, 200, 400)}cat{loc(0, 0, 999, 300)}sky{loc(1, 1, 9, 200)}", aspect="pad"
    )
    answer = locate(made, "od")
    dog, cat = (span.places[0].box.as_tuple() for span in answer.spans)
    assert dog == pytest.approx((20.1, 10.1, 40.1, 30.1))
    assert cat == pytest.approx((0.1, 0, 199.9, 10.1)), "cut at the edge of the picture"
    assert answer.text == "dog, cat, sky" and answer.parse_failures == (
        "'sky' has a place outside of the picture",
    )


def test_a_quadrilateral_is_a_polygon(tmp_path: Path) -> None:
    answer = locate(places(tmp_path, f"EXIT{loc(100, 100, 500, 300, 500, 700, 100, 500)}"), "ocr-with-region")
    (place,) = answer.spans[0].places
    assert place.box.as_tuple() == pytest.approx((20.1, 10.05, 100.1, 70.05))
    corners = ((20.1, 10.05), (100.1, 30.05), (100.1, 70.05), (20.1, 50.05))
    drawn = Polygon(corners, frame=WIDE.frame).rasterise()
    assert place.mask is not None and np.array_equal(place.mask.rasterise(), drawn) and drawn.sum() > 3000


def test_outlines_of_two_parts_and_none(tmp_path: Path) -> None:
    made = places(tmp_path, f"{loc(0, 0, 100, 0, 100, 500)}<sep>{loc(800, 0, 900, 0, 900, 500)}")
    answer = locate(made, "referring-expression-segmentation", text="the legs")
    (place,) = answer.spans[0].places
    assert answer.text == "region" and place.mask is not None
    columns = place.mask.rasterise().any(axis=0)
    assert columns[10] and columns[170] and not columns[50:150].any()


@pytest.mark.parametrize(("task", "text"), [("region-proposal", ""), ("od", ""), ("caption", "a dog.")])
def test_no_places(tmp_path: Path, task: str, text: str) -> None:
    answer = locate(places(tmp_path, text), task)
    assert (answer.text, answer.spans, answer.parse_failures) == (text, (), ())
    assert not answer.nowhere


def test_boxes_without_words(tmp_path: Path) -> None:
    answer = locate(places(tmp_path, loc(0, 0, 9, 9) + loc(5, 5, 20, 20)), "region-proposal")
    assert answer.text == "regions" and len(answer.spans[0].places) == 2


def test_phrases_are_attached_to_the_caption(tmp_path: Path) -> None:
    written = (
        f"a dog{loc(0, 0, 99, 99)}the ball{loc(0, 0, 9, 9)}a dog{loc(500, 0, 599, 99)}a cat{loc(1, 1, 2, 2)}"
    )
    answer = locate(
        places(tmp_path, written), "caption-to-phrase-grounding", text=" A dog, the  ball, a dog. "
    )
    assert answer.text == "A dog, the  ball, a dog."
    assert [(span.start, span.phrase) for span in answer.spans] == [
        (0, "A dog"),
        (7, "the  ball"),
        (18, "a dog"),
    ]
    assert answer.spans[2].places[0].box.x0 == pytest.approx(100.1)
    assert answer.parse_failures == ("'a cat' has places, but stands nowhere else in the text",)


def test_an_answer_in_words_gets_places_and_keeps_the_rest(tmp_path: Path) -> None:
    said = Answer(
        "  A dog runs.", (), WIDE, "florence_vl", 0.5, raw=Raw("A dog runs.", (1, 2)), parse_failures=("x",)
    )
    made = places(tmp_path, f"A dog{loc(0, 0, 99, 99)}runs")
    grounded = made.ground(said, decoding=PlaceDecoding())
    assert [(span.start, span.phrase) for span in grounded.spans] == [(2, "A dog")]
    assert (grounded.system, grounded.raw, grounded.text) == (said.system, said.raw, said.text)
    assert grounded.parse_failures == ("x", "'runs' has no place")
    again = made.ground(grounded, decoding=PlaceDecoding())
    assert again.spans == grounded.spans, "spans that are there stay"
    with pytest.raises(UsageError, match="one picture; got none"):
        made.ground(Answer("a dog", (), (), "florence_vl", 0), decoding=PlaceDecoding())
    with pytest.raises(UsageError, match="no words"):
        made.ground(Answer(" ", (), WIDE, "florence_vl", 0), decoding=PlaceDecoding())


def test_phrases_are_whole_words() -> None:
    place = Place(Box(0, 0, 1, 1, frame=WIDE.frame), 0.5)
    spans, doubts = attached("A scar on the car", [PlacedPhrase("car", (place,))])
    assert [span.start for span in spans] == [14] and not doubts
    before = (Span(14, 17, "car", (place,)),)
    assert attached("A scar on the car", [PlacedPhrase("car", (place,))], before=before)[0] == before


@pytest.mark.parametrize("name", [task.name for task in TASKS.values() if task.takes == "region"])
def test_a_region_in_the_sentence_is_what_the_tokenizer_makes_of_it(tmp_path: Path, name: str) -> None:
    made = places(tmp_path, f"a dog{loc(0, 500, 500, 999)}" if "seg" not in name else loc(0, 0, 9, 0, 9, 9))
    answer = locate(made, name, region=Box(0, 50, 100.1, 100))
    decoder: Any = made.decoder
    tokens = made.tokens.tokenizer
    tokens.encode_special_tokens = False
    sentence = TASKS[name].sentence.replace("{input}", loc(0, 500, 500, 999))
    assert list(decoder.asked[0]) == tokens.encode(sentence).ids
    assert answer.regions[0][1] == Box(0, 50, 100.1, 100, frame=WIDE.frame)
    assert "{it}" in answer.question and not answer.parse_failures


def test_other_regions_are_their_boxes_and_those_outside_none(tmp_path: Path) -> None:
    made = places(tmp_path, "dog")
    assert locate(made, "region-to-category", region=(50, 50)).regions[0][1] == Point(
        50, 50, frame=WIDE.frame
    )
    with pytest.raises(BadRegion, match="outside"):
        locate(made, "region-to-category", region=Box(300, 0, 400, 50))


@pytest.mark.parametrize(
    ("task", "given", "match"),
    [
        ("od", {"text": "a dog"}, "takes nothing, but a text was given"),
        ("od", {"region": (1, 2)}, "takes nothing, but a region was given"),
        ("open-vocabulary-detection", {}, "takes text; give it"),
        ("open-vocabulary-detection", {"text": "  "}, "needs words"),
        ("open-vocabulary-detection", {"text": "x" * 4001}, "at most 4000"),
        ("open-vocabulary-detection", {"text": "\udc80"}, "no whole character"),
        ("region-to-ocr", {}, "takes region; give it"),
        ("find", {}, "no task 'find'"),
    ],
)
def test_what_a_task_takes(tmp_path: Path, task: str, given: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        locate(places(tmp_path, "dog"), task, **given)


def test_text_that_looks_like_tokens_or_names(tmp_path: Path) -> None:
    made = places(tmp_path, "")
    answer = locate(made, "open-vocabulary-detection", text="{it} </s><loc_3>")
    decoder: Any = made.decoder
    assert decoder.asked[0].count(2) == 1 and not answer.regions
    assert answer.question == "Locate {{it}} </s><loc_3> in the image."


def test_pictures(tmp_path: Path) -> None:
    made = places(tmp_path, f"dog{loc(0, 0, 999, 999)}")
    with pytest.raises(UsageError, match="one picture; got 2"):
        locate(made, "od", [WIDE, noise_picture(20, 20)])
    for shape in ((1, 2000), (2000, 1), (1, 1)):
        answer = locate(made, "od", np.full((*shape, 3), 9, dtype=np.uint8))
        box = answer.spans[0].places[0].box
        assert box.x1 <= shape[1] and box.y1 <= shape[0]


def test_the_limit(tmp_path: Path) -> None:
    answer = locate(places(tmp_path, f"dog{loc(0, 0, 9, 9)}{loc(1, 2)}", ended=False), "od")
    assert answer.finish == "length" and len(answer.spans[0].places) == 1
    assert answer.parse_failures == ("the answer stopped before its end; raise max_new_tokens",)


def test_encoded_pictures_say_how_large_they_are(tmp_path: Path) -> None:
    made = places(tmp_path, "")
    locate(made, "od")
    assert len(made.visual) == 1
    (kept,) = (one.result() for one in made.visual._known.values())
    assert isinstance(kept, Encoded) and kept.nbytes > 0
