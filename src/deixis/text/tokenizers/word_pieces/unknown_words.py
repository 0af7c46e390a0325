"""Words that a vocabulary can't spell, not even letter by letter: other scripts, signs, endless words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from deixis.text.tokenizers.word_pieces.vocabulary import UNKNOWN, Vocabulary

SHOWN, LONGEST = 5, 24  # so many words are shown, so many characters of each


@dataclass(frozen=True)
class WordCount:
    """How many word pieces texts have, and how many of them are unknown.

    texts: how many texts there are; unreadable: how many of them have an unknown word. words: those behind
    the unknown pieces, commonest first.
    """

    texts: int
    unreadable: int
    pieces: int
    unknown: int
    words: tuple[str, ...] = ()


def unknown_words(text: str, vocabulary: Vocabulary) -> list[str]:
    """Return the words of a text that become unknown tokens, in order, each once."""
    encoding = vocabulary.tokenizer.encode(text, add_special_tokens=False)
    unknown = [place for place, token in enumerate(encoding.ids) if token == UNKNOWN.id]
    return list(dict.fromkeys(text[slice(*encoding.offsets[place])] for place in unknown))


def count_words(texts: Iterable[str], vocabulary: Vocabulary) -> WordCount:
    """Return how much of some texts a vocabulary can't spell."""
    number = unreadable = pieces = unknown = 0
    words: Counter[str] = Counter()
    texts = list(texts)
    for text, encoding in zip(
        texts, vocabulary.tokenizer.encode_batch(texts, add_special_tokens=False), strict=True
    ):
        missing = encoding.ids.count(UNKNOWN.id)
        number, pieces, unknown = number + 1, pieces + len(encoding.ids), unknown + missing
        if missing:
            unreadable += 1
            words.update(unknown_words(text, vocabulary))
    return WordCount(number, unreadable, pieces, unknown, tuple(word for word, _ in words.most_common()))


def listed(words: Iterable[str]) -> str:
    """Return words in a sentence: the first few, shortened.

    >>> listed(["狗", "x" * 40])
    '“狗”, “xxxxxxxxxxxxxxxxxxxxxxx…”'
    """
    words = list(words)
    shown = [word if len(word) <= LONGEST else f"{word[: LONGEST - 1]}…" for word in words[:SHOWN]]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(f"“{word}”" for word in shown) + more
