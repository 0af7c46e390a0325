"""The Flickr30k Entities reader on a small folder made here, and on the real sample where it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from deixis.data.sources import read_scenes
from deixis.data.sources.flickr30k_entities import read_flickr30k_entities
from deixis.errors import RecordError

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "formats" / "flickr30k_entities"
BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
DOGS = "<object><name>1</name><name>3</name>" + BOX.format(11, 6, 30, 25) + "</object>"
BALL = "<object><name>2</name>" + BOX.format(80, 40, 80, 40) + "</object>"
LAKE = "<object><name>4</name><scene>1</scene><nobndbox>0</nobndbox></object>"
SENTENCES = (
    "[/EN#1/people/animals Two brown dogs] chase [/EN#2/other a ball] by [/EN#4/scene the lake] .\n"
    "\n"
    "[/EN#3/animals Dogs] run in [/EN#0/notvisual it] .\n"
)


def written(folder: Path, *, objects: str = DOGS + BALL + LAKE, sentences: str = SENTENCES) -> Path:
    for name in ("Annotations", "Sentences", "flickr30k-images"):
        (folder / name).mkdir()
    size = "<size><width>80</width><height>40</height><depth>3</depth></size>"
    (folder / "Annotations" / "7.xml").write_text(
        f"<annotation>{size}{objects}</annotation>", encoding="utf-8"
    )
    (folder / "Sentences" / "7.txt").write_text(sentences, encoding="utf-8")
    Image.new("RGB", (80, 40)).save(folder / "flickr30k-images" / "7.jpg")
    (folder / "train.txt").write_text("7\n", encoding="utf-8")
    return folder


def test_boxes_captions_and_links(tmp_path: Path) -> None:
    (scene,) = read_scenes(written(tmp_path), "train")
    assert (scene.id, scene.width, scene.height, scene.source) == ("7", 80, 40, "flickr30k_entities")
    dogs, ball = scene.things
    # 1-based inclusive corners become 0-based continuous edges.
    assert dogs.box.as_tuple() == (10, 5, 30, 25) and ball.box.as_tuple() == (79, 39, 80, 40)
    assert (dogs.category, ball.category, ball.supercategory) == ("dogs", "ball", "other")
    first, second = scene.captions
    assert first.text == "Two brown dogs chase a ball by the lake ."
    assert [phrase.things for phrase in first.phrases] == [(1,), (2,), ()]
    assert first.phrases[0].types == ("people", "animals")
    assert [(phrase.text, phrase.entity, phrase.things) for phrase in second.phrases] == [
        ("Dogs", "3", (1,)),
        ("it", "0", ()),
    ]
    for caption in scene.captions:
        assert all(caption.text[p.start : p.end] == p.text for p in caption.phrases)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\x1c", "\x1e"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_line_ends_end_captions(tmp_path: Path, mark: str, end: str) -> None:
    lines = [f"[/EN#1/people Two dogs]{mark}chase [/EN#2/other a ball] .", "Dogs run .", ""]
    folder = written(tmp_path)
    (folder / "Sentences" / "7.txt").write_bytes(end.join(lines).encode())
    (scene,) = read_scenes(folder, "train")
    assert [caption.text for caption in scene.captions] == [f"Two dogs{mark}chase a ball .", "Dogs run ."]
    assert [phrase.things for phrase in scene.captions[0].phrases] == [(1,), (2,)]


def test_a_box_that_no_caption_speaks_of_is_an_object(tmp_path: Path) -> None:
    (scene,) = read_scenes(written(tmp_path, sentences="Nothing .\n"), "train")
    assert [thing.category for thing in scene.things] == ["object", "object"]


@pytest.mark.parametrize(
    ("objects", "sentences", "message"),
    [
        (
            "<object>" + BOX.format(1, 1, 99, 9) + "</object>",
            "x",
            "object 0: box .* is not inside the picture",
        ),
        ("<object>" + BOX.format(9, 9, 5, 9) + "</object>", "x", "is not inside the picture"),
        ("<object>" + BOX.format("a", 9, 5, 9) + "</object>", "x", "<xmin> is 'a'; expected a whole number"),
        ("<object><bndbox/></object>", "x", "<xmin> is None"),
        ("<object>", "x", "is not valid XML"),
        ("<!ENTITY x 'y'>", "x", "these are refused"),
        (BALL, "[/EN#1 dogs]", r"7\.txt:1: phrase mark"),
        (BALL, "[/EN#1/x dogs", r"7\.txt:1: phrase mark"),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, objects: str, sentences: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_flickr30k_entities(written(tmp_path, objects=objects, sentences=sentences), "train")


def test_missing_pieces_are_named(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with pytest.raises(RecordError, match=r"no split 'val' .*; it has: train"):
        read_flickr30k_entities(folder, "val")
    (folder / "train.txt").write_text("../7\n")
    with pytest.raises(RecordError, match="leads out of"):
        read_flickr30k_entities(folder, "train")
    (folder / "train.txt").write_text("8\n")
    with pytest.raises(RecordError, match=r"8\.jpg does not exist"):
        read_flickr30k_entities(folder, "train")
    (folder / "train.txt").write_text("7\n")
    (folder / "Sentences" / "7.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match="is not UTF-8"):
        read_flickr30k_entities(folder, "train")


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real sample is not beside the checkout")
def test_the_real_sample() -> None:
    scenes = [scene for split in ("train", "val") for scene in read_scenes(SAMPLE, split)]
    assert len(scenes) == 40 and all(len(scene.captions) == 5 for scene in scenes)
    for scene in scenes:
        with Image.open(scene.picture.path) as image:
            assert image.size == (scene.width, scene.height)
        named = {
            number for caption in scene.captions for phrase in caption.phrases for number in phrase.things
        }
        assert named <= {thing.id for thing in scene.things}
        assert not any("[" in caption.text for caption in scene.captions)
    duck = next(scene for scene in scenes if scene.id == "1022454332")
    (phrase,) = (p for p in duck.captions[0].phrases if p.text == "a lone duck")
    assert [duck.thing(number).box.as_tuple() for number in phrase.things] == [(365, 238, 393, 257)]
