"""The parts and sizes of a Groma network, saved as ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from deixis.checkpoints.decoder_fields import TOKEN
from deixis.checkpoints.region_fields import LAYER, PROJECTOR
from deixis.errors import BadWeights, UsageError
from deixis.files.declared_fields import Field, Group, Maybe, Number, OneOf, Truth, Whole
from deixis.layers.language.causal_decoders import VICUNA_7B
from deixis.systems.groma.detector.fields import (
    DINOV2_LARGE,
    INTERPOLATIONS,
    LAYERS_READ,
    PERCEPTION,
    REGION_ENCODER,
    proposer_size,
    region_encoder_size,
)
from deixis.systems.groma.detector.selection import ORDERS, SelectionRules
from deixis.systems.groma.dialect import DEFAULTS, MOST_REGIONS, GromaTokens, added_texts
from deixis.systems.spliced.config import SplicedConfig
from deixis.text import region_marks
from deixis.text.prompt_tokens import TextCodec
from deixis.text.templates import IMAGE
from deixis.text.tokenizers.codecs.opening import open_codec

VICUNA_7B_V1_5 = {
    **VICUNA_7B,
    "vocab_size": 32000,
    "max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
}
# Roles of added tokens and their texts; the places' own tokens come on top.
ROLES = {
    "pad": region_marks.PAD,
    "supervised": region_marks.SUPERVISED,
    "roi": region_marks.ROI,
    "roi_end": region_marks.ROI_END,
    "phrase": region_marks.PHRASE,
    "phrase_end": region_marks.PHRASE_END,
    "image": IMAGE,
    "region": region_marks.REGION,
    "refer_box": region_marks.REFER_BOX,
    "ground_box": region_marks.GROUND_BOX,
    "refer_feat": region_marks.REFER_FEAT,
    "grounding": region_marks.GROUNDING,
}
MOST_ADDED = 4096


class GromaConfig(SplicedConfig):
    """Groma as published, unless said otherwise (Ma et al., 2024).

    language: the decoder's configuration; its ``vocab_size`` is that without added tokens. added_tokens: how
    many there are behind them; marks: their ids by role, and the first of the places' tokens as "proxies"; by
    default the published order. tower, tower_interpolation, side: the vision encoder, how its positions fit
    another side, pixels of the square that it sees. proposer, region_encoder: sizes where they differ from
    the published ones. proposer_layers, region_layers, picture_layer: which hidden states are read.
    token_merge: four neighbouring cells become one picture token. projector: from cells to the decoder.
    nms_thres, box_score_thres, max_region_num, region_order: which places a prompt has, and in which order,
    "score" or "random" as published.
    """

    model_type = "deixis_groma"

    def __init__(
        self,
        *,
        language: dict[str, Any] | None = None,
        tower: dict[str, Any] | None = None,
        tower_interpolation: Literal["scale_factor", "size"] = "scale_factor",
        side: int = 448,
        proposer: dict[str, Any] | None = None,
        proposer_layers: Sequence[int] = (-4, -3, -2, -1),
        region_encoder: dict[str, Any] | None = None,
        region_layers: Sequence[int] = (-3, -2, -1),
        picture_layer: int = -1,
        token_merge: bool = True,
        projector: str = "mlp2x_gelu",
        added_tokens: int = 114,
        marks: dict[str, int] | None = None,
        nms_thres: float = 0.6,
        box_score_thres: float = 0.15,
        max_region_num: int = 100,
        region_order: Literal["score", "random"] = "score",
        template: str = "vicuna_v1",
        codec: str = "sentencepieces",
        region_token_id: int | None = None,
        max_text: int = 2048,
        bos_token_id: int | None = 1,
        eos_token_id: int | list[int] | None = 2,
        pad_token_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.language = dict(VICUNA_7B_V1_5 if language is None else language)
        self.tower = dict(DINOV2_LARGE if tower is None else tower)
        self.tower_interpolation, self.side = tower_interpolation, side
        self.proposer, self.region_encoder = dict(proposer or {}), dict(region_encoder or {})
        self.proposer_layers, self.region_layers = list(proposer_layers), list(region_layers)
        self.picture_layer = picture_layer
        self.token_merge, self.projector = token_merge, projector
        self.added_tokens = added_tokens
        self.nms_thres, self.box_score_thres = nms_thres, box_score_thres
        self.max_region_num, self.region_order = max_region_num, region_order
        self.template, self.codec, self.max_text = template, codec, max_text
        for name, value, known in (
            ("tower_interpolation", tower_interpolation, INTERPOLATIONS),
            ("region_order", region_order, tuple(ORDERS)),
        ):
            if value not in known:
                raise UsageError(f"{name} is {value!r}; expected one of {', '.join(known)}")
        proposer_size(self.proposer)
        region_encoder_size(self.region_encoder)
        self.rules()
        self.marks = dict(published_marks(self.language["vocab_size"]) if marks is None else marks)
        self.check_marks()
        tokens = self.tokens()
        self.region_token_id = tokens.refer_feat if region_token_id is None else region_token_id
        ids: dict[str, Any] = {
            "bos_token_id": bos_token_id,
            "eos_token_id": eos_token_id,
            "pad_token_id": tokens.pad if pad_token_id is None else pad_token_id,
        }
        super().__init__(**kwargs, **ids)

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field."""
        return {
            **super().fields(),
            **PERCEPTION,
            "region_encoder": REGION_ENCODER,
            "region_layers": LAYERS_READ,
            "picture_layer": LAYER,
            "token_merge": Truth(),
            "projector": PROJECTOR,
            "added_tokens": Whole(len(ROLES) + 1, MOST_ADDED),
            "marks": Maybe(Group(dict.fromkeys((*ROLES, "proxies"), TOKEN), needed=(*ROLES, "proxies"))),
            "nms_thres": Number(0, 1),
            "box_score_thres": Number(0, 1),
            "max_region_num": Whole(1, MOST_ADDED),
            "region_order": OneOf(tuple(ORDERS)),
        }

    @property
    def vocab_size(self) -> int:
        """How many tokens the network knows, the added ones too."""
        return int(self.language["vocab_size"]) + self.added_tokens

    def rules(self) -> SelectionRules:
        """Return how places are selected."""
        return SelectionRules(self.nms_thres, self.box_score_thres, self.max_region_num)

    def tokens(self) -> GromaTokens:
        """Return the ids of the tokens that mean something."""
        ids = {name: own for name, own in self.marks.items() if name != "proxies"}
        first = self.marks["proxies"]
        return GromaTokens(**ids, proxies=range(first, first + self.max_region_num))

    def check_marks(self) -> None:
        """Raise UsageError unless every mark has an id of its own, with a row."""
        tokens, roles = self.tokens(), [own for name, own in self.marks.items() if name != "proxies"]
        if len({*roles, *tokens.proxies}) != len(roles) + len(tokens.proxies):
            raise UsageError(f"marks share an id: {self.marks}; expected one each")
        if max(*roles, tokens.proxies.stop - 1) >= self.vocab_size:
            raise UsageError(
                f"marks reach to token {max(*roles, tokens.proxies.stop - 1)}, but there are "
                f"{self.vocab_size} tokens; max_region_num is {self.max_region_num}, and each place needs one"
            )


