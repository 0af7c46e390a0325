"""Captions as words, as the published scores of captions count them: Penn Treebank tokens in lower case.

COCO's evaluation of captions (Chen et al., 2015) runs Stanford's tokenizer of CoreNLP 3.4.1, a Java program,
and drops punctuation. Here are its rules as far as captions use them: contractions come apart ("do n't"),
hyphens, slashes, numbers, acronyms and known abbreviations stay whole, brackets become "-lrb-" and the like,
which the published evaluation means to drop and keeps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from deixis.errors import RecordError

LONGEST = 20_000  # characters of a caption
PUNCTUATION = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
QUOTE, ELLIPSIS, DASH = "''", "...", "--"
ABBREVIATIONS = (
    "mr|mrs|ms|drs?|profs?|sens?|reps?|gov|gen|col|lt|maj|sgt|cpl|pvt|capt|rev|hon|adm|pres|messrs|ste?|mt|ft"
    "|ave|blvd|rd|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs|fri|jr|sr|bros|inc"
    "|cos?|corp|ltd|dept|assn|univ|etc|vs|v|p|m|ext|est|tel|sq"
)
# Words that are two.
PARTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cannot": ("can", "not"),
        "gonna": ("gon", "na"),
        "gotta": ("got", "ta"),
        "wanna": ("wan", "na"),
        "lemme": ("lem", "me"),
        "gimme": ("gim", "me"),
        "'tis": ("'t", "is"),
        "'twas": ("'t", "was"),
    }
)
# Signs that become another token.
SIGNS: Mapping[str, str] = MappingProxyType(
    {
        '"': QUOTE, "“": QUOTE, "”": QUOTE, "«": QUOTE, "»": QUOTE, "'": "'", "‹": "'", "›": "'", "`": "`",
        "…": ELLIPSIS, "–": DASH, "—": DASH, "‒": DASH, "―": DASH,
        "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
        "£": "#", "€": "$", "¢": "cents", "½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3",
        "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": QUOTE,
    }
)  # fmt: skip
APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "\u00a0": " ", "\u00ad": ""})
L = r"[^\W\d_½¼¾⅓⅔]"  # a letter
W = r"[^\W½¼¾⅓⅔]*[^\W_½¼¾⅓⅔]"  # letters, digits and, inside, underscores
END = r"(?![^\W_])"  # no further letter or digit
WITH_APOSTROPHE = (
    rf"[dDoOlL]'{L}+|ma'am|[nN]e'er|[eE]'er|[lL]i'l|[nN]or'easter|[cC]'mon|[sS]'mores|[nN]at'l|[eE]v'ry"
)
# The first that fits at a place makes the token there: what becomes of it, and its pattern.
RULES: tuple[tuple[str, str], ...] = (
    ("tag", r"</?[A-Za-z][^<>]*>"),
    ("whole", r"https?://[^\s\"<>|(){}]+|[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    ("whole", r"www\.[^\s\"<>|(){},;]*[\w/]"),
    ("sign", r"&(?:amp|lt|gt|quot);"),
    ("whole", r"&\#\d+;"),
    ("whole", r"[@\#][A-Za-z_]\w*"),
    ("whole", rf"(?:[A-Za-z](?:\.[A-Za-z])+\.|[Pp]h\.[Dd]\.?){END}(?:-\w+)*"),
    ("whole", rf"{L}+(?:\.{L}+)+|{W}\.(?i:jpe?g|png|gif|bmp|pdf|txt|html?){END}"),
    ("whole", rf"(?i:{ABBREVIATIONS})\.(?!\w)"),
    ("whole", r"[A-Z]\.(?![\w.])"),
    ("whole", r"(?i:no)\.(?=\s{0,4}\d)"),
    ("parted", rf"(?i:{'|'.join(PARTED)}){END}"),
    ("whole", rf"(?i:n't|'(?:s|m|d|re|ve|ll|em)|'\d0s){END}|'n'|'n{END}"),
    ("whole", rf"(?i:somethin|ol)'(?!{L})|[yY]'(?={L})"),
    ("whole", rf"(?:{WITH_APOSTROPHE}){END}"),
    ("whole", rf"{L}+?(?=(?i:n't){END})"),
    ("whole", r"[A-Z]+(?:&[A-Z]+)+"),
    ("whole", r"[A-Za-z0-9][A-Za-z0-9.,]{0,64}(?:-[A-Za-z0-9_]*[A-Za-z0-9])+"),
    ("whole", r"[+-]?\d+(?:[.,:]\d+)+|\.\d+"),
    ("tag", r"\d+ \d+/\d+(?!\d)"),
    ("whole", rf"\d+/\d+(?:-{W})*"),
    ("whole", rf"(?={L}){W}(?:-{W})*(?:/{L}+(?:-{W})*)+"),
    ("whole", rf"{W}(?:-{W})+"),
    ("whole", rf"{L}\+\+|[CF]\#"),
    ("whole", r"[A-Z]{1,3}\$"),
    ("whole", r"[+-]\d\w*"),
    ("whole", r"[½¼¾⅓⅔]"),
    ("whole", rf"{W}|_+"),
    ("dash", r"-{2,}"),
    ("dots", r"\.{3,}"),
    ("whole", r"[?!]+|\*+|>>|<<"),
    ("smile", r"[:;=]-?[()DP](?!\w)|\^_\^"),
    ("sign", r"\S"),
)
TOKEN = re.compile("|".join(f"(?P<{kind}_{place}>{rule})" for place, (kind, rule) in enumerate(RULES)))


def ptb_tokens(text: str) -> list[str]:
    """Return the tokens of a caption in lower case, punctuation among them; quotes all alike.

    RecordError: it has more than ``LONGEST`` characters.

    >>> ptb_tokens("It's a man's T-shirt, isn't it (black/white)?")
    ['it', "'s", 'a', 'man', "'s", 't-shirt', ',', 'is', "n't", 'it', '-lrb-', 'black/white', '-rrb-', '?']
    """
    if len(text) > LONGEST:
        raise RecordError(f"a caption has {len(text):,} characters; expected at most {LONGEST:,}")
    tokens: list[str] = []
    for match in TOKEN.finditer(text.translate(APOSTROPHES)):
        kind, found = str(match.lastgroup).partition("_")[0], match[match.lastgroup or 0]
        tokens += as_tokens(kind, found.lower())
    return tokens


def as_tokens(kind: str, found: str) -> tuple[str, ...]:
    """Return what a piece of text, in lower case, is written as."""
    if kind == "parted":
        return PARTED[found]
    if kind == "dash":
        return (DASH,)
    if kind == "dots":
        return (ELLIPSIS,)
    if kind == "tag":
        return (found.replace(" ", "\u00a0"),)
    if kind == "smile":
        return ("".join(SIGNS.get(sign, sign) for sign in found),)
    return (SIGNS.get(found, found),)


def caption_words(text: str) -> list[str]:
    """Return the tokens of a caption that scores count: all but punctuation.

    >>> caption_words("A red bus -- on the street.")
    ['a', 'red', 'bus', 'on', 'the', 'street']
    """
    return [token for token in ptb_tokens(text) if token not in PUNCTUATION]
