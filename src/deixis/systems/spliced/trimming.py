"""An answer without the white space at its two ends, as it comes."""

from __future__ import annotations


class Trimmed:
    """Lets text through without white space at the ends; what could be the last of it waits for more.

    dropped: how many characters at the beginning were left out.

    >>> trimmed = Trimmed()
    >>> trimmed.add(" "), trimmed.add(" A dog. "), trimmed.add("It runs.\\n"), trimmed.dropped
    ('', 'A dog.', ' It runs.', 2)
    """

    def __init__(self) -> None:
        self.waiting = ""
        self.begun = False
        self.dropped = 0

    def add(self, text: str) -> str:
        """Return the text that may be shown by now."""
        if not self.begun:
            words = text.lstrip()
            self.dropped += len(text) - len(words)
            self.begun, text = bool(words), words
        self.waiting += text
        shown = self.waiting.rstrip()
        self.waiting = self.waiting[len(shown) :]
        return shown
