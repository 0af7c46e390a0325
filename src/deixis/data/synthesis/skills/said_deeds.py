"""What captions plainly say that someone does, wears or holds, without a parser: for measuring.

Only where two phrases follow each other and nothing but a participle, or "in", ties them: "a man riding a
bike", "a girl in a red hat". That finds fewer deeds than a parser does, and trusts none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from deixis.data.scene import Caption, Phrase, Scene
from deixis.data.synthesis.qualified import linking, participle
from deixis.data.synthesis.skills.caption_reader import NO_DEEDS
from deixis.data.synthesis.skills.facts import DOERS, PEOPLE, Deed, Part
from deixis.english.nouns import head_noun, words_of
from deixis.english.verb_forms import first_person, ing_form

AUXILIARIES = frozenset(("is", "are", "who", "that"))


def said_deeds(scene: Scene) -> list[Deed]:
    """Return what captions plainly say of people and animals with a box of their own, each once, in order."""
    found: dict[Deed, None] = {}
    for caption in scene.captions:
        for first, second in itertools.pairwise(sorted(caption.phrases, key=lambda phrase: phrase.start)):
            if len(first.things) == 1 and not DOERS.isdisjoint(first.types):
                found |= dict.fromkeys(deeds_between(caption, first, second))
    return list(found)


def deeds_between(caption: Caption, first: Phrase, second: Phrase) -> Iterator[Deed]:
    """Yield what the first of two phrases that follow each other does, if what ties them says so."""
    link = linking(caption.text[first.end : second.start])
    verb, _, preposition = link.partition(" ")
    if not link or not head_noun(second.text) or second.things == first.things:
        return
    what = part_of(second)
    if link == "in" and "clothing" in second.types and PEOPLE in first.types:
        yield Deed(part_of(first), "wearing", "wearing", "", what)
    elif participle(verb) and verb not in NO_DEEDS:
        yield Deed(part_of(first), verb, verb, preposition, what)


def part_of(phrase: Phrase) -> Part:
    """Return a phrase of a caption as part of a fact."""
    text = phrase.text.lower()
    return Part(text, head_noun(text), phrase.things, phrase.types)


def said_verbs(scene: Scene, thing: int) -> frozenset[str]:
    """Return the verbs, in "-ing", that directly follow the phrases which mean a thing alone.

    What isn't a verb ("a man is asleep", "men's") does no harm where these are verbs to be accepted.
    """
    verbs = set()
    for caption in scene.captions:
        for phrase in caption.phrases:
            if phrase.things == (thing,):
                words = list(
                    itertools.dropwhile(AUXILIARIES.__contains__, words_of(caption.text[phrase.end :]))
                )
                if words and words[0].endswith("ing"):
                    verbs.add(words[0])
                elif words and words[0].endswith("s"):
                    verbs.add(ing_form(first_person(words[0])))
    return frozenset(verbs)
