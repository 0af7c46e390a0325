"""METEOR of captions (Denkowski and Lavie, 2014), through the package ``pycocoevalcap`` and Java.

METEOR 1.5 is a Java program with tables of stems, synonyms and paraphrases. Where the package or Java is
missing, it is not computed: nothing here stands in for it.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.errors import UsageError
from deixis.evaluation.metrics.captions.bleu import Words

PACKAGE, JAVA = "pycocoevalcap", "java"


@dataclass(frozen=True)
class MeteorScores:
    """METEOR of a set of captions, and of each of them."""

    value: float
    each: tuple[float, ...]


def why_no_meteor() -> str:
    """Return why METEOR can't be computed here; "" where it can."""
    if importlib.util.find_spec(PACKAGE) is None:
        return f"the package {PACKAGE} is not installed: pip install 'deixis[captions]'"
    return "" if shutil.which(JAVA) else "there is no Java: the command java is not found"


def meteor(captions: Sequence[Words], references: Sequence[Sequence[Words]]) -> MeteorScores:
    """Return METEOR 1.5 of captions, each with one or more references.

    UsageError: the package or Java is missing, or the Java program gave no scores.
    """
    if reason := why_no_meteor():
        raise UsageError(f"METEOR can't be computed: {reason}")
    from pycocoevalcap.meteor.meteor import Meteor

    said = {place: [" ".join(words)] for place, words in enumerate(captions)}
    true = {place: [" ".join(words) for words in own] for place, own in enumerate(references)}
    program = Meteor()
    try:
        value, each = program.compute_score(true, said)
    except (OSError, ValueError) as fault:  # it ended before it answered, or answered no numbers
        raise UsageError(f"METEOR can't be computed: its Java program gave no scores ({fault})") from fault
    finally:
        for stream in (program.meteor_p.stdout, program.meteor_p.stderr):
            stream.close()
    return MeteorScores(float(value), tuple(map(float, each)))
