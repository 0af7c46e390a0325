"""The names of weights in published checkpoints and in our networks: one table a system, read both ways.

Here is how a table works, and the lines of what systems take from ``transformers``: decoders, CLIP, DINOv2.
Each system's own table is in its folder (``keys.py``). What a table has no line for is an error, never passed
on under its old name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

import torch

from deixis.errors import BadWeights

# Buffers that older libraries stored; they follow from the configuration.
DROPPED = (".rotary_emb.inv_freq", ".embeddings.position_ids")

# What CLIP's parts are called; none of DINOv2's begins like one of them.
CLIP_PARTS = (
    "embeddings.class_embedding",
    "embeddings.patch_embedding.",
    "embeddings.position_embedding.",
    "pre_layrnorm.",
    "post_layernorm.",
    "encoder.layers.",
)
DINOV2_PARTS = (
    "embeddings.cls_token",
    "embeddings.mask_token",
    "embeddings.register_tokens",
    "embeddings.position_embeddings",
    "embeddings.patch_embeddings.",
    "encoder.layer.",
    "layernorm.",
)
Pairs = tuple[tuple[str, str], ...]


@cache
def dinov2_attention() -> Pairs:
    """Return the names inside DINOv2 in files, and those of the installed transformers where it has others.

    Its earlier releases name the parts of attention as files do, its later ones as all other networks.
    """
    from transformers import Dinov2Config, Dinov2Model

    with torch.device("meta"):
        tiny = Dinov2Model(Dinov2Config(hidden_size=8, num_hidden_layers=1, num_attention_heads=1))
    if any(".attention.attention.query." in name for name in tiny.state_dict()):
        return ()
    return (
        (".attention.attention.query.", ".attention.q_proj."),
        (".attention.attention.key.", ".attention.k_proj."),
        (".attention.attention.value.", ".attention.v_proj."),
        (".attention.output.dense.", ".attention.o_proj."),
    )


@dataclass(frozen=True)
class KeyTable:
    """Beginnings of keys, original and ours. A line that ends in a dot stands for all keys that begin so,
    any other for one key; the first line that fits counts.

    name: of the system, for messages. towers: where a checkpoint keeps CLIP or DINOv2, and our attribute; the
    lines of what is inside follow from it. causes: beginnings of our keys, and what is probably wrong where a
    tensor called so doesn't fit.

    >>> table = KeyTable("LLaVA", (("model.mm_projector.", "projector."), *language("language")))
    >>> table.to_ours("model.mm_projector.weight")
    'projector.weight'
    >>> table.to_original("language.model.norm.weight")
    'model.norm.weight'
    """

    name: str
    pairs: Pairs
    towers: Pairs = ()
    causes: Pairs = ()

    @cached_property
    def lines(self) -> Pairs:
        """All lines, those of the towers too."""
        inside = (line for original, ours in self.towers for line in tower(original, ours))
        return (*self.pairs, *inside)

    def to_ours(self, key: str) -> str:
        """Return our name of an original key; BadWeights for a key that no line fits."""
        for original, ours in self.lines:
            if fits(key, original):
                renamed = ours + key[len(original) :]
                if ".vision.encoder.layer." not in renamed:
                    return renamed
                return with_parts(renamed, dinov2_attention())
        raise BadWeights(
            f"{key!r} is no key of a {self.name} checkpoint; expected one that begins with "
            f"{beginnings(original for original, _ in self.lines)}; is the checkpoint of another system?"
        )

    def to_original(self, key: str) -> str:
        """Return the original name of one of our keys; BadWeights for a key that no line fits."""
        for original, ours in self.lines:
            if fits(key, ours):
                renamed = original + key[len(ours) :]
                if ".vision.encoder.layer." not in key:
                    return renamed
                return with_parts(renamed, tuple((new, old) for old, new in dinov2_attention()))
        raise BadWeights(
            f"{key!r} has no name in a published {self.name} checkpoint; expected one that begins with "
            f"{beginnings(ours for _, ours in self.lines)}; only CLIP and DINOv2 towers have original names"
        )


def language(ours: str) -> Pairs:
    """Return the lines of a decoder (Llama, Gemma, Phi-3) whose model is at ``ours``.

    What is inside a layer has the same names in files and in ``transformers``: Phi-3's fused matrices too.
    """
    parts = ("embed_tokens.", "layers.", "norm.")
    return (("lm_head.", f"{ours}.lm_head."), *((f"model.{part}", f"{ours}.model.{part}") for part in parts))


def tower(original: str, ours: str) -> Pairs:
    """Return the lines of a tower that is CLIP or DINOv2 of ``transformers``."""
    clip = ((f"{original}.vision_tower.vision_model.{part}", f"{ours}.vision.{part}") for part in CLIP_PARTS)
    dinov2 = ((f"{original}.vision_tower.{part}", f"{ours}.vision.{part}") for part in DINOV2_PARTS)
    return (*clip, *dinov2)


# A decoder as it was published for itself, such as Vicuna, as the part ``language`` of a network.
DECODER = KeyTable("plain decoder's", language("language"))


def is_dropped(key: str) -> bool:
    """Return whether a stored key is a buffer that needs no storing.

    >>> is_dropped("model.layers.0.self_attn.rotary_emb.inv_freq")
    True
    """
    return key.endswith(DROPPED)


def fits(key: str, beginning: str) -> bool:
    """Return whether a table's line stands for a key."""
    return key.startswith(beginning) if beginning.endswith(".") else key == beginning


def with_parts(key: str, parts: Pairs) -> str:
    """Return a key with the first part that occurs in it replaced."""
    for old, new in parts:
        if old in key:
            return key.replace(old, new, 1)
    return key


def beginnings(names: Iterable[str]) -> str:
    """Return the distinct beginnings of a table's lines, two parts long, for messages."""
    short = dict.fromkeys(".".join(name.split(".")[:2]) for name in names)
    return ", ".join(short)
