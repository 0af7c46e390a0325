"""What someone surely does not do, if captions say what they do: nobody sits who is running."""

from __future__ import annotations

from collections.abc import Collection

from deixis.data.synthesis.phrasebook import same_word
from deixis.data.synthesis.skills.facts import Deed
from deixis.english.colours import COLOURS
from deixis.english.nouns import words_of
from deixis.english.word_classes import POSSESSIVES

# Ways to be: who is in one group is in none of the others that it isn't near to.
WAYS = (
    frozenset(("running", "walking", "jogging", "strolling", "hiking", "racing", "chasing", "trotting")),
    frozenset(("sitting", "resting", "relaxing", "kneeling", "crouching", "squatting")),
    frozenset(("lying", "laying", "sleeping")),
    frozenset(("standing", "posing", "leaning", "waiting")),
    frozenset(("jumping", "leaping", "flying", "diving", "flipping", "falling")),
    frozenset(("swimming", "surfing", "paddling", "kayaking", "rowing", "wading", "floating")),
    frozenset((
        "riding", "biking", "driving", "skateboarding",
        "skiing", "snowboarding", "skating", "sledding",
    )),
    frozenset(("climbing", "rappelling", "scaling")),
)  # fmt: skip
NEAR = frozenset(((0, 4), (1, 2), (1, 3), (4, 5), (4, 6), (0, 6), (5, 6), (3, 7), (1, 6), (3, 0), (7, 0)))
# Nobody leaves these out who says what there is to see.
STRIKING = frozenset((
    "dancing", "singing", "eating", "drinking", "sleeping", "kissing", "hugging", "painting", "fishing",
    "cooking", "fighting", "wrestling", "swinging", "juggling", "digging", "smoking", "reading",
    "swimming",
))  # fmt: skip
# Mostly spoken of where they are worn; of shirts and trousers that can't be said.
SPOKEN_OF = frozenset((
    "hat", "helmet", "sunglasses", "glasses", "goggles", "backpack", "mask", "scarf", "tie", "suit",
    "dress", "uniform", "wetsuit", "costume", "bikini", "swimsuit", "apron", "headband", "vest", "robe",
    "cap", "tutu", "headphones", "boots", "skirt", "bandanna", "gloves", "wig", "kilt", "gown", "kimono",
    "collar", "muzzle", "harness",
))  # fmt: skip
# Words for the same thing: none of a row is missing where another is there.
SAME_THINGS = (
    frozenset(("hat", "cap", "helmet", "hood", "headband", "bandanna", "visor", "beanie", "turban")),
    frozenset(("glasses", "sunglasses", "goggles", "mask", "shades")),
    frozenset(("bike", "bicycle", "motorcycle", "motorbike", "scooter", "unicycle", "bikes")),
    frozenset(("suit", "jacket", "coat", "tuxedo", "blazer", "vest")),
    frozenset(("dress", "skirt", "gown", "robe", "kimono", "costume", "outfit", "tutu", "uniform", "kilt")),
    frozenset(("ball", "football", "basketball", "baseball", "volleyball", "toy", "frisbee", "disc")),
    frozenset(("bikini", "swimsuit", "wetsuit", "trunks")),
    frozenset(("water", "ocean", "sea", "lake", "river", "pool", "wave", "waves", "surf")),
    frozenset(("stick", "branch", "twig", "log", "pole", "rod")),
    frozenset(("camera", "picture", "photo", "phone", "cellphone")),
    frozenset(("baby", "child", "infant", "toddler", "boy", "girl", "kid")),
    frozenset((
        "drum", "drums", "guitar", "instrument",
        "music", "violin", "piano", "accordion", "instruments",
    )),
    frozenset(("sign", "flag", "banner", "poster")),
    frozenset(("cup", "glass", "drink", "bottle", "beer", "mug", "can")),
    frozenset(("bag", "purse", "backpack", "luggage", "pack")),
    frozenset(("road", "street", "sidewalk", "path", "pavement", "track", "trail")),
    frozenset(("field", "grass", "lawn", "yard", "park")),
)  # fmt: skip


def askable(deed: Deed) -> bool:
    """Tell whether a "no" about a deed could ever be sure: of a shirt it is where a colour is named."""
    if deed.what is not None and not POSSESSIVES.isdisjoint(words_of(deed.what.text)):
        return False  # "his" is of whoever it was said of
    if deed.verb != "wearing":
        return deed.what is not None or way(deed.verb) is not None or deed.verb in STRIKING
    assert deed.what is not None
    return deed.what.noun in SPOKEN_OF or not COLOURS.isdisjoint(words_of(deed.what.text))


def surely_not(deed: Deed, own: Collection[Deed], *, words: frozenset[str], doings: frozenset[str]) -> bool:
    """Tell whether someone surely does not what a deed of another picture says.

    own: what they do. words: every word that captions of this picture use; doings: its verbs in "-ing".
    """
    if deed.what is not None:
        if deed.verb == "wearing" and other_colour(deed, own):
            return True
        if meant(deed.what.noun, words) or (deed.verb == "wearing" and deed.what.noun not in SPOKEN_OF):
            return False
        if not deed.link and not deed.what.noun.endswith("thing"):
            return True
    mine = way(deed.verb)
    others = {way(doing) for doing in doings} - {None}
    if deed.verb in STRIKING:
        return deed.verb not in doings
    if mine is None or not others:
        return False
    return all(mine != other and not near(mine, other) for other in others if other is not None)


def other_colour(deed: Deed, own: Collection[Deed]) -> bool:
    """Tell whether someone wears the same in colours of which none is the deed's."""
    assert deed.what is not None
    colours = COLOURS & set(words_of(deed.what.text))
    same = [
        COLOURS & set(words_of(other.what.text))
        for other in own
        if other.verb == "wearing" and other.what is not None and other.what.noun == deed.what.noun
    ]
    return bool(colours) and bool(same) and all(found and found.isdisjoint(colours) for found in same)


def meant(noun: str, words: frozenset[str]) -> bool:
    """Tell whether captions speak of a noun, or of something that it may be another word for."""
    return same_word(noun, words) or any(noun in row and not row.isdisjoint(words) for row in SAME_THINGS)


def way(doing: str) -> int | None:
    """Return the number of the way to be that a verb says; None for none."""
    return next((number for number, verbs in enumerate(WAYS) if doing in verbs), None)


def near(one: int, other: int) -> bool:
    """Tell whether two ways to be may go together."""
    return (one, other) in NEAR or (other, one) in NEAR
