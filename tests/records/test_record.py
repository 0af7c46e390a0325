"""Records: what is read, every mistake with its place, writing and reading back, and training from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from deixis.errors import RecordError, RegionClipped
from deixis.records.markup import REGION_NAME, PlacedPhrase, parse_markup, write_markup
from deixis.records.record import (
    Record,
    RecordSource,
    RecordTurn,
    read_record,
    read_records,
    write_record,
)
from deixis.regions.frames import NAMED
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble

WIDTH, HEIGHT = 80, 40
GOOD: dict[str, Any] = {
    "picture": "photo.jpg",
    "frame": "pixels",
    "regions": {"a": {"box": [10, 5, 30, 25]}, "p": {"point": [12, 8]}},
    "turns": [{"user": "What is {p}?", "assistant": "It is [a dog](a)."}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (WIDTH, HEIGHT), (200, 30, 30)).save(tmp_path / "photo.jpg")
    return tmp_path


def written(folder: Path, *lines: object) -> Path:
    path = folder / "records.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def answering(marked: str, **regions: object) -> dict[str, Any]:
    return GOOD | {"regions": GOOD["regions"] | regions, "turns": [{"user": "What?", "assistant": marked}]}


def test_a_record_is_read_with_its_places(folder: Path) -> None:
    (record,) = read_records(written(folder, GOOD))
    assert record.regions == (("a", Box(10, 5, 30, 25)), ("p", Point(12, 8)))
    assert record.turns == (RecordTurn("What is {p}?", "It is a dog.", (PlacedPhrase(6, 11, ("a",)),)),)
    assert (record.file.name, record.line, record.path) == ("records.jsonl", 1, folder / "photo.jpg")


def test_blank_lines_are_skipped_and_counted(folder: Path) -> None:
    path = written(folder, "", GOOD, "   ", GOOD)
    assert [record.line for record in read_records(path)] == [2, 4]
    assert read_record(path, 4).line == 4
    with pytest.raises(RecordError, match="no sample on line 3; its last one is on line 4"):
        read_record(path, 3)


def test_one_record_is_read_beside_broken_ones(folder: Path) -> None:
    assert read_record(written(folder, "{", GOOD), 2).picture == "photo.jpg"


@pytest.mark.parametrize(
    ("marked", "text", "phrases"),
    [
        ("no place", "no place", ()),
        ("[a dog](a)", "a dog", (PlacedPhrase(0, 5, ("a",)),)),
        ("[two dogs]( a ,b ).", "two dogs.", (PlacedPhrase(0, 8, ("a", "b")),)),
        ("no [cat]()", "no cat", (PlacedPhrase(3, 6),)),
        (r"\[a\](b) is \\ plain", r"[a](b) is \ plain", ()),
        (r"[a \[very\] big dog](a)", "a [very] big dog", (PlacedPhrase(0, 16, ("a",)),)),
        ("f(x) is (fine)", "f(x) is (fine)", ()),
        ("[a](a)[b](b)", "ab", (PlacedPhrase(0, 1, ("a",)), PlacedPhrase(1, 2, ("b",)))),
    ],
)
def test_markup(marked: str, text: str, phrases: tuple[PlacedPhrase, ...]) -> None:
    assert parse_markup(marked) == (text, phrases)
    assert parse_markup(write_markup(text, phrases)) == (text, phrases)


MISTAKES = [
    ("{", "records.jsonl:1: is not valid JSON"),
    ("[1, 2]", "records.jsonl:1: is a JSON list; expected one object a line"),
    ('{"picture": "photo.jpg", "picture": "b.jpg"}', "key 'picture' is given twice"),
    ("[" * 100_000, "is not valid JSON"),
    ('{"picture": ' + "9" * 5000 + "}", "is not valid JSON"),
    (GOOD | {"picture": None}, "field 'picture' is missing or null; expected the file name"),
    (GOOD | {"picture": 7}, "field 'picture' is 7; expected the file name"),
    (GOOD | {"picture": " "}, "field 'picture' is"),
    (GOOD | {"picture": "none.jpg"}, "field 'picture' is \"none.jpg\"; expected a picture"),
    (GOOD | {"picture": "../photo.jpg"}, "field 'picture' is \"../photo.jpg\", which leads out of"),
    (GOOD | {"picture": "/etc/hostname"}, "which leads out of"),
    (GOOD | {"picture": "a\0b"}, "which leads out of"),
    (GOOD | {"picture": "x" * 5000}, "field 'picture' is"),
    (GOOD | {"frame": None}, "field 'frame' is missing or null; expected one of pixels, unit, thousandths"),
    (GOOD | {"frame": "percent"}, "field 'frame' is \"percent\"; expected one of pixels"),
    (GOOD | {"frame": ["unit"]}, "field 'frame' is"),
    (GOOD | {"region": {}}, "field 'region' is no field of a sample; did you mean 'regions'?"),
    (GOOD | {"regions": []}, "field 'regions' is []; expected an object"),
    (GOOD | {"regions": None}, "field 'regions' is missing or null"),
    (GOOD | {"regions": {"1a": {"point": [1, 2]}}}, "field 'regions.1a' has a name that is not letters"),
    (
        answering("x", b=[1, 2, 3, 4]),
        "field 'regions.b' is [1, 2, 3, 4]; expected an object with exactly one of",
    ),
    (answering("x", b={}), "field 'regions.b' is {}; expected an object with exactly one of box, point"),
    (answering("x", b={"circle": [1, 2, 3]}), "field 'regions.b' is"),
    (answering("x", b={"box": [1, 2, 3, 4], "point": [1, 2]}), "with exactly one of"),
    (
        answering("x", b={"box": [1, 2, 3]}),
        "field 'regions.b' is [1, 2, 3]; expected 4 finite numbers x0, y0",
    ),
    (answering("x", b={"box": [1, 2, 3, "4"]}), "expected 4 finite numbers"),
    (answering("x", b={"box": [1, 2, 3, True]}), "expected 4 finite numbers"),
    (answering("x", b={"box": [1, 2, 3, float("nan")]}), "expected 4 finite numbers"),
    (answering("x", b={"box": [1, 2, 3, 10**400]}), "expected 4 finite numbers"),
    (answering("x", b={"box": [1, 2, 3, 1e200]}), "expected finite numbers of ordinary size"),
    (answering("x", b={"box": [30, 5, 10, 25]}), "field 'regions.b' box (30, 5, 10, 25) needs x0 < x1"),
    (answering("x", b={"point": [1]}), "expected 2 finite numbers x, y"),
    (answering("x", b={"polygon": [[1, 2], [3, 4]]}), "polygon needs 3 to"),
    (answering("x", b={"polygon": 3}), "expected a list of points [x, y]"),
    (answering("x", b={"scribble": []}), "scribble needs 1 to"),
    (answering("x", b={"scribble": [1, 2]}), "expected 2 finite numbers x, y"),
    (answering("x", b={"mask": "abc"}), 'expected {"size": [height, width]'),
    (answering("x", b={"mask": {"size": [2], "counts": [4]}}), "needs 'size': [height, width]"),
    (answering("x", b={"mask": {"size": [2, 2], "counts": [4]}}), "mask is empty"),
    (answering("x", b={"mask": {"size": [2, 2], "counts": [1, 9]}}), "mask runs add up to 10"),
    (answering("x", b={"mask": {"size": [2, 2], "counts": "~~"}}), "is not a compressed COCO mask"),
    (GOOD | {"turns": None}, "field 'turns' is missing or null; expected a list"),
    (GOOD | {"turns": []}, "field 'turns' is []; expected a list"),
    (GOOD | {"turns": ["hello"]}, "field 'turns[0]' is \"hello\"; expected an object"),
    (
        GOOD | {"turns": [{"user": "a", "assistant": "b", "system": "c"}]},
        "field 'turns[0].system' is no field",
    ),
    (GOOD | {"turns": [{"assistant": "b"}]}, "field 'turns[0].user' is missing or null; expected a question"),
    (
        GOOD | {"turns": [{"user": "a", "assistant": ""}]},
        "field 'turns[0].assistant' is \"\"; expected an answer",
    ),
    (GOOD | {"turns": [{"user": "a\ud800", "assistant": "b"}]}, "with half a character"),
    (
        GOOD | {"turns": [{"user": "{z}?", "assistant": "b"}]},
        "'turns[0].user' speaks of {z}, but the regions given are: a, p. To write braces themselves",
    ),
    (
        GOOD | {"turns": [{"user": 'Give {"bbox_2d": [1]} of {a}', "assistant": "b"}]},
        'double them: {{"bbox_2d": [1]}}',
    ),
    (answering("[a dog](z)"), "'turns[0].assistant' has the region (z) as a place; expected one of a, p"),
    (answering("[a dog](p)"), "has the point (p) as a place; expected a box, polygon or mask"),
    (answering("[a dog](s)", s={"scribble": [[1, 2]]}), "has the scribble (s) as a place"),
    (answering("[a dog]"), "field 'turns[0].assistant' has a bracket without its place at '[a dog]'"),
    (answering("a dog](a)"), "has a bracket without its place"),
    (answering("[a dog](a"), "has a bracket without its place"),
    (answering("[a [big] dog](a)"), "has a bracket without its place"),
    (answering("[ ](a)"), "has an empty phrase"),
    (answering("[a dog](a,)"), "has the place (a,); expected different region names"),
    (answering("[a dog](a, a)"), "expected different region names"),
    (answering("[a dog](a b)"), "expected different region names"),
    (answering("c:\\new"), "has a backslash before 'n'"),
    (answering("end\\"), "has a backslash before ''"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_every_mistake_names_file_line_and_field(folder: Path, line: object, message: str) -> None:
    path = written(folder, line)
    with pytest.raises(RecordError) as fault:
        list(read_records(path))
    assert str(fault.value).startswith(f"{path}:1: ")
    assert message in str(fault.value)


def test_a_mistake_comes_after_the_good_records_before_it(folder: Path) -> None:
    records = read_records(written(folder, GOOD, "{"))
    assert next(records).line == 1
    with pytest.raises(RecordError, match=r"records\.jsonl:2: "):
        next(records)


def test_an_overlong_line_is_refused_and_the_next_one_read(folder: Path) -> None:
    path = written(folder, '"' + "x" * (9 << 20) + '"', GOOD)
    with pytest.raises(RecordError, match=r":1: is over 4,194,304 bytes"):
        list(read_records(path))
    assert read_record(path, 2).line == 2


def test_a_missing_file_is_a_record_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        list(read_records(tmp_path / "none.jsonl"))


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "photo.jpg").symlink_to(folder / "photo.jpg")
    with pytest.raises(RecordError, match="leads out of"):
        list(read_records(written(inner, GOOD)))


@pytest.mark.parametrize(
    "frame, factor", [("pixels", (1, 1)), ("unit", (80, 40)), ("thousandths", (0.08, 0.04))]
)
def test_all_frames_mean_the_same_place(folder: Path, frame: str, factor: tuple[float, float]) -> None:
    def own(x: float, y: float) -> list[float]:
        return [x / factor[0], y / factor[1]]

    regions = {
        "a": {"box": own(10, 5) + own(30, 25)},
        "t": {"polygon": [own(40, 5), own(60, 5), own(60, 25)]},
    }
    turns = [{"user": "What is {t}?", "assistant": "[a dog](a) and [a roof](t)"}]
    (record,) = read_records(written(folder, GOOD | {"frame": frame, "regions": regions, "turns": turns}))
    example = record.to_example()
    (turn,) = example.dialogues[0].turns
    assert [m.boxes[0].as_tuple() for m in turn.marks] == [
        pytest.approx((10, 5, 30, 25)),
        pytest.approx((40, 5, 60, 25)),
    ]
    assert {box.frame for mark in turn.marks for box in mark.boxes} == {example.picture.frame}
    ((name, region),) = turn.regions
    assert name == "t" and region.bounds().as_tuple() == pytest.approx((40, 5, 60, 25))


def test_letterboxed_regions_and_places_follow_the_picture(folder: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[10:30, 40:60] = True
    speck = np.zeros((HEIGHT, WIDTH), dtype=bool)
    speck[1, 1] = True
    regions = GOOD["regions"] | {
        "m": {"mask": Mask.from_array(mask).to_coco()},
        "s": {"mask": Mask.from_array(speck).to_coco()},
    }
    turns = [{"user": "{p} {m} {s}", "assistant": "[a dog](a), [a cat](m), no [bird]()"}]
    (record,) = read_records(written(folder, GOOD | {"regions": regions, "turns": turns}))
    example = record.to_example(16)
    assert example.picture.pixels.shape == (16, 16, 3)
    (turn,) = example.dialogues[0].turns
    # 80 x 40 becomes 16 x 8 with 4 rows of grey above and below.
    assert [[b.as_tuple() for b in mark.boxes] for mark in turn.marks] == [
        [pytest.approx((2, 5, 6, 9))],
        [pytest.approx((8, 6, 12, 10))],
        [],
    ]
    asked = dict(turn.regions)
    assert isinstance(asked["p"], Point) and (asked["p"].x, asked["p"].y) == pytest.approx((2.4, 5.6))
    assert asked["m"].bounds().as_tuple() == (8, 6, 12, 10)
    assert isinstance(asked["s"], Box)  # no pixel of 16 x 16 has its centre in the speck
    assert {region.frame for region in asked.values()} == {example.picture.frame}


def test_regions_outside_are_refused_and_those_that_stick_out_cut(folder: Path) -> None:
    outside, sticking = (
        answering("[x](b)", b={"box": [90, 5, 95, 9]}),
        answering("[x](b)", b={"box": [70, 5, 95, 9]}),
    )
    first, second = read_records(written(folder, outside, sticking))
    with pytest.raises(
        RecordError, match=r"records\.jsonl:1: field 'regions\.b' box .* lies outside the picture"
    ):
        first.to_example()
    with pytest.warns(RegionClipped):
        example = second.to_example()
    assert example.dialogues[0].turns[0].marks[0].boxes[0].as_tuple() == (70, 5, 80, 9)


def test_a_mask_of_another_size_is_refused(folder: Path) -> None:
    mask = Mask.from_array(np.ones((3, 3))).to_coco()
    (record,) = read_records(written(folder, answering("[x](b)", b={"mask": mask})))
    with pytest.raises(RecordError, match=r"regions\.b"):
        record.to_example()


def test_a_damaged_picture_names_the_record(folder: Path) -> None:
    whole = (folder / "photo.jpg").read_bytes()
    (record,) = read_records(written(folder, GOOD))
    for content, message in ((whole[:300], "damaged or cut"), (b"no picture", "not a picture")):
        (folder / "photo.jpg").write_bytes(content)
        with pytest.raises(RecordError, match=rf":1: field 'picture' .*{message}"):
            record.to_example()


def test_a_picture_in_another_format_is_read(folder: Path) -> None:
    Image.new("RGB", (WIDTH, HEIGHT), (200, 30, 30)).save(folder / "photo.png")
    (record,) = read_records(written(folder, GOOD | {"picture": "photo.png"}))
    assert record.to_example().picture.pixels[0, 0].tolist() == [200, 30, 30]


def test_a_source_gives_the_same_example_every_time(folder: Path) -> None:
    source = RecordSource(list(read_records(written(folder, GOOD, GOOD))), side=32)
    assert len(source) == 2
    first = source.example(1, np.random.default_rng(0))
    again = source.example(1, np.random.default_rng(1))
    assert first.name == "records.jsonl:2" and first.dialogues == again.dialogues
    assert np.array_equal(first.picture.pixels, again.picture.pixels)
    with pytest.raises(RecordError, match="no samples"):
        RecordSource([], side=32)


def test_a_record_that_reads_back_differently_is_not_written(folder: Path) -> None:
    path = folder / "out.jsonl"
    wrong = [
        Record("../photo.jpg", "pixels", (), (RecordTurn("a", "b"),)),
        Record(
            "photo.jpg", "pixels", (("a", Box(0, 0, 1, 1, frame=NAMED["unit"])),), (RecordTurn("a", "b"),)
        ),
        Record("photo.jpg", "pixels", (), (RecordTurn("{a}", "b"),)),
        Record("photo.jpg", "pixels", (), (RecordTurn("a", "bcd", (PlacedPhrase(2, 1),)),)),
        Record("photo.jpg", "pixels", (), (RecordTurn("a", "b\udc00"),)),
    ]
    for record in wrong:
        with pytest.raises(RecordError):
            write_record(record, path)
    assert not path.exists()


coordinate = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: value + 0.0)
pair = st.tuples(coordinate, coordinate)
names = st.from_regex(REGION_NAME, fullmatch=True).filter(str.isascii)
# Any characters a file can hold, brackets and backslashes often among them.
words = st.text(st.one_of(st.sampled_from("[]()\\{} ab"), st.characters(codec="utf-8")), min_size=1).filter(
    str.strip
)


def pair_in(frame: str) -> st.SearchStrategy[tuple[float, float]]:
    """Coordinates that a frame has: fractions of a picture are refused where they can't be any."""
    share = st.floats(-0.5, 1).map(lambda value: value + 0.0)
    return st.tuples(share, share) if frame == "unit" else pair


