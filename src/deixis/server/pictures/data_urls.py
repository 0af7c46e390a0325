"""Pictures inside of their addresses: ``data:image/png;base64,…``."""

from __future__ import annotations

import base64
import binascii

from deixis.errors import BadPicture

MEDIA = ("image/", "application/octet-stream")
EXPECTED = "expected data:image/png;base64, and the picture's bytes in base64"
LONGEST_SHOWN = 60


def data_of(url: str, *, where: str, most: int) -> bytes:
    """Return the bytes of a data URL; BadPicture for one that is none, or holds more than ``most`` bytes.

    where: what the address is called in messages.

    >>> data_of("data:image/gif;base64,R0lG", where="url", most=3)
    b'GIF'
    """
    head, comma, encoded = url.partition(",")
    media, *parameters = head.partition(":")[2].split(";")
    if not comma or not parameters or parameters[-1].strip().lower() != "base64":
        raise BadPicture(f"{where} begins with {head[:LONGEST_SHOWN]!r}; {EXPECTED}")
    if media and not media.strip().lower().startswith(MEDIA):
        raise BadPicture(f"{where} holds {media[:LONGEST_SHOWN]!r}; {EXPECTED}")
    if len(encoded) // 4 * 3 > most + 3:
        raise BadPicture(f"{where} holds more than {most:,} bytes; make the picture smaller")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise BadPicture(f"{where} is not base64 throughout: {fault}; {EXPECTED}") from None
    if not data:
        raise BadPicture(f"{where} holds no bytes; {EXPECTED}")
    return data
