"""The page of a gallery: what it shows and how it was made, then a card for every photo; no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from deixis.answers.drawing.palette import COLOURS
from deixis.gallery.html import tag
from deixis.gallery.kinds import KINDS, NOT_JUDGED, RIGHT, WRONG, Kind
from deixis.gallery.style import STYLE, colour_rules
from deixis.regions.shapes import Box, Mask, Point, Polygon, Scribble

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer
    from deixis.gallery.exhibits import Card, Exhibit, Gallery

GENERATOR = "deixis gallery"
SIGNS = {RIGHT: "✓ right", WRONG: "✗ wrong", NOT_JUDGED: "not judged"}
SHAPES = {Point: "a point", Box: "a box", Scribble: "a stroke", Polygon: "an outline", Mask: "a mask"}
MOST_SCORES = 4  # of an answer's places that are written out


def document(title: str, *content: Element) -> Element:
    """Return a whole page that says which program made it."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="generator", content=GENERATOR),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", STYLE, colour_rules()),
    )
    return tag("html", head, tag("body", *content), lang="en")


def gallery_page(gallery: Gallery) -> Element:
    """Return the page of a gallery."""
    title = f"{gallery.system} on {len(gallery.cards)} photos of {gallery.data}"
    cards = tag("main", *(card_of(number, card) for number, card in enumerate(gallery.cards, start=1)))
    cards.set("class", "cards")
    return document(title, head_section(title, gallery), cards, licence_note(gallery))


def head_section(title: str, gallery: Gallery) -> Element:
    """Return what was asked of whom, how the photos were chosen, and how many answers were right."""
    photos = len(gallery.cards)
    choice = (
        f"{photos} of the split's {gallery.available}, drawn at random with seed {gallery.seed}, as were "
        "the questions. Nothing was chosen or left out by its result."
    )
    facts = {
        "System": gallery.system,
        "Weights": gallery.weights,
        "Dataset": gallery.data,
        "Split": gallery.split,
        "Seed": str(gallery.seed),
        "Photos": choice,
    }
    for fault in (
        gallery.outside.sentence("Boxes that stick out of their photos"),
        gallery.broken.sentence("Photos that can't be opened"),
    ):
        facts |= dict([fault.split(": ", maxsplit=1)]) if fault else {}
    listed = [part for name, fact in facts.items() for part in (tag("dt", name), tag("dd", fact))]
    few = (
        "So few answers show what the system is like, not how good it is: for numbers with intervals run "
        "deixis evaluate on the whole split."
    )
    return tag(
        "header",
        tag("h1", title),
        tag("p", "Answers as they came, good and bad."),
        tag(
            "div",
            tag("section", tag("h2", "How this page was made"), tag("dl", *listed), *legend()),
            tag("section", tag("h2", "Right answers"), counts(gallery), tag("p", few, class_="quiet")),
            class_="about",
        ),
    )


def legend() -> tuple[Element, ...]:
    """Return what the lines on the photos mean."""
    lines = {
        "found": "a place that the system gave, with the number of its question",
        "meant": "after a wrong answer: the box that people drew for the phrase",
        "shown": "what the system was pointed at; a ring for a point, a line for a stroke",
    }
    rows = (
        tag("li", tag("span", class_=f"swatch {name}"), tag("span", text)) for name, text in lines.items()
    )
    return tag("h2", "On the photos"), tag("ul", *rows, class_="key")


def counts(gallery: Gallery) -> Element:
    """Return the table of right answers, a row a kind."""
    shown = [exhibit for card in gallery.cards for exhibit in card.exhibits]
    rows = [tag("tr", *(tag("th", text, scope="col") for text in ("Asked", "Right", "Right means")))]
    for kind in KINDS:
        verdicts = [exhibit.verdict for exhibit in shown if exhibit.question.kind is kind]
        if verdicts:
            rows.append(tag("tr", tag("td", kind.name), score_cell(kind, verdicts), tag("td", kind.rule)))
    return tag("table", *rows)


