"""The sizes and thresholds of a pointer network, as ``config.json`` has them; without ``transformers``."""

from __future__ import annotations

from typing import Any

from deixis.errors import BadWeights
from deixis.files.declared_fields import Field, Group, Listed, Maybe, Number, OneOf, Truth, Whole
from deixis.layers.language.llama_body import BodySize
from deixis.layers.language.small_decoders import SIZES as DECODERS
from deixis.layers.language.small_decoders import DecoderSize, decoder_size
from deixis.layers.towers.efficientnet_lite import SIZES as TOWERS

MOST_LOOKS = 8
SMALLEST, LARGEST = 64, 768  # pixels of a side; each location of the map is compared with all others
STEP = 32  # a side is a multiple of so many pixels
SHARE, WEIGHT = Number(0, 1), Number(-1e4, 1e4)
PLACE_RULE = Group(
    {
        **dict.fromkeys(("nowhere", "least", "agree", "apart"), SHARE),
        "nowhere_if_open": Maybe(SHARE),
        "vote": Truth(),
        "weigh": Number(0, 100),
        "trust": Listed(WEIGHT, 4, 4),
    }
)
CLAIM = ("said", "called", "around", "usual", "shift")
CLAIM_RULE = Group(dict.fromkeys(CLAIM, WEIGHT), needed=CLAIM)
FIELDS: dict[str, Field] = {
    "tower": OneOf(tuple(TOWERS)),
    "decoder_name": OneOf(tuple(DECODERS)),
    "side": Whole(STEP, LARGEST, multiple=STEP),
    "map_width": Whole(8, 4096, multiple=8),
    "picture_grid": Whole(1, 64),
    "candidates": Whole(0, 256),
    "looks": Whole(1, MOST_LOOKS),
    "most_found": Whole(1, 256),
    "region_detail": Truth(),
    "candidate_detail": Truth(),
    "region_view": Truth(),
    "dropped": SHARE,
    "region_namer": Truth(),
    "intents": Truth(),
    "second_side": Whole(0, LARGEST, multiple=STEP),
    "vocab_size": Whole(1, 1 << 20),
    "max_text": Whole(16, 1 << 16),
    "place_rule": Maybe(PLACE_RULE),
    "claim_rules": Maybe(Group({"name": CLAIM_RULE, "quality": CLAIM_RULE})),
}


class PointerOptions:
    """Sizes, and the thresholds that reading places needs.

    tower, decoder_name: names of ``layers.towers`` and ``small_decoders``. side: pixels of the square,
    letterboxed picture given to the tower; a multiple of 32. map_width: channels of the place map.
    picture_grid: the picture is read as grid x grid tokens. candidates: how many places of a phrase are
    refined; 0 for none. looks: how many times they are looked at. most_found: how many of a phrase's
    places the decoder is told of, one token each. region_detail: whether regions are read in detail, too.
    candidate_detail: whether candidates are read in the tower's own maps, too. region_view: whether regions
    are cut out of the picture and seen enlarged, too. dropped: the share of what picture tokens, regions and
    candidates say that is left out at random in training. region_namer: whether a classifier has a say in
    what regions are called. intents: whether an answer begins with what its question is meant to get, which
    is then learnt and not read off its wording. second_side: pixels of another square at which the picture is
    seen, too, when it is asked about; places come from both. 0 for none.
    max_text: longest text in tokens. place_rule: settings of ``place_reading.PlaceRule``; claim_rules: of
    ``claim_verdicts.ClaimRule``, by sort of claim; both chosen on pictures held out of training.
    """

    def __init__(
        self,
        *,
        tower: str = "efficientnet_lite0",
        decoder_name: str = "small",
        side: int = 192,
        map_width: int = 160,
        picture_grid: int = 8,
        candidates: int = 0,
        looks: int = 1,
        most_found: int = 1,
        region_detail: bool = False,
        candidate_detail: bool = False,
        region_view: bool = False,
        dropped: float = 0.0,
        region_namer: bool = False,
        intents: bool = False,
        second_side: int = 0,
        vocab_size: int = 64,
        max_text: int = 512,
        place_rule: dict[str, Any] | None = None,
        claim_rules: dict[str, Any] | None = None,
    ) -> None:
        self.tower = tower
        self.decoder_name = decoder_name
        self.side = side
        self.map_width = map_width
        self.picture_grid = picture_grid
        if candidates < 0 or most_found < 1 or not 1 <= looks <= MOST_LOOKS:
            raise BadWeights(
                f"candidates is {candidates}, most_found {most_found} and looks {looks}; expected whole "
                f"numbers from 0, from 1, and from 1 to {MOST_LOOKS}"
            )
        self.candidates = candidates
        self.looks = looks
        self.most_found = most_found
        self.region_detail = region_detail
        self.candidate_detail = candidate_detail
        self.region_view = region_view
        if not 0 <= dropped < 1:
            raise BadWeights(f"dropped is {dropped}; expected a share from 0 to below 1")
        self.dropped = dropped
        self.region_namer = region_namer
        self.intents = intents
        if second_side and (second_side < SMALLEST or second_side % 32 or not candidates):
            raise BadWeights(
                f"second_side is {second_side} and candidates {candidates}; expected 0, or a multiple of 32 "
                f"from {SMALLEST} with candidates to choose among"
            )
        self.second_side = second_side
        self.vocab_size = vocab_size
        self.max_text = max_text
        self.place_rule: dict[str, Any] = dict(place_rule or {})
        self.claim_rules: dict[str, Any] = dict(claim_rules or {})

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field."""
        return dict(FIELDS)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of all settings."""
        code = PointerOptions.__init__.__code__
        return list(code.co_varnames[1 : 1 + code.co_kwonlyargcount])

    @classmethod
    def options(cls) -> list[str]:
        """Return the names of the settings that a recipe may choose (the vocabulary comes from the data)."""
        return [name for name in cls.names() if name != "vocab_size"]

    def as_dict(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {name: getattr(self, name) for name in self.names()}

    @property
    def picture_tokens(self) -> int:
        """How many tokens the picture is read as."""
        return self.picture_grid**2

    @property
    def size(self) -> DecoderSize:
        """The size of the decoder."""
        return decoder_size(self.decoder_name)

    @property
    def width(self) -> int:
        """The decoder's width."""
        return self.size.width

    @property
    def hidden_size(self) -> int:
        """The decoder's width, by the name that ``transformers`` asks for."""
        return self.width

    @property
    def num_hidden_layers(self) -> int:
        """The decoder's layers; ``generate`` makes its cache for so many."""
        return self.size.layers

    def body(self) -> BodySize:
        """Return the sizes of the decoder's layers."""
        size = self.size
        return BodySize(
            hidden_size=size.width,
            intermediate_size=size.mlp_width,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            max_position_embeddings=self.picture_tokens + self.max_text,
        )
