"""Records of region instructions, as ViP-LLaVA's files have them (vip_llava.md section 3.3).

One JSON list; the first part of a record's ``id`` says which data set it is from, "gpt4v" behind it that a
language model wrote its dialogue. Boxes are x0, y0, x1, y1 in pixels of the stored picture. Records with
other ids are dialogues about a whole picture or none, as LLaVA's files have them: id, image, conversations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.data.painted.vcr import Question, Scene, question_of, scene_of
from deixis.errors import RecordError
from deixis.files.json_files import Fields, read_json
from deixis.files.json_lists import read_json_list
from deixis.painting.silhouette import Edges, Silhouette
from deixis.text.templates import IMAGE

LARGEST = 4 << 30  # bytes; the published mix of the second stage is well over one
KINDS = ("refcocog", "vg_rel", "flickr30k", "v7w", "pointQA_twice", "vcr")
MOST_BOXES, MOST_POINTS = 256, 100_000
DIALOGUE = "dialogue"
DATA_ROOT = "./dataset"  # how published records begin the paths of VCR's metadata


@dataclass(frozen=True)
class RegionRecord:
    """A record of one of the kinds, or a dialogue without regions. image: "" for one without a picture.

    things: its boxes, with outlines where it has them. phrases: for a caption, the boxes of each. turns: of a
    dialogue that is written already. text: question or caption; answer: text, or "" where a box is the
    answer. right: that box. id: as in the file. question, scene: VCR's.
    """

    kind: str
    image: str
    where: str
    things: tuple[Silhouette, ...] = ()
    phrases: tuple[tuple[Edges, ...], ...] = ()
    turns: tuple[tuple[str, str], ...] = ()
    text: str = ""
    answer: str = ""
    right: Edges | None = None
    id: str = ""
    question: Question | None = None
    scene: Scene | None = None


def read_region_records(path: Path, *, root: Path) -> list[RegionRecord]:
    """Return the records of a file. root: the folder that pictures and metadata are named from.

    RecordError: a field is missing or of another kind, with the record's place.
    """
    found = []
    for fields in read_json_list(path, largest=LARGEST):
        kind, *further = str(fields.values.get("id", "")).split("-")
        if kind in KINDS:
            found.append(record_of(fields, kind, written="gpt4v" in further[:1], root=root))
        elif "conversations" in fields.values:
            found.append(plain_record(fields))
        else:
            raise RecordError(
                f"{fields.where}: its id {str(fields.values.get('id'))!r:.80} begins with none of "
                f"{', '.join(KINDS)}, and it has no conversations"
            )
    if not found:
        raise RecordError(f"{path} holds no records; expected at least one")
    return found


def plain_record(fields: Fields) -> RegionRecord:
    """Return a dialogue without regions."""
    image = fields.text("image") if fields.values.get("image") is not None else ""
    turns = turns_of(fields)
    if any(IMAGE in text for turn in turns for text in turn) and not image:
        raise RecordError(f"{fields.where}: a turn holds {IMAGE}, but there is no field 'image'")
    return RegionRecord(DIALOGUE, image, fields.where, turns=turns, id=str(fields.values.get("id", "")))


def record_of(fields: Fields, kind: str, *, written: bool, root: Path) -> RegionRecord:
    """Return one record. written: a language model wrote its dialogue."""
    made: dict[str, Any] = {"kind": kind, "image": fields.text("image"), "where": fields.where}
    made["id"] = str(fields.values["id"])
    if kind in ("refcocog", "vg_rel"):
        wanted = 1 if kind == "refcocog" else 2
        boxes = boxes_of(fields, "bboxes", count=wanted)
        parts = [outlines(fields, index) for index in range(wanted)]
        made["things"] = tuple(Silhouette(box, own) for box, own in zip(boxes, parts, strict=True))
        if written:
            made["turns"] = turns_of(fields)
        else:
            made["answer"] = fields.text("answer")
    elif kind == "flickr30k":
        made["text"] = fields.text("grounding")
        listed = fields.values.get("bbox")
        if not isinstance(listed, list):
            raise RecordError(f"{fields.where}: field 'bbox' is not a list of lists of boxes")
        made["phrases"] = tuple(
            boxes_of(Fields({"bbox": boxes}, f"{fields.where} bbox[{index}]"), "bbox")
            for index, boxes in enumerate(listed)
        )
    elif kind == "v7w":
        made["text"] = fields.text("question")
        made["things"] = tuple(Silhouette(box) for box in boxes_of(fields, "bboxes", count=4))
        x0, y0, x1, y1 = fields.numbers("answer", count=4)
        made["right"] = (x0, y0, x1, y1)
    elif kind == "pointQA_twice":
        made["text"], made["answer"] = fields.text("general_question"), fields.text("answer")
        made["things"] = (Silhouette(boxes_of(fields, "bboxes", count=1)[0]),)
    else:
        made["question"], made["scene"] = vcr_parts(fields, root)
    return RegionRecord(**made)


def boxes_of(fields: Fields, name: str, *, count: int | None = None) -> tuple[Edges, ...]:
    """Return a list of boxes, `count` of them if that is given."""
    listed = fields.values.get(name)
    if (
        not isinstance(listed, list)
        or len(listed) > MOST_BOXES
        or (count is not None and len(listed) != count)
    ):
        wanted = f"at most {MOST_BOXES}" if count is None else f"{count}"
        raise RecordError(f"{fields.where}: field {name!r} is no list of {wanted} boxes")
    boxes = []
    for index, box in enumerate(listed):
        x0, y0, x1, y1 = Fields({"box": box}, f"{fields.where} {name}[{index}]").numbers("box", count=4)
        if not (x0 < x1 and y0 < y1):
            raise RecordError(f"{fields.where} {name}[{index}]: {box} has no area; expected x0 < x1, y0 < y1")
        boxes.append((x0, y0, x1, y1))
    return tuple(boxes)


def outlines(fields: Fields, index: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the outlines of a record's thing, none where it has none."""
    listed = fields.values.get("segmentations")
    if listed is None:
        return ()
    if not isinstance(listed, list) or index >= len(listed) or not isinstance(listed[index], list):
        raise RecordError(f"{fields.where}: field 'segmentations' has no list of outlines for box {index}")
    return tuple(
        outline_of(part, f"{fields.where} segmentations[{index}][{number}]")
        for number, part in enumerate(listed[index])
    )


