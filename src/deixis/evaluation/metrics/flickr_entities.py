"""Phrase grounding on Flickr30k Entities (Plummer et al., 2015): are the phrases of a sentence found?

Recall at k of the phrases with boxes: any of the first k boxes of a phrase hits any of its true ones. With
merged boxes, the published protocol, the one box around all of a phrase's boxes is the truth; else each of
them (any-box).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.answers.reading.boxed_phrases import phrase_before, read_answer
from deixis.answers.reading.dialects import scored_phrases
from deixis.data.sources.flickr30k_files import read_annotation, read_captions, read_text
from deixis.errors import MalformedAnswer, RecordError
from deixis.evaluation.benchmarks.predictions import identifier, paired
from deixis.evaluation.metrics.edges import around, found
from deixis.evaluation.metrics.referring_expressions import in_pixels
from deixis.evaluation.metrics.rules import Overlap, Rules, check_rules, share
from deixis.files.json_files import Fields, below, read_json
from deixis.regions.overlap import Edges

SentenceKey = tuple[str, int]
"""The picture's number and the sentence's place in its file, from 0."""
Said = Sequence[tuple[str, Edges]]
KS: tuple[int | None, ...] = (1, 5, 10, None)
SETS_APART = re.compile(r"['\",.;!?|:]")


@dataclass(frozen=True)
class AskedSentence:
    """A sentence about a picture of ``width`` x ``height`` pixels and the phrases that are asked for."""

    picture: str
    sentence: int
    width: int
    height: int
    phrases: tuple[str, ...]

    @property
    def question(self) -> str:
        """What the published evaluation asks, all phrases at once."""
        phrases = ", ".join(phrase.lower().replace(",", "") for phrase in self.phrases)
        return f"What are the locations of {phrases}?"


@dataclass(frozen=True)
class TruePhrase:
    """A phrase with boxes: its entity, its types, and first and last column and row of each box, from 1."""

    words: str
    entity: str
    types: tuple[str, ...]
    corners: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class PhraseScores:
    """Recalls in 0..1 by (k, type of entity); k None: without limit, and type "all": every phrase.

    n: phrases; value: recall at 1 of all. parse_failures: answers with coordinates that could not be read.
    unscored: asked phrases without a true box.
    """

    n: int
    value: float | None
    recalls: Mapping[tuple[int | None, str], float]
    parse_failures: int
    unscored: int

    def to_dict(self) -> dict[str, float]:
        """Return the recalls under their published names.

        >>> PhraseScores(2, 0.5, {(1, "all"): 0.5, (None, "all"): 1.0}, 0, 0).to_dict()
        {'Recall@1_all': 0.5, 'Upper_bound_all': 1.0}
        """
        return {
            f"{'Upper_bound' if k is None else f'Recall@{k}'}_{kind}": value
            for (k, kind), value in self.recalls.items()
        }


def read_sentences(path: Path) -> dict[SentenceKey, AskedSentence]:
    """Return the sentences of a ``final_flickr_mergedGT_*.json`` in its order."""
    return sentences_of(read_json(Path(path)))


def sentences_of(content: Fields) -> dict[SentenceKey, AskedSentence]:
    """Return the sentences of such a file's content; RecordError says what is wrong in it."""
    asked: dict[SentenceKey, AskedSentence] = {}
    for row in content.rows("images"):
        key = (identifier(row, "original_img_id"), row.whole("sentence_id", least=0))
        if key in asked:
            raise RecordError(f"{row.where}: sentence {key[1]} of picture {key[0]} stands here a second time")
        caption = row.text("caption")
        phrases = [phrase_at(spans, caption, row) for spans in row.values.get("tokens_positive_eval") or ()]
        asked[key] = AskedSentence(
            *key, row.whole("width", least=1), row.whole("height", least=1), tuple(phrases)
        )
    return asked


def phrase_at(spans: Any, caption: str, row: Fields) -> str:
    """Return the words at some [start, end] of a caption."""
    try:
        places = [(int(start), int(end)) for start, end in spans]
    except (TypeError, ValueError):
        places = []
    if not places or not all(0 <= start < end <= len(caption) for start, end in places):
        raise RecordError(
            f"{row.where}: field 'tokens_positive_eval' holds {spans!r:.80}; expected [start, end] within "
            f"the {len(caption)} characters of the caption"
        )
    return " ".join(caption[start:end] for start, end in places)


def read_true_phrases(folder: Path, split: str) -> dict[SentenceKey, tuple[TruePhrase, ...]]:
    """Return the phrases with boxes of every sentence of a split, from ``Annotations`` and ``Sentences``."""
    folder = Path(folder)
    listed = folder / f"{split}.txt"
    truth: dict[SentenceKey, tuple[TruePhrase, ...]] = {}
    for number in read_text(listed).split():
        corners: dict[str, list[tuple[int, int, int, int]]] = {}
        for marked in read_annotation(
            below(folder / "Annotations", f"{number}.xml", where=str(listed))
        ).objects:
            for entity in marked.entities if marked.corners is not None else ():
                corners.setdefault(entity, []).append(marked.corners or (0, 0, 0, 0))
        captions = read_captions(folder / "Sentences" / f"{number}.txt", things={})
        for place, caption in enumerate(captions):
            truth[number, place] = tuple(
                TruePhrase(one.text, one.entity, one.types, tuple(corners[one.entity]))
                for one in caption.phrases
                if one.entity in corners
            )
    return truth


