"""Records made of scenes, task by task: the composition of Ferret's instruction data, from any dataset.

Naming an object, a relation or a region; finding expressions, phrases or all of a category; captions with
places; and questions whether something is there, half of them about what is not (see `negatives`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from deixis.data.grit.negatives import Negative, absent_category, confused_phrase
from deixis.data.grit.records import ASSISTANT, HUMAN, GritPlace, GritRecord, GritTurn
from deixis.data.grit.templates import TEMPLATES
from deixis.data.scene import Caption, Phrase, Scene, Thing
from deixis.data.sources.visual_genome import REGION, is_relation
from deixis.english.nouns import is_plural, with_article
from deixis.errors import RecordError, UsageError
from deixis.text.templates import IMAGE

MOST_PHRASES = 10  # of a caption
MOST_PLACES = 10  # of a category that is asked for
PLACE = "<bbox_location{}>"

Task = Callable[[Scene, np.random.Generator], GritRecord | None]


def make_record(scene: Scene, rng: np.random.Generator, task: str) -> GritRecord | None:
    """Draw a record of a task about a scene; None where the scene has nothing to ask about."""
    if task not in TASKS:
        raise UsageError(f"there is no task {task!r}; expected one of {', '.join(TASKS)}")
    return TASKS[task](scene, rng)


def make_records(
    scenes: Iterable[Scene], tasks: Sequence[str], *, images: Path, seed: int = 0, each: int = 1
) -> Iterator[GritRecord]:
    """Yield `each` records of every task about every scene that has something to ask; the same for a seed.

    images: the folder that pictures will be named from; RecordError for a picture that is no file in it.
    """
    for number, scene in enumerate(scenes):
        if scene.picture.offset is not None or not scene.picture.path.is_relative_to(images):
            raise RecordError(
                f"scene {scene.id}: picture {scene.picture.path} is no file below {images}; records name "
                "ordinary "
                "files (pictures in shards have to be unpacked first)"
            )
        name = scene.picture.path.relative_to(images).as_posix()
        for place, task in enumerate(tasks):
            rng = np.random.default_rng([seed, number, place])
            for _ in range(each):
                if (record := make_record(scene, rng, task)) is not None:
                    yield replace(record, picture=name)


def object_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Point at a thing, ask for its name."""
    things = [thing for thing in scene.things if not thing.group and thing.supercategory != REGION]
    if not things:
        return None
    thing = things[int(rng.integers(len(things)))]
    asked = wording("object", rng).format(place=PLACE.format(0))
    return record_of(scene, "vg_object", asked, [thing], f"{with_article(thing.category)}.", [])


def relation_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Point at two things, ask what the first does to the second."""
    related = [caption for caption in scene.captions if is_relation(caption)]
    if not related:
        return None
    caption = related[int(rng.integers(len(related)))]
    subject, other = caption.phrases
    asked = wording("relation", rng).format(
        thing=f"the {subject.text}", first=PLACE.format(0), other=f"the {other.text}", second=PLACE.format(1)
    )
    things = [scene.thing(phrase.things[0]) for phrase in caption.phrases]
    return record_of(scene, "vg_relation", asked, things, f"{caption.text}.", [])


def region_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Point at a region or thing, ask for a description."""
    if not scene.expressions:
        return None
    expression = scene.expressions[int(rng.integers(len(scene.expressions)))]
    asked = wording("region", rng).format(place=PLACE.format(0))
    return record_of(scene, "vg_region", asked, [scene.thing(expression.thing)], f"{expression.text}.", [])


def locate_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask for the one thing that an expression refers to."""
    clear = [expression for expression in scene.expressions if expression.unique]
    if not clear:
        return None
    expression = clear[int(rng.integers(len(clear)))]
    asked = wording("locate", rng).format(thing=expression.text)
    answer = f"{expression.text} {PLACE.format(0)}."
    return record_of(scene, "refexp", asked, [], answer, [scene.thing(expression.thing)])


def locate_many_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask for the phrases of a caption, some of which may have several places."""
    found = [
        (caption, boxed(caption)) for caption in scene.captions if boxed(caption) and not is_relation(caption)
    ]
    if not found:
        return None
    _, phrases = found[int(rng.integers(len(found)))]
    texts = [phrase.text.lower().replace(",", "") for phrase in phrases]
    asked = wording("locate_many", rng).format(thing=", ".join(texts))
    answer, things = placed(
        [(text, phrase.things) for text, phrase in zip(texts, phrases, strict=True)], scene
    )
    return record_of(scene, "flickr", asked, [], answer, things)


