"""What the address and the numbers of an endpoint or a request may be."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from deixis.errors import UsageError

LONGEST_TIME = 86_400.0  # seconds
MOST_ATTEMPTS, MOST_BYTES = 1000, 1 << 30


def check_address(address: str) -> None:
    """Raise UsageError unless an address is a plain one of http or https."""
    example = "expected one such as https://api.openai.com/v1"
    if not isinstance(address, str):
        raise UsageError(f"the endpoint's address is a {type(address).__name__}; {example}")
    parts, port = SplitResult("", "", "", "", ""), 0
    if address.isascii() and address.isprintable() and " " not in address:
        try:
            parts = urlsplit(address)
            port = 1 if parts.port is None else parts.port
        except ValueError:  # no such port, or half of an address of IPv6
            port = 0
    if "@" in parts.netloc:
        raise UsageError(
            "the endpoint's address holds a user or password; give the key by key or key_variable"
        )
    if parts.query or parts.fragment:
        raise UsageError(f"the endpoint's address has a part behind ? or #; {example}")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise UsageError(f"the endpoint's address is {address!r:.200}; {example}")


def check_number(name: str, value: float, *, least: float, most: float, whole: bool = False) -> None:
    """Raise UsageError unless a value is a number, perhaps a whole one, within bounds."""
    kinds = int if whole else (int, float)
    right = isinstance(value, kinds) and not isinstance(value, bool)
    if not right or not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        given = "a huge number" if isinstance(value, int) and abs(value) > MOST_BYTES else f"{value!r:.40}"
        raise UsageError(f"{name} is {given}; expected {kind} from {least:g} to {most:g}")
