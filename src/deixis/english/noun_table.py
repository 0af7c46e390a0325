"""The nouns whose plural or singular no rule makes, as tables that ``inflection`` reads."""

from __future__ import annotations

# Whole words.
PLURALS = {
    "ox": "oxen", "die": "dice", "louse": "lice", "penny": "pennies", "mouse": "mice", "dormouse": "dormice",
    "titmouse": "titmice", "elf": "elves", "self": "selves", "sheaf": "sheaves", "wharf": "wharves",
    "passerby": "passersby", "cactus": "cacti", "fungus": "fungi", "alumnus": "alumni", "nucleus": "nuclei",
    "stimulus": "stimuli", "radius": "radii", "larva": "larvae", "alga": "algae", "alumna": "alumnae",
    "bacterium": "bacteria", "medium": "media", "datum": "data", "phenomenon": "phenomena",
    "criterion": "criteria", "vertex": "vertices", "matrix": "matrices", "appendix": "appendices",
    "crisis": "crises", "axis": "axes", "oasis": "oases", "basis": "bases", "thesis": "theses",
    "analysis": "analyses", "diagnosis": "diagnoses", "hypothesis": "hypotheses", "synopsis": "synopses",
    "parenthesis": "parentheses", "ellipsis": "ellipses", "emphasis": "emphases", "château": "châteaux",
    "half": "halves", "calf": "calves", "hoof": "hooves", "passer-by": "passers-by",
    "runner-up": "runners-up", "hanger-on": "hangers-on",
}  # fmt: skip
# What two singulars could have made is the plural of the one that pictures show.
SINGULARS = {many: one for one, many in PLURALS.items()} | {
    "axes": "axe", "bases": "base", "octopi": "octopus", "hippopotami": "hippopotamus", "hoofs": "hoof",
    "dwarves": "dwarf", "châteaus": "château", "olives": "olive", "topazes": "topaz", "cactuses": "cactus",
}  # fmt: skip
# Ends of words: "fireman", "stepchild", "housewife".
PLURAL_ENDINGS = {
    "man": "men", "child": "children", "person": "people", "foot": "feet", "tooth": "teeth", "goose": "geese",
    "knife": "knives", "wife": "wives", "life": "lives", "leaf": "leaves", "loaf": "loaves",
    "shelf": "shelves", "wolf": "wolves", "thief": "thieves", "scarf": "scarves",
}  # fmt: skip
SINGULAR_ENDINGS = {many: one for one, many in PLURAL_ENDINGS.items()}
REGULAR = frozenset((
    "human", "superhuman", "german", "roman", "norman", "ottoman", "shaman", "talisman", "caiman", "doberman",
    "mongoose", "walkman",
))  # fmt: skip
# End like a plural of those above, and are none.
NO_PLURALS = frozenset((
    "specimen", "omen", "abdomen", "ramen", "regimen", "stamen", "cyclamen", "bitumen", "semen", "acumen",
    "yemen", "cleaves",
))  # fmt: skip
DOUBLED = frozenset(("quiz", "fez", "whiz"))
OES = frozenset((
    "potato", "tomato", "hero", "superhero", "echo", "mosquito", "volcano", "tornado", "torpedo", "domino",
    "mango", "buffalo", "cargo", "veto", "embargo", "dingo",
))  # fmt: skip
CH_SAID_K = frozenset((
    "stomach", "monarch", "epoch", "loch", "patriarch", "matriarch", "eunuch", "czech", "tech", "oligarch",
))  # fmt: skip
# Singulars in "e" before "s": "cookies" is no "cooky", "niches" no "nich", "toes" no "to".
IN_IE = frozenset((
    "aerie", "aussie", "beanie", "birdie", "bookie", "bootie", "bowtie", "brie", "brownie", "budgie",
    "cabbie", "caddie", "calorie", "charcuterie", "collie", "cookie", "cutie", "doggie", "foodie", "freebie",
    "genie", "goalie", "goodie", "groupie", "hippie", "hoagie", "hoodie", "indie", "junkie", "kiddie",
    "laddie", "lassie", "lingerie", "magpie", "menagerie", "movie", "necktie", "newbie", "newsie", "nightie",
    "oldie", "onesie", "patisserie", "pinkie", "pixie", "potpie", "prairie", "quickie", "roadie", "rookie",
    "rotisserie", "selfie", "smoothie", "sortie", "sweetie", "talkie", "techie", "townie", "veggie", "walkie",
    "wedgie", "yorkie", "yuppie", "zombie",
))  # fmt: skip
IN_E = frozenset((
    "ache", "headache", "toothache", "backache", "stomachache", "earache", "cache", "niche", "quiche",
    "avalanche", "moustache", "mustache", "brioche", "creche", "cliche", "psyche", "douche", "pastiche",
    "axe", "pickaxe", "poleaxe", "battleaxe", "fuse", "muse", "use", "ruse", "excuse", "recluse", "refuse",
    "abuse", "posse", "lacrosse", "mousse", "crevasse", "impasse", "finesse", "porsche",
))  # fmt: skip
IN_OE = frozenset((
    "toe", "tiptoe", "mistletoe", "shoe", "horseshoe", "snowshoe", "overshoe", "hoe", "foe", "canoe", "oboe",
    "floe", "aloe", "doe", "roe", "woe", "sloe", "throe",
))  # fmt: skip
# End in "s" and are singular. All in "ss" are, and so are all in "us" and "is" but those below.
SINGULARS_IN_S = frozenset((
    "gas", "canvas", "atlas", "bias", "alias", "christmas", "pancreas", "texas", "kansas", "vegas", "lens",
    "news", "chaos", "cosmos", "rhinoceros", "asbestos", "mews", "molasses", "gymnastics", "athletics",
    "mathematics", "physics", "aerobics", "acrobatics", "politics", "billiards", "diabetes", "rabies",
    "mercedes", "ananas", "paris", "iris", "trellis", "pelvis", "clematis", "metropolis", "tennis", "series",
    "species", "swiss", "sans", "always", "perhaps", "does", "was", "has", "its", "yes", "yours", "hers",
    "ours", "theirs", "sometimes", "besides", "towards", "afterwards", "upwards", "downwards", "backwards",
    "forwards", "sideways", "upstairs", "downstairs", "indoors", "outdoors", "overseas", "thermos", "summons",
    "innings", "james", "thomas", "nicholas", "charles", "bus",
))  # fmt: skip
PLURALS_IN_IS_OR_US = frozenset((
    "skis", "taxis", "bikinis", "kiwis", "safaris", "zucchinis", "paninis", "khakis", "tipis", "alibis",
    "rabbis", "yetis", "corgis", "chilis", "yogis", "menus", "gnus", "emus", "tutus", "gurus", "caribous",
    "haikus", "waterskis", "salamis", "tsunamis", "jacuzzis", "mris", "martinis", "bayous",
))  # fmt: skip
# Nouns without a singular, and nouns whose plural is the same.
PLURAL_ONLY = frozenset((
    "scissors", "pants", "jeans", "shorts", "trousers", "sunglasses", "eyeglasses", "binoculars", "tongs",
    "tweezers", "pliers", "shears", "clippers", "goggles", "tights", "leggings", "overalls", "pajamas",
    "pyjamas", "slacks", "sweatpants", "panties", "underpants", "dungarees", "boxers", "knickers",
    "suspenders", "clothes", "belongings", "groceries", "surroundings", "stairs", "headphones", "earphones",
    "cattle", "police", "fireworks", "thanks", "remains", "outskirts", "khakis", "capris", "briefs",
    "handcuffs", "earbuds", "nachos",
))  # fmt: skip
# Plural without an "s".
COLLECTIVES = frozenset(("people", "police", "cattle", "sheep", "folk"))
# Nouns that are never counted, those that sometimes are ("cheeses"), and those whose plural is the same.
NEVER_COUNTED = frozenset((
    "rice", "furniture", "luggage", "baggage", "equipment", "clothing", "jewelry", "jewellery", "scenery",
    "machinery", "underwear", "footwear", "headwear", "eyewear", "swimwear", "graffiti", "spaghetti",
    "broccoli", "sushi", "traffic", "tennis", "soccer", "hockey", "golf", "rugby", "foliage", "vegetation",
    "greenery", "shrubbery", "wildlife", "chess", "gymnastics", "news", "silverware", "cutlery", "tableware",
    "music", "makeup", "merchandise", "money", "garbage", "trash", "rubbish", "ice", "mud", "hay", "sunlight",
    "lightning", "weather",
))  # fmt: skip
UNCOUNTED = NEVER_COUNTED | frozenset((
    "water", "sand", "snow", "grass", "dirt", "smoke", "bread", "butter", "milk", "cheese", "meat", "rain",
    "fog", "lava", "flour", "outdoors", "indoors",
))  # fmt: skip
SAME_IN_PLURAL = NEVER_COUNTED | frozenset((
    "sheep", "fish", "goldfish", "starfish", "jellyfish", "swordfish", "catfish", "deer", "reindeer", "moose",
    "bison", "elk", "salmon", "trout", "shrimp", "squid", "swine", "cod", "tuna", "aircraft", "spacecraft",
    "hovercraft", "watercraft", "offspring", "series", "species", "bonsai", "chinese", "japanese", "swiss",
    "corps", "chassis", "headquarters", "crossroads", "barracks", "police", "cattle", "folk",
))  # fmt: skip
