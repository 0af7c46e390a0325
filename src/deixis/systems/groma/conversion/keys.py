"""The names of Groma's weights: the authors', and our network's.

The heads of the proposer are stored under two names, and files may have either or both; ``ALIASES`` turns the
longer one into the shorter one before the table is asked.
"""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import DINOV2_PARTS, KeyTable, Pairs

HEADS = ("bbox_embed.", "class_embed_enc.", "class_embed_coco.", "class_embed_sa1b.")
DECODER_PARTS = ("embed_tokens.", "layers.", "norm.")


def perceiver(original: str) -> Pairs:
    """Return the lines of a perceiver whose original names begin with ``original``."""
    return (
        *((f"{original}vis_encoder.{part}", f"perceiver.tower.vision.{part}") for part in DINOV2_PARTS),
        (f"{original}input_proj.", "perceiver.proposer.input_proj."),
        (f"{original}ddetr_transformer.", "perceiver.proposer.ddetr_transformer."),
    )


# groma-det-pretrain: the perceiver alone.
PERCEIVER = KeyTable(name="Groma proposer's", pairs=perceiver(""))
# groma-7b-pretrain and groma-7b-finetune.
GROMA = KeyTable(
    name="Groma",
    pairs=(
        *perceiver("perceiver."),
        ("llm.model.embed_tokens.", "language.model.embed_tokens.base."),
        *((f"llm.model.{part}", f"language.model.{part}") for part in DECODER_PARTS[1:]),
        ("llm.lm_head.", "language.lm_head.base."),
        ("new_input_embs.", "language.model.embed_tokens.extra."),
        ("extra_lm_head.", "language.lm_head.extra."),
        ("img_txt_bridge.", "bridge."),
        ("region_encoder.", "region_encoder."),
    ),
)


def shorter(key: str) -> str:
    """Return the shorter of the two names of a head's weight; any other name stays.

    >>> shorter("perceiver.ddetr_transformer.decoder.bbox_embed.0.layers.1.bias")
    'perceiver.ddetr_transformer.bbox_embed.0.layers.1.bias'
    >>> shorter("perceiver.ddetr_transformer.decoder.layers.0.fc1.bias")
    'perceiver.ddetr_transformer.decoder.layers.0.fc1.bias'
    """
    for head in HEADS:
        key = key.replace(f"ddetr_transformer.decoder.{head}", f"ddetr_transformer.{head}", 1)
    return key


def longer(key: str) -> str | None:
    """Return the longer name of a head's weight; None for a weight that has one name only.

    >>> longer("ddetr_transformer.class_embed_enc.bias")
    'ddetr_transformer.decoder.class_embed_enc.bias'
    """
    for head in HEADS:
        name = f"ddetr_transformer.{head}"
        if name in key:
            return key.replace(name, f"ddetr_transformer.decoder.{head}", 1)
    return None
