"""The making of a gallery: scenes are drawn, asked about, judged, and written as pictures and a page."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from deixis.data.opening import upright_scenes
from deixis.data.scene import Scene
from deixis.data.set_aside import UNSAID, SetAside, broken_pictures
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.errors import UsageError
from deixis.evaluation.evaluating import fingerprint_of, opened
from deixis.evaluation.runner import Answerer, ask_about, chosen, dialogue_of, picture_of
from deixis.files.writing import replacing, require_writable_folder, write_whole
from deixis.gallery.exhibits import Card, Exhibit, Gallery
from deixis.gallery.html import tag, written
from deixis.gallery.kinds import CAPTION, WRONG
from deixis.gallery.page import GENERATOR, document, gallery_page
from deixis.gallery.photo import draw_answers, draw_phrases
from deixis.gallery.questions import GalleryQuestion, questions_about
from deixis.pictures.broken import REFUSE, BrokenPictures

INDEX = "index.html"
OWN_PICTURE = re.compile(r"\d{2,}(-\d+)?(-places)?\.jpg")
ROOM = 1 << 20  # bytes that a disk must still take; photos come to more, but few disks are that full
OPENING_BYTES = 4096  # of an index in which the sign of a gallery is looked for


def make_gallery(
    system: Answerer,
    scenes: Sequence[Scene],
    out: Path,
    *,
    data: str,
    split: str,
    weights: str | None = None,
    count: int = 24,
    seed: int = 0,
    outside: SetAside = UNSAID,
    broken: str = REFUSE,
    progress: bool = False,
) -> Gallery:
    """Write a gallery of ``count`` scenes, drawn with the seed, into a folder and return what it shows.

    data, split: what the page calls them. weights: the fingerprint of the network; None asks the system for
    it. All scenes are shown where there are fewer than ``count``. outside: what became of boxes when the
    scenes were read, for the page. broken: "pass_over" takes the next photo instead of one that can't be
    opened, and the page names it.
    Raises UsageError for a folder that holds something else or can't be written, BadPicture or RecordError
    for a picture that can't be read, before anything is asked.
    """
    check_folder(out)
    pictures = BrokenPictures(broken)
    hung = drawn_scenes(scenes, pictures, count=count, seed=seed)
    phrasebook = Phrasebook(scenes)
    claim(out)
    cards = []
    bar = tqdm(hung, desc="gallery", unit="photo", file=sys.stderr, disable=not progress)
    for turn, scene in enumerate(bar):
        asked = questions_about(scene, turn=turn, seed=seed, phrasebook=phrasebook)
        cards.append(hang(system, scene, asked, out, name=f"{turn + 1:02d}"))
    gallery = Gallery(
        system.name,
        weights or fingerprint_of(system) or "not known",
        data,
        split,
        seed,
        len(scenes),
        tuple(cards),
        outside=outside,
        broken=broken_pictures(broken, pictures.found),
    )
    write_whole(out / INDEX, written(gallery_page(gallery)))
    return gallery


def drawn_scenes(scenes: Sequence[Scene], pictures: BrokenPictures, *, count: int, seed: int) -> list[Scene]:
    """Return the first ``count`` scenes of a seeded shuffle whose pictures can be opened, boxes upright.

    Each is opened once before anything is asked. BadPicture or RecordError where ``pictures`` refuses
    damaged ones, RecordError also for a picture that doesn't fit its scene. UsageError: none is left.
    """
    shuffled = chosen(scenes, limit=len(scenes) or None, seed=seed)
    hung = []
    for scene in pictures.sound(shuffled, opened=opened, name=lambda scene: scene.picture.name):
        (upright,) = upright_scenes([scene])
        picture_of(upright)
        hung.append(upright)
        if len(hung) == count:
            break
    if not hung:
        raise UsageError(f"of {len(scenes)} photos none can be opened; is it the right split?")
    return hung


def hang(system: Answerer, scene: Scene, asked: Sequence[GalleryQuestion], out: Path, *, name: str) -> Card:
    """Ask about one scene, write its pictures and return its card."""
    picture = picture_of(scene)
    answers = ask_about(system, picture, [dialogue_of(one.item) for one in asked])
    exhibits, numbered = [], []
    for number, one in enumerate(asked, start=1):
        answer = answers[dialogue_of(one.item)]
        verdict = one.kind.judge(answer, one.item)
        places = None
        if one.kind is CAPTION:  # its phrases are many, and in colours of their own
            places = save(draw_phrases(answer), out / f"{name}-{number}-places.jpg")
        else:
            numbered.append((number, answer, one.meant if verdict == WRONG else ()))
        drawing = save(answer.draw(), out / f"{name}-{number}.jpg")
        exhibits.append(Exhibit(one, answer, verdict, drawing, places))
    photo = draw_answers(picture, numbered)
    return Card(scene, save(photo, out / f"{name}.jpg"), photo.size, tuple(exhibits))


def save(image: Image.Image, path: Path) -> str:
    """Write a picture and return its name; colours at full resolution, since thin lines carry meaning."""
    with replacing(path) as partial:
        image.save(partial, quality=88, subsampling=0)
    return path.name


def claim(out: Path) -> None:
    """Make a folder ready for a gallery: a new or empty one, or one that holds a gallery, which is cleared.

    UsageError for anything else. From here on its index says that it is a gallery, so that one which was
    interrupted can be made again.
    """
    check_folder(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in out.iterdir():
            if OWN_PICTURE.fullmatch(path.name) and path.is_file():
                path.unlink()
    except OSError as fault:
        raise UsageError(f"cannot write to {out}: {fault.strerror or fault}") from fault
    unfinished = tag("p", "This gallery is being made, or its making was interrupted.")
    write_whole(out / INDEX, written(document("A gallery in the making", unfinished)))


def check_folder(out: Path, *, flag: str = "the folder") -> None:
    """Raise UsageError unless a gallery may be and can be written into this folder. flag: what named it."""
    require_writable_folder(out, flag=flag, room=ROOM)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; a gallery needs a folder: name one that is new")
    if out.is_dir() and any(out.iterdir()) and not is_gallery(out):
        raise UsageError(
            f"{out} holds files that are no gallery; nothing was written. Name a folder that is new or "
            "empty, or one that holds a gallery, which is then made anew"
        )


def is_gallery(folder: Path) -> bool:
    """Tell whether the index of a folder says that it is a gallery of ours."""
    index = folder / INDEX
    if not index.is_file():
        return False
    with index.open("rb") as file:
        return f'content="{GENERATOR}"'.encode() in file.read(OPENING_BYTES)
