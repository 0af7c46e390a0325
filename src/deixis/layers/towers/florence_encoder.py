"""Florence-2's encoder without its decoder, asked several prompts about one map (Xiao et al., 2023).

A map becomes visual tokens (learnt positions, a pooled token in front, projection, norm): the "depth" feature
of Florence-VL. BART's encoder reads them once for each prompt, all prompts as one batch; its states over the
visual tokens are the "breadth" features (Chen et al., 2024, section 3.1). The decoder isn't built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BartConfig, Florence2Config, Florence2VisionConfig
from transformers.models.bart.modeling_bart import BartEncoder
from transformers.models.florence2.modeling_florence2 import Florence2MultiModalProjector

from deixis.errors import UsageError
from deixis.layers.towers.florence_prompts import PAD, ROWS, filled

LARGE: dict[str, Any] = {
    "d_model": 1024,
    "encoder_layers": 12,
    "encoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "max_position_embeddings": 1024,
    "grid_embeddings": 50,
    "temporal_embeddings": 100,
    "activation_function": "gelu",
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "activation_dropout": 0.1,
    "scale_embedding": False,
}


class PromptedEncoder(nn.Module):
    """Maps in, the visual tokens and what the encoder makes of them under each prompt out.

    settings: fields where they differ from Florence-2-large's. inputs: the map's width. prompts: rows of
    token ids, see ``florence_prompts``; of its words only ``rows`` of the whole vocabulary are held.
    mask_padding: whether filled-up places of a prompt are left unseen; the published program shows them.
    """

    words: Tensor  # (K, P) int64: rows of the word table
    spoken: Tensor  # (K, P) bool: what is no filling

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        inputs: int,
        prompts: Sequence[Sequence[int]],
        rows: Sequence[int] = ROWS,
        mask_padding: bool = False,
    ) -> None:
        super().__init__()
        fields = {**LARGE, **settings}
        grid, temporal = fields.pop("grid_embeddings"), fields.pop("temporal_embeddings")
        self.width, self.rows, self.mask_padding = int(fields["d_model"]), tuple(rows), mask_padding
        sizes = Florence2VisionConfig(
            embed_dim=[inputs],
            projection_dim=self.width,
            max_position_embeddings=grid,
            max_temporal_embeddings=temporal,
        )
        self.largest, self.longest = grid, fields["max_position_embeddings"]
        self.visual = Florence2MultiModalProjector(Florence2Config(vision_config=sizes))
        self.bart = BartEncoder(BartConfig(**fields, vocab_size=len(rows), pad_token_id=rows.index(PAD)))
        self.ask(prompts)

    def ask(self, prompts: Sequence[Sequence[int]]) -> None:
        """Ask other prompts from now on; UsageError for a word that no row is held of."""
        places = {token: row for row, token in enumerate(self.rows)}
        ids = filled(prompts, length=0)
        if unknown := sorted({token for one in ids for token in one} - set(places)):
            raise UsageError(f"no rows of the word table are held for the tokens {unknown[:8]}")
        shape = (len(ids), max(map(len, ids), default=0))
        words = torch.tensor([[places[token] for token in one] for one in ids], dtype=torch.int64)
        self.register_buffer("words", words.reshape(shape), persistent=False)
        spoken = torch.tensor([[token != PAD for token in one] for one in ids], dtype=torch.bool)
        self.register_buffer("spoken", spoken.reshape(shape), persistent=False)

    def check_cells(self, cells: int) -> None:
        """Raise UsageError where a map of ``cells`` x ``cells`` and a prompt don't fit the positions."""
        tokens = 1 + cells * cells + self.words.shape[1]
        if cells > self.largest or (len(self.words) and tokens > self.longest):
            raise UsageError(
                f"a map of {cells} x {cells} cells was made for the encoder; it has positions for "
                f"{self.largest} a side and {self.longest} tokens in all, and {tokens} are needed"
            )

    def forward(self, cells: Tensor) -> tuple[Tensor, ...]:
        """Turn a map (B, n * n, C), row by row, into the visual tokens and the states under each prompt.

        1 + K tensors (B, 1 + n * n, D); the first token of each is the pooled one.
        """
        visual = self.visual_tokens(cells)
        if not len(self.words):
            return (visual,)
        states = self.states(visual)
        return (visual, *states[:, :, : visual.shape[1]].unbind(1))

    def visual_tokens(self, cells: Tensor) -> Tensor:
        """Return visual tokens (B, 1 + n * n, D) of a map (B, n * n, C)."""
        side = round(cells.shape[1] ** 0.5)
        self.check_cells(side)
        maps = cells.transpose(1, 2).unflatten(2, (side, side))  # (B, C, n, n)
        weight = self.visual.image_projection.weight
        return self.visual(maps.to(weight.dtype))

    def read(self, visual: Tensor) -> Tensor:
        """Return what the encoder reads (B, K, N + P, D): the visual tokens and the words of each prompt."""
        count, length = self.words.shape
        words = self.bart.embed_tokens(self.words)  # (K, P, D)
        words = words.expand(len(visual), count, length, self.width)
        return torch.cat([visual[:, None].expand(-1, count, -1, -1), words], dim=2)  # (B, K, N + P, D)

    def states(self, visual: Tensor) -> Tensor:
        """Return the encoder's last states (B, K, N + P, D) over visual tokens (B, N, D) and prompts."""
        read = self.read(visual)
        mask = None
        if self.mask_padding:
            seen = self.spoken.new_ones(len(self.spoken), visual.shape[1])
            mask = torch.cat([seen, self.spoken], dim=1).expand(len(visual), -1, -1).flatten(0, 1).long()
        output = self.bart(inputs_embeds=read.flatten(0, 1), attention_mask=mask)
        return output.last_hidden_state.unflatten(0, read.shape[:2])  # (B, K, N + P, D)
