"""Relations: does the one pointed at do, hold or wear this? As many questions whose answer is yes as no."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial

import numpy as np

from deixis.data.lots import pick
from deixis.data.scene import Scene
from deixis.data.synthesis.claims import FAR, YES, Claim
from deixis.data.synthesis.phrasebook import caption_words
from deixis.data.synthesis.skills.facts import Deed
from deixis.data.synthesis.skills.opposites import askable
from deixis.data.synthesis.skills.said_deeds import said_deeds
from deixis.data.synthesis.skills.wrong_deeds import SORTS, WrongDeeds, sort_of
from deixis.evaluation.task import Item, Task
from deixis.evaluation.verdicts import baselines, claim_items, judged_verdict, measured_verdicts

VERDICTS = (YES, FAR)


def items(scenes: Sequence[Scene], seed: int) -> list[Item[str]]:
    """Return two items for every person or animal and sort of deed: what they do, and what they don't."""
    said = {scene.id: said_deeds(scene) for scene in scenes}
    book = WrongDeeds(deed for deeds in said.values() for deed in deeds)
    return claim_items(scenes, lambda scene: claims(scene, said[scene.id], book=book, seed=seed))


def claims(scene: Scene, deeds: Sequence[Deed], *, book: WrongDeeds, seed: int) -> list[Claim]:
    """Return what someone does and what they surely don't, by turns; none where no "no" is sure."""
    words = caption_words(scene)
    doings = frozenset(word for word in words if word.endswith("ing"))
    found = []
    for thing in sorted({deed.who.things[0] for deed in deeds}):
        own = [deed for deed in deeds if deed.who.things[0] == thing]
        for sort in SORTS:
            rng = np.random.default_rng([seed, zlib.crc32(f"{scene.id}/{thing}/{sort}".encode())])
            able = [deed for deed in own if askable(deed) and sort_of(deed) == sort]
            right = pick(able, rng) if able else None
            wrong = None if right is None else book.draw(own, right, words=words, doings=doings, rng=rng)
            if right is not None and wrong is not None:
                found += [Claim(thing, right.said, YES), Claim(thing, wrong.said, FAR)]
    return found


RELATIONS: Task[str] = Task(
    name="relations",
    title="yes or no about what someone does, holds and wears",
    needs='captions that say what boxed people and animals do ("a man riding a bike")',
    prompt='is {it} {what a caption says: "riding a bike", "wearing a red hat"}?',
    points_at="the box",
    rule=(
        "every box of one person or animal of `activity`, asked twice for each of doing, holding and "
        "wearing: with what a caption says, and with what one of another picture says of a person or "
        "animal, drawn as often as it is said there, whose noun, or a word for the same, no caption of the "
        "picture uses, or whose verb or colour excludes what they say; right if the first yes or no outside "
        "of the answer's phrases is true; `unclear`: how often there was neither, which is wrong"
    ),
    items=items,
    score=partial(judged_verdict, sorts=VERDICTS),
    baselines=baselines,
    measure=partial(measured_verdicts, sorts=VERDICTS),
)
