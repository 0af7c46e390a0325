"""Closed classes of English words: what stands before nouns, behind them, and between them."""

from __future__ import annotations

ARTICLES = frozenset(("a", "an", "the"))
ARTICLES_AND_SOME = ARTICLES | {"some"}
POSSESSIVES = frozenset(("my", "your", "his", "her", "its", "our", "their", "whose"))
POINTING = frozenset(("this", "that", "these", "those"))
ONE_OF_MANY = frozenset(("a", "an", "one", "this", "that", "another", "each", "every"))  # with a singular
MANY = frozenset((
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "many", "several", "some", "few",
    "multiple", "various", "both", "numerous",
))  # fmt: skip
AMOUNTS = frozenset((
    "bunch", "couple", "crowd", "group", "lot", "lots", "number", "pair", "piece", "pile", "row", "stack",
))  # fmt: skip
SEVERAL = frozenset(("couple", "lot", "number"))  # "a couple of dogs are", but "a group of dogs is"
DETERMINERS = ARTICLES | POSSESSIVES | POINTING | {"another", "each", "every", "all", "no", "any", "other"}
PREPOSITIONS = frozenset((
    "about", "above", "across", "after", "against", "along", "alongside", "amid", "among", "amongst",
    "around", "as", "at", "atop", "behind", "below", "beneath", "beside", "besides", "between", "beyond",
    "by", "down", "during", "for", "from", "in", "inside", "into", "like", "near", "next", "of", "off", "on",
    "onto", "out", "outside", "over", "past", "through", "throughout", "to", "toward", "towards", "under",
    "underneath", "up", "upon", "via", "with", "within", "without",
))  # fmt: skip
# "the next man", "an inside pocket": not between nouns but before one, or one themselves ("the outside").
PREPOSITIONS_BEFORE_NOUNS = frozenset(
    (
        "about",
        "down",
        "inside",
        "like",
        "near",
        "next",
        "off",
        "out",
        "outside",
        "over",
        "past",
        "under",
        "up",
    )
)
RELATIVES = frozenset(("that", "which", "who", "whom", "whose", "where", "while"))
AUXILIARIES = frozenset(
    ("is", "are", "was", "were", "has", "have", "had", "does", "do", "can", "will", "being")
)
# Say how the noun before them is, and are none.
BEHIND_NOUNS = frozenset((
    "ahead", "alive", "alone", "apart", "asleep", "away", "awake", "barefoot", "else", "full", "here",
    "indoors", "midair", "mid-air", "nearby", "outdoors", "overhead", "ready", "shirtless", "sideways",
    "there", "together", "underwater", "upright", "visible",
))  # fmt: skip
ADJECTIVES = frozenset((
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "gray",
    "beige", "tan", "gold", "golden", "silver", "maroon", "navy", "teal", "turquoise", "violet", "blond",
    "blonde", "brunette", "dark", "light", "bright", "pale", "big", "large", "huge", "giant", "little",
    "small", "tiny", "short", "tall", "long", "wide", "narrow", "thin", "thick", "fat", "slim", "heavy",
    "high", "low", "deep", "old", "older", "elderly", "young", "younger", "new", "ancient", "modern",
    "antique", "round", "square", "flat", "steep", "curly", "straight", "bald", "beautiful", "pretty", "cute",
    "ugly", "handsome", "happy", "sad", "angry", "smiling", "excited", "clean", "dirty", "wet", "dry", "cold",
    "hot", "warm", "cool", "empty", "full", "open", "closed", "soft", "hard", "rough", "smooth", "shiny",
    "furry", "fluffy", "hairy", "striped", "plaid", "wooden", "metal", "plastic", "good", "nice", "great",
    "bad", "asian", "african", "american", "european", "chinese", "indian", "male", "female", "very", "left",
    "right", "upper", "lower", "front", "rear", "busy", "crowded", "quiet", "colorful", "colourful",
))  # fmt: skip
# People, and words for whoever does something.
PEOPLE = frozenset((
    "man", "woman", "person", "people", "child", "kid", "boy", "girl", "guy", "lady", "gentleman", "baby",
    "toddler", "teen", "teenager", "adult", "someone", "somebody", "anyone", "everyone", "one", "couple",
    "crowd", "group", "family", "team", "father", "mother", "dad", "mom", "mum", "son", "daughter", "brother",
    "sister", "friend", "grandfather", "grandmother", "bride", "groom", "player", "rider", "worker", "dancer",
    "surfer", "biker", "cyclist", "runner", "jogger", "skier", "snowboarder", "skateboarder", "singer",
    "performer", "soldier", "officer", "police", "teacher", "student", "swimmer", "climber", "hiker",
    "driver", "bystander", "passenger", "photographer", "vendor", "farmer", "wrestler", "boxer", "painter",
    "artist", "musician", "drummer", "guitarist", "cheerleader", "gymnast", "batter", "pitcher", "catcher",
    "goalie", "referee", "chef", "cook", "clown", "tourist", "customer", "spectator", "athlete", "male",
    "female", "youth", "individual", "barber", "doctor", "nurse", "monk",
))  # fmt: skip
ANIMALS = frozenset((
    "dog", "puppy", "cat", "kitten", "horse", "pony", "cow", "bull", "sheep", "goat", "pig", "bird", "duck",
    "goose", "swan", "seagull", "chicken", "elephant", "bear", "zebra", "giraffe", "lion", "tiger", "monkey",
    "animal", "pet", "fish", "dolphin", "whale", "rabbit", "deer", "poodle", "retriever", "labrador",
    "greyhound", "terrier", "butterfly", "bee",
))  # fmt: skip
PRONOUNS = frozenset(("it", "they", "he", "she", "i", "you", "we"))
DESCRIBING = DETERMINERS | ADJECTIVES | PRONOUNS
NOUNS_IN_LY = frozenset((
    "family", "fly", "butterfly", "firefly", "dragonfly", "lily", "belly", "jelly", "ally", "bully", "gully",
    "assembly", "dolly", "holly", "reply", "supply", "doily", "underbelly", "waterlily",
))  # fmt: skip
