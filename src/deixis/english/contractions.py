"""Contractions spelt out: "where's the dog" asks what "where is the dog" asks."""

from __future__ import annotations

import re

IS = "what|where|who|which|when|why|how|it|that|this|there|here|he|she|everything|something|anything"
NOT = "is|are|was|were|do|does|did|has|have|had|could|would|should|must"
# What stands behind each is spelt out in full. A noun's own 's is left alone: it mostly says whose.
SPELT = (
    (re.compile(r"\b(ca)n't\b", re.IGNORECASE), r"\1n not"),
    (re.compile(r"\bwon't\b", re.IGNORECASE), "will not"),
    (re.compile(rf"\b({NOT})n't\b", re.IGNORECASE), r"\1 not"),
    (re.compile(r"\b(let)'s\b", re.IGNORECASE), r"\1 us"),
    (re.compile(rf"\b({IS})'s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"\b(i)'m\b", re.IGNORECASE), r"\1 am"),
    (re.compile(r"\b(you|we|they|there|what|where|who|how)'re\b", re.IGNORECASE), r"\1 are"),
    (re.compile(r"\b(i|you|we|they)'ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\b(i|you|we|they|he|she|it|that|who|what)'ll\b", re.IGNORECASE), r"\1 will"),
    (re.compile(r"\b(i|you|we|they|he|she|it|that|who|what)'d\b", re.IGNORECASE), r"\1 would"),
)


def without_contractions(text: str) -> str:
    """Return a question with its contractions in full words.

    >>> without_contractions("Where's the man's hat, and what're they doing? I can't see.")
    "Where is the man's hat, and what are they doing? I can not see."
    """
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for contraction, full in SPELT:
        text = contraction.sub(full, text)
    return text
