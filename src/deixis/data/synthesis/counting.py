"""What can be counted in a picture: nouns of which it is known how many things of that kind are there."""

from __future__ import annotations

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import phrases_of
from deixis.english.nouns import head_noun, is_plural, plural, words_of

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def countable(scene: Scene) -> dict[str, tuple[int, ...]]:
    """Return plurals ("dogs", "brown dogs") with the things that they mean, all of them.

    Known are phrases that begin with a number of as many things ("two dogs" with two boxes), single things
    whose noun no caption uses for anything else, and categories that are boxed exhaustively. A noun that
    captions use for different things is left out: it is not known whether they are all that there are.
    """
    counted: dict[str, tuple[int, ...]] = {}
    meant: dict[str, set[tuple[int, ...]]] = {}
    for text, things in phrases_of(scene).items():
        meant.setdefault(plural(head_noun(text)), set()).add(things)
    for text, things in phrases_of(scene).items():
        words, nouns = words_of(text), plural(head_noun(text))
        if not nouns or head_noun(text) in NUMBERS:  # "two" alone says nothing of what
            continue
        if len(meant[nouns]) > 1 or any(scene.thing(thing).group for thing in things):
            continue
        if words[0] in NUMBERS and NUMBERS.index(words[0]) == len(things) > 1:
            counted[" ".join(words[1:])] = things
            counted[nouns] = things
        elif len(things) == 1 and words[0] in ("a", "an", "one") and not is_plural(text):
            counted[nouns] = things
    for category in sorted(scene.exhaustive):
        things = tuple(thing.id for thing in scene.things if thing.category == category)
        if 0 < len(things) < len(NUMBERS) and plural(category):
            counted[plural(category)] = things
    return counted
