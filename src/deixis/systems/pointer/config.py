"""The configuration of a pointer network for ``transformers``, saved as ``config.json``."""

from __future__ import annotations

from typing import Any

from transformers import LlamaConfig, PreTrainedConfig

from deixis.layers.language.small_decoders import llama_config
from deixis.systems.pointer.options import PointerOptions


class PointerConfig(PointerOptions, PreTrainedConfig):
    """The options of a pointer network, and whatever ``transformers`` adds to a configuration."""

    model_type = "deixis_pointer"

    def __init__(self, **settings: Any) -> None:
        own = {name: settings.pop(name) for name in self.names() if name in settings}
        PointerOptions.__init__(self, **own)
        PreTrainedConfig.__init__(self, **settings)

    def llama(self) -> LlamaConfig:
        """Return the Llama configuration of the language part."""
        return llama_config(self.size, positions=self.picture_tokens + self.max_text)