@st.composite
def boxes(draw: st.DrawFn, frame: str) -> Box:
    x, y = draw(pair_in(frame))
    most = 0.5 if frame == "unit" else 1e3
    wide, high = draw(st.floats(0.25, most)), draw(st.floats(0.25, most))
    return Box(x, y, x + wide, y + high, frame=NAMED[frame])


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    cells = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width).filter(any))
    return Mask.from_array(np.array(cells).reshape(height, width))


@st.composite
def turns(draw: st.DrawFn, regions: dict[str, Region]) -> RecordTurn:
    places = [name for name, region in regions.items() if not isinstance(region, Point | Scribble)]
    text, phrases = draw(words), []
    for _ in range(draw(st.integers(0, 3))):
        phrase = draw(words)
        chosen = draw(st.lists(st.sampled_from(places), unique=True)) if places else []
        phrases.append(PlacedPhrase(len(text), len(text) + len(phrase), tuple(chosen)))
        text += phrase + draw(words)
    asked = draw(st.lists(st.sampled_from(list(regions)))) if regions else []
    plain = draw(words).replace("{", "x")
    return RecordTurn(plain + "".join(f"{{{name}}}" for name in asked), text, tuple(phrases))


@st.composite
def records(draw: st.DrawFn) -> Record:
    frame = draw(st.sampled_from(sorted(NAMED)))
    places = pair_in(frame)
    kinds = st.one_of(
        boxes(frame),
        places.map(lambda at: Point(*at, frame=NAMED[frame])),
        st.lists(places, min_size=3, max_size=6).map(lambda p: Polygon(tuple(p), frame=NAMED[frame])),
        st.lists(places, min_size=1, max_size=6).map(lambda p: Scribble(tuple(p), frame=NAMED[frame])),
        masks(),
    )
    regions = draw(st.dictionaries(names, kinds, max_size=4))
    said = draw(st.lists(turns(regions), min_size=1, max_size=3))
    return Record("photo.jpg", frame, tuple(regions.items()), tuple(said))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records())
def test_what_is_written_is_read_back_the_same(folder: Path, record: Record) -> None:
    path = folder / "written.jsonl"
    path.unlink(missing_ok=True)
    write_record(record, path)
    write_record(record, path)
    assert list(read_records(path)) == [record, record]


def test_braces_themselves_are_doubled(folder: Path) -> None:
    turns = [{"user": 'Give {{"bbox_2d": ...}} of {a}', "assistant": '{"bbox_2d": 1}'}]
    (record,) = read_records(written(folder, GOOD | {"turns": turns}))
    assert record.turns[0].asked == ("a",)
    assert record.turns[0].question == turns[0]["user"]