def same_phrase(first: str, second: str) -> bool:
    """Tell whether two phrases are the same words, whatever their case, spacing and punctuation.

    Punctuation of sentences and apostrophes set words apart, other marks such as hyphens don't.

    >>> same_phrase("A man , left-hand", "a man, lefthand."), same_phrase("man's hat", "mans hat")
    (True, False)
    """
    return normal_words(first) == normal_words(second)


def normal_words(phrase: str) -> str:
    """Return a phrase in lower case, without punctuation, its words apart by single spaces.

    >>> normal_words("The  man's left-hand .")
    'the man s lefthand'
    """
    apart = SETS_APART.sub(" ", phrase.lower())
    return " ".join(re.sub(r"[^\w\s]", "", apart).split())


def answered_phrases(
    text: str, *, width: int, height: int, protocol: Rules = "corrected"
) -> tuple[list[tuple[str, Edges]], bool]:
    """Return phrases and boxes in pixels of an answer, and whether some coordinates could not be read.

    published: whole pixels; one unreadable bracket and the answer counts as one without boxes. corrected: not
    rounded; a phrase may have several boxes behind it; sound boxes count beside an unreadable one.
    """
    check_rules(protocol)
    if protocol == "published":
        try:
            said = scored_phrases(text, width=width, height=height)
        except MalformedAnswer:
            return [], True
        return [(one.phrase, one.box) for one in said], False
    answer = read_answer(text)
    pairs = [
        (phrase.phrase, in_pixels(box.steps, width=width, height=height))
        for phrase in answer.phrases
        for box in phrase.boxes
    ]
    return pairs, bool(answer.failures)


def score_phrases(
    sentences: Mapping[SentenceKey, AskedSentence],
    answers: Mapping[SentenceKey, str],
    truth: Mapping[SentenceKey, Sequence[TruePhrase]],
    *,
    merged: bool = True,
    protocol: Rules = "corrected",
    overlap: Overlap | None = None,
    ks: Sequence[int | None] = KS,
) -> PhraseScores:
    """Return the recalls of the asked phrases; sentences and answers by the same keys, else RecordError.

    overlap: when boxes are the same place; None: IoU >= 0.5.
    published: boxes as stored, without the last column and row; of a phrase that a sentence has twice, the
    first entity is asked for both times.
    corrected: the last column and row belong to a box; each occurrence has its own entity, and where the
    answer has as many boxes as there are occurrences, each its own box.
    """
    judged: list[tuple[set[str], dict[int | None, bool]]] = []
    failures = unscored = 0
    for asked, text in paired(sentences, answers, of="sentences"):
        said, failed = answered_phrases(text, width=asked.width, height=asked.height, protocol=protocol)
        failures += failed
        own = truth.get((asked.picture, asked.sentence), ())
        for place, words in enumerate(asked.phrases):
            before = sum(one == words for one in asked.phrases[:place])
            phrase = true_phrase(own, words, before, protocol=protocol)
            if phrase is None:
                unscored += 1
                continue
            boxes = boxes_of(words, said, protocol=protocol)
            if protocol == "corrected" and 1 < len(boxes) == asked.phrases.count(words):
                boxes = [boxes[before]]
            targets = true_boxes(phrase, merged=merged, protocol=protocol)
            hit = {k: found(boxes[:k], targets, overlap=overlap or Overlap()) for k in (1, *ks)}
            judged.append(({"all", *phrase.types}, hit))
    n = Counter(kind for kinds, _ in judged for kind in kinds)
    recalls = {
        (k, kind): sum(hit[k] for kinds, hit in judged if kind in kinds) / n[kind]
        for k in ks
        for kind in sorted(n)
    }
    value = share(sum(hit[1] for _, hit in judged), len(judged))
    return PhraseScores(len(judged), value, recalls, failures, unscored)


def true_phrase(
    phrases: Sequence[TruePhrase], words: str, before: int, *, protocol: Rules
) -> TruePhrase | None:
    """Return the phrase with boxes that some asked words are; before: how often they were asked earlier."""
    same = [phrase for phrase in phrases if phrase.words == words]
    same = same or [phrase for phrase in phrases if same_phrase(phrase.words, words)]
    if not same:
        return None
    return same[0] if protocol == "published" else same[min(before, len(same) - 1)]


def boxes_of(words: str, said: Said, *, protocol: Rules) -> list[Edges]:
    """Return the boxes that an answer gives for some words, in order."""
    if protocol == "corrected":
        # Phrases of answers are read without a lead-in such as "that"; the asked words lose theirs likewise.
        start, end = phrase_before(words, 0, len(words))
        words = words[start:end] or words
    return [box for phrase, box in said if same_phrase(phrase, words)]


def true_boxes(phrase: TruePhrase, *, merged: bool, protocol: Rules) -> list[Edges]:
    """Return the true boxes of a phrase, or the one around them."""
    boxes: list[Edges] = list(phrase.corners)
    if protocol == "corrected":
        boxes = [(left - 1, top - 1, right, bottom) for left, top, right, bottom in phrase.corners]
    return [around(boxes)] if merged else boxes
