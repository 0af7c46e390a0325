"""What can be typed in a dialogue besides questions: one table, and a function for each command."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.chat.session import within
from deixis.chat.transcript import write_transcript
from deixis.errors import UsageError
from deixis.records.typed_regions import FORMS, UNNAMED, parse_region
from deixis.regions.frames import NAMED
from deixis.regions.names import REGION_NAME
from deixis.regions.shapes import Polygon, Region, Scribble, describe

if TYPE_CHECKING:
    from deixis.chat.conversation import Conversation

NAMED_REGION = re.compile(rf"\{{?({REGION_NAME.pattern})\}}?(?:\s*=\s*|\s+)(\S.*)", re.DOTALL)
MEASURED = {
    "pixels": "pixels of the picture, x to the right and y down",
    "unit": "fractions of the picture's width and height, from 0 to 1, x to the right and y down",
    "thousandths": "thousandths of the picture's width and height, x to the right and y down",
}


@dataclass(frozen=True)
class Command:
    """A command: its name, what follows it, what it does, and the function that does it.

    run: from the conversation and the text behind the name to what there is to say. A command whose form is
    empty takes no text, any other needs one.
    """

    name: str
    form: str
    help: str
    run: Callable[[Conversation, str], str]

    @property
    def usage(self) -> str:
        """How the command is typed."""
        return f"/{self.name} {self.form}".rstrip()


def obey(line: str, conversation: Conversation) -> str:
    """Do what a line that begins with a slash says, and return what there is to say about it.

    UsageError: no such command, or something behind it that it cannot use.
    """
    name, _, text = line.removeprefix("/").partition(" ")
    command, text = find(name), text.strip()
    if command.form and not text:
        raise UsageError(f"/{command.name} needs more; type {command.usage}")
    if text and not command.form:
        raise UsageError(f"/{command.name} takes nothing behind it; got {text!r}. Type {command.usage}")
    return command.run(conversation, text)


def find(name: str) -> Command:
    """Return the command of a name; UsageError suggests the nearest."""
    names = {command.name: command for command in COMMANDS}
    known = names.get(name.lower())
    if known is None:
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
        hint = f"did you mean /{near[0]}? " if near else ""
        raise UsageError(f"there is no command /{name}; {hint}/help lists all")
    return known


def point(conversation: Conversation, text: str, *, kind: str) -> str:
    """Give a region of a kind a name; one that had the name is replaced."""
    match = NAMED_REGION.fullmatch(text)
    name, value = match.groups() if match else (UNNAMED, text)
    try:
        region = parse_region(kind, value, frame=NAMED[conversation.frame])
    except UsageError as fault:  # speaks of flags, which nobody can type here
        raise UsageError(f"{kind} {value!r} can't be read; type {find(kind).usage}") from fault
    session = conversation.session
    inside, notes = within(region, session.picture.frame)
    replaced = " (instead of the one before)" if name in session.regions else ""
    session.regions[name] = inside
    return "\n".join([f"{shown(name, inside)}{replaced}", *(f"note: {note}" for note in notes)])


def shown(name: str, region: Region) -> str:
    """Return a region in a line: its name, kind and coordinates in pixels of the picture."""
    kind = type(region).__name__.lower()
    count = f", {len(region.points)} points" if isinstance(region, Polygon | Scribble) else ""
    return f"{{{name}}}: {kind} {describe(region)}{count}"


def regions(conversation: Conversation, _: str) -> str:
    """List the regions."""
    listed = [shown(name, region) for name, region in conversation.session.regions.items()]
    return "\n".join(listed) or "no regions; add one: /box a X0,Y0,X1,Y1"


def drop(conversation: Conversation, text: str) -> str:
    """Take a region's name away; answers about it stay."""
    name = text.removeprefix("{").removesuffix("}")
    conversation.session.region(name)
    del conversation.session.regions[name]
    return f"{{{name}}} is dropped"


def new(conversation: Conversation, _: str) -> str:
    """Forget what was said; regions stay."""
    count = conversation.session.forget()
    return f"forgotten: {turns(count)}; regions keep their names" + conversation.drawn()


def undo(conversation: Conversation, _: str) -> str:
    """Take back the last turn."""
    taken = conversation.session.undo()
    return f"taken back: {taken.answer.question}" + conversation.drawn()


def as_json(conversation: Conversation, _: str) -> str:
    """Show the last answer as JSON."""
    return conversation.session.last().to_json()


def save(conversation: Conversation, text: str) -> str:
    """Write the transcript."""
    path = Path(text).expanduser()
    conversation.refuse_own(path)
    write_transcript(conversation.session.exchanges, path)
    return f"saved: {path}, {turns(len(conversation.session.exchanges))}"


def turns(count: int) -> str:
    """Return how many turns, in words.

    >>> turns(1), turns(3)
    ('1 turn', '3 turns')
    """
    return f"{count} turn" if count == 1 else f"{count} turns"


def assist(conversation: Conversation, _: str) -> str:
    """Say what can be typed."""
    wide = max(len(command.usage) for command in COMMANDS)
    return "\n".join(
        [
            "Ask about the picture; a later question may lean on earlier answers.",
            f"{{a}} in a question is the region named a; a region without a name is {{{UNNAMED}}}.",
            f"Coordinates are typed in {MEASURED[conversation.frame]}.",
            "Answers and /regions give them in pixels of the picture; a box is x0, y0, x1, y1.",
            "",
            *(f"  {command.usage:{wide}}  {command.help}" for command in COMMANDS),
            "",
            "examples:",
            "  Where is the dog?",
            "  What does it look like?",
            "  What is {a}?",
            "  What is the difference between {a} and {b}?",
        ]
    )


def leave(conversation: Conversation, _: str) -> str:
    """End the dialogue."""
    conversation.over = True
    return ""


# Regions first, in the order of the flags of `deixis ask`: a new kind of region has its command at once.
COMMANDS = (
    *(
        Command(
            kind,
            form.replace("[NAME=]", "[NAME] "),
            f"point with a {kind}" if kind != "point" else "point at a place",
            partial(point, kind=kind),
        )
        for kind, form in FORMS.items()
    ),
    Command("regions", "", "list the regions", regions),
    Command("drop", "NAME", "take a region away", drop),
    Command("undo", "", "take back the last turn", undo),
    Command("new", "", "forget what was said; regions stay", new),
    Command("json", "", "show the last answer as JSON", as_json),
    Command("save", "FILE", "write all turns as JSON lines", save),
    Command("help", "", "show this", assist),
    Command("quit", "", "end the dialogue; so does Ctrl-D", leave),
)
