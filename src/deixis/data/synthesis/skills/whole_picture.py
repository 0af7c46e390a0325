"""What the captions of a picture say of all of it: outdoors or indoors, and how many people there are."""

from __future__ import annotations

from deixis.data.scene import Scene
from deixis.data.synthesis.skills.facts import PEOPLE
from deixis.english.nouns import words_of
from deixis.english.numbers import number_of

OUTDOORS = frozenset((
    "street", "beach", "field", "grass", "grassy", "snow", "snowy", "mountain", "mountains", "ocean",
    "sidewalk", "lake", "river", "hill", "forest", "woods", "yard", "backyard", "sky", "sand", "sandy",
    "road", "outdoors", "outside", "outdoor", "trail", "cliff", "desert", "sea", "garden", "slope",
    "lawn", "creek", "stream", "wooded", "meadow", "hillside", "driveway", "surf", "shore", "countryside",
))  # fmt: skip
INDOORS = frozenset((
    "kitchen", "bedroom", "room", "indoors", "indoor", "couch", "sofa", "carpet", "bathroom", "office",
    "classroom", "gym", "gymnasium", "ceiling", "mall", "hallway", "arcade", "auditorium", "bathtub",
    "nightclub", "inside", "library", "supermarket", "elevator", "sink",
))  # fmt: skip
AGREEING = 2  # captions that have to say so
# Say that there are people whom nobody counted.
UNCOUNTED = frozenset((
    "people", "crowd", "group", "others", "men", "women", "children", "kids", "boys", "girls", "several",
    "some", "many", "spectators", "audience", "onlookers", "team", "family", "band", "players", "adults",
    "bystanders", "pedestrians", "fans", "someone", "somebody", "another", "other", "friends", "students",
    "couple", "everyone",
))  # fmt: skip


def outdoors(scene: Scene) -> bool | None:
    """Tell whether a picture was taken outdoors; None where its captions don't say, or don't agree."""
    said = [frozenset(words_of(caption.text)) for caption in scene.captions]
    out = sum(not words.isdisjoint(OUTDOORS) for words in said)
    within = sum(not words.isdisjoint(INDOORS) for words in said)
    if out >= AGREEING and not within:
        return True
    return False if within >= AGREEING and not out else None


def all_people(scene: Scene) -> tuple[int, ...] | None:
    """Return all people of a picture by their ids; None where it isn't known that they are all.

    They are where every phrase for people has boxes, a number where it means several, and none is vague.
    """
    phrases = [phrase for caption in scene.captions for phrase in caption.phrases if PEOPLE in phrase.types]
    if not phrases:
        return None
    for phrase in phrases:
        words = words_of(phrase.text)
        number = number_of(words[0]) if words else None
        counted = number is not None and number == len(phrase.things)
        if not phrase.things or (len(phrase.things) > 1 and not counted):
            return None
        if (not counted or number == 1) and not UNCOUNTED.isdisjoint(words):
            return None
        if any(scene.thing(thing).group for thing in phrase.things):
            return None
    return tuple(sorted({thing for phrase in phrases for thing in phrase.things}))
