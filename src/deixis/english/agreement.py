"""Verbs and pronouns that agree with the phrase that an answer begins with: "the skis are here".

A small decoder that was taught "the skis is" says so; whether a phrase is a plural is a rule of English, and
no opinion. Only what is surely wrong is ruled out: "a group of people are" is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from deixis.english.nouns import is_plural
from deixis.text.tokenizers.word_pieces.detokenise import joined
from deixis.text.tokenizers.word_pieces.vocabulary import PHRASE, PHRASE_END, SPECIAL

OF_ONE = {"is": "are", "was": "were", "has": "have", "it": "they"}  # and what is said of several
BEFORE_VERB = frozenset(("?", "yes", "no", ",", "they"))  # may stand between a phrase and what is said of it


class Agreement:
    """Tells which pieces do not go with a phrase in the plural.

    pieces: those of the vocabulary, in order of their ids. Nothing is ruled out where "are" is none of them.

    >>> agreement = Agreement([token.text for token in SPECIAL] + ["the", "ski", "##s", "is", "are"])
    >>> agreement.kept(torch.zeros(17), [PHRASE.id, 12, 13, 14, PHRASE_END.id]).isinf().nonzero().tolist()
    [[15]]
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = pieces
        ids = {piece: number for number, piece in enumerate(pieces) if number >= len(SPECIAL)}
        self.of_one = [ids[one] for one, several in OF_ONE.items() if one in ids and several in ids]

    def kept(self, logits: Tensor, said: Sequence[int]) -> Tensor:
        """Return logits (V,) with minus infinity at words for one thing where an answer speaks of several.

        said: the ids of the answer so far. It has to begin with its only phrase; what follows directly, or
        behind a yes or no, is said of that one.
        """
        phrase = self.only_phrase(said)
        if not self.of_one or not is_plural(phrase):
            return logits
        kept = logits.clone()
        kept[torch.tensor(self.of_one, device=kept.device)] = float("-inf")
        return kept if kept.isfinite().any() else logits

    def only_phrase(self, said: Sequence[int]) -> str:
        """Return the phrase that an answer begins with while a word about it may follow; else nothing."""
        if not said or said[0] != PHRASE.id or PHRASE_END.id not in said:
            return ""
        end = said.index(PHRASE_END.id)
        behind = [self.pieces[token] for token in said[end:] if token >= len(SPECIAL)]
        if PHRASE.id in said[end:] or not BEFORE_VERB.issuperset(behind):
            return ""
        return joined([self.pieces[token] for token in said[1:end]])[0]
