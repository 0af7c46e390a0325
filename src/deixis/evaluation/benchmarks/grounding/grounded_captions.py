"""Captions whose phrases point, against a dataset of captions with boxed phrases (the photo pack, Flickr30k
Entities): is what people speak of found, and does the answer make things up?

No paper defines these numbers; they are ours. A photo's truth is what its captions say together: things with
boxes and the phrases for them, and all words. Of an answer only phrases with a place count.

- recall: the share of things that a place hits (IoU 0.5 or more, one place a thing).
- named recall: the same, where the phrase's head noun is also that of a phrase that people used for the
  thing, in singular or plural.
- hallucinated: the share of phrases whose head noun stands in no caption of the photo, in singular or plural,
  and is none of its categories' names. Captions don't say all that is there, so this is an upper bound.
- misplaced: the share of phrases whose noun people used, for things with boxes, and none of whose places is
  at one of these things.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.data.opening import upright_scenes
from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.english.inflection import forms
from deixis.english.nouns import head_noun, words_of
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    ReplyPlace,
    Row,
    Scoring,
    Shown,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import count
from deixis.regions.overlap import Edges, iou

LEAST = 0.5
SPLIT = "val"
INSTRUCTION = "Describe the picture."
COUNTS = ("things", "hit", "named", "phrases", "hallucinated", "misplaced")


@dataclass(frozen=True)
class SaidThing:
    """A thing with a box that captions speak of, and the head nouns that they have for it."""

    box: Edges
    nouns: frozenset[str]

    def __repr__(self) -> str:
        """The same in every process, which sets in another order are not: cards have a digest of it."""
        return f"SaidThing({self.box}, {sorted(self.nouns)})"


@dataclass(frozen=True)
class SaidPicture:
    """What the captions of a photo say. words: all of theirs and its categories' names, in all forms."""

    things: tuple[SaidThing, ...]
    words: frozenset[str]

    def __repr__(self) -> str:
        """The same in every process, as that of its things."""
        return f"SaidPicture({self.things}, {sorted(self.words)})"


def read(path: Path) -> list[BenchmarkItem[SaidPicture]]:
    """Return the photos of a dataset folder's split "val" that have boxed phrases."""
    folder = path.parent if path.is_file() else path
    items = [item_of(scene) for scene in upright_scenes(read_scenes(folder, SPLIT))]
    kept = [item for item in items if item.truth.things]
    if not kept:
        raise RecordError(f"{folder} has no captions with boxed phrases in its split {SPLIT!r}")
    return kept


def item_of(scene: Scene) -> BenchmarkItem[SaidPicture]:
    """Return the question about a photo."""
    return BenchmarkItem(
        id=scene.id,
        pictures=(Shown(scene.picture.name, shown_source(scene)),),
        question=INSTRUCTION,
        truth=said_in(scene),
    )


def shown_source(scene: Scene) -> Path | bytes:
    """Return the file of a photo, or its bytes where it lies in a shard."""
    return scene.picture.path if scene.picture.offset is None else scene.picture.read()


def said_in(scene: Scene) -> SaidPicture:
    """Return what the captions of a scene say; a box drawn round several things is one thing."""
    nouns: dict[int, set[str]] = {}
    words: set[str] = set()
    for caption in scene.captions:
        words |= {form for word in words_of(caption.text) for form in forms(word)}
        for phrase in caption.phrases:
            for thing in phrase.things:
                nouns.setdefault(thing, set()).update(noun_forms(phrase.text))
    words |= {form for thing in scene.things for form in noun_forms(thing.category)}
    things = tuple(
        SaidThing(scene.thing(number).box.as_tuple(), frozenset(own)) for number, own in nouns.items()
    )
    return SaidPicture(things, frozenset(words))


def noun_forms(phrase: str) -> frozenset[str]:
    """Return the head noun of a phrase in lower case, in singular and plural; none where it has no noun.

    >>> sorted(noun_forms("two young Dogs"))
    ['dog', 'dogs']
    """
    noun = head_noun(phrase.lower())
    return forms(noun) if noun else frozenset()


def prompt(item: BenchmarkItem[SaidPicture]) -> str:
    """Return what is asked, the same of every photo."""
    return item.question


