"""What can be typed in a dialogue besides questions: one table, and a function for each command."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deixis.chat.conversation import Conversation
from deixis.chat.describing import describe_region, describe_turns
from deixis.chat.session import within
from deixis.chat.transcript import write_transcript
from deixis.errors import UsageError
from deixis.files.writing import require_writable, shown
from deixis.records.typed_regions import FORMS, UNNAMED, parse_region
from deixis.regions.doubts import frame_doubts
from deixis.regions.frames import NAMED
from deixis.regions.names import REGION_NAME

NAMED_REGION = re.compile(rf"\{{?({REGION_NAME.pattern})\}}?(?:\s*=\s*|\s+)(\S.*)", re.DOTALL)
UNIT_REMEDY = "Then start the dialogue with --frame unit"
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


def reply(line: str, conversation: Conversation) -> str:
    """Answer a question or obey a command; return what to say, the empty text for an empty line.

    Raises an error of ``deixis.errors`` for any mistake of the user's; the dialogue can go on after it.
    """
    line = line.strip()
    if not line:
        return ""
    return obey(line, conversation) if line.startswith("/") else conversation.ask(line)


def obey(line: str, conversation: Conversation) -> str:
    """Do what a line that begins with a slash says, and return what there is to say about it.

    UsageError: no such command, or something behind it that it cannot use.
    """
    name, _, text = line.removeprefix("/").partition(" ")
    command, text = find(name), text.strip()
    if command.form and not text:
        raise UsageError(f"/{command.name} needs more behind it. Type {command.usage}")
    if text and not command.form:
        raise UsageError(
            f"/{command.name} takes nothing behind it, but got {text!r:.80}. Type {command.usage}"
        )
    return command.run(conversation, text)


def find(name: str) -> Command:
    """Return the command of a name; UsageError suggests the nearest."""
    names = {command.name: command for command in COMMANDS}
    known = names.get(name.lower())
    if known is None:
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
        hint = f"Did you mean /{near[0]}? " if near else ""
        raise UsageError(f"There is no command /{name[:40]}. {hint}Type /help to see all commands.")
    return known


def point(conversation: Conversation, text: str, *, kind: str) -> str:
    """Give a region of a kind a name; one that had the name is replaced."""
    match = NAMED_REGION.fullmatch(text)
    name, value = match.groups() if match else (UNNAMED, text)
    try:
        region = parse_region(
            kind, value, frame=NAMED[conversation.frame], max_pixels=conversation.max_pixels
        )
    except UsageError as fault:  # speaks of flags, which nobody can type here
        raise UsageError(f"The {kind} {value!r:.80} can't be read. Type {find(kind).usage}") from fault
    session = conversation.session
    inside, notes = within(region, session.picture.frame)
    notes += frame_doubts({name: region}, session.picture.frame, remedy=UNIT_REMEDY)
    replaced = " (instead of the one before)" if name in session.regions else ""
    session.regions[name] = inside
    return "\n".join([f"{describe_region(name, inside)}{replaced}", *(f"note: {note}" for note in notes)])


def regions(conversation: Conversation, _: str) -> str:
    """List the regions."""
    listed = [describe_region(name, region) for name, region in conversation.session.regions.items()]
    return "\n".join(listed) or "There are no regions. Add one: /box a X0,Y0,X1,Y1"


def drop(conversation: Conversation, text: str) -> str:
    """Take a region's name away; answers about it stay."""
    name = text.removeprefix("{").removesuffix("}")
    conversation.session.region(name)
    del conversation.session.regions[name]
    return f"{{{name}}} is no region any more"


def new(conversation: Conversation, _: str) -> str:
    """Forget what was said; regions stay."""
    count = conversation.session.forget()
    return f"forgotten: {describe_turns(count)}; regions keep their names" + conversation.drawn()


def undo(conversation: Conversation, _: str) -> str:
    """Take back the last turn."""
    taken = conversation.session.undo()
    return f"taken back: {taken.answer.question}" + conversation.drawn()


def as_json(conversation: Conversation, _: str) -> str:
    """Show the last answer as JSON."""
    session = conversation.session
    return session.last().to_json(weights=session.weights)


def save(conversation: Conversation, text: str) -> str:
    """Write the transcript."""
    path, session = typed_path(text), conversation.session
    conversation.refuse_own(path)
    require_writable(path, flag="/save", makes_folders=True)
    write_transcript(session.exchanges, path, weights=session.weights)
    return f"saved: {path}, {describe_turns(len(session.exchanges))}"


def typed_path(text: str) -> Path:
    """Return the path that was typed, ~ being the home folder; UsageError for what no file can be called."""
    try:
        path = Path(text).expanduser()
        path.resolve()
        path.is_symlink()
    except (OSError, ValueError, RuntimeError) as fault:  # RuntimeError: ~ of nobody
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
        raise UsageError(f"no file can be called {shown(Path(text))!r}: {reason}") from fault
    return path


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
