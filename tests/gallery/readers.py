"""Reading a page back: whether its tags are closed in order, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["meta", "img", "br", "link", "input", "hr"])


@dataclass
class Page:
    """What a parser found. tags: names with their attributes, in order. text: all that is shown, in order."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def named(self, name: str, class_: str | None = None) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name, of a class if one is given."""
        return [
            attributes
            for tag, attributes in self.tags
            if tag == name and (class_ is None or class_ in (attributes.get("class") or "").split())
        ]


class Reader(HTMLParser):
    """Keeps the open elements, so that one that closes out of order is noticed."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.page.problems.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and data.strip():
            self.page.text.append(data)


def read_page(content: bytes) -> Page:
    """The page in these bytes; problems tell of tags that are not closed or closed in another order."""
    reader = Reader()
    reader.feed(content.decode("utf-8"))
    reader.close()
    reader.page.problems += [f"<{tag}> is never closed" for tag in reader.open]
    return reader.page
