"""Which captions are worth learning from. The rules are ours: the papers of the mixes name none for them.

Captions that a model wrote fail in known ways: it refuses, says one thing over and over, or writes a page of
markup. What is dropped is counted by reason, for nobody can look at millions of captions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq

from deixis.errors import UsageError

TOO_SHORT, TOO_LONG = "too short", "too long"
REPEATED, NO_LANGUAGE, BOILERPLATE = "repeated words", "no language", "boilerplate"
REASONS = (TOO_SHORT, TOO_LONG, REPEATED, BOILERPLATE, NO_LANGUAGE)
LONGEST_LOOP = 4  # words of a phrase that may be said over and over
FEW = 12  # parts of three words; below that, a text is too short to be called repetitive as a whole
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
STRANGE = re.compile(r"[^\w\s.,;:!?'\"’“”‘()-]|_")
# Each is looked for in small letters; one that begins with plain letters is found a hundred times faster.
MARKUP = ("https?://", r"www\.", "</?[a-z][a-z0-9]*[^<>]{0,200}>", "```", r"\{\{", "&[a-z]{2,8};")
SENTENCES = (
    *(r"as an ai\b", r"as a language model\b", r"as a large language model\b"),
    *(r"i'm sorry\b", r"i’m sorry\b", r"i am sorry\b", r"i'm unable\b", r"i’m unable\b", r"i am unable\b"),
    *(r"i cannot (?:see|view|assist|help)\b", "i can(?:'|’| no)t (?:see|view|assist|help)\\b"),
    *(r"image (?:is )?(?:not|no longer|currently not) available\b", r"image (?:is )?unavailable\b"),
    *(r"photo (?:is )?(?:not|no longer) available\b", r"content (?:is )?(?:not|no longer) available\b"),
    *(r"no image (?:is |was |has been )?(?:provided|attached|uploaded)\b", r"click here\b", "lorem ipsum"),
    *("all rights reserved", r"subscribe to (?:our|my)\b"),
)
UNWANTED = tuple(map(re.compile, (*MARKUP, *SENTENCES)))


@dataclass(frozen=True)
class CaptionFilter:
    """What a caption has to be like.

    least_words, most_words: how long it may be. most_loops: how often a phrase of up to four words may be
    said in a row. most_repeated: the share (0..1) of the parts of three words, in longer captions, that may
    have been there before. least_language: the share (0..1) of characters that are letters, digits, spaces or
    ordinary punctuation. boilerplate: drop refusals, markup, and sentences that no picture has.
    """

    least_words: int = 5
    most_words: int = 600
    most_loops: int = 3
    most_repeated: float = 0.4
    least_language: float = 0.9
    boilerplate: bool = True

    def __post_init__(self) -> None:
        shares = (self.most_repeated, self.least_language)
        if not 0 <= self.least_words <= self.most_words or self.most_loops < 1:
            raise UsageError(
                f"caption filter: words {self.least_words} to {self.most_words}, loops up to "
                f"{self.most_loops}; expected a range from 0 on, and at least 1"
            )
        if not all(0 <= share <= 1 for share in shares):
            raise UsageError(f"caption filter: shares are {shares}; expected 0 to 1")

    def reason(self, caption: str) -> str | None:
        """Return why a caption is dropped, one of REASONS; None where it is kept.

        >>> CaptionFilter().reason("A dog runs over the wet sand."), CaptionFilter().reason("A dog.")
        (None, 'too short')
        """
        small = caption.lower()
        words = WORD.findall(small)
        if len(words) < self.least_words:
            return TOO_SHORT
        if len(words) > self.most_words:
            return TOO_LONG
        if loops(words, limit=self.most_loops) or repeated_share(words) > self.most_repeated:
            return REPEATED
        if self.boilerplate and any(one.search(small) for one in UNWANTED):
            return BOILERPLATE
        if len(STRANGE.findall(caption)) > (1 - self.least_language) * len(caption):
            return NO_LANGUAGE
        return None


def loops(words: Sequence[str], *, limit: int) -> bool:
    """Tell whether a phrase of up to four words is said more than ``limit`` times in a row.

    >>> loops("a red car a red car a red car".split(), limit=2), loops("very very big".split(), limit=2)
    (True, False)
    """
    for size in range(1, LONGEST_LOOP + 1):
        later = words[size:]
        if sum(map(eq, words, later)) < size * limit:  # in all, not in a row: most captions end here
            continue
        same = 0
        for first, second in zip(words, later, strict=False):
            same = same + 1 if first == second else 0
            if same >= size * limit:
                return True
    return False


def repeated_share(words: Sequence[str]) -> float:
    """Return the share of all parts of three words that have been there before; 0 for short texts."""
    parts = len(words) - 2
    return 0.0 if parts < FEW else 1 - len(set(zip(words, words[1:], words[2:], strict=False))) / parts
