"""What the configurations share of systems whose decoder is one of ``transformers``."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedConfig

from deixis.checkpoints.decoder_fields import DECODER, LONGEST, TOKEN, TOKENS
from deixis.files.declared_fields import Field, Maybe, OneOf, Whole
from deixis.layers.language.causal_decoders import decoder_config
from deixis.text.templates import TEMPLATES
from deixis.text.tokenizers.codecs.opening import KINDS as CODECS


class SplicedConfig(PreTrainedConfig):
    """A configuration with ``language``: the decoder's own settings.

    The field is not declared here: ``transformers`` takes what a class declares for its constructor's fields.
    """

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field; a member adds what only it has."""
        return {
            "language": DECODER,
            "template": OneOf(tuple(TEMPLATES)),
            "codec": OneOf(CODECS),
            "region_token_id": Maybe(TOKEN),
            "max_text": Whole(1, LONGEST),
            **TOKENS,
        }

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PreTrainedConfig:
        """Return the decoder's configuration, which ``transformers`` asks for by this name."""
        settings: dict[str, Any] = vars(self)["language"]
        return decoder_config(settings)

    @property
    def hidden_size(self) -> int:
        """The decoder's width."""
        return int(self.get_text_config().hidden_size)

    @property
    def vocab_size(self) -> int:
        """How many words the decoder knows."""
        return int(self.get_text_config().vocab_size)