def score(item: BenchmarkItem[SaidPicture], reply: Reply, scoring: Scoring) -> Mark:
    """Return the recall of one answer; ``numbers`` has the counts that all rates are made of."""
    counts = counted(item.truth, reply.places)
    if not reply.places:
        why = reply.failures[0] if reply.failures else "no phrase of the reply has a place"
        return unparsed(why, numbers=counts)
    phrases = sorted({place.phrase for place in reply.places})
    return Mark(counts["hit"] / counts["things"], read=json.dumps(phrases), numbers=counts)


def counted(truth: SaidPicture, places: Sequence[ReplyPlace]) -> dict[str, float]:
    """Return how many things there are, are hit and are hit by name, and how many phrases are at fault."""
    phrases: dict[str, list[ReplyPlace]] = {}
    for place in places:
        phrases.setdefault(place.phrase, []).append(place)
    hit = paired_places(truth.things, places, named=False)
    named = paired_places(truth.things, places, named=True)
    made_up = {phrase for phrase in phrases if noun_forms(phrase).isdisjoint(truth.words)}
    astray = sum(is_misplaced(truth, phrase, own) for phrase, own in phrases.items() if phrase not in made_up)
    numbers = (len(truth.things), hit, named, len(phrases), len(made_up), astray)
    return dict(zip(COUNTS, map(float, numbers), strict=True))


def is_misplaced(truth: SaidPicture, phrase: str, places: Sequence[ReplyPlace]) -> bool:
    """Tell whether a phrase's noun is that of things with boxes, and none of its places is at one."""
    called = [thing for thing in truth.things if not noun_forms(phrase).isdisjoint(thing.nouns)]
    return bool(called) and not any(
        iou(place.box, thing.box) >= LEAST for place in places for thing in called
    )


def paired_places(things: Sequence[SaidThing], places: Sequence[ReplyPlace], *, named: bool) -> int:
    """Return how many things have a place of their own that hits them; those that overlap most are paired.

    named: only where the noun of the place's phrase is one that people have for the thing.
    """
    overlaps = sorted(
        (
            (-value, at, of)
            for at, place in enumerate(places)
            for of, thing in enumerate(things)
            if (value := iou(place.box, thing.box)) >= LEAST
            and not (named and noun_forms(place.phrase).isdisjoint(thing.nouns))
        ),
    )
    used: set[int] = set()
    found: set[int] = set()
    for _, at, of in overlaps:
        if at not in used and of not in found:
            used.add(at)
            found.add(of)
    return len(found)


def tabulate(items: Sequence[BenchmarkItem[SaidPicture]], marks: Sequence[Mark]) -> Table:
    """Return the rates over all things and all phrases of all photos, not means of photos."""
    pairs = list(zip(items, marks, strict=True))
    total = dict.fromkeys(COUNTS, 0.0)
    for item, one in pairs:
        own = dict(one.numbers) or {"things": float(len(item.truth.things))}
        for name, value in own.items():
            total[name] += value
    faults: dict[str, Any] = {"unparsed": count(marks, "unparsed"), "refused": count(marks, "refused")}
    rates = {
        "recall": ("hit", "things"),
        "named recall": ("named", "things"),
        "hallucinated phrases": ("hallucinated", "phrases"),
        "misplaced phrases": ("misplaced", "phrases"),
    }
    return Table(
        {
            name: Row(100 * total[part] / total[whole] if total[whole] else None, len(pairs), **faults)
            for name, (part, whole) in rates.items()
        }
    )


GROUNDED_CAPTIONS = Benchmark(
    name="grounded_captions",
    title="grounded captions of photos",
    layout="a dataset folder with captions whose phrases have boxes, such as Flickr30k Entities; split val",
    prompt_text=INSTRUCTION,
    metric="recall: share of the things in captions that a place hits (IoU >= 0.5); named: by a phrase with "
    "a noun that people used for it; hallucinated: share of phrases with a place whose noun no caption has; "
    "misplaced: share whose noun people used for things, none of which its places hit",
    read=read,
    prompt=prompt,
    score=score,
    tabulate=tabulate,
    numbers="none: the definitions are ours (docs/grounding_benchmarks.md)",
    unread="nothing found, and counted as unparsed",
    places=True,
    max_new_tokens=256,
)
