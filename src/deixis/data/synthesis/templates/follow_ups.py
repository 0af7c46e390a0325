"""How a second question goes on from the first: "and {it}?", "tell me more".

The syntax is that of `questions`.
"""

from __future__ import annotations

from deixis.data.synthesis.templates import everyday

FURTHER = (
    *everyday.FURTHER,
    "what does it look like?",
    "(and |)what does (it|she|this one) look like?",
    "(please |can you |)describe (it|him|her|that)( for me|).",
    "tell me (more|something) about (it|him|her|that).",
    "(some |)more (detail|details)( please|).",
    "how does (it|he|she) look?",
    "can you say more?",
    "what else (can you say|do you see|is there to say)( of it| about them|)?",
    "what (is it|are they|is he|is she) like?",
    "(and |)in more words?",
    "be more precise.",
    "(say|tell me) a bit more( about it| about them|).",
    "anything (more|special) about (it|him|her|them)?",
)
FURTHER_NAME = (
    *everyday.FURTHER_NAME,
    "and {it}?",
    "(and |)what about {it}?",
    "this one too? {it}",
    "what is {it} then?",
    "(next|now) {it}.",
)
FURTHER_PHRASE = (
    *everyday.FURTHER_PHRASE,
    "(and |)how about {}?",
    "(now |next |then |)the same for {}.",
    "then {}.",
    "(or |)perhaps {}?",
)
FURTHER_WHERE = (
    *everyday.FURTHER_WHERE,
    "where (exactly |in the picture |)<be> {}?",
    "(and |so |)where do you see (that|this|the place)?",
    "(can you |please |)point at the place.",
    "show me the place.",
    "in which part of the (picture|photo)?",
    "(and |)whereabouts?",
    "(mark|circle|box) (it|that|them)( for me| please|).",
    "point (it|them) out.",
    "(which|what) spot?",
)
FURTHER_COUNT = (
    "how many of them are there?",
    "how many of them (can|do) you see?",
    "(and |)what is their number?",
    "how many (exactly|in total|altogether)?",
    "count them( for me| please|).",
    "(and |)how many of those?",
)
