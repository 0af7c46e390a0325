"""Florence-2 whole (Xiao et al., 2023): the decoder beside the tower and encoder that a network has already.

The class is the library's. It is built without weights; the network's own modules take the places of tower,
projector and encoder, so that only the decoder and the word table take memory of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import BartConfig, Florence2Config, Florence2ForConditionalGeneration, GenerationConfig
from transformers.modeling_outputs import BaseModelOutput

from deixis.checkpoints.convert.florence_folder import SHARED, with_rows
from deixis.checkpoints.convert.florence_keys import BIAS
from deixis.checkpoints.files.lazy import LazyTensor, Tensors, held, shown
from deixis.checkpoints.skeleton import skeleton_of
from deixis.engine.settings import whole
from deixis.errors import BadWeights, UsageError
from deixis.layers.towers.florence_davit import DavitTower
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.layers.towers.florence_prompts import BEGIN, END, PAD

DECODER = "language_model.model.decoder."
POSITIONS = 2  # rows of a table of positions before the first one


@dataclass(frozen=True)
class PlaceDecoding:
    """How the decoder writes: as published with 3 beams and no three tokens twice in a row of three.

    max_new_tokens: None is as many as the decoder has positions for.
    """

    num_beams: int = 3
    no_repeat_ngram_size: int = 3
    max_new_tokens: int | None = None

    def __post_init__(self) -> None:
        whole(self.num_beams, "num_beams", least=1, most=16)
        whole(self.no_repeat_ngram_size, "no_repeat_ngram_size", least=0, most=64)
        if self.max_new_tokens is not None:
            whole(self.max_new_tokens, "max_new_tokens", least=1, most=1 << 20)


@dataclass(frozen=True)
class WrittenIds:
    """What the decoder wrote: its tokens with the end, how likely each was, whether it came to an end."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    ended: bool


class FlorenceDecoder:
    """Florence-2 around a network's ``tower`` and ``encoder``.

    tensors: what ``checkpoints.convert.florence_folder.write_decoder`` keeps, by original names. The decoder
    has as many heads as the encoder, as in every Florence-2. BadWeights where they don't fit the encoder, or
    are not finite.
    """

    def __init__(self, tower: DavitTower, encoder: PromptedEncoder, tensors: Tensors) -> None:
        self.tower, self.encoder = tower, encoder
        where = next((one.where for one in tensors.values()), "the decoder's file")
        config = Florence2Config(
            vision_config=tower.vision.config.to_dict(),
            text_config=decoder_config(encoder.bart.config, tensors).to_dict(),
        )
        model: Any = skeleton_of(lambda: Florence2ForConditionalGeneration(config), where=where)
        parts = model.model
        parts.vision_tower, parts.multi_modal_projector = tower.vision, encoder.visual
        parts.language_model.encoder = encoder.bart
        self.model = model
        self.words, self.bart = parts.language_model.shared, parts.language_model.decoder
        self.fill(tensors)
        model.eval()

    @property
    def weight(self) -> Tensor:
        """One of the encoder's weights, which says where to compute and in what numbers."""
        return next(self.encoder.bart.layers.parameters())

    @property
    def positions(self) -> int:
        """How many tokens the decoder can write."""
        return int(self.bart.embed_positions.num_embeddings) - POSITIONS

    def fill(self, tensors: Tensors) -> None:
        """Take the decoder's weights; rows of prompts are the encoder's own, which may have learnt."""
        rows = held(self.encoder.bart.embed_tokens.weight.cpu(), where="the encoder")
        found = {key.removeprefix(DECODER): one for key, one in tensors.items() if key.startswith(DECODER)}
        wanted = {
            key: one for key, one in self.bart.state_dict().items() if not key.startswith("embed_tokens.")
        }
        for key in sorted(found.keys() ^ wanted.keys()):
            why = "is missing" if key in wanted else "has no place in it"
            raise BadWeights(f"of Florence-2's decoder {DECODER}{key} {why}; is its file whole?")
        state = {key: self.read(found[key], tuple(one.shape)) for key, one in wanted.items()}
        table = self.read(with_rows(tensors[SHARED], rows, rows=self.encoder.rows), None)
        if BIAS in tensors and tensors[BIAS].read().any():
            raise BadWeights(f"{tensors[BIAS].where}: {BIAS} isn't zero; no Florence-2 has one")
        self.bart.load_state_dict(state | {"embed_tokens.weight": table}, assign=True)
        shared = torch.nn.Parameter(table, requires_grad=False)  # one, that stays one when it is moved
        for module in (self.words, self.model.lm_head, self.bart.embed_tokens):
            module.weight = shared
        for weight in self.bart.parameters():
            weight.requires_grad_(False)

    def read(self, tensor: LazyTensor, shape: tuple[int, ...] | None) -> Tensor:
        """Return numbers where the encoder computes; BadWeights unless of that shape and finite."""
        if shape is not None and tensor.shape != shape:
            raise BadWeights(
                f"{tensor.where}: a weight of the decoder is {shown(tensor.shape)}; expected {shown(shape)}, "
                "as the encoder's width asks for"
            )
        numbers = tensor.read()
        if not bool(numbers.isfinite().all()):
            raise BadWeights(f"{tensor.where}: the decoder's weights hold infinity or NaN")
        return numbers.to(self.weight.device, self.weight.dtype)

    def follow(self) -> None:
        """Move to where the network is by now."""
        if (self.words.weight.device, self.words.weight.dtype) != (self.weight.device, self.weight.dtype):
            self.model.to(self.weight.device).to(self.weight.dtype)
            for module in (self.model.lm_head, self.bart.embed_tokens):  # some devices make new parameters
                module.weight = self.words.weight

    @torch.inference_mode()
    def visual_tokens(self, pixels: Tensor) -> Tensor:
        """Return visual tokens (B, N, D) of normalised pixels (B, 3, S, S)."""
        cells = self.tower.states(pixels.to(self.weight.device, self.weight.dtype))[-1]
        return self.encoder.visual_tokens(cells)

    def check_length(self, visual: int, words: int) -> None:
        """Raise UsageError for a prompt that the encoder has no positions for."""
        if visual + words > self.encoder.longest:
            raise UsageError(
                f"the text takes {words} tokens of Florence-2's; at most {self.encoder.longest - visual} fit "
                "beside the picture: give a shorter one"
            )

    @torch.inference_mode()
    def write(self, visual: Tensor, ids: Sequence[int], decoding: PlaceDecoding) -> WrittenIds:
        """Return what is written to a prompt's ids about visual tokens (N, D)."""
        self.check_length(len(visual), len(ids))
        self.follow()
        visual = visual.to(self.weight.device, self.weight.dtype)
        words = self.words(torch.tensor([ids], device=visual.device))  # (1, P, D)
        read = torch.cat([visual[None], words], dim=1)  # (1, N + P, D)
        states = self.encoder.bart(inputs_embeds=read).last_hidden_state  # (1, N + P, D)
        limit = self.positions - 1  # the first is for the token that begins
        output = self.model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            generation_config=generation(decoding, min(decoding.max_new_tokens or limit, limit)),
        )
        start, *new = output[0].tolist()
        ended = END in new
        written = new[: new.index(END) + 1] if ended else new
        return WrittenIds(tuple(written), tuple(self.likelihoods(states, [start, *written])), ended)

    def likelihoods(self, states: Tensor, written: Sequence[int]) -> list[float]:
        """Return the log-probability of each written token but the first, whatever beams there were."""
        tokens = torch.tensor([written], device=states.device)
        hidden = self.bart(input_ids=tokens[:, :-1], encoder_hidden_states=states, use_cache=False)
        found = []
        for some, next_ones in zip(
            hidden.last_hidden_state[0].split(64), tokens[0, 1:].split(64), strict=True
        ):
            logits = self.model.lm_head(some).float()  # (64, V)
            found += (logits.gather(1, next_ones[:, None])[:, 0] - logits.logsumexp(dim=1)).tolist()
        return found