def published_marks(first: int) -> Mapping[str, int]:
    """Return the ids of marks in the published order. first: of all added tokens.

    >>> published_marks(32000)["image"], published_marks(32000)["proxies"]
    (32008, 32014)
    """
    texts = added_texts(MOST_REGIONS)
    ids = {role: first + texts.index(text) for role, text in ROLES.items()}
    return {**ids, "proxies": first + texts.index("<r0>")}


def open_groma_codec(config: GromaConfig, folder: Path) -> TextCodec:
    """Return the tokenizer in a folder; BadWeights unless its marks are those of the configuration."""
    codec = open_codec(config.codec, folder, DEFAULTS)
    check_codec(codec, config, where=str(folder))
    return codec


def check_codec(codec: TextCodec, config: GromaConfig, *, where: str) -> None:
    """Raise BadWeights unless a tokenizer's marks are those of the configuration, and all have rows."""
    found, wanted = GromaTokens.of(codec, most=config.max_region_num), config.tokens()
    if found != wanted:
        wrong = [name for name in (*ROLES, "proxies") if getattr(found, name) != getattr(wanted, name)]
        raise BadWeights(
            f"the tokenizer in {where} has other ids than config.json for {', '.join(wrong)}; they are of "
            "different checkpoints"
        )
    if codec.words > config.vocab_size:
        raise BadWeights(
            f"the tokenizer in {where} has {codec.words} words, but the network has {config.vocab_size} rows"
        )
