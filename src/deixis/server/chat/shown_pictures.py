"""The pictures of a dialogue, each opened once, however often it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deixis.errors import BadPicture, BadRegion
from deixis.pictures.opening import Picture
from deixis.server.chat.fields import ChatRequest, PicturePart, UserMessage
from deixis.server.pictures.opening import PictureOpening, is_remote


@dataclass
class ShownPictures:
    """Pictures in the order in which they are shown first, and which of them each picture part shows.

    known: pictures that tell apart. numbers: of each picture part so far, the number of its picture.
    """

    opening: PictureOpening
    remote: Mapping[str, bytes]
    known: list[Picture] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    _by_url: dict[str, int] = field(default_factory=dict)
    _pixels: int = 0

    def show(self, part: PicturePart, *, where: str) -> None:
        """Open the next picture; BadPicture for one too many, and as of ``PictureOpening.open``."""
        limits = self.opening.limits
        if len(self.numbers) >= limits.pictures * limits.messages:
            raise BadPicture(
                f"{where}: pictures are shown too often; show each once, in the first question about it"
            )
        number = self._by_url.get(part.image_url.url)
        if number is None:
            number = self._opened(part.image_url.url, where=where)
            self._by_url[part.image_url.url] = number
        self.numbers.append(number)

    def _opened(self, url: str, *, where: str) -> int:
        """Return the number of the picture at an address; one of the same pixels is the same picture."""
        limits = self.opening.limits
        if len(self.known) >= limits.pictures:
            raise BadPicture(
                f"{where} is one picture too many; at most {limits.pictures} are taken in a request"
            )
        picture = self.opening.open(url, where=where, pixels=limits.pixels - self._pixels, remote=self.remote)
        for number, other in enumerate(self.known):
            if other.frame == picture.frame:
                return number
        self._pixels += picture.width * picture.height
        self.known.append(picture)
        return len(self.known) - 1

    def of(self, number: int, *, where: str) -> Picture:
        """Return the picture that a region means, by its part's number; BadRegion if there is none yet."""
        if not 0 <= number < len(self.numbers):
            raise BadRegion(
                f"{where} is in picture {number}, but up to its question {len(self.numbers)} were shown; "
                "they are counted from 0"
            )
        return self.known[self.numbers[number]]


def remote_addresses(request: ChatRequest, opening: PictureOpening) -> dict[str, str]:
    """Return the addresses of pictures that have to be fetched, and what each is called in messages.

    BadPicture: one that may not be fetched, or too many.
    """
    found: dict[str, str] = {}
    for number, message in enumerate(request.messages):
        if not isinstance(message, UserMessage) or isinstance(message.content, str):
            continue
        for place, part in enumerate(message.content):
            if isinstance(part, PicturePart) and is_remote(part.image_url.url):
                where = f"messages[{number}].content[{place}]"
                opening.check(part.image_url.url, where=where)
                found.setdefault(part.image_url.url, where)
    if len(found) > opening.limits.pictures:
        raise BadPicture(
            f"{len(found)} pictures would have to be fetched; at most {opening.limits.pictures} are taken"
        )
    return found


def pixels_bytes(pictures: Sequence[Picture]) -> int:
    """Return how much memory the pixels of pictures take."""
    return sum(picture.pixels.nbytes for picture in pictures)
