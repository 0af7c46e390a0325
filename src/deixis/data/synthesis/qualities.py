"""What things are like: the words that stand before their nouns."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.claims import YES, Claim, meant_alone
from deixis.data.synthesis.phrasebook import phrases_of
from deixis.english.nouns import head_noun, words_of
from deixis.english.word_classes import MANY

UNSAID = "unsaid"  # a quality that no phrase names, of a thing
# Words before a noun that are no quality of what it names.
NO_QUALITY = MANY | frozenset((
    "a", "an", "the", "and", "or", "of", "s", "no", "one", "this", "that", "these", "those", "another",
    "other", "his", "her", "its", "their", "my", "your", "our", "all", "each", "every", "very", "number",
    "only", "just", "same", "own", "which", "whose", "what", "for", "to", "in", "on", "with", "is", "are",
    "off", "up",
))  # fmt: skip


def qualities_in(phrase: str) -> list[str]:
    """Return the words of a phrase that tell its noun's qualities: those before it, articles left out.

    >>> qualities_in("a small brown dog with a red ball"), qualities_in("her three dogs")
    (['small', 'brown'], [])
    """
    noun, words = head_noun(phrase), words_of(phrase)
    before = words[: words.index(noun)] if noun in words else []
    return [word for word in before if word not in NO_QUALITY]


class Qualities:
    """Draws what things are like and what they are not, in words that mostly stand before nouns.

    at_least: phrases that such a word must stand in.
    """

    def __init__(self, scenes: Sequence[Scene], *, at_least: int = 10) -> None:
        texts = [text for scene in scenes for text in phrases_of(scene)]
        nouns = Counter(map(head_noun, texts))
        counts = Counter(quality for text in texts for quality in qualities_in(text))
        self.known = sorted(w for w, count in counts.items() if count >= at_least and count > nouns[w])
        self.counts = np.array([counts[word] for word in self.known], dtype=float)

    def claims_about(self, scene: Scene, *, seed: int) -> Iterator[Claim]:
        """Yield two claims for every thing of known qualities: one that it has, and one that is never named.

        The latter is drawn by turns uniformly and by frequency, as absent nouns are.
        """
        known = set(self.known)
        for thing, texts in meant_alone(scene).items():
            rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{thing}/like".encode())])
            said = {word for text in texts for word in words_of(text)}
            own = sorted(known & {quality for text in texts for quality in qualities_in(text)})
            chances = np.array([word not in said for word in self.known], dtype=float)
            chances *= self.counts if rng.random() < 0.5 else 1.0
            if own and chances.any():
                yield Claim(thing, pick(own, rng), YES)
                yield Claim(thing, str(rng.choice(self.known, p=chances / chances.sum())), UNSAID)
