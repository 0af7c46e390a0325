"""Reader of Visual Genome (Krishna et al., 2017): objects, relations between them, descriptions of regions.

`image_data.json`, and any of `objects.json`, `relationships.json`, `region_descriptions.json` and
`question_answers.json`; pictures `<id>.jpg` in `VG_100K/`, `VG_100K_2/` or `images/`; `<split>.txt` lists
the ids of a split, "all" needs no list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.scene import Caption, Expression, Phrase, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes, boxes_by
from deixis.data.sources.drafts import SceneDraft
from deixis.english.nouns import head_noun
from deixis.errors import RecordError
from deixis.files.json_files import Fields, Numbers, below, bounded_bytes
from deixis.files.json_lists import read_json_list
from deixis.regions.outside import CUT
from deixis.regions.shapes import Box

PICTURES = ("VG_100K", "VG_100K_2", "images")
REGION = "region"  # supercategory of things that are described regions
SUBJECT, OBJECT = "subject", "object"  # types of a relation's two phrases
LARGEST_LIST = 64 << 20


@dataclass
class _Draft(SceneDraft):
    """A scene while its files are being read. described: words for a region, and the number of its thing."""

    boxes: Boxes = field(default_factory=Boxes)
    described: list[tuple[str, int]] = field(default_factory=list)


def read_visual_genome(
    folder: Path, split: str, *, skip_missing: bool = False, outside: str | Boxes = CUT
) -> list[Scene]:
    """The scenes of one split, in the order of `image_data.json`; pictures are located, not read.

    An object is a thing. A relation is a caption ("man wearing hat") whose phrases, of types "subject" and
    "object", have a thing each. A described region is a thing of supercategory "region", numbered -region_id,
    and an expression that means it. Answered questions are `exchanges`. Boxes are cut at the
    picture's edges, those without area left out, with what speaks of them: the annotations are the crowd's,
    and so are their mistakes; another `outside` than "cut" refuses boxes that stick out or passes over them
    (`boxes.Boxes`). Nothing is exhaustive.
    RecordError names file, entry and field; `skip_missing` passes over pictures that are not there instead.
    """
    folder, boxes = Path(folder), boxes_by(outside)
    drafts: dict[int, _Draft] = {}
    known = Numbers("image_id")
    wanted = ids_of(folder, split)
    for row in read_json_list(folder / "image_data.json"):
        number = known.add(row.whole("image_id"), row.where)
        if wanted is not None and number not in wanted:
            continue
        picture = next(
            (
                path
                for parent in PICTURES
                if (path := below(folder / parent, f"{number}.jpg", where=row.where)).is_file()
            ),
            None,
        )
        if picture is None and not skip_missing:
            raise RecordError(
                f"{row.where}: picture {number}.jpg does not exist in any of: {', '.join(PICTURES)}"
            )
        if picture is not None:
            drafts[number] = _Draft.of_row(row, PictureFile(picture), number=number)
            drafts[number].boxes = boxes
    for name, add in (
        ("objects.json", _add_objects),
        ("relationships.json", _add_relations),
        ("region_descriptions.json", _add_regions),
        ("question_answers.json", _add_questions),
    ):
        if (folder / name).is_file():
            for row in read_json_list(folder / name):
                number = row.whole("image_id" if "image_id" in row.values else "id")
                if number not in known.places:
                    raise RecordError(f"{row.where}: image {number} is not in image_data.json")
                if number in drafts:
                    add(row, drafts[number])
    boxes.report(folder)
    for draft in drafts.values():
        draft.expressions += _expressions(draft)
    return [draft.scene("visual_genome") for draft in drafts.values()]


def ids_of(folder: Path, split: str) -> set[int] | None:
    """The picture ids of a split's list; None for "all" where there is no such list."""
    path = folder / f"{split}.txt"
    if not path.is_file():
        if split == "all":
            return None
        listed = sorted(found.stem for found in folder.glob("*.txt"))
        raise RecordError(
            f"{folder} has no split {split!r} (no {path.name}); it has: {', '.join(['all', *listed])}"
        )
    words = bounded_bytes(path, largest=LARGEST_LIST).decode("utf-8", errors="replace").split()
    if any(not (word.isascii() and word.isdigit()) for word in words):
        raise RecordError(f"{path}: expected the numbers of pictures, one a line")
    return {int(word) for word in words}


