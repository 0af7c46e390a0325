"""Tables of captions as PixelProse has them (Singla et al., 2024): each row is a dialogue of one turn.

Of its documented columns ``vlm_caption`` is the caption, ``status`` what became of the request for it, and
``key`` names the picture's file: tools that fetch pictures by their ``url`` number them so. A column
``image`` or ``file_name``, if there is one, counts before it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from deixis.data.instructions.conversation import Asked, Conversation, UnusableRow
from deixis.errors import RecordError
from deixis.files.json_files import Fields

CAPTION, STATUS, KEY = "vlm_caption", "status", "key"
NAMES = ("image", "file_name")  # columns with a path, which a table may have beside the documented ones
DONE = ("", "success")  # a status that is no failure
ENDING = ".jpg"
REQUEST = "Describe the picture in detail."


def caption_of(fields: Fields) -> Conversation:
    """Return a row as a dialogue; UnusableRow where it has no caption, or no picture.

    The question is the same for all: templates of captions don't write it.
    """
    where = fields.where
    try:
        caption = (fields.optional_text(CAPTION) or "").strip()
        status = (fields.optional_text(STATUS) or "").strip()
    except RecordError as fault:
        raise UnusableRow("no caption", str(fault)) from fault
    if status not in DONE:
        raise UnusableRow(
            "status of a failure", f"{where}: field {STATUS!r} is {status!r:.60}; expected success"
        )
    if not caption:
        raise UnusableRow("no caption", f"{where}: field {CAPTION!r} is empty or missing; expected a caption")
    image = picture_of(fields)
    return Conversation(f"{where} {image}", (Asked(REQUEST, caption, (image,)),))


def picture_of(fields: Fields) -> str:
    """Return the path of a row's picture."""
    for name in NAMES:
        value = fields.values.get(name)
        if isinstance(value, str) and value:
            return value
    key = fields.values.get(KEY)
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key):
        raise UnusableRow(
            "no name of a picture",
            f"{fields.where}: none of the columns {', '.join((*NAMES, KEY))} names its picture; expected one",
        )
    return str(key) if PurePosixPath(str(key)).suffix else f"{key}{ENDING}"
