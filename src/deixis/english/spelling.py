"""Words of the question, spelt in the answer as they were asked.

A rare word is written in pieces, and a small decoder that begins to say one after the person who asked may
lose its way: "windshield" came back as another word. So a phrase that takes up a word of the question ends it
as asked; which words to take up stays the decoder's choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.english.inflection import forms
from deixis.english.word_classes import ARTICLES
from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL

MARK = "##"  # in front of pieces that go on with a word


@dataclass(frozen=True)
class Word:
    """A word, and the last word before it that is no article; None where there is none."""

    text: str
    before: str | None


class Spelling:
    """Tells which pieces may follow in a phrase that takes up words of a question.

    pieces: those of the vocabulary, in order of their ids.

    >>> spelling = Spelling([token.text for token in SPECIAL] + ["a", "trump", "##et", "##s", "is"])
    >>> asked = spelling.words([16, 12, 13, 14])
    >>> spelling.kept(torch.zeros(17), asked, said=[12, 13]).isfinite().nonzero().flatten().tolist()
    [14]
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = pieces
        self.going_on = {
            piece.removeprefix(MARK): number for number, piece in enumerate(pieces) if is_going_on(piece)
        }
        self.all_going_on = torch.tensor(sorted(self.going_on.values()), dtype=torch.int64)

    def words(self, ids: Sequence[int]) -> list[Word]:
        """Return the words that ids spell, in order; special tokens part them."""
        words: list[Word] = []
        before: str | None = None
        is_open = False
        for token in ids:
            if token < len(SPECIAL):
                before, is_open = None, False
            elif is_going_on(self.pieces[token]) and is_open:
                last = words.pop()
                words.append(Word(last.text + self.pieces[token].removeprefix(MARK), last.before))
            else:
                if is_open and words[-1].text not in ARTICLES:
                    before = words[-1].text
                words.append(Word(self.pieces[token], before))
                is_open = True
        return words

    def kept(self, logits: Tensor, asked: Sequence[Word], said: Sequence[int]) -> Tensor:
        """Return logits (V,) with minus infinity at pieces that misspell a word of the question.

        asked: the words of the question. said: the ids of the phrase so far. A word of the phrase is one
        of the question when it begins as that one and comes after the same word, or first in its phrase; it
        may be put in the singular or plural.
        """
        if not said:
            return logits
        word = self.words(said)[-1]
        meant = {
            form
            for other in asked
            if word.before is None or other.before == word.before
            for form in forms(other.text)
            if form.startswith(word.text)
        }
        if not meant:
            return logits
        rests = [form.removeprefix(word.text) for form in meant]
        ways = {
            self.going_on[rest[:end]]
            for rest in rests
            for end in range(1, len(rest) + 1)
            if rest[:end] in self.going_on
        }
        may_end = "" in rests or word.text in ARTICLES
        kept = logits.clone() if may_end else torch.full_like(logits, float("-inf"))
        kept[self.all_going_on.to(kept.device)] = float("-inf")
        on = torch.tensor(sorted(ways), dtype=torch.int64, device=kept.device)
        kept[on] = logits[on]
        # What else forbids pieces comes first: a phrase must always have a way on.
        return kept if kept.isfinite().any() else logits


def is_going_on(piece: str) -> bool:
    """Tell whether a piece goes on with a word.

    >>> is_going_on("##s"), is_going_on("s"), is_going_on("##")
    (True, False, False)
    """
    return piece.startswith(MARK) and len(piece) > len(MARK)
