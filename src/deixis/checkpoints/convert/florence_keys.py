"""The names of Florence-2's weights: those of its own files, those of ``transformers`` 5, and ours.

Its own files are of the code that was published with the weights ("original"); ``transformers`` has had a
class of its own since ("native"). Of both we hold what sees: DaViT, the visual tokens, BART's encoder. The
rest (the decoder, its head, the whole word table) stays in a file of its own, see ``florence_folder``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from deixis.errors import BadWeights

Change = Literal["copy", "transpose", "drop"]
BLOCK = re.compile(r"vision_tower\.(blocks\.\d+\.\d+\.(spatial|channel)_block)\.(.+)")
CONVOLUTION = re.compile(r"vision_tower\.convs\.(\d+)\.(proj|norm)\.(weight|bias)")
# Inside a block: original, native. The second word of a block's attention is its own.
INSIDE = (
    ("conv1.fn.dw.", "conv1."),
    ("conv2.fn.dw.", "conv2."),
    ("{attention}.norm.", "norm1."),
    ("{attention}.fn.", "{attention}."),
    ("ffn.norm.", "norm2."),
    ("ffn.fn.net.", "ffn."),
)
ATTENTION = {"spatial": "window_attn", "channel": "channel_attn"}
PROJECTOR = "model.multi_modal_projector"
IMAGE_PROJECTION = "image_projection"
OUTSIDE = (
    (IMAGE_PROJECTION, f"{PROJECTOR}.image_projection.weight"),
    ("image_proj_norm.", f"{PROJECTOR}.image_proj_norm."),
    ("image_pos_embed.", f"{PROJECTOR}.image_position_embed."),
    ("visual_temporal_embed.", f"{PROJECTOR}.visual_temporal_embed."),
    ("language_model.model.", "model.language_model."),
    ("language_model.lm_head.", "lm_head."),
)
BIAS = "language_model.final_logits_bias"  # zeros, of the decoder's head
# Original names of the one table of words, of which a whole state dict has four copies.
TABLES = (
    "language_model.model.shared.weight",
    "language_model.model.encoder.embed_tokens.weight",
    "language_model.model.decoder.embed_tokens.weight",
    "language_model.lm_head.weight",
)
WORDS = "bart.embed_tokens.weight"  # of our encoder: the rows of its prompts
# Native beginnings of what sees, the part of our networks, and its beginning there.
PARTS = (
    ("model.vision_tower.", "tower", ""),
    (f"{PROJECTOR}.", "encoder", "visual."),
    ("model.language_model.encoder.", "encoder", "bart."),
)


@dataclass(frozen=True)
class NativeKey:
    """A weight as ``transformers`` has it; key None: it has none."""

    key: str | None
    change: Change = "copy"


def native(original: str) -> NativeKey:
    """Return the native name of an original key; BadWeights for one that Florence-2 lacks.

    >>> native("image_projection")
    NativeKey(key='model.multi_modal_projector.image_projection.weight', change='transpose')
    """
    if original == BIAS:
        return NativeKey(None, "drop")
    if found := CONVOLUTION.fullmatch(original):
        stage, part, leaf = found.groups()
        return NativeKey(f"model.vision_tower.convs.{stage}.{'conv' if part == 'proj' else part}.{leaf}")
    if found := BLOCK.fullmatch(original):
        place, kind, rest = found.groups()
        for old, new in inside(kind):
            if rest.startswith(old):
                return NativeKey(f"model.vision_tower.{place}.{new}{rest.removeprefix(old)}")
    for old, new in OUTSIDE:
        if original == old or (old.endswith(".") and original.startswith(old)):
            change: Change = "transpose" if old == IMAGE_PROJECTION else "copy"
            return NativeKey(new + original.removeprefix(old), change)
    raise BadWeights(f"{original!r} is no key of Florence-2; is the vision encoder another one?")


def original(native_key: str) -> str:
    """Return the original name of a native key; BadWeights for one that Florence-2 lacks.

    >>> original("model.vision_tower.blocks.0.0.spatial_block.norm1.bias")
    'vision_tower.blocks.0.0.spatial_block.window_attn.norm.bias'
    """
    own = native_key.removeprefix("model.")
    if found := re.fullmatch(r"vision_tower\.convs\.(\d+)\.(conv|norm)\.(weight|bias)", own):
        stage, part, leaf = found.groups()
        return f"vision_tower.convs.{stage}.{'proj' if part == 'conv' else part}.{leaf}"
    if found := BLOCK.fullmatch(own):
        place, kind, rest = found.groups()
        for old, new in inside(kind):
            if rest.startswith(new):
                return f"vision_tower.{place}.{old}{rest.removeprefix(new)}"
    for old, new in OUTSIDE:
        if native_key == new or (new.endswith(".") and native_key.startswith(new)):
            return old + native_key.removeprefix(new)
    raise BadWeights(f"{native_key!r} is no key of Florence-2 of transformers; expected one of its class's")


def inside(kind: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of a block of a kind, "spatial" or "channel"."""
    attention = ATTENTION[kind]
    return tuple((old.format(attention=attention), new.format(attention=attention)) for old, new in INSIDE)


def ours(native_key: str) -> tuple[str, str] | None:
    """Return the part and the name that a native key has with us; None for what doesn't see.

    >>> ours("model.language_model.encoder.layers.0.fc1.bias"), ours("lm_head.weight")
    (('encoder', 'bart.layers.0.fc1.bias'), None)
    """
    for beginning, part, place in PARTS:
        if native_key.startswith(beginning):
            return part, place + native_key.removeprefix(beginning)
    return None


def native_of(part: str, key: str) -> str:
    """Return the native name of a weight of one of our parts."""
    for beginning, own, place in PARTS:
        if own == part and key.startswith(place):
            return beginning + key.removeprefix(place)
    raise BadWeights(f"{key!r} of the part {part!r} has no name in Florence-2; expected a tower of it")