def decoder_config(encoder: BartConfig, tensors: Tensors) -> BartConfig:
    """Return the settings of encoder and decoder: what the decoder adds is read from its shapes."""
    first = tensors.get(f"{DECODER}layers.0.fc1.weight")
    table, places = tensors.get(SHARED), tensors.get(f"{DECODER}embed_positions.weight")
    if (
        first is None
        or table is None
        or places is None
        or any(len(one.shape) != 2 for one in (first, table, places))
    ):
        raise BadWeights("the file of Florence-2's decoder holds none; is it whole?")
    layers = {
        key.removeprefix(f"{DECODER}layers.").split(".")[0] for key in tensors if f"{DECODER}layers." in key
    }
    fields = {
        **{key: value for key, value in encoder.to_dict().items() if not key.startswith("_")},
        "vocab_size": table.shape[0],
        "pad_token_id": PAD,
        "bos_token_id": BEGIN,
        "eos_token_id": END,
        "decoder_start_token_id": END,
        "decoder_layers": len(layers),
        "decoder_ffn_dim": first.shape[0],
        "decoder_attention_heads": encoder.encoder_attention_heads,
    }
    for what, given in (("width", table.shape[1]), ("positions", places.shape[0] - POSITIONS)):
        known = encoder.d_model if what == "width" else encoder.max_position_embeddings
        if given != known:
            raise BadWeights(f"{table.where}: the decoder's {what} is {given}, the encoder's {known}")
    return BartConfig(**fields)


def generation(decoding: PlaceDecoding, count: int) -> GenerationConfig:
    """Return the library's settings. The published ones force an end at the limit too, which hides it."""
    return GenerationConfig(
        max_new_tokens=count,
        num_beams=decoding.num_beams,
        no_repeat_ngram_size=decoding.no_repeat_ngram_size,
        early_stopping=decoding.num_beams > 1,
        do_sample=False,
        use_cache=True,
        bos_token_id=BEGIN,
        pad_token_id=PAD,
        eos_token_id=END,
        decoder_start_token_id=END,
        forced_bos_token_id=BEGIN,
    )
