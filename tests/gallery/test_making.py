from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from deixis.data.scene import Caption, Phrase, Scene
from deixis.data.sources.pack import read_pack
from deixis.errors import UsageError
from deixis.evaluation.runner import Answerer
from deixis.gallery.exhibits import Gallery
from deixis.gallery.kinds import (
    ABSENT,
    CAPTION,
    LOCATE,
    NAME_BOX,
    NOT_JUDGED,
    PRESENT,
    RIGHT,
    VERDICTS,
    WRONG,
)
from deixis.gallery.making import make_gallery
from tests.gallery.guessing import Guessing
from tests.gallery.readers import Page, read_page
from tests.systems.pointer.tiny import tiny_system
from tests.toy.pack import write_toy_pack

HOSTILE = '</p><script>alert("1")</script> & <img src=x onerror="alert(1)">\x00\ud800'


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return read_pack(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=12), "train")


def made(
    scenes: list[Scene], out: Path, *, system: Answerer | None = None, count: int = 8, seed: int = 0
) -> tuple[Gallery, Page]:
    gallery = make_gallery(
        system or Guessing(),
        scenes,
        out,
        data="toy",
        split="train",
        weights="0123",
        count=count,
        seed=seed,
    )
    return gallery, read_page((out / "index.html").read_bytes())


def test_a_page_has_a_card_a_photo_and_an_entry_a_question(scenes: list[Scene], tmp_path: Path) -> None:
    gallery, page = made(scenes, tmp_path / "new" / "gallery")
    questions = sum(len(card.exhibits) for card in gallery.cards)
    assert page.problems == []
    assert len(gallery.cards) == len(page.named("article")) == 8
    assert len(page.named("span", "number")) == questions
    assert len(page.named("span", "verdict")) == questions
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}


def test_every_picture_of_the_page_is_there_and_nothing_else(scenes: list[Scene], tmp_path: Path) -> None:
    _, page = made(scenes, tmp_path)
    shown = {image["src"] for image in page.named("img")} | {link["href"] for link in page.named("a")}
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", *shown}
    for name in shown:
        with Image.open(tmp_path / str(name)) as picture:
            assert (picture.format, max(picture.size) >= 640) == ("JPEG", True)


def test_the_head_says_how_the_page_was_made(scenes: list[Scene], tmp_path: Path) -> None:
    text = " ".join(made(scenes, tmp_path, count=5, seed=3)[1].text)
    for fact in (
        "guessing",
        "0123",
        "toy",
        "train",
        "5 of the split's 12",
        "seed 3",
        "belong to the dataset",
    ):
        assert fact in text


def test_answers_are_judged_as_the_tasks_do(scenes: list[Scene], tmp_path: Path) -> None:
    gallery, page = made(scenes, tmp_path, count=12)
    shown = [one for card in gallery.cards for one in card.exhibits]
    verdicts = Counter((one.question.kind, one.verdict) for one in shown)
    assert verdicts[PRESENT, WRONG] == verdicts[ABSENT, RIGHT] == 0  # it always says yes
    assert verdicts[PRESENT, RIGHT] > 0 and verdicts[ABSENT, WRONG] > 0
    assert {verdict for kind, verdict in verdicts if kind is CAPTION} == {NOT_JUDGED}
    for one in shown:
        if one.question.kind is LOCATE:
            overlap = max(one.answer.spans[0].places[0].box.iou(box) for box in one.question.meant)
            assert one.verdict == (RIGHT if overlap >= 0.5 else WRONG)
        if one.question.kind is NAME_BOX:
            assert one.verdict == (RIGHT if "circle" in one.question.item.truth else WRONG)
    cells = [text for text in page.text if " of " in text and text[0].isdigit() and len(text) < 9]
    judged = [one for one in shown if one.verdict != NOT_JUDGED]
    assert sum(int(cell.split()[0]) for cell in cells) == sum(one.verdict == RIGHT for one in judged)
    assert sum(int(cell.split()[2]) for cell in cells) == len(judged)
    assert {one.verdict for one in shown} == set(VERDICTS)


