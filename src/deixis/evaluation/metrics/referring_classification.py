"""Referring object classification on LVIS (Ferret, section 4.1): is the object at this place an A or a B?

An answer is right if it names the object after what it denies has been taken out of it. Chance is one half.
The questions are in ``evaluation.benchmarks.lvis_questions``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from deixis.english.inflection import plural
from deixis.evaluation.benchmarks.predictions import paired
from deixis.evaluation.metrics.rules import Rules, check_rules, share

Key = TypeVar("Key", bound=Hashable)
PUBLISHED_DENIALS = (re.compile(r"(?<!\s)\s+not[^,.]*[,.]"), re.compile(r"(?<!\s)\s+no[^,.]*[,.]"))
DENIAL = re.compile(r"(?:\b(?:not|no|never)|n['’]t)\b[^,.;!?]*(?:[,.;!?]|$)", re.I)
QUALIFIED = re.compile(r"(?P<name>.+?)_\((?P<qualifier>[^()]+)\)")


@dataclass(frozen=True)
class NamedObject:
    """What an object may be called: LVIS's name and synonyms, such as "teddy_bear" and "cat_(animal)".

    other: the class that the question offered beside the true one; "" if it is not known.
    """

    name: str
    synonyms: tuple[str, ...] = ()
    other: str = ""


@dataclass(frozen=True)
class ClassificationScores:
    """The share of objects that were named, and how many answers named nothing that had been offered.

    parse_failures counts wrong answers that are empty, or say neither class where both are known. right: of
    each answer, in the order of the objects.
    """

    n: int
    value: float | None
    parse_failures: int
    right: tuple[bool, ...]

    @property
    def printed(self) -> str:
        """The line that the published program prints."""
        return "Acc: no objects" if self.value is None else f"Acc:{100 * self.value:.3f}%"


def without_denials(text: str, *, protocol: Rules = "corrected") -> str:
    """Return an answer without the stretches that it denies.

    published: from a "no" or "not" behind white space up to the next comma or full stop; a stretch that
    nothing closes stays, and words that merely begin with these letters go too.
    corrected: whole words only, also at the start and up to the end.

    >>> without_denials("It is a notebook, not a cup"), without_denials("No, a notebook.")
    ('It is a notebook, ', ' a notebook.')
    >>> without_denials("It is a notebook, a thin one.", protocol="published")
    'It is a a thin one.'
    """
    check_rules(protocol)
    if protocol == "corrected":
        return DENIAL.sub("", text)
    for pattern in PUBLISHED_DENIALS:
        # Up to the last mark: behind it nothing is closed, and would be followed in vain.
        end = max(text.rfind(","), text.rfind(".")) + 1
        text = pattern.sub("", text[:end]) + text[end:]
    return text


def spoken_names(known: NamedObject, *, protocol: Rules = "corrected") -> list[str]:
    """Return the ways to say what an object is; "a_(b)" can be said as a and as b.

    published: the name itself is not split, only its synonyms are; corrected: both.

    >>> spoken_names(NamedObject("cat_(animal)", ("house_cat",)))
    ['cat', 'animal', 'house cat']
    """
    check_rules(protocol)
    if protocol == "published":
        names = [known.name, *(part for synonym in known.synonyms for part in qualified_parts(synonym))]
    else:
        names = [part for name in (known.name, *known.synonyms) for part in qualified_parts(name)]
    return [name.replace("_", " ") for name in dict.fromkeys(names) if name]


def qualified_parts(name: str) -> Sequence[str]:
    """Return name and qualifier of "name_(qualifier)", or the name alone."""
    match = QUALIFIED.fullmatch(name)
    return [name] if match is None else [match["name"], match["qualifier"]]


def says(text: str, names: Sequence[str], *, whole_words: bool) -> bool:
    """Tell whether a text holds one of the names: as whole words in any case, or as the very letters.

    >>> says("A caterpillar", ["cat"], whole_words=True), says("A caterpillar", ["cat"], whole_words=False)
    (False, True)
    """
    if whole_words:
        return any(words_of(name).search(text) for name in names)
    return any(name in text for name in names)


def words_of(name: str) -> re.Pattern[str]:
    """Return a pattern for a name as whole words, in any case, perhaps in the plural.

    >>> [bool(words_of("knife").search(text)) for text in ("Two knives.", "a Knife", "penknives")]
    [True, True, False]
    """
    forms = "|".join(map(re.escape, (plural(name.lower()), name)))
    return re.compile(rf"(?<!\w)(?:{forms})(?!\w)", re.I)


def says_which(
    text: str, names: Sequence[str], others: Sequence[str], *, whole_words: bool
) -> tuple[bool, bool]:
    """Tell whether a text says a name of the object, and one of the other class.

    As whole words, longer names are found first and stand for nothing else: "measuring cup" is no "cup".

    >>> says_which("a measuring cup", ["cup"], ["measuring cup"], whole_words=True)
    (False, True)
    """
    others = [name for name in others if name not in names]
    if not whole_words:
        return says(text, names, whole_words=False), says(text, others, whole_words=False)
    said = set()
    for name in sorted({*names, *others}, key=len, reverse=True):
        text, times = words_of(name).subn(" | ", text)
        if times:
            said.add(name)
    return not said.isdisjoint(names), not said.isdisjoint(others)


def score_classification(
    objects: Mapping[Key, NamedObject],
    answers: Mapping[Key, str],
    *,
    protocol: Rules = "corrected",
    whole_words: bool | None = None,
) -> ClassificationScores:
    """Return how many answers name their object; both mappings by the same ids, else RecordError.

    whole_words: how names are looked for; None: in the corrected protocol as whole words, in the published
    one as letters. In the corrected protocol an answer that names the other class too
    (``NamedObject.other``), without denying it, is wrong.
    """
    check_rules(protocol)
    whole = protocol == "corrected" if whole_words is None else whole_words
    right, failures = [], 0
    for known, text in paired(objects, answers, of="objects"):
        said = without_denials(text, protocol=protocol)
        names = spoken_names(known, protocol=protocol)
        others = spoken_names(NamedObject(known.other)) if known.other else []
        names_it, names_other = says_which(said, names, others, whole_words=whole)
        right.append(names_it and not (names_other and protocol == "corrected"))
        failures += not names_it and (not text.strip() or (bool(known.other) and not names_other))
    return ClassificationScores(len(right), share(sum(right), len(right)), failures, tuple(right))
