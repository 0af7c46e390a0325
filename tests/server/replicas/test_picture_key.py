"""By what requests are routed: the same picture has the same key, however its request is written."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from deixis.server.replicas.picture_key import key_of, rank_of

CHAT = "/v1/chat/completions"


def body(url: str, words: str = "what?", **more: Any) -> bytes:
    picture = {"type": "image_url", "image_url": {"url": url}}
    messages = [{"role": "user", "content": [{"type": "text", "text": words}, picture]}]
    return json.dumps({**more, "messages": messages}).encode()


def test_one_picture_has_one_key_whatever_is_asked() -> None:
    url = "data:image/png;base64,AAAA"
    keys = {key_of(CHAT, body(url)), key_of(CHAT, body(url, "and this?", temperature=1, model="m"))}
    assert len(keys) == 1 and "" not in keys
    assert key_of(CHAT, body("data:image/png;base64,AAAB")) not in keys


def test_words_that_look_like_an_address_are_none() -> None:
    url = "data:image/png;base64,AAAA"
    assert key_of(CHAT, body(url, '"url": "data:other"')) == key_of(CHAT, body(url))


def test_an_upload_and_questions_about_it_have_one_key() -> None:
    own = hashlib.sha256(b"bytes of a picture").hexdigest()
    assert key_of("/v1/pictures", b"bytes of a picture") == own == key_of(CHAT, body(f"picture:{own}"))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"url": 3}', b'{"url": "'])
def test_without_a_picture_there_is_no_key(content: bytes) -> None:
    assert key_of(CHAT, content) == ""


def test_replicas_share_keys_evenly_and_few_move_when_one_comes() -> None:
    keys = [f"key {number}" for number in range(2000)]

    def places(replicas: list[str]) -> list[str]:
        return [max(replicas, key=lambda one: rank_of(key, one)) for key in keys]

    before, after = places(["a", "b"]), places(["a", "b", "c"])
    assert 900 < before.count("a") < 1100
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert 560 < len(moved) < 780
    assert {new for _, new in moved} == {"c"}
