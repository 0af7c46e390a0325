"""The region proposer: a two-stage deformable DETR of one class, with a head for each kind of source.

Groma (Ma et al., 2024, section 3.1) by way of Deformable DETR (Zhu et al., 2021) and DINO's mixed query
selection (Zhang et al., 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.errors import UsageError
from deixis.layers.proposals.box_forms import inverse_sigmoid
from deixis.layers.proposals.deformable_attention import DeformableAttention, Shapes
from deixis.layers.proposals.heads import BoxHead, class_head
from deixis.layers.proposals.input_maps import input_maps
from deixis.layers.proposals.position_encodings import box_encoding, grid_encoding
from deixis.layers.proposals.proposing import SOURCES, Proposals, Source
from deixis.layers.proposals.transformer_layers import DecoderLayer, EncoderLayer, LayerSize
from deixis.layers.proposals.two_stage import FirstStage, cell_centres, first_boxes


@dataclass(frozen=True)
class ProposerSize:
    """The sizes of a proposer; the defaults are the published ones.

    queries: how many boxes it proposes. box_hidden: the width inside the box heads.
    """

    width: int = 256
    encoder_layers: int = 6
    decoder_layers: int = 6
    encoder_heads: int = 8
    decoder_heads: int = 8
    encoder_feed_forward: int = 1024
    decoder_feed_forward: int = 1024
    encoder_points: int = 4
    decoder_points: int = 4
    levels: int = 1
    queries: int = 300
    box_hidden: int = 256
    activation: str = "relu"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.width % 4:
            raise UsageError(f"a proposer is {self.width} wide; expected a multiple of 4")
        if self.decoder_layers < 1 or self.encoder_layers < 0:
            raise UsageError(
                f"a proposer has {self.encoder_layers} encoder and {self.decoder_layers} decoder layers; "
                "expected at least one decoder layer"
            )

    def layer(self, *, decoder: bool) -> LayerSize:
        """Return the size of a layer."""
        return LayerSize(
            width=self.width,
            heads=self.decoder_heads if decoder else self.encoder_heads,
            points=self.decoder_points if decoder else self.encoder_points,
            levels=self.levels,
            feed_forward=self.decoder_feed_forward if decoder else self.encoder_feed_forward,
            activation=self.activation,
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            activation_dropout=self.activation_dropout,
        )


@dataclass(frozen=True)
class Detection:
    """All that a proposer says, for training and for proposing. N: decoder layers.

    boxes (N, B, Q, 4): of each decoder layer, the last one's are the proposals. logits: by source, of each
    layer (N, B, Q, 1). first: what all cells say. states (N, B, Q, D), references (N, B, Q, 4): inside.
    """

    boxes: Tensor
    logits: dict[Source, Tensor]
    first: FirstStage
    memory: Tensor
    states: Tensor
    references: Tensor


class DeformableTransformer(nn.Module):
    """Maps in, boxes out. The names of its parts are the published ones."""

    def __init__(self, size: ProposerSize) -> None:
        super().__init__()
        self.size = size
        width = size.width
        self.level_embed = nn.Parameter(torch.empty(size.levels, width))
        self.query_position_embeddings = nn.Embedding(size.queries, width)
        self.encoder = Layers(EncoderLayer(size.layer(decoder=False)) for _ in range(size.encoder_layers))
        self.decoder = Layers(DecoderLayer(size.layer(decoder=True)) for _ in range(size.decoder_layers))
        self.enc_output, self.enc_output_norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.pos_trans, self.pos_trans_norm = nn.Linear(2 * width, 2 * width), nn.LayerNorm(2 * width)
        self.reset()
        self.class_embed_enc = class_head(width)
        self.class_embed_coco = nn.ModuleList(class_head(width) for _ in range(size.decoder_layers))
        self.class_embed_sa1b = nn.ModuleList(class_head(width) for _ in range(size.decoder_layers))
        self.bbox_embed = nn.ModuleList(
            BoxHead(width, hidden=size.box_hidden) for _ in range(size.decoder_layers + 1)
        )

    def reset(self) -> None:
        """Begin as published: matrices Xavier's, except those of deformable attention; levels normal."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for module in self.modules():
            if isinstance(module, DeformableAttention):
                module.reset()
        nn.init.normal_(self.level_embed)

    def forward(self, maps: list[Tensor]) -> Detection:
        """Return what there is in maps (B, D, h, w), one a level, the finest first."""
        shapes: Shapes = [(one.shape[-2], one.shape[-1]) for one in maps]
        memory = self.encoded(maps, shapes)  # (B, S, D)
        first = self.first_stage(memory, shapes)
        batch = len(memory)
        queries = self.query_position_embeddings.weight[None].expand(batch, -1, -1)
        positions = self.query_positions(first.start).to(memory.dtype)
        reference = first.start.sigmoid()  # the same in all layers, as published
        states = []
        for layer in self.decoder.layers:
            queries = layer(queries, positions, memory, shapes=shapes, reference=reference[:, :, None])
            states.append(queries)
        boxes, references = self.boxes(states, reference)
        logits: dict[Source, Tensor] = {}
        for source in SOURCES:
            heads = self.class_embed_coco if source == "coco" else self.class_embed_sa1b
            logits[source] = torch.stack([head(one) for head, one in zip(heads, states, strict=True)])
        return Detection(boxes, logits, first, memory, torch.stack(states), references)

    def encoded(self, maps: list[Tensor], shapes: Shapes) -> Tensor:
        """Return the cells (B, S, D) of all levels after the encoder."""
        device, size = maps[0].device, self.size
        cells = torch.cat([one.flatten(2).transpose(1, 2) for one in maps], dim=1)  # (B, S, D)
        positions = torch.cat(
            [
                grid_encoding(high, wide, channels=size.width, device=device).flatten(1).T + level
                for (high, wide), level in zip(shapes, self.level_embed, strict=True)
            ]
        ).to(cells.dtype)  # (S, D)
        reference = cell_centres(shapes, device=device)[None, :, None]  # (1, S, 1, 2)
        hidden = functional.dropout(cells, size.dropout, training=self.training)
        for layer in self.encoder.layers:
            hidden = layer(hidden, positions, shapes=shapes, reference=reference)
        return hidden

    def first_stage(self, memory: Tensor, shapes: Shapes) -> FirstStage:
        """Return what every cell of memory (B, S, D) says by itself."""
        start, counts = first_boxes(shapes, device=memory.device)
        cells = self.enc_output_norm(self.enc_output(memory.masked_fill(~counts, 0)))
        logits = self.class_embed_enc(cells).float()
        box_logits = self.bbox_embed[-1](cells).float() + start
        return FirstStage.of(logits, box_logits, queries=self.size.queries)

    def query_positions(self, start: Tensor) -> Tensor:
        """Return where each query is (B, Q, D), of the logits (B, Q, 4) of its first box."""
        width = self.size.width
        encoded = box_encoding(start.sigmoid(), channels=width // 2).to(self.pos_trans.weight.dtype)
        # The other half is not used: what a query asks for is learnt, and the same for all pictures.
        return self.pos_trans_norm(self.pos_trans(encoded))[..., :width]

    def boxes(self, states: list[Tensor], start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the boxes of each layer and its references, both (N, B, Q, 4).

        A layer's box is the reference of the layer before, moved; a reference is the first box, moved by its
        layer alone. References keep their gradient: a layer's box teaches the one before it too.
        """
        first = inverse_sigmoid(start)
        before, boxes, references = first, [], []
        for head, state in zip(self.bbox_embed[:-1], states, strict=True):
            shift = head(state).float()
            boxes.append((shift + before).sigmoid())
            references.append((shift + first).sigmoid())
            before = inverse_sigmoid(references[-1])
        return torch.stack(boxes), torch.stack(references)


class Layers(nn.Module):
    """Layers under the name ``layers``, as published checkpoints have them."""

    def __init__(self, layers: object) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)  # type: ignore[arg-type]


class RegionProposer(nn.Module):
    """Boxes of one class for a map of a vision encoder.

    inputs: channels of that map. The proposals have no masks.
    """

    def __init__(self, inputs: int, size: ProposerSize) -> None:
        super().__init__()
        self.size = size
        self.input_proj = input_maps(inputs, size.width, levels=size.levels)
        self.ddetr_transformer = DeformableTransformer(size)

    def detect(self, features: Tensor) -> Detection:
        """Return all that is said of a map (B, C, H, W), for training."""
        transformer: DeformableTransformer = self.ddetr_transformer
        found: Detection = transformer([level(features) for level in self.input_proj])
        return found

    def forward(self, features: Tensor) -> Proposals:
        """Return the proposals for a map (B, C, H, W)."""
        found = self.detect(features)
        return Proposals(
            boxes=found.boxes[-1],
            logits={source: found.logits[source][-1, ..., 0].float() for source in SOURCES},
        )