def caption_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask for a caption; its phrases have their places."""
    found = [caption for caption in scene.captions if boxed(caption) and not is_relation(caption)]
    if not found:
        return None
    caption = found[int(rng.integers(len(found)))]
    answer, end = "", 0
    things: list[Thing] = []
    for phrase in boxed(caption):
        answer += caption.text[end : phrase.end] + places(phrase.things, first=len(things))
        things += [scene.thing(number) for number in phrase.things]
        end = phrase.end
    return record_of(scene, "flickr", wording("caption", rng), [], answer + caption.text[end:], things)


def detect_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask for every instance of one of the categories that are exhaustively boxed."""
    counts = Counter(thing.category for thing in scene.things)
    certain = scene.exhaustive - {thing.category for thing in scene.things if thing.group}
    names = sorted(name for name, count in counts.items() if name in certain and count <= MOST_PLACES)
    if not names:
        return None
    name = names[int(rng.integers(len(names)))]
    things = tuple(thing.id for thing in scene.things if thing.category == name)
    asked = wording("detect", rng).format(thing=name)
    answer, found = placed([(name, things)], scene)
    return record_of(scene, "objects365", asked, [], answer, found)


def presence_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask whether a category is there; as often one that is not, where absence is certain."""
    present = sorted({thing.category for thing in scene.things if not thing.group} & scene.exhaustive)
    absent = absent_category(scene, rng)
    if rng.random() < 0.5 or not present:
        return None if absent is None else asked_about(scene, "objects365", negative=absent, rng=rng)
    if absent is None:  # without a "no" to balance it, a "yes" would teach to agree
        return None
    name = present[int(rng.integers(len(present)))]
    # Of several, the largest is the one that is shown.
    thing = max((thing for thing in scene.things if thing.category == name), key=lambda thing: thing.box.area)
    words = with_article(name)
    return asked_about(scene, "objects365", positive=Phrase(0, len(words), words, (thing.id,)), rng=rng)


def confusion_record(scene: Scene, rng: np.random.Generator) -> GritRecord | None:
    """Ask whether a phrase's thing is there; as often a phrase with one word changed, which is not."""
    confused = confused_phrase(scene, rng)
    if confused is None:
        return None
    if rng.random() < 0.5:
        return asked_about(scene, "flickr", negative=confused, rng=rng)
    return asked_about(scene, "flickr", positive=confused.near, rng=rng)


def asked_about(
    scene: Scene,
    dataset: str,
    *,
    rng: np.random.Generator,
    positive: Phrase | None = None,
    negative: Negative | None = None,
) -> GritRecord:
    """A yes/no question with "Yes, there is a dog [box]", "No, but there is a dog [box]" or a plain no."""
    near = positive if negative is None else negative.near
    if positive is not None:
        text = positive.text.lower()
    else:
        assert negative is not None
        text = negative.text.lower() if near is not None else with_article(negative.text)
    asked = wording("presence_many" if is_plural(text) else "presence", rng).format(thing=text)
    if near is None:
        assert negative is not None
        refusal = f"No, there {verb(text)} no {negative.text} in the image."
        return record_of(scene, dataset, asked, [], refusal, [])
    start = "Yes" if positive is not None else "No, but"
    comma = "," if positive is not None else ""
    words = near.text.lower()
    answer = f"{start}{comma} there {verb(words)} {words}{places(near.things, first=0)} in the image."
    return record_of(scene, dataset, asked, [], answer, [scene.thing(number) for number in near.things])


def verb(text: str) -> str:
    """The verb that fits a noun phrase."""
    return "are" if is_plural(text) else "is"


def boxed(caption: Caption) -> tuple[Phrase, ...]:
    """The phrases of a caption that have things, at most so many."""
    return tuple(phrase for phrase in caption.phrases if phrase.things)[:MOST_PHRASES]


def placed(phrases: Sequence[tuple[str, tuple[int, ...]]], scene: Scene) -> tuple[str, list[Thing]]:
    """A list of phrases with placeholders behind them, and the things that fill these."""
    parts, things = [], list[Thing]()
    for text, numbers in phrases:
        parts.append(text + places(numbers, first=len(things)))
        things += [scene.thing(number) for number in numbers]
    return ", ".join(parts) + ".", things


def places(things: Sequence[int], *, first: int) -> str:
    """Placeholders for so many things, each behind a space, numbered from `first`."""
    return "".join(f" {PLACE.format(first + index)}" for index in range(len(things)))


def wording(task: str, rng: np.random.Generator) -> str:
    """Draw one of a task's wordings."""
    return TEMPLATES[task][int(rng.integers(len(TEMPLATES[task])))]


def record_of(
    scene: Scene, dataset: str, question: str, asked: Sequence[Thing], answer: str, answered: Sequence[Thing]
) -> GritRecord:
    """The record of one question and answer about a scene."""
    said = (
        GritTurn(HUMAN, f"{IMAGE}\n{question}", tuple(map(place_of, asked))),
        GritTurn(ASSISTANT, answer, tuple(map(place_of, answered))),
    )
    return GritRecord(
        id=scene.id,
        picture=scene.picture.name,
        width=scene.width,
        height=scene.height,
        turns=said,
        dataset=dataset,
        where=f"scene {scene.id}",
    )


def place_of(thing: Thing) -> GritPlace:
    """A thing's box and mask as a record has them."""
    return GritPlace(thing.box.as_tuple(), None if thing.mask is None else thing.mask.to_coco())


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "object": object_record,
        "relation": relation_record,
        "region": region_record,
        "locate": locate_record,
        "locate_many": locate_many_record,
        "caption": caption_record,
        "detect": detect_record,
        "presence": presence_record,
        "confusion": confusion_record,
    }
)
