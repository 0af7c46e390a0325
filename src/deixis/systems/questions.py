"""Questions as systems get them: checked, with their pictures, their regions and what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.answers.grounded import Answer
from deixis.errors import BadPicture, BadRegion, FrameMismatch, UsageError
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.frames import Frame, same_frame
from deixis.regions.given import region_of
from deixis.regions.names import names_in, unknown_name
from deixis.regions.shapes import Region

MOST_REGIONS = 64
MOST_CHARACTERS = 4000
MOST_PICTURES = 16


@dataclass(frozen=True)
class Question:
    """A question with its pictures and regions, and what was said before it, oldest first.

    pictures: those of the whole dialogue. regions: clipped, in the frame of the picture that each is in.
    """

    text: str
    regions: tuple[tuple[str, Region], ...] = ()
    before: tuple[Answer, ...] = ()
    pictures: tuple[Picture, ...] = ()

    def shown(self) -> list[list[int]]:
        """Return the numbers of the pictures that each earlier turn brought, and in the end the question.

        A picture is shown with the first question about it.
        """
        left = list(range(len(self.pictures)))
        turns = []
        for answer in self.before:
            own = [
                number
                for number in left
                if any(same_frame(one.frame, self.pictures[number].frame) for one in answer.pictures)
            ]
            left = [number for number in left if number not in own]
            turns.append(own)
        return [*turns, left]


def opened(source: Any) -> tuple[Picture, ...]:
    """Return the pictures of a question: none for None, several for a list or tuple, else one."""
    if source is None:
        return ()
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise BadPicture("the list of pictures is empty; give one or more, or None for a question about none")
    if len(sources) > MOST_PICTURES:
        raise BadPicture(f"{len(sources)} pictures were given; at most {MOST_PICTURES} are taken")
    pictures = tuple(open_picture(one) for one in sources)
    for picture in pictures:
        if picture.frame.parent is not None:
            raise UsageError(
                f"this picture is in frame {picture.frame}, made of another one; places are answered in "
                "pixels of an original. Ask about that, or make this one an original: "
                "open_picture(picture.pixels)"
            )
    return pictures


def regions_of_each(
    texts: Sequence[str],
    regions: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None,
    named: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return the regions of each question: those of its own mapping, and the shared ones that it speaks of.

    UsageError: not one mapping a question, or a shared region that no question speaks of.
    """
    if regions is None or isinstance(regions, Mapping):
        shared = {**(regions or {}), **named}
        own: list[dict[str, Any]] = [{} for _ in texts]
    else:
        shared = dict(named)
        own = [dict(mapping or {}) for mapping in regions]
    if len(own) != len(texts):
        raise UsageError(
            f"{len(texts)} questions came with {len(own)} mappings of regions; expected one each"
        )
    used = [set(names_in(text)) if isinstance(text, str) else set() for text in texts]
    for name in shared:
        if not any(name in names for names in used):
            raise UsageError(f"region {name!r} is not used; write {{{name}}} where a question speaks of it")
    return [
        {**{name: region for name, region in shared.items() if name in names}, **mapping}
        for names, mapping in zip(used, own, strict=True)
    ]


def checked_question(
    text: str,
    regions: Mapping[str, Any],
    pictures: Picture | Sequence[Picture],
    *,
    before: Sequence[Answer] = (),
) -> Question:
    """Return a question whose regions are all there and lie in one of the pictures.

    regions: by name, as regions or as the plain values of ``region_of``.
    UsageError: no words, too many, or a ``{name}`` without a region. BadRegion: see ``Region.clipped``.
    FrameMismatch: a region, or an earlier answer, about another picture.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"a question needs words; got {text!r}")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the question has {len(text)} characters; at most {MOST_CHARACTERS}")
    require_characters(text, what="the question")
    given = (pictures,) if isinstance(pictures, Picture) else tuple(pictures)
    pointed = names_in(text)
    used = list(dict.fromkeys(pointed))
    regions = {name: region_of(region, name=name) for name, region in regions.items()}
    for name in regions:
        if name not in used:
            raise UsageError(f"region {name!r} is not used; write {{{name}}} where the question speaks of it")
    missing = [name for name in used if name not in regions]
    if missing:
        raise UsageError(unknown_name(missing[0], regions))
    if len(pointed) > MOST_REGIONS:
        raise BadRegion(f"the question points {len(pointed)} times; at most {MOST_REGIONS}")
    clipped = tuple((name, regions[name].clipped(frame_for(name, regions[name], given))) for name in used)
    check_history(before, given)
    return Question(text.strip(), clipped, tuple(before), given)


def require_characters(text: str, *, what: str) -> None:
    """Raise UsageError for half characters, which bytes of another encoding than UTF-8 become, too."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise UsageError(
            f"{what} {text!r:.80} has {text[fault.start]!a}, which is no whole character; is it in another "
            "encoding than UTF-8?"
        ) from fault


def frame_for(name: str, region: Region, pictures: Sequence[Picture]) -> Frame:
    """Return the frame of the picture that a region is in.

    BadRegion where there is no picture, or where the region doesn't say which of several it is in;
    FrameMismatch where it is in another one.
    """
    if not pictures:
        raise BadRegion(f"{{{name}}} points at a picture, but the question is about none; give the picture")
    if len(pictures) == 1:
        return pictures[0].frame
    if not region.frame.bound:
        raise BadRegion(
            f"{{{name}}} doesn't say which of the {len(pictures)} pictures it is in; tie it to one: "
            f"{name}=region.bind(picture.frame), with the picture as open_picture returns it"
        )
    fitting = [one.frame for one in pictures if same_frame(one.frame, region.frame.root)]
    if not fitting:
        raise FrameMismatch(f"{{{name}}} is in none of the {len(pictures)} pictures of this question")
    return fitting[0]


def check_history(before: Sequence[Answer], pictures: Sequence[Picture]) -> None:
    """Raise FrameMismatch unless all that was said before is about these pictures."""
    for answer in before:
        for seen in answer.pictures:
            if not any(same_frame(seen.frame, one.frame) for one in pictures):
                about = ", ".join(str(one.frame) for one in pictures) or "no picture"
                raise FrameMismatch(
                    f"an earlier answer is about {seen.frame}, the question about {about}: different "
                    "pictures. Give earlier answers about this one, or both pictures: ask([one, other], ...)"
                )
