"""The content of one message as a question: words in which ``{name}`` stands where a region was meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deixis.errors import BadRegion, UsageError
from deixis.regions.as_objects import region_of_object, shown
from deixis.regions.frames import NAMED, PIXELS
from deixis.regions.names import REGION_NAME, escaped
from deixis.regions.shapes import Region
from deixis.server.chat.fields import Part, PicturePart, RegionPart, TextPart
from deixis.server.chat.shown_pictures import ShownPictures

LONGEST_NAME = 64
OWN = ("frame", "name", "picture")  # fields of a region that don't say its shape


@dataclass
class Worded:
    """A question and the regions that it means, in pixels of their pictures, cut at their edges."""

    text: str = ""
    regions: dict[str, Region] = field(default_factory=dict)


def worded(
    content: str | Sequence[Part], pictures: ShownPictures, *, where: str, most_regions: int
) -> Worded:
    """Return a message's content as a question; its pictures are shown in passing.

    where: what the content is called in messages. BadRegion, BadPicture, UsageError: an unusable part.

    Words and regions are put together as they come. Words that follow words, maybe with a picture between
    them, are of another part: they begin on a line of their own unless there is white space already.
    """
    if isinstance(content, str):
        return Worded(escaped(content))
    # Pictures first: a region may stand before the picture it is in.
    for number, part in enumerate(content):
        if isinstance(part, PicturePart):
            pictures.show(part, where=f"{where}[{number}]")
    own = Worded()
    taken = given_names(content)
    after_words = False
    pointed = 0
    for number, part in enumerate(content):
        if isinstance(part, TextPart) and part.text:
            apart = after_words and not (own.text[-1:].isspace() or part.text[0].isspace())
            own.text += "\n" * apart + escaped(part.text)
            after_words = True
        elif isinstance(part, RegionPart):
            pointed += 1
            if pointed > most_regions:
                raise BadRegion(f"{where} points {pointed} times or more; at most {most_regions}")
            name, region = named_region(part.region, pictures, where=f"{where}[{number}].region", taken=taken)
            if own.regions.setdefault(name, region) != region:
                raise UsageError(
                    f"{where}[{number}].region is called {name!r} as another one is; give it its own name"
                )
            own.text += f"{{{name}}}"
            after_words = False
    return own


def given_names(content: Sequence[Part]) -> set[str]:
    """Return the names that regions were given."""
    named = [part.region.get("name") for part in content if isinstance(part, RegionPart)]
    return {name for name in named if isinstance(name, str)}


def named_region(
    given: dict[str, Any], pictures: ShownPictures, *, where: str, taken: set[str]
) -> tuple[str, Region]:
    """Return a region of a request by its name, or by a free one, which is taken then."""
    shape = {key: value for key, value in given.items() if key not in OWN}
    frame = given.get("frame", "pixels")
    if not isinstance(frame, str) or frame not in NAMED:
        raise BadRegion(f"{where} has the frame {shown(frame)}; expected one of {', '.join(NAMED)}")
    if "mask" in shape and frame != "pixels":
        raise BadRegion(f"{where} is a mask in frame {frame!r}; a mask is always in pixels, leave frame out")
    number = given.get("picture", 0)
    if type(number) is not int:
        raise BadRegion(f"{where} has the picture {shown(number)}; expected its number, from 0")
    picture = pictures.of(number, where=where)
    try:
        region = region_of_object(shape, PIXELS if "mask" in shape else NAMED[frame])
        region = region.clipped(picture.frame)
    except BadRegion as fault:
        raise BadRegion(f"{where} {fault}" if str(fault).startswith("is ") else f"{where}: {fault}") from None
    return name_of(given, where=where, taken=taken), region


def name_of(given: dict[str, Any], *, where: str, taken: set[str]) -> str:
    """Return the name of a region."""
    if "name" in given:
        name = given["name"]
        if not isinstance(name, str) or len(name) > LONGEST_NAME or not REGION_NAME.fullmatch(name):
            raise BadRegion(
                f"{where} is called {shown(name)}; expected up to {LONGEST_NAME} letters, digits and _, "
                "no digit first"
            )
        return name
    number = 1
    while f"r{number}" in taken:
        number += 1
    taken.add(f"r{number}")
    return f"r{number}"