def outline_of(part: object, where: str) -> tuple[tuple[float, float], ...]:
    """Return an outline from a flat list x, y, x, y, ..."""
    if not isinstance(part, list) or len(part) % 2 or len(part) > 2 * MOST_POINTS:
        raise RecordError(f"{where}: expected a flat list of x and y in turn, at most {MOST_POINTS} points")
    values = Fields({"outline": part}, where).numbers("outline", count=len(part))
    return tuple(zip(values[::2], values[1::2], strict=True))


def turns_of(fields: Fields) -> tuple[tuple[str, str], ...]:
    """Return a dialogue's questions and answers."""
    said = [(turn.text("from"), turn.text("value")) for turn in fields.rows("conversations")]
    sides = [side for side, _ in said]
    if not said or len(said) % 2 or sides != ["human", "gpt"] * (len(said) // 2):
        raise RecordError(
            f"{fields.where}: conversations are from {sides[:6]}; expected human and gpt in turn"
        )
    return tuple(zip([text for _, text in said[::2]], [text for _, text in said[1::2]], strict=True))


def vcr_parts(fields: Fields, root: Path) -> tuple[Question, Scene]:
    """Return VCR's question and the instances that its metadata, a file of their own, know of the picture."""
    named = fields.text("meta_dir")
    beginning, file = DATA_ROOT + "/", named
    if named.startswith(beginning):
        file = named[len(beginning) :]
    metadata = read_json(root / file)
    try:
        question, scene = question_of(fields.values), scene_of(metadata.values)
        check_vcr(question, scene)
    except (KeyError, TypeError, ValueError) as fault:
        raise RecordError(f"{fields.where} and {metadata.where}: not as VCR's files are ({fault})") from fault
    return question, scene


def check_vcr(question: Question, scene: Scene) -> None:
    """Raise ValueError where texts speak of instances that the scene lacks, or there are not four choices."""
    texts = (question.question, *question.answers, *question.reasons)
    spoken = {index for text in texts for index in instances_in(text)}
    known = min(len(scene.boxes), len(scene.outlines), len(question.class_names))
    if any(type(index) is not int or not 0 <= index < known for index in spoken):
        raise ValueError(f"instances {sorted(map(str, spoken))} of {known}")
    for choices, right in ((question.answers, question.answer), (question.reasons, question.reason)):
        if len(choices) != 4 or type(right) is not int or not 0 <= right < 4:
            raise ValueError(f"{len(choices)} choices, the right one {right!r}; expected four")


def instances_in(text: Any) -> Iterator[Any]:
    """Yield the instances that a token sequence mentions."""
    for token in text:
        if not isinstance(token, str):
            yield from token
