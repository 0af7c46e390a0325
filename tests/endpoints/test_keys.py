"""What an endpoint says is shown only where no part of the key can be found in it."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from deixis.endpoints.keys import HIDDEN, holds_key, quoted
from deixis.errors import EndpointError, UsageError
from tests.endpoints.test_endpoint import (
    KEY,
    REQUEST,
    Said,
    Server,
    completion,
    endpoint,
    server,
)

__all__ = ["server"]
SECRET = "sk-Zq7Wv2Rt9Xm4Lp8Kd3Bn6Hc1"
ECHOES = {
    "plain": SECRET,
    "in a header": f"Authorization: Bearer {SECRET}",
    "in the middle": f"no{SECRET}no",
    "first half": SECRET[:14],
    "last half": SECRET[14:],
    "both ends": f"Incorrect API key provided: {SECRET[:7]}********{SECRET[-4:]}.",
    "last four": f"the key that ends in {SECRET[-4:]}",
    "lower case": SECRET.lower(),
    "upper case": SECRET.upper(),
    "spaced": " ".join(SECRET),
    "split over lines": "\n".join(SECRET),
    "backwards": SECRET[::-1],
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {SECRET}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "base64 after a letter": base64.b64encode(f"x{SECRET}".encode()).decode(),
    "base64, its beginning lost": base64.b64encode(SECRET.encode()).decode()[5:],
    "per cent": "".join(f"%{ord(letter):02x}" for letter in SECRET),
    "per cent twice": quote("".join(f"%{ord(letter):02x}" for letter in SECRET)),
    "json": "".join(f"\\u{ord(letter):04x}" for letter in SECRET),
    "bytes": "".join(f"\\x{ord(letter):02x}" for letter in SECRET),
    "html": "".join(f"&#{ord(letter)};" for letter in SECRET),
    "html, sixteen": "".join(f"&#x{ord(letter):x};" for letter in SECRET),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal with colons": SECRET.encode().hex(":").upper(),
    "numbers": str(list(SECRET.encode())),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_an_echo_is_hidden(echo: str) -> None:
    assert quoted(f"bad: {echo}", SECRET) == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "The model `judge` does not exist or you do not have access to it.",
        "This model's maximum context length is 8192 tokens; you asked for 9000.",
        "Rate limit reached for requests per minute. Please try again in 20 s.",
        "<html><body>502 Bad Gateway</body></html>",
    ],
)
def test_other_words_are_shown(text: str) -> None:
    assert quoted(text, SECRET) == text
    assert quoted(text, None) == text
    assert quoted(f"{text}\n\x1b[2J", SECRET) == f"{text} \N{REPLACEMENT CHARACTER}[2J"


@pytest.mark.parametrize("echo", [ECHOES["plain"], ECHOES["base64"], ECHOES["first half"]])
@pytest.mark.parametrize(
    "shape",
    [
        lambda echo: Said(400, echo),
        lambda echo: Said(401, echo),
        lambda echo: Said(403, echo),
        lambda echo: Said(429, echo),
        lambda echo: Said(500, echo),
        lambda echo: Said(200, b"<html>" + echo),
        lambda echo: Said(200, b'{"error": "' + echo + b'"}'),
        lambda echo: Said(200, b'[{"error": "' + echo + b'"}]'),
        lambda echo: Said(200, completion("8 7 " + echo.decode())),
        lambda echo: Said(302, echo, headers={"Location": "/" + echo.decode()}),
    ],
)
def test_an_endpoint_that_echoes_the_key(server: Server, shape: object, echo: str) -> None:
    server.script = [shape(echo.encode())]  # type: ignore[operator]
    with pytest.raises((EndpointError, UsageError)) as caught:
        endpoint(server, key=SECRET, attempts=1).complete(REQUEST)
    fault: BaseException | None = caught.value
    while fault is not None:  # what --traceback would show
        assert echo not in str(fault) and SECRET not in str(fault)
        fault = None if fault.__suppress_context__ else fault.__context__


def test_a_reply_with_a_few_letters_of_the_key_is_kept(server: Server) -> None:
    server.script = [Said(body=completion("8 7\nvery good, nothing is kept secret"))]
    assert endpoint(server).complete(REQUEST).endswith("secret")
    assert not holds_key("anything", "any") and holds_key(f"it is {KEY}", KEY)


def test_long_replies_are_looked_at_in_little_time(server: Server) -> None:
    for text in ("&#" + "9" * 100_000, "A" * 300_000, "12 " * 100_000, " " * 300_000, "%41" * 100_000):
        assert not holds_key(text, SECRET)
