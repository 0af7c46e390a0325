"""How the published programs find answers again in a rendered dialogue: by counting tokens, each its own way.

They cut the text into rounds, a question with its answer each, and count the tokens of every round by itself.
What a round alone has more or fewer of than in the whole (a beginning, the mark that closes it, white space)
is made up for by fixed numbers. Where these don't fit a tokenizer, the whole dialogue goes unlearnt.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MaskingRule:
    """How the tokens of rounds are counted.

    start: where the first round begins. question, whole: what is added to the number of tokens of a question,
    up to the words of its answer, and of a whole round; of the first round, of each later one. separator: the
    text between rounds, by default that at which an answer stops. closed: it is counted with its round.
    """

    start: int
    question: tuple[int, int]
    whole: tuple[int, int]
    separator: str | None = None
    closed: bool = False


VICUNA = MaskingRule(start=1, question=(-2, -2), whole=(0, 0))
"""Ferret, and ViP-LLaVA with Vicuna: what begins each round stands for the mark that closed the one before.

With a tokenizer that isn't legacy a later round alone has a token more: several rounds go unlearnt.
"""
VICUNA_NOT_LEGACY = MaskingRule(start=1, question=(-2, -3), whole=(0, -1))
"""The same, made right for tokenizers that aren't legacy, as LLaVA 1.5 was later (ViP-LLaVA was not)."""
BEGUN_ROUNDS = MaskingRule(start=1, question=(-1, -1), whole=(0, 0))
"""Ferret-v2 and Ferret-UI with Llama-3 and Gemma, whose tokenizers begin every text."""
UNBEGUN_ROUNDS = MaskingRule(start=0, question=(0, 0), whole=(1, 1))
"""ViP-LLaVA and Florence-VL with Llama-3: right for a tokenizer that begins no text.

Llama-3's begins every text. Of a dialogue of several rounds nothing is then learnt, the known fault of both.
"""
PHI_3_CLOSED = MaskingRule(start=1, question=(-1, -2), whole=(-1, -2), separator="<|end|>\n", closed=True)
"""ViP-LLaVA with Phi-3: each round alone has a beginning, a later one a low bar before its first mark too."""
PHI_3_UNBEGUN = MaskingRule(start=0, question=(0, -2), whole=(1, -1))
"""Florence-VL with Phi-3, whose tokenizer begins no text: later rounds have a low bar and a new line more."""
