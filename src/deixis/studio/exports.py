"""What the studio hands out: answers about pictures in the forms of other tools, as one file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deixis.answers.export.coco import CocoFile
from deixis.answers.export.label_studio import label_studio_task
from deixis.errors import UsageError
from deixis.studio.dialogue import Dialogue
from deixis.studio.records import records_zip


@dataclass(frozen=True)
class ExportedFile:
    """A file's bytes, their media type, and what to call it."""

    content: bytes
    media_type: str
    name: str


def exported(form: str, several: Sequence[Dialogue]) -> ExportedFile:
    """Return the file of one of ``FORMS``; UsageError for no such form, or nothing to be exported."""
    if form not in FORMS:
        raise UsageError(f"there is no export {form!r:.40}; expected one of {', '.join(FORMS)}")
    if form != "conversation" and not any(one.answers for one in several):
        raise UsageError("there is no answer to export yet; ask something first")
    return FORMS[form](several)


def answers(several: Sequence[Dialogue]) -> ExportedFile:
    """Return answers as they were given or corrected."""
    return json_file([kept.content for one in several for kept in one.kept], "answers.json")


def conversation(several: Sequence[Dialogue]) -> ExportedFile:
    """Return the one dialogue that is given, to be opened again."""
    if len(several) != 1:
        raise UsageError(f"a conversation is about one picture; got {len(several)}")
    return json_file(several[0].conversation, "conversation.json")


def drawn(several: Sequence[Dialogue]) -> ExportedFile:
    """Return the picture with the one answer that is given drawn on it."""
    answers = [answer for one in several for answer in one.answers]
    if len(answers) != 1:
        raise UsageError(f"a drawn picture shows one answer; got {len(answers)}")
    packed = io.BytesIO()
    answers[0].draw().save(packed, "PNG")
    return ExportedFile(packed.getvalue(), "image/png", "answer.png")


def coco(several: Sequence[Dialogue]) -> ExportedFile:
    """Return COCO annotations of all places."""
    asked = [one for one in several if one.answers]
    names = [f"{number}-{one.name}" if taken(asked, number) else one.name for number, one in enumerate(asked)]
    file = CocoFile(names)
    for one, name in zip(asked, names, strict=True):
        file.add_picture(one.picture, name)
        for answer in one.answers:
            file.add(answer, name)
    return json_file(file.annotations(), "coco.json")


def taken(several: Sequence[Dialogue], number: int) -> bool:
    """Tell whether an earlier picture has the same name."""
    return several[number].name in {one.name for one in several[:number]}


def label_studio(several: Sequence[Dialogue]) -> ExportedFile:
    """Return a task of Label Studio for each picture."""
    tasks = [
        label_studio_task(one.answers, one.picture, image=one.name, model=one.answers[0].system)
        for one in several
        if one.answers
    ]
    return json_file(tasks, "label_studio.json")


def records(several: Sequence[Dialogue]) -> ExportedFile:
    """Return a zip of training samples and pictures: of the checked answers, or all if none is checked."""
    checked = any(kept.checked for one in several for kept in one.kept)
    given = [(one.picture, one.name, one.lessons(checked=checked)) for one in several]
    packed = records_zip([one for one in given if one[2]])
    return ExportedFile(packed, "application/zip", "records.zip")


def json_file(value: Any, name: str) -> ExportedFile:
    """Return plain values as a file."""
    return ExportedFile(json.dumps(value, indent=1, allow_nan=False).encode(), "application/json", name)


FORMS: Mapping[str, Callable[[Sequence[Dialogue]], ExportedFile]] = MappingProxyType(
    {
        "answers": answers,
        "conversation": conversation,
        "drawn": drawn,
        "coco": coco,
        "label_studio": label_studio,
        "records": records,
    }
)
