"""The page of a comparison: differences, the card, and the items on which both reports differ; no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from deixis.comparison.paired import Difference
from deixis.comparison.saved_report import SavedItem, SavedReport
from deixis.comparison.shown_items import Differing
from deixis.evaluation.protocol import words_for
from deixis.gallery.html import tag
from deixis.gallery.style import STYLE, colour_rules

GENERATOR = "deixis compare"
HEADINGS = ("Number", "A", "B", "B − A", "95 % interval of B − A", "Items", "")
OWN_STYLE = """
.wide { overflow-x: auto; }
table { width: auto; }
td, th { overflow-wrap: normal; vertical-align: top; }
th.count, td.count { text-align: right; }
td.count, td.words { white-space: nowrap; }
table.card-lines td { overflow-wrap: anywhere; }
table.card-lines td:first-child { overflow-wrap: normal; white-space: nowrap; }
details { margin: 1rem 0; } summary { cursor: pointer; }
"""


@dataclass(frozen=True)
class ShownItem:
    """An item on the page. photo: its picture's file and size, None where it could not be opened."""

    pair: Differing
    truth: str
    photo: tuple[str, int, int] | None


def comparison_page(
    first: SavedReport,
    second: SavedReport,
    numbers: Sequence[Difference],
    shown: Sequence[ShownItem],
    *,
    differing: int,
    despite: Sequence[str],
    no_pictures: str,
) -> Element:
    """Return the page. differing: how many items differ. no_pictures: why none are shown; "" else."""
    title = f"{first.protocol['system']} and {second.protocol['system']}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="generator", content=GENERATOR),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", STYLE, colour_rules(), OWN_STYLE),
    )
    facts = [
        tag("p", tag("span", "A", class_="number c0"), f" {first.system}"),
        tag("p", tag("span", "B", class_="number c1"), f" {second.system}"),
    ]
    warned = None
    if despite:
        warned = tag(
            "p",
            "Compared although these lines of the cards may differ: ",
            tag("strong", ", ".join(despite)),
            ". The numbers are then not of one protocol.",
        )
    items = f"{differing} of {len(first.items)} items differ; {len(shown)} are shown."
    header = tag(
        "header",
        tag("h1", title),
        *facts,
        warned,
        tag("h2", "Differences"),
        table(numbers),
        tag(
            "p",
            "Intervals are of paired bootstrap resamples: both on the same pictures, drawn anew.",
            class_="quiet",
        ),
        card(first, second),
        tag("h2", "Where they differ"),
        tag("p", items, f" No pictures: {no_pictures}" if no_pictures else None),
        tag("p", "White dashes: what people drew. Black and white: what was pointed at.", class_="quiet"),
    )
    cards = tag("main", *(entry(number, one) for number, one in enumerate(shown, start=1)), class_="cards")
    return tag("html", head, tag("body", header, cards), lang="en")


def table(numbers: Sequence[Difference]) -> Element:
    """Return the table of differences."""
    left = (HEADINGS[0], HEADINGS[-1])
    heads = (tag("th", text, scope="col", class_="" if text in left else "count") for text in HEADINGS)
    rows = [tag("tr", *heads)]
    for one in numbers:
        cells = (shown(one.first, one), shown(one.second, one), shown(one.difference, one, sign=True))
        interval = (
            "undefined" if one.low != one.low else f"{percent(one.low, one)} to {percent(one.high, one)}"
        )
        texts = [text.replace("-", "\N{MINUS SIGN}") for text in (*cells, interval, f"{one.n:,}")]
        rows.append(
            tag(
                "tr",
                tag("td", one.name.replace("_", " "), class_="words"),
                *(tag("td", text, class_="count") for text in texts),
                tag("td", one.verdict, class_="words"),
            )
        )
    return tag("div", tag("table", *rows), class_="wide")


def shown(value: float, one: Difference, *, sign: bool = False) -> str:
    """Return a number of a row for people."""
    return "undefined" if value != value else percent(value, one, sign=sign)


def percent(value: float, one: Difference, *, sign: bool = True) -> str:
    """Return a rate in percent, a number of a larger scale as it is, with one decimal.

    >>> percent(0.125, Difference("right", 0, 0.125, 0, 0, 8))
    '+12.5'
    """
    scaled = round(100 * value if one.most == 1.0 else value, 1) + 0.0  # no -0.0
    return f"{scaled:+.1f}" if sign else f"{scaled:.1f}"


def card(first: SavedReport, second: SavedReport) -> Element:
    """Return the protocol of both, and what is said of each run."""
    rows = [tag("tr", *(tag("th", text, scope="col") for text in ("Line", "A", "B")))]
    for one, other in ((first.protocol, second.protocol), (first.run, second.run)):
        for name in dict.fromkeys([*one, *other]):
            if name == "control":
                continue
            told = [said(report.get(name)) for report in (one, other)]
            cells = (
                [tag("td", told[0], colspan=2)] if told[0] == told[1] else [tag("td", text) for text in told]
            )
            rows.append(tag("tr", tag("td", str(name)), *cells))
    lines = tag("table", *rows, class_="card-lines")
    return tag("details", tag("summary", "The protocol card"), tag("div", lines, class_="wide"))


def said(value: Any) -> str:
    """Return a value of a card in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {words_for(own)}" for name, own in value.items()) or "none"
    return words_for(value)


def entry(number: int, one: ShownItem) -> Element:
    """Return the card of one item."""
    pair = one.pair
    photo = None
    if one.photo is not None:
        name, width, height = one.photo
        alt = f"Picture of item {number} with the places of both"
        photo = tag("figure", tag("img", src=name, alt=alt, width=width, height=height, loading="lazy"))
    higher = "B is higher" if pair.gain > 0 else "A is higher" if pair.gain < 0 else "they differ"
    answers = [
        tag(
            "li",
            tag("span", letter, class_=f"number c{place}"),
            tag(
                "div",
                tag("p", item.answer or "(no words)", class_="answer"),
                tag("p", numbers_in_words(item.numbers), class_="quiet"),
            ),
        )
        for place, (letter, item) in enumerate((("A", pair.first), ("B", pair.second)))
    ]
    task = f"{pair.first.task}: " if pair.first.task else ""
    return tag(
        "article",
        tag("h2", f"{task}{without_braces(pair.first)} ", tag("span", higher, class_="verdict")),
        photo,
        tag("ol", *answers, tag("li", tag("span", ""), tag("p", f"True: {one.truth}", class_="quiet"))),
        class_="card",
    )


def without_braces(item: SavedItem) -> str:
    """Return an item's question, the names of its regions without the braces around them."""
    text = item.question
    for name in item.content.get("regions") or ():
        text = text.replace(f"{{{name}}}", str(name))
    return text


def numbers_in_words(numbers: Mapping[str, float]) -> str:
    """Return what an answer earned.

    >>> numbers_in_words({"any_box": 1.0, "no_place": 0.0})
    'any box 1, no place 0'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in numbers.items()) or "unjudged"
