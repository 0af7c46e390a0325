"""Which picture a request is about, without reading it as a whole: requests of one key go to one replica."""

from __future__ import annotations

import hashlib
import re

# The first picture of a chat completion. Quotes inside of texts are escaped, so that no text looks like one.
ADDRESS = re.compile(rb'(?<!\\)"(?:url|image_url)"\s*:\s*"([^"\\]*)"')
UPLOADS, UPLOADED = "/v1/pictures", b"picture:"  # an upload's id is the SHA-256 of its bytes


def key_of(path: str, body: bytes) -> str:
    """Return by what a request's picture is known; empty where it has none and any replica will do.

    It is a hint for routing only, but for uploads, which one replica alone has.

    >>> key_of("/v1/chat/completions", b'{"url": "picture:ab12"}')
    'ab12'
    """
    if not body:
        return ""
    if path == UPLOADS:
        return hashlib.sha256(body).hexdigest()
    found = ADDRESS.search(body)
    if found is None:
        return ""
    if found[1].startswith(UPLOADED):
        return found[1].removeprefix(UPLOADED).decode("latin-1")
    return hashlib.sha256(found[1]).hexdigest()


def rank_of(key: str, replica: str) -> bytes:
    """Return how high a replica ranks for a key: of all replicas, the highest takes it.

    Where a replica comes or goes, only the keys that it takes or took move (rendezvous hashing).
    """
    return hashlib.blake2b(f"{key} {replica}".encode(), digest_size=8).digest()
