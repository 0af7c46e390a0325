"""The pointer network as a model of ``transformers``: trained, saved, and used by its ``generate``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GenerationConfig, GenerationMixin, LlamaModel, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from deixis.layers.language.cache_argument import cache_of, named, past_length
from deixis.systems.pointer.config import PointerConfig
from deixis.systems.pointer.core import PointerCore
from deixis.text.packing import (
    PADDING_SEGMENT,
    PICTURE_SEGMENT,
    additive,
    packed_attention,
    picture_weight,
)
from deixis.text.tokenizers.word_pieces.vocabulary import ANSWER, END, PAD, PICTURE, REGION, UNKNOWN, USER

NEVER_ANSWERED = (PAD, PICTURE, REGION, USER, ANSWER, UNKNOWN)


class PointerNetwork(PointerCore, PreTrainedModel, GenerationMixin):
    """The whole network; ``forward`` is what ``generate`` and training call."""

    config: PointerConfig
    config_class = PointerConfig
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: PointerConfig) -> None:
        PreTrainedModel.__init__(self, config)
        self.build(config, lambda: reading_vectors(LlamaModel(config.llama())))
        self.post_init()

    @classmethod
    def like(cls, core: PointerCore) -> PointerNetwork:
        """Return a network with the weights and options of one that answers."""
        network = cls(PointerConfig(**core.config.as_dict()))
        network.load_state_dict(core.state_dict())
        weight = next(core.parameters())
        nn.Module.to(network, device=weight.device, dtype=weight.dtype)
        network.generation_config = generation_settings()
        return network.train(core.training)

    def _init_weights(self, module: nn.Module) -> None:
        """Leave every part as its own constructor made it; torch's defaults suit them."""

    def get_input_embeddings(self) -> nn.Module:
        """Return the tied word table, as ``generate`` and PEFT expect."""
        return self.words

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        pixel_values: Tensor | None = None,
        region_masks: Tensor | None = None,
        region_geometry: Tensor | None = None,
        region_present: Tensor | None = None,
        segments: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        **unused: Any,
    ) -> CausalLMOutputWithPast:
        """Predict the next token at every position.

        input_ids (B, T) begins with ``picture_tokens`` picture tokens when ``pixel_values`` (B, 3, S, S) is
        given; region_masks (B, R, H, W), region_geometry (B, R, G) and region_present (B, R) describe the
        regions in the order of their tokens. Labels (B, T) with -100 where nothing is learnt. The
        cache has two names, see ``layers.language.cache_argument``.
        """
        cache = past_key_values if cache is None else cache
        if inputs_embeds is None:
            picture = regions = None
            if pixel_values is not None and past_length(cache) == 0:
                places = self.encode(pixel_values)
                picture = self.reader(places)
                if region_masks is not None and region_geometry is not None and region_present is not None:
                    regions = self.encode_regions(places, region_masks, region_geometry, region_present)
            if input_ids is None:
                raise ValueError("give input_ids or inputs_embeds")
            inputs_embeds = self.embed(input_ids, picture=picture, regions=regions)
            if segments is None and picture is not None:
                segments = single_segments(input_ids, attention_mask)
        if segments is not None:
            mask = packed_attention(segments, dtype=inputs_embeds.dtype)
        else:
            mask = continued_attention(
                inputs_embeds,
                attention_mask,
                past=past_length(cache),
                picture=self.config.picture_tokens,
            )
        output = self.decode(
            inputs_embeds, mask, position_ids=position_ids, use_cache=bool(use_cache), **named(cache)
        )
        logits = self.words.logits(output.last_hidden_state)
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            hidden_states=(output.last_hidden_state,),
            **named(cache_of(output)),
        )


def generation_settings() -> GenerationConfig:
    """Return how ``generate`` writes: greedily, to the end token, without tokens that no answer has."""
    return GenerationConfig(
        eos_token_id=END.id,
        pad_token_id=PAD.id,
        do_sample=False,
        suppress_tokens=[token.id for token in NEVER_ANSWERED],
    )


def reading_vectors(decoder: LlamaModel) -> LlamaModel:
    """Return a decoder without words of its own: ``PointerCore.words`` embeds, it only reads vectors."""
    decoder.set_input_embeddings(nn.Identity())
    return decoder


def continued_attention(embeds: Tensor, attention_mask: Tensor | None, *, past: int, picture: int) -> Tensor:
    """Return the additive mask (B, 1, T, past + T) of text that continues a cached picture and text.

    attention_mask (B, past + T): 0 where there is padding. The first ``picture`` slots are the picture's.
    """
    rows, total = embeds.shape[1], past + embeds.shape[1]
    steps = torch.arange(total, device=embeds.device)
    seen = (steps[past:, None] >= steps[None, :]).expand(embeds.shape[0], rows, total)
    if attention_mask is not None:
        seen = seen & (attention_mask.bool()[:, None, :] | (steps[past:, None] == steps[None, :]))
    weights = torch.where(steps < picture, picture_weight(torch.tensor(picture)), 0.0).to(embeds.device)
    return additive(seen, weights if past else weights * 0, dtype=embeds.dtype)[:, None]


def single_segments(input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Return the segments (B, T) of one dialogue a row: picture, then text, then padding."""
    segments = torch.where(input_ids == PICTURE.id, PICTURE_SEGMENT, 1)
    if attention_mask is not None:
        segments = segments.masked_fill(attention_mask == 0, PADDING_SEGMENT)
    return segments
