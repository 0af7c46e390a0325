"""The opening of an answer, as the decoder writes it: what the question is meant to get, and what it claims.

What a question is meant to get is learnt, not read off its wording; what it says that a region is, the
decoder writes down itself, in the words of the question, before that is judged.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from deixis.engine.policy import Probe
from deixis.english.spelling import Spelling, Word
from deixis.systems.pointer.decoding.openings import Choice
from deixis.systems.pointer.decoding.place_grammar import State, forbid, next_state
from deixis.text.tokenizers.word_pieces.detokenise import joined
from deixis.text.tokenizers.word_pieces.opening_tokens import JUDGE, OpeningTokens
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary

WHETHER, NAME = "whether", "name"
LONGEST = 24  # tokens of claims


class Speller(Protocol):
    """What reading claims asks of a system."""

    vocabulary: Vocabulary
    spelling: Spelling


@dataclass(frozen=True)
class LearntOpening:
    """What a question is meant to get, None where no network says; its tokens; what it claims, in words."""

    ids: tuple[int, ...]
    intent: str | None
    claims: tuple[str, ...] = ()

    @property
    def may_name(self) -> bool:
        """Whether the answer may begin with a name of a region."""
        return self.intent in (None, NAME, JUDGE)


def learnt_opening(
    logits: Tensor, opening: OpeningTokens, system: Speller, asked: Sequence[Word], choose: Choice
) -> Generator[Sequence[Probe], Tensor, LearntOpening]:
    """Return the opening of an answer, given the logits (V,) of its first token; claims are written greedily.

    asked: the words of the question. A claim that finds no end is cut, and is none.
    """
    scores = forbid(logits.float().cpu()[None], [State.OPENING], opening)[0].log_softmax(dim=-1)
    first = choose(scores)
    intent = opening.intent(first)
    if intent != JUDGE:
        return LearntOpening((first,), intent)
    ids, state = [first], State.CLAIM_OPEN
    claims: list[list[int]] = [[]]
    while state is not State.WORDS:
        behind = yield [Probe(tuple(ids))]
        allowed = forbid(behind.float().cpu(), [state], opening)[0]
        token = int(system.spelling.kept(allowed, asked, claims[-1]).argmax())
        if len(ids) >= LONGEST and state is State.IN_CLAIM:
            token = opening.claimed
        following = next_state(state, token, opening)
        assert following is not None, f"{state} was followed by token {token}"
        if following is State.IN_CLAIM:
            claims[-1].append(token)
        elif following is State.CLAIM_OPEN:
            claims.append([])
        ids.append(token)
        state = following
    said = tuple(joined([system.vocabulary.pieces[piece] for piece in claim])[0].lower() for claim in claims)
    return LearntOpening(tuple(ids), intent, said if len(ids) <= LONGEST else ())