def score_cell(kind: Kind, verdicts: list[str]) -> Element:
    """Return how many of the judged answers are right, or how many there are where none is judged."""
    judged = [verdict for verdict in verdicts if verdict != NOT_JUDGED]
    text = f"{judged.count(RIGHT)} of {len(judged)}" if judged else f"({len(verdicts)} asked)"
    return tag("td", text, class_="count")


def card_of(number: int, card: Card) -> Element:
    """Return the card of one photo."""
    width, height = card.size
    photo = tag(
        "img",
        src=card.photo,
        alt=f"Photo {number} with the places of its answers",
        width=width,
        height=height,
        loading="lazy",
    )
    name = tag("span", f" {card.scene.picture.name}", class_="quiet")
    entries = (entry_of(place, exhibit) for place, exhibit in enumerate(card.exhibits, start=1))
    return tag(
        "article",
        tag("h2", f"Photo {number}", name),
        tag("figure", photo),
        tag("ol", *entries),
        class_="card",
        id=f"photo-{number}",
    )


def entry_of(number: int, exhibit: Exhibit) -> Element:
    """Return one question with its answer, whether it was right, and what people say."""
    question, answer = exhibit.question, exhibit.answer
    colour = "pointed" if answer.regions else f"c{(number - 1) % len(COLOURS)}"
    verdict = "" if exhibit.verdict == NOT_JUDGED else f" {exhibit.verdict}"
    details = [scores_of(answer), question.known]
    own = None
    if exhibit.places is not None:
        alt = f"The photo with the places of: {answer.text}"
        details.reverse()
        own = tag("figure", tag("img", src=exhibit.places, alt=alt, loading="lazy"))
    return tag(
        "li",
        tag("span", str(number), class_=f"number {colour}"),
        tag(
            "div",
            tag("p", question.item.question, pointing_of(answer), class_="asked"),
            tag(
                "p",
                words_of(exhibit),
                " ",
                tag("span", SIGNS[exhibit.verdict], class_=f"verdict{verdict}"),
            ),
            *(tag("p", f"could not be read: {one}", class_="quiet") for one in answer.parse_failures),
            tag(
                "p",
                " · ".join(filter(None, details)),
                " · ",
                tag("a", "drawn alone", href=exhibit.drawing),
                class_="quiet",
            ),
        ),
        own,
    )


def pointing_of(answer: Answer) -> str:
    """Return with what a question points, in words; "" for one that does not."""
    shapes = ", ".join(SHAPES[type(region)] for _, region in answer.regions)
    return f" (pointing with {shapes})" if shapes else ""


def words_of(exhibit: Exhibit) -> Element:
    """Return the text of an answer; where its places have a picture of their own, in the colours of that."""
    answer, parts, read = exhibit.answer, list[Element | str](), 0
    for number, span in enumerate(answer.spans if exhibit.places is not None else ()):
        parts.append(answer.text[read : span.start])
        parts.append(tag("span", span.phrase, class_=f"u{number % len(COLOURS)}"))
        read = span.end
    return tag("span", *parts, answer.text[read:] or ("" if parts else "(no words)"), class_="answer")


def scores_of(answer: Answer) -> str:
    """Return the scores of an answer's places, and how likely the one thing asked for is not there."""
    places = [place.score for span in answer.spans for place in span.places]
    parts = []
    if places:
        more = ", …" if len(places) > MOST_SCORES else ""
        listed = ", ".join(f"{score:.2f}" for score in places[:MOST_SCORES])
        parts.append(f"{'scores' if len(places) > 1 else 'score'} {listed}{more}")
    if answer.nowhere_score is not None and len(answer.spans) == 1:
        parts.append(f"not there {answer.nowhere_score:.2f}")
    return " · ".join(parts)


def licence_note(gallery: Gallery) -> Element:
    """Return the reminder whose the photos are."""
    note = (
        f"The photos belong to the dataset {gallery.data} and its photographers. Its licence holds for this "
        "page too: don't pass the pictures on beyond what it allows."
    )
    return tag("footer", tag("p", note, class_="quiet"))
