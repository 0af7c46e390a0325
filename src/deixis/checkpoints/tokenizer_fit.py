"""Whether a tokenizer is that of a network: every token that a prompt or an answer may hold has a row."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import BadWeights
from deixis.text.prompt_tokens import TextCodec
from deixis.text.templates import Template


def check_tokens(codec: TextCodec, template: Template, *, rows: int, folder: Path) -> None:
    """Raise BadWeights where a prompt or an answer could hold a token without a row in the embedding.

    Special tokens that no prompt has, such as one for padding, may lie behind the rows.
    """
    used = [codec.bos, codec.region, codec.leading, *codec.ends]
    used += codec.encode(template.render([("a", "a"), ("a", None)]))
    if (largest := max([codec.words - 1, *(token for token in used if token is not None)])) >= rows:
        raise BadWeights(
            f"the tokenizer in {folder} has a token {largest}, but the network has {rows} rows; they are of "
            "different checkpoints"
        )
