"""What Florence-2 wrote, read as phrases with places; what breaks the form is a doubt, never a place.

    car<loc_52><loc_332><loc_932><loc_774>wheel<loc_708>…<loc_781><loc_147>…<loc_767>

Numbers of a place are thousandths of what the network saw. A box has four, x0 < x1 and y0 < y1; a line of
text eight, its corners; an outline an even number from six on, its parts set apart by ``<sep>``, several ones
in ``<poly>`` and ``</poly>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deixis.systems.florence_vl.places.tasks import Form
from deixis.systems.florence_vl.places.tokens import Location, Mark, Piece, Words

NUMBERS = {"box": 4, "quad": 8}
LEAST_OUTLINE = 6
OPENING, BETWEEN, CLOSING = "<poly>", "<sep>", "</poly>"


@dataclass(frozen=True)
class WrittenPlace:
    """A place as it was written.

    bins: its numbers, x and y in turn; for an outline one tuple a part. is_box: whether they are two corners
    of a box. tokens: which of the answer's tokens wrote them.
    """

    bins: tuple[tuple[int, ...], ...]
    is_box: bool
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class WrittenPhrase:
    """Words with their places; no words where a task writes places only, no places where it needs none."""

    words: str
    places: tuple[WrittenPlace, ...] = ()


@dataclass
class Group:
    """Words, and the numbers and marks behind them."""

    words: str = ""
    rest: list[Location | Mark] = field(default_factory=list)


def read_phrases(
    pieces: Iterable[Piece], form: Form, *, cut: bool = False
) -> tuple[list[WrittenPhrase], list[str]]:
    """Return phrases in the form of a task, and a sentence for everything malformed.

    cut: the answer was longer than allowed; a box that its end cuts in two is no doubt then.

    >>> read_phrases([Words("dog"), *(Location(bin, at) for at, bin in enumerate((1, 2, 3)))], "phrases")
    ([], ["'dog' has 3 locations; expected groups of 4"])
    """
    phrases, doubts = [], []
    found = groups(pieces)
    if cut and found and form not in ("outlines", "words"):
        drop_begun(found[-1].rest, NUMBERS["quad" if form == "quads" else "box"])
    for group in found:
        words, rest = group.words.strip(), group.rest
        if form == "words":
            doubts += [f"{words!r:.80} is followed by {spelled(rest)}; expected words only"] * bool(rest)
            phrases.append(WrittenPhrase(words))
            continue
        needs_words = form in ("phrases", "phrases or outlines", "quads")
        places, faults = read_places(rest, form, named=f"{words!r:.80}" if words else "a place")
        doubts += faults
        if needs_words and places and not words:
            doubts.append(f"a place has no words: {spelled(rest)}")
        elif form in ("boxes", "outlines") and words:
            doubts.append(f"{words!r:.80} stands among places; expected places only")
            phrases += [WrittenPhrase("", tuple(places))] * bool(places)
        elif form == "described" or places:
            phrases.append(WrittenPhrase(words, tuple(places)))
        elif not rest:
            doubts.append(f"{words!r:.80} has no place")
    return [one for one in phrases if one.words or one.places], doubts


def groups(pieces: Iterable[Piece]) -> list[Group]:
    """Return words together with what stands behind them."""
    found: list[Group] = []
    for piece in pieces:
        if isinstance(piece, Words):
            if not piece.text.strip():
                continue  # between places
            if found and not found[-1].rest:
                found[-1].words += piece.text
            else:
                found.append(Group(piece.text))
            continue
        if not found:
            found.append(Group())
        found[-1].rest.append(piece)
    return found


def drop_begun(rest: list[Location | Mark], count: int) -> None:
    """Drop the numbers at the end that are fewer than a place has."""
    if not marks(rest):
        del rest[len(rest) - len(rest) % count :]


def read_places(
    rest: Sequence[Location | Mark], form: Form, *, named: str
) -> tuple[list[WrittenPlace], list[str]]:
    """Return the places among numbers and marks, and what is malformed. named: whose they are, for doubts."""
    outlined = form == "outlines" or (form == "phrases or outlines" and Mark(OPENING) in rest)
    if outlined:
        return read_outlines(rest, named=named)
    doubts = [f"{named} is followed by {one.text}, which has no meaning here" for one in marks(rest)]
    numbers = [one for one in rest if isinstance(one, Location)]
    kind = "quad" if form == "quads" else "box"
    count = NUMBERS[kind]
    if len(numbers) % count:
        doubts.append(f"{named} has {len(numbers)} locations; expected groups of {count}")
    if doubts:  # which number belongs to which place is not certain any more
        return [], doubts
    places = []
    for start in range(0, len(numbers), count):
        own = numbers[start : start + count]
        bins = tuple(one.bin for one in own)
        if kind == "box" and not (bins[0] < bins[2] and bins[1] < bins[3]):
            doubts.append(f"{named} has the box {list(bins)}; expected x0 < x1 and y0 < y1")
            continue
        places.append(WrittenPlace((bins,), kind == "box", tuple(one.at for one in own)))
    return places, doubts


def read_outlines(rest: Sequence[Location | Mark], *, named: str) -> tuple[list[WrittenPlace], list[str]]:
    """Return outlines, each of one or more parts, and what is malformed; see ``read_places``."""
    places, doubts = [], []
    parts: list[list[Location]] = [[]]
    opened = False

    def end() -> None:
        nonlocal parts
        own, parts = [part for part in parts if part], [[]]
        odd = [len(part) for part in own if len(part) % 2 or len(part) < LEAST_OUTLINE]
        if odd:
            doubts.append(
                f"{named} has an outline of {odd[0]} locations; expected an even number, at least "
                f"{LEAST_OUTLINE}"
            )
        elif own:
            bins = tuple(tuple(one.bin for one in part) for part in own)
            places.append(WrittenPlace(bins, False, tuple(one.at for part in own for one in part)))

    for one in rest:
        if isinstance(one, Location):
            parts[-1].append(one)
        elif one.text == BETWEEN:
            parts.append([])
        elif one.text in (OPENING, CLOSING):
            if opened == (one.text == OPENING):
                doubts.append(f"{named} has a {one.text} too many")
            opened = one.text == OPENING
            end()
        else:
            doubts.append(f"{named} is followed by {one.text}, which has no meaning here")
    if opened:
        doubts.append(f"{named} has an outline that isn't closed")
        parts = [[]]
    end()
    return places, doubts


def marks(rest: Iterable[Location | Mark]) -> list[Mark]:
    """Return the marks among numbers and marks."""
    return [one for one in rest if isinstance(one, Mark)]


def spelled(rest: Sequence[Location | Mark]) -> str:
    """Return the first numbers and marks as they were written.

    >>> spelled([Location(7, 0), Mark("<sep>")])
    '<loc_7><sep>'
    """
    written = [f"<loc_{one.bin}>" if isinstance(one, Location) else one.text for one in rest]
    return "".join(written[:8]) + "…" * (len(written) > 8)
