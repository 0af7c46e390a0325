"""Elements of a page. Texts and attributes are escaped where they are written, so no phrase can be markup."""

from __future__ import annotations

from unicodedata import category
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None
DOCTYPE = "<!DOCTYPE html>\n"
STAND_IN = "\ufffd"


def tag(name: str, /, *children: Child, **attributes: str | int) -> Element:
    """Return an element with texts and elements in it; None is left out.

    A name that Python keeps for itself is written with an underscore behind it, as in ``class_``.

    >>> tostring(tag("p", "a < b ", tag("b", "c"), class_="note"), encoding="unicode", method="html")
    '<p class="note">a &lt; b <b>c</b></p>'
    """
    element = Element(name, {key.rstrip("_"): printable(str(value)) for key, value in attributes.items()})
    last: Element | None = None
    for child in children:
        if child is None:
            continue
        if isinstance(child, Element):
            element.append(child)
            last = child
        elif last is None:
            element.text = (element.text or "") + printable(child)
        else:
            last.tail = (last.tail or "") + printable(child)
    return element


def printable(text: str) -> str:
    """Return a text whose control characters and lone surrogates became the sign for what can't be shown.

    >>> printable("a\\x00b")
    'a\ufffdb'
    """
    return "".join(
        STAND_IN if category(sign) in ("Cc", "Cs") and sign not in "\n\t" else sign for sign in text
    )


def written(page: Element) -> bytes:
    """Return a whole page as the bytes of a file."""
    return (DOCTYPE + tostring(page, encoding="unicode", method="html") + "\n").encode()
