"""What all systems share whose decoder reads pictures and regions as vectors between its words.

The picture's encoder and the regions' encoder differ from system to system; merging their vectors into text,
predicting, and continuing text are the same, and are here once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GenerationConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from deixis.errors import BadPicture, BadRegion
from deixis.layers.language.cache_argument import cache_of, named, past_length
from deixis.layers.language.causal_decoders import build_decoder, word_scale
from deixis.layers.picture_features import PictureFeatures
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.systems.spliced.surplus_regions import owners_of, spoken_of
from deixis.text.splicing import IGNORED, PICTURE_MARKER, Merged, Side, merge, shown_in


class SplicedNetwork(PreTrainedModel, GenerationMixin):
    """A decoder with eyes. A subclass adds the encoders and says how they are used.

    Its configuration has ``language`` (settings of the decoder), ``region_token_id`` and the ids of bos, eos
    and pad. ``pixels`` are whatever the subclass's ``encode_pictures`` takes.
    """

    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _no_split_modules = ["LlamaDecoderLayer", "GemmaDecoderLayer", "CLIPEncoderLayer", "Dinov2Layer"]  # noqa: RUF012

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config)
        self.language: Any = build_decoder(config.language)
        self.word_scale = word_scale(self.language)

    def _init_weights(self, module: nn.Module) -> None:
        """Leave every part as its own constructor made it; torch's defaults suit them."""

    def encode_pictures(self, pixels: Any) -> PictureFeatures:
        """Encode a batch of pictures, once for all questions about them."""
        raise NotImplementedError

    def encode_regions(self, maps: Sequence[Tensor], drawn: DrawnRegions) -> Tensor:
        """Return the vectors (R, D) of regions drawn in pictures with these maps (C, H, W).

        They are the work of ``sampler`` or, where a network has none, of ``region_adapter``.
        """
        parts = [getattr(self, name, None) for name in ("sampler", "region_adapter")]
        encoder = next((part for part in parts if part is not None), None)
        if encoder is None:
            raise BadRegion("this network was built without a sampler: it can't be asked about regions")
        return encoder(maps, drawn)

    def unused_modules(self, pixels: Any, regions: DrawnRegions | None) -> Iterable[nn.Module | None]:
        """Return the encoders that a batch with these inputs doesn't use."""
        raise NotImplementedError

    def get_input_embeddings(self) -> nn.Module:
        """Return the decoder's word table."""
        return self.language.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the decoder's word table."""
        self.language.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """Return the decoder's head."""
        return self.language.get_output_embeddings()

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the decoder's head."""
        self.language.set_output_embeddings(new_embeddings)

    def resize_token_embeddings(
        self,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
    ) -> nn.Embedding:
        """Change how many words the decoder knows, here and in the configuration."""
        table = self.language.resize_token_embeddings(new_num_tokens, pad_to_multiple_of, mean_resizing)
        self.config.language["vocab_size"] = self.language.config.vocab_size
        return table

    def embed(
        self,
        input_ids: Tensor,
        *,
        pictures: Sequence[Sequence[Tensor] | Tensor | None] | None = None,
        slots: Mapping[int, Sequence[Tensor | None]] | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        padding: Side = "right",
    ) -> Merged:
        """Return what the decoder reads of token ids (B, T) with -200 in the place of each picture.

        pictures: for each row the tokens (N_i, D) of its pictures; rows about one picture share them. slots:
        for tokens that stand for vectors, those of each row, in reading order; by default there are none in
        the places of region tokens. See ``splicing.merge``.
        """
        if slots is None and self.config.region_token_id is not None:
            slots = {self.config.region_token_id: [None] * len(input_ids)}
        return merge(
            input_ids,
            self.get_input_embeddings(),
            pictures=None if pictures is None else [self.scaled(shown_in(own)) for own in pictures],
            slots={token: self.scaled(own) for token, own in (slots or {}).items()},
            attention_mask=attention_mask,
            labels=labels,
            longest=self.longest,
            padding=padding,
        )

    def scaled(self, vectors: Sequence[Any]) -> Sequence[Any]:
        """Return vectors as large as the decoder's words are; None stays None."""
        if self.word_scale == 1:
            return vectors
        return [
            None if one is None else one * torch.tensor(self.word_scale, dtype=one.dtype, device=one.device)
            for one in vectors
        ]

    @property
    def longest(self) -> int | None:
        """The length that rows are cut to after their pictures have been put in; None is any."""
        return None

    def least_tokens(self) -> int:
        """Return how many tokens an ordinary picture becomes at least."""
        return 0

    def read(
        self,
        input_ids: Tensor,
        *,
        pixel_values: Any = None,
        regions: DrawnRegions | None = None,
        picture_counts: Sequence[int] | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        padding: Side = "right",
    ) -> Merged:
        """Encode the pictures and the regions of each row and merge them into its text.

        picture_counts: how many of the pictures belong to each row of ``input_ids`` (B, T), in order; without
        it picture i belongs to row i, and a row without a marker takes one too, any, and ignores it.
        ``regions.pictures`` says which of all pictures each region is in; those of a row come in reading
        order. A row with more regions than region tokens uses its first ones; BadRegion for one with fewer.
        """
        wanted, slot = regions is not None and len(regions) > 0, self.config.region_token_id
        if pixel_values is None and wanted:
            raise BadRegion("regions came without the pictures that they are in")
        counts = [1] * len(input_ids) if picture_counts is None else list(picture_counts)
        tokens: list[Sequence[Tensor]] | None = None
        vectors: list[Tensor | None] = [None] * len(input_ids)
        if pixel_values is not None and (wanted or bool((input_ids == PICTURE_MARKER).any())):
            features = self.encode_pictures(pixel_values)
            if len(counts) != len(input_ids) or len(features) != sum(counts):
                wanted_each = "one each" if picture_counts is None else f"{counts}"
                raise BadPicture(
                    f"{len(features)} pictures came with {len(input_ids)} rows of text; expected "
                    f"{wanted_each}"
                )
            ends = list(accumulate(counts))
            tokens = [features.tokens[end - count : end] for end, count in zip(ends, counts, strict=True)]
            if regions is not None and slot is not None:
                regions = spoken_of(regions, input_ids, attention_mask, token=slot, picture_counts=counts)
            if regions is not None and len(regions):
                found = self.encode_regions(features.maps, regions)  # (R, D)
                owners = owners_of(regions, counts).to(found.device)
                vectors = [found[owners == row] for row in range(len(input_ids))]
        return self.embed(
            input_ids,
            pictures=tokens,
            slots={} if slot is None else {slot: vectors},
            attention_mask=attention_mask,
            labels=labels,
            padding=padding,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        pixel_values: Any = None,
        regions: DrawnRegions | None = None,
        picture_counts: Sequence[int] | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **unused: Any,
    ) -> CausalLMOutputWithPast:
        """Predict the next token.

        input_ids (B, T) with -200 in the place of each row's picture; see ``read`` for the other inputs.
        inputs_embeds (B, L, D) and their mask are what ``embed`` returns. Without labels, ``logits`` are
        those of all L positions (or the last ``logits_to_keep``). With labels (B, T), IGNORED where nothing
        is learnt, ``loss`` is the mean over all other labels of the batch, and ``logits`` (S, V) are computed
        only where one of them is predicted, row by row. The cache has two names, see ``cache_argument``.
        """
        cache = past_key_values if cache is None else cache
        if input_ids is None and inputs_embeds is None:
            raise ValueError("give input_ids or inputs_embeds")
        if inputs_embeds is None and past_length(cache) == 0:
            assert input_ids is not None
            merged = self.read(
                input_ids,
                pixel_values=pixel_values,
                regions=regions,
                picture_counts=picture_counts,
                attention_mask=attention_mask,
                labels=labels,
            )
            inputs_embeds, attention_mask, labels = merged.embeds, merged.attention_mask, merged.labels
            position_ids = None  # they counted the text before it grew
        output = self.language.model(
            input_ids=input_ids if inputs_embeds is None else None,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            **named(cache),
            use_cache=bool(use_cache),
        )
        hidden, loss = output.last_hidden_state, None
        if labels is None:
            kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
            logits = self.language.lm_head(hidden[:, kept])
        else:
            learnt = labels[:, 1:] != IGNORED
            logits = self.language.lm_head(hidden[:, :-1][learnt])  # (S, V)
            loss = mean_loss(logits, labels[:, 1:][learnt])
            if self.training and input_ids is not None:
                seen = bool((input_ids == PICTURE_MARKER).any())
                slot = self.config.region_token_id
                spoken = slot is not None and bool((input_ids == slot).any())
                spare = self.unused_modules(pixel_values if seen else None, regions if spoken else None)
                loss = loss + zero_loss(spare)
        return CausalLMOutputWithPast(loss=loss, logits=logits, **named(cache_of(output)))

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        *,
        pixel_values: Any = None,
        regions: DrawnRegions | None = None,
        picture_counts: Sequence[int] | None = None,
        attention_mask: Tensor | None = None,
        **options: Any,
    ) -> Any:
        """Return the new tokens only; options are those of ``transformers``.

        inputs (or input_ids) (B, T) with -200 for pictures, pictures and regions as in ``forward``, which are
        encoded once. Rows may differ in length: give their ``attention_mask``. Instead of all these,
        inputs_embeds and attention_mask from ``embed(..., padding="left")`` continue what is encoded already.
        """
        ids = options.pop("input_ids", inputs)
        if options.get("inputs_embeds") is None:
            if ids is None:
                raise ValueError("give inputs (token ids) or inputs_embeds")
            merged = self.read(
                ids,
                pixel_values=pixel_values,
                regions=regions,
                picture_counts=picture_counts,
                attention_mask=attention_mask,
                padding="left",
            )
            options["inputs_embeds"], attention_mask = merged.embeds, merged.attention_mask
        return super().generate(attention_mask=attention_mask, **options)

    def set_generation(self) -> None:
        """Let ``generate`` be greedy and stop where the configuration says."""
        config = self.config
        self.generation_config = GenerationConfig(
            bos_token_id=config.bos_token_id,
            eos_token_id=config.eos_token_id,
            pad_token_id=config.pad_token_id,
            do_sample=False,
        )


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits (S, V) and labels (S,); 0 where nothing is to be learnt."""
    if not len(labels):
        return logits.sum()  # of none: 0, with a gradient of 0
    return functional.cross_entropy(logits.float(), labels)


def zero_loss(parts: Iterable[nn.Module | None]) -> Tensor | float:
    """Return 0 that depends on all trained weights of some parts.

    Training in several processes waits for a gradient of every weight; a batch without regions has none of
    the sampler's.
    """
    weights = [
        weight for part in parts if part is not None for weight in part.parameters() if weight.requires_grad
    ]
    return sum((weight.flatten()[0] * 0 for weight in weights), 0.0)