def test_a_seed_makes_the_same_page_and_another_a_different_one(scenes: list[Scene], tmp_path: Path) -> None:
    for folder, seed in (("first", 0), ("again", 0), ("other", 1)):
        made(scenes, tmp_path / folder, seed=seed, count=4)
    first, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("first", "again", "other")
    )
    assert first == again
    assert first != other


def test_photos_are_drawn_whatever_is_answered(scenes: list[Scene], tmp_path: Path) -> None:
    one, other = Guessing(), Guessing("no")
    made(scenes, tmp_path / "one", system=one)
    made(scenes, tmp_path / "other", system=other)
    assert one.asked == other.asked


def test_fewer_photos_than_wanted_are_all_shown(scenes: list[Scene], tmp_path: Path) -> None:
    assert len(made(scenes[:3], tmp_path, count=24)[0].cards) == 3


def test_hostile_words_stay_words(scenes: list[Scene], tmp_path: Path) -> None:
    text = HOSTILE.lower()
    hostile = [
        replace(scene, captions=(Caption(text, (Phrase(0, len(text), text, (scene.things[0].id,)),)),))
        for scene in scenes[:4]
    ]
    _, page = made(hostile, tmp_path, system=Guessing(HOSTILE.rstrip("\ud800")), count=4)
    assert page.problems == []
    assert page.named("script") == []
    assert all(image["src"] != "x" for image in page.named("img"))
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert any('<script>alert("1")</script>' in words for words in page.text)
    assert "\x00" not in "".join(page.text)


def test_making_it_again_clears_what_was_there(scenes: list[Scene], tmp_path: Path) -> None:
    made(scenes, tmp_path, count=6)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    made(scenes, tmp_path, count=2)
    names = {path.name for path in tmp_path.iterdir()}
    assert not any(name.startswith(("03", "06")) for name in names)
    assert {"notes.txt", "01.jpg", "02.jpg", "index.html"} <= names


def test_one_that_was_interrupted_can_be_made_again(scenes: list[Scene], tmp_path: Path) -> None:
    class Tired(Guessing):
        def answer(self, *rest: object) -> object:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(scenes, tmp_path, system=Tired())
    page = read_page((tmp_path / "index.html").read_bytes())
    assert "interrupted" in " ".join(page.text)
    assert made(scenes, tmp_path, count=1)[1].named("article")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpg", "x"),
        ("01.jpg", "x"),
        ("index.html", "<html><title>deixis gallery</title></html>"),
        (".hidden", ""),
    ],
)
def test_a_folder_with_something_else_is_left_alone(
    scenes: list[Scene], tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    system = Guessing()
    with pytest.raises(UsageError, match="no gallery; nothing was written"):
        made(scenes, tmp_path, system=system)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == content
    assert system.asked == []


def test_a_file_is_no_folder(scenes: list[Scene], tmp_path: Path) -> None:
    file = tmp_path / "gallery"
    file.write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file"):
        made(scenes, file)


def test_answers_that_cannot_be_read_are_wrong_and_say_why(scenes: list[Scene], tmp_path: Path) -> None:
    class Garbled(Guessing):
        def answer(self, *rest: object) -> object:
            return replace(super().answer(*rest), parse_failures=("a place <without> a phrase",))  # type: ignore[arg-type]

    gallery, page = made(scenes, tmp_path, system=Garbled(), count=4)
    assert {one.verdict for card in gallery.cards for one in card.exhibits} == {WRONG, NOT_JUDGED}
    assert any("a place <without> a phrase" in text for text in page.text)


def test_the_page_needs_nothing_from_elsewhere(scenes: list[Scene], tmp_path: Path) -> None:
    made(scenes, tmp_path, count=2)
    content = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "http" not in content and "url(" not in content and "@import" not in content
    assert "prefers-color-scheme: dark" in content


def test_a_real_system_with_random_weights_is_shown_as_it_is(scenes: list[Scene], tmp_path: Path) -> None:
    gallery, page = made(scenes, tmp_path, system=tiny_system(), count=4)
    assert page.problems == []
    assert len(page.named("span", "verdict")) == sum(len(card.exhibits) for card in gallery.cards) > 16
