"""Pictures of a request, opened from wherever their addresses lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deixis.errors import BadPicture
from deixis.pictures.opening import Picture, open_picture
from deixis.server.limits import ServerLimits
from deixis.server.pictures.allowed import AllowedSources
from deixis.server.pictures.data_urls import data_of
from deixis.server.pictures.fetching import check, fetched
from deixis.server.pictures.folders import file_bytes
from deixis.server.pictures.uploads import PREFIX, Uploads
from deixis.server.refusals import UnknownPicture

WAYS = "expected a data URL (data:image/png;base64,…) or picture:ID of an upload (POST /v1/pictures)"


@dataclass(frozen=True)
class PictureOpening:
    """Opens pictures within a server's limits, from uploads and allowed sources. It blocks: use a thread."""

    limits: ServerLimits
    uploads: Uploads
    allowed: AllowedSources

    def check(self, url: str, *, where: str) -> None:
        """Raise BadPicture for an address to be fetched whose host isn't allowed."""
        if is_remote(url):
            check(url, self.allowed, where=where)

    def fetch(self, url: str, *, where: str) -> bytes:
        """Return the bytes at an http or https address; BadPicture says why there are none."""
        return fetched(
            url,
            self.allowed,
            where=where,
            most=self.limits.body_bytes,
            seconds=self.limits.upload_seconds,
        )

    def open(self, url: str, *, where: str, pixels: int, remote: Mapping[str, bytes]) -> Picture:
        """Return the picture at an address.

        where: what the address is called in messages. pixels: how many are left to the request. remote: what
        was fetched, by address. BadPicture, UnknownPicture: there is none, or a larger one.
        """
        scheme = url[: url.find(":")].lower() if ":" in url[:20] else ""
        if url.startswith(PREFIX):
            picture = self.uploads.get(url.removeprefix(PREFIX))
            if picture is None:
                raise UnknownPicture(
                    f"{where}: there is no picture of this id here, or no longer; upload it again (POST "
                    "/v1/pictures)"
                )
            if picture.width * picture.height > pixels:
                raise self.too_many(where)
            return picture
        if url in remote:
            return self.opened(remote[url], where=where, pixels=pixels)
        if scheme == "data":
            data = data_of(url, where=where, most=self.limits.body_bytes)
        elif scheme == "file":
            data = file_bytes(url, self.allowed, where=where, most=self.limits.body_bytes)
        else:
            raise BadPicture(f"{where} is no address that is known here; {WAYS}")
        return self.opened(data, where=where, pixels=pixels)

    def opened(self, encoded: bytes, *, where: str, pixels: int | None = None) -> Picture:
        """Return the picture of encoded bytes, without a name: nobody else knows what it is called here."""
        if pixels is not None and pixels < 1:
            raise self.too_many(where)
        most = self.limits.pixels if pixels is None else pixels
        try:
            picture = open_picture(encoded, max_pixels=most, name=where)
        except BadPicture as fault:
            # On the command line there is a flag for it; a server's limit is its owner's.
            said = str(fault).replace(" (max_pixels raises the limit; on the command line --max-pixels)", "")
            raise BadPicture(said) from None
        return replace(picture, name="")

    def too_many(self, where: str) -> BadPicture:
        """Return why a picture isn't taken beside the others of its request."""
        return BadPicture(
            f"{where}: all pictures of a request together have at most {self.limits.pixels:,} pixels; make "
            "them smaller"
        )


def is_remote(url: str) -> bool:
    """Tell whether a picture would have to be fetched.

    >>> is_remote("HTTPS://example.org/a.png"), is_remote("data:image/png;base64,")
    (True, False)
    """
    return url[:8].lower().startswith(("http:", "https:"))
