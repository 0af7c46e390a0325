"""The parts of a page that are output: where they stand, what has to be run, and what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass

BLOCK = re.compile(
    r"^<!-- output(?:: (?P<before>.+?))? -->\n+```[a-z]*\n(?P<shown>.*?)^```$", re.MULTILINE | re.DOTALL
)
PICTURE = re.compile(r"^<!-- picture (?P<path>\S+): (?P<command>.+?) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Output, ``page[start:end]``. before: a command that is run first and isn't shown, or the empty text."""

    start: int
    end: int
    shown: str
    before: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture beside a page, and the command that writes a file of its name."""

    start: int
    path: str
    command: str


def parts_of(page: str) -> list[Block | Picture]:
    """Return the parts of a page that are output, in their order.

    >>> parts_of("<!-- output -->\\n```\\n$ echo a\\na\\n```\\n")[0].shown
    '$ echo a\\na\\n'
    """
    parts: list[Block | Picture] = [
        Block(match.start("shown"), match.end("shown"), match["shown"], match["before"] or "")
        for match in BLOCK.finditer(page)
    ]
    parts += [Picture(match.start(), match["path"], match["command"]) for match in PICTURE.finditer(page)]
    return sorted(parts, key=lambda part: part.start)


def commands_in(shown: str) -> list[str]:
    """Return the commands of a block; a line that ends in a backslash goes on in the next one.

    >>> commands_in("$ echo a \\\\\\n  b\\na b\\n$ pwd\\n/\\n")
    ['echo a \\\\\\n  b', 'pwd']
    """
    commands: list[str] = []
    going_on = False
    for line in shown.splitlines():
        if going_on:
            commands[-1] += f"\n{line}"
        elif line.startswith("$ "):
            commands.append(line.removeprefix("$ "))
        else:
            continue
        going_on = line.endswith("\\")
    return commands
