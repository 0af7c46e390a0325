"""The size of a pointer network, saved as ``config.json``."""

from __future__ import annotations

from typing import Any

from transformers import LlamaConfig, PreTrainedConfig


class PointerConfig(PreTrainedConfig):
    """Sizes, token ids and the thresholds that reading places needs.

    side: pixels of the square, letterboxed picture given to the tower; a multiple of 32.
    map_width: channels of the place map. picture_grid: the picture is read as grid x grid tokens.
    word_width: width of the tied word vectors; width, layers, heads, mlp_width: the decoder.
    """

    model_type = "deixis_pointer"

    def __init__(
        self,
        *,
        tower: str = "efficientnet_lite0",
        side: int = 192,
        map_width: int = 160,
        picture_grid: int = 8,
        vocab_size: int = 64,
        word_width: int = 384,
        width: int = 256,
        layers: int = 4,
        heads: int = 4,
        mlp_width: int = 640,
        max_text: int = 512,
        place_rule: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.tower = tower
        self.side = side
        self.map_width = map_width
        self.picture_grid = picture_grid
        self.vocab_size = vocab_size
        self.word_width = word_width
        self.width = width
        self.layers = layers
        self.heads = heads
        self.mlp_width = mlp_width
        self.max_text = max_text
        self.place_rule: dict[str, Any] = dict(place_rule or {})
        super().__init__(**kwargs)

    @classmethod
    def options(cls) -> list[str]:
        """Return the names of the settings that a recipe may choose (the vocabulary comes from the data)."""
        code = cls.__init__.__code__
        names = code.co_varnames[1 : 1 + code.co_kwonlyargcount]
        return [name for name in names if name != "vocab_size"]

    @property
    def picture_tokens(self) -> int:
        """How many tokens the picture is read as."""
        return self.picture_grid**2

    def llama(self) -> LlamaConfig:
        """Return the Llama configuration of the language part."""
        return LlamaConfig(
            vocab_size=8,  # the decoder's own table is replaced by a factorised one
            hidden_size=self.width,
            intermediate_size=self.mlp_width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            max_position_embeddings=self.picture_tokens + self.max_text,
            initializer_range=0.04,  # narrow: what attention adds must weigh against a token itself
            use_cache=True,
        )
