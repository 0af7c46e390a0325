"""What is allowed beyond data URLs and uploads: hosts to fetch pictures from, folders to read them in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.errors import UsageError
from deixis.server.guards.host_check import plain


@dataclass(frozen=True)
class AllowedSources:
    """Nothing, unless it is named.

    hosts: names of hosts that http and https addresses may lead to, "example.org", or "example.org:8080" for
    one port beside 80 and 443. folders: file addresses may name files in them. private: whether these hosts
    may be machines of one's own network, or this one; else an address in such a range is refused, whatever
    name leads there. UsageError: a name that is none, a folder that isn't there.
    """

    hosts: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    private: bool = False

    def __post_init__(self) -> None:
        for host in self.hosts:
            name, port = split(host)
            if not name or not name.isascii() or any(c in name for c in "/@?#\\ ") or not 0 <= port < 1 << 16:
                raise UsageError(
                    f"{host!r:.100} is no host to fetch pictures from; expected a name such as example.org, "
                    "or example.org:8080"
                )
        for folder in self.folders:
            if not Path(folder).is_dir():
                raise UsageError(f"there is no folder {str(folder)!r} to read pictures in")
        object.__setattr__(self, "folders", tuple(Path(folder).resolve() for folder in self.folders))

    def allows(self, host: str, port: int) -> bool:
        """Tell whether pictures may be fetched from a host at a port."""
        wanted = plain(host)
        return any(
            plain(name) == wanted and port in ((own,) if own else (80, 443))
            for name, own in map(split, self.hosts)
        )


def split(host: str) -> tuple[str, int]:
    """Return a host's name and port; 0 where none is said, -1 where it is none.

    >>> split("example.org:8080"), split("::1"), split("[::1]:80")
    (('example.org', 8080), ('::1', 0), ('::1', 80))
    """
    if host.count(":") > 1 and not host.startswith("["):
        return host, 0
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not colon:
        return host.strip("[]"), 0
    return name.strip("[]"), int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1
