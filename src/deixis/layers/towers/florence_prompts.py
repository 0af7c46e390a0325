"""What Florence-2's encoder is asked: its task sentences as token ids (florence_vl.md section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from deixis.errors import UsageError

BEGIN, PAD, END = 0, 1, 2
LENGTH = 14  # tokens that all prompts are filled up to, with PAD


@dataclass(frozen=True)
class FlorencePrompt:
    """A task of Florence-2. ids: with begin and end, in the vocabulary of BART."""

    task: str
    text: str
    ids: tuple[int, ...]


PROMPTS: Mapping[str, FlorencePrompt] = MappingProxyType(
    {
        "caption": FlorencePrompt(
            "<DETAILED_CAPTION>",
            "Describe in detail what is shown in the image.",
            (0, 47066, 21700, 11, 4617, 99, 16, 2343, 11, 5, 2274, 4, 2),
        ),
        "ocr": FlorencePrompt(
            "<OCR>",
            "What is the text in the image?",
            (0, 2264, 16, 5, 2788, 11, 5, 2274, 116, 2),
        ),
        "grounding": FlorencePrompt(
            "<DENSE_REGION_CAPTION>",
            "Locate the objects in the image, with their descriptions.",
            (0, 574, 22486, 5, 8720, 11, 5, 2274, 6, 19, 49, 24173, 4, 2),
        ),
        "short_caption": FlorencePrompt(
            "<CAPTION>", "What does the image describe?", (0, 2264, 473, 5, 2274, 6190, 116, 2)
        ),
        "long_caption": FlorencePrompt(
            "<MORE_DETAILED_CAPTION>",
            "Describe with a paragraph what is shown in the image.",
            (0, 47066, 21700, 19, 10, 17818, 99, 16, 2343, 11, 5, 2274, 4, 2),
        ),
        "objects": FlorencePrompt(
            "<OD>",
            "Locate the objects with category name in the image.",
            (0, 574, 22486, 5, 8720, 19, 4120, 766, 11, 5, 2274, 4, 2),
        ),
        "regions": FlorencePrompt(
            "<REGION_PROPOSAL>",
            "Locate the region proposals in the image.",
            (0, 574, 22486, 5, 976, 5327, 11, 5, 2274, 4, 2),
        ),
        "ocr_with_places": FlorencePrompt(
            "<OCR_WITH_REGION>",
            "What is the text in the image, with regions?",
            (0, 2264, 16, 5, 2788, 11, 5, 2274, 6, 19, 3806, 116, 2),
        ),
    }
)
PUBLISHED = ("caption", "ocr", "grounding")
# Rows of the word table that any of the prompts needs; the other rows of BART's are for its decoder.
ROWS = tuple(sorted({BEGIN, PAD, END, *(token for one in PROMPTS.values() for token in one.ids)}))


def prompt_ids(names: Sequence[str], *, length: int = LENGTH) -> list[list[int]]:
    """Return the ids of prompts, filled up to one length; UsageError for a name that is not known.

    The published program fills up to the longest of its three, and its encoder sees the filling: what the
    others become depends on it, so that fewer prompts are filled up to the same length.

    >>> prompt_ids(["ocr"])[0][-6:]
    [116, 2, 1, 1, 1, 1]
    """
    for name in names:
        if name not in PROMPTS:
            raise UsageError(f"there is no prompt {name!r}; known prompts: {', '.join(PROMPTS)}")
    return filled([PROMPTS[name].ids for name in names], length=length)


def filled(ids: Sequence[Sequence[int]], *, length: int = LENGTH) -> list[list[int]]:
    """Return rows of ids filled up with PAD to ``length``, or to the longest.

    >>> filled([[0, 5, 2], [0, 2]], length=0)
    [[0, 5, 2], [0, 2, 1]]
    """
    longest = max([length, *map(len, ids)])
    return [[*one, *[PAD] * (longest - len(one))] for one in ids]