def _add_objects(row: Fields, draft: _Draft) -> None:
    once(row.rows("objects"), "object_id")
    for entry in row.rows("objects"):
        _thing(entry, draft)


def once(entries: Iterable[Fields], name: str) -> None:
    """Raise RecordError where two entries of a picture have one number and say different things."""
    found: dict[int, Fields] = {}
    for entry in entries:
        first = found.setdefault(entry.whole(name), entry)
        if first.values != entry.values:
            raise RecordError(
                f"{entry.where}: {name} {entry.whole(name)} is used twice; the first time it is at "
                f"{first.where}, for something else"
            )


def _thing(entry: Fields, draft: _Draft) -> Thing | None:
    """The thing of an entry with `object_id`, made if it is new; None where it has no name or no area."""
    number = entry.whole("object_id", least=0)
    if number not in draft.things:
        names = entry.texts("names") or tuple(filter(None, [entry.optional_text("name")]))
        box = _box(entry, draft, wide="w", high="h")
        name = " ".join(names[0].lower().split()) if names else ""
        if box is None or not name:
            return None
        draft.things[number] = Thing(number, box, name)
    return draft.things[number]


def _add_relations(row: Fields, draft: _Draft) -> None:
    for entry in row.rows("relationships"):
        ends = []
        for name in (SUBJECT, OBJECT):
            value = entry.values.get(name)
            if not isinstance(value, dict):
                raise RecordError(
                    f"{entry.where}: field {name!r} is {value!r:.60}; expected an object with a box"
                )
            ends.append(_thing(Fields(value, f"{entry.where} {name}"), draft))
        subject, other = ends
        words = " ".join(entry.text("predicate").lower().split())
        if subject is not None and other is not None and words:
            draft.captions.append(relation(subject, words, other))


def relation(subject: Thing, predicate: str, other: Thing) -> Caption:
    """The caption of a relation.

    >>> man, hat = Thing(1, Box(0, 0, 9, 9), "man"), Thing(2, Box(2, 0, 5, 3), "hat")
    >>> relation(man, "wearing", hat).text
    'man wearing hat'
    """
    first = f"{subject.category} {predicate} "
    text = first + other.category
    return Caption(
        text,
        (
            Phrase(0, len(subject.category), subject.category, (subject.id,), (SUBJECT,)),
            Phrase(len(first), len(text), other.category, (other.id,), (OBJECT,)),
        ),
    )


def is_relation(caption: Caption) -> bool:
    """Whether a caption is two things and what one does to the other."""
    return [phrase.types for phrase in caption.phrases] == [(SUBJECT,), (OBJECT,)]


def _add_regions(row: Fields, draft: _Draft) -> None:
    once(row.rows("regions"), "region_id")
    for entry in row.rows("regions"):
        number = -entry.whole("region_id", least=1)
        words = " ".join(entry.text("phrase").split()).rstrip(".")
        box = _box(entry, draft, wide="width", high="height")
        if box is None or not words or number in draft.things:
            continue
        draft.things[number] = Thing(number, box, head_noun(words) or REGION, supercategory=REGION)
        draft.described.append((words, number))


def _add_questions(row: Fields, draft: _Draft) -> None:
    for entry in row.rows("qas"):
        question, answer = (" ".join(entry.text(name).split()) for name in ("question", "answer"))
        if question and answer:
            draft.exchanges.append((question, answer))


def _box(entry: Fields, draft: _Draft, *, wide: str, high: str) -> Box | None:
    x, y, x1, y1 = entry.whole("x"), entry.whole("y"), entry.whole(wide), entry.whole(high)
    x1, y1 = x + x1, y + y1
    if x >= x1 or y >= y1:  # a slip of whoever drew it; other readers refuse it
        return None
    size = {"width": draft.width, "height": draft.height}
    return draft.boxes.inside((x, y, x1, y1), **size, where=entry.where)


def _expressions(draft: _Draft) -> Iterator[Expression]:
    said = Counter(words.lower() for words, _ in draft.described)
    alike = Counter(draft.things[number].category for _, number in draft.described)
    for words, number in draft.described:
        distractors = alike[draft.things[number].category] - 1
        unique = said[words.lower()] == 1
        yield Expression(words, number, unique=unique, group=False, distractors=distractors)
