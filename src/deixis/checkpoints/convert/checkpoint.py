"""A published checkpoint's folder: its config.json and its tensors, by their original names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from deixis.checkpoints.files.lazy import LazyTensor
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.errors import BadWeights, MissingWeights
from deixis.text.tokenizers.llama_tokenizer import SentencePieces

EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
# In a folder of ours: the config.json that it was made from.
ORIGINAL = "original_config.json"


@dataclass(frozen=True)
class Checkpoint:
    """What a folder holds."""

    folder: Path
    config: dict[str, Any]
    tensors: dict[str, LazyTensor]

    @classmethod
    def open(cls, folder: Path) -> Checkpoint:
        """Read config.json and the names and shapes of the weights."""
        if not folder.is_dir():
            raise MissingWeights(
                f"{folder} is no folder; expected a checkpoint's, with its weights and config.json"
            )
        return cls(folder, read_settings(folder / "config.json"), open_shards(folder))

    @property
    def where(self) -> str:
        """The file that holds the configuration, for messages."""
        return str(self.folder / "config.json")

    @property
    def rows(self) -> int:
        """How many tokens the embedding has rows for."""
        if EMBEDDING not in self.tensors:
            raise BadWeights(f"{self.folder} has no {EMBEDDING}; is a file of the checkpoint missing?")
        shape = self.tensors[EMBEDDING].shape
        if len(shape) != 2:
            raise BadWeights(f"{self.folder}: {EMBEDDING} is {list(shape)}; expected a row for each token")
        return shape[0]

    @property
    def dtype(self) -> str:
        """The type of the decoder's numbers, by the name that configurations use."""
        return str(next(iter(self.tensors.values())).dtype).removeprefix("torch.")

    def below(self, beginning: str) -> dict[str, LazyTensor]:
        """Return the tensors whose names begin so, without that beginning."""
        return {
            key.removeprefix(beginning): tensor
            for key, tensor in self.tensors.items()
            if key.startswith(beginning)
        }

    def has(self, beginning: str) -> bool:
        """Return whether a tensor's name begins so."""
        return any(key.startswith(beginning) for key in self.tensors)

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the configuration; a missing or null one is the default."""
        value = self.config.get(name)
        if value is None:
            return default
        if type(value) is not int:
            raise BadWeights(f"{self.where}: field {name!r} is {value!r:.40}; expected a whole number")
        return value

    def truth(self, name: str, default: bool) -> bool:
        """Return a truth value of the configuration; a missing or null one is the default."""
        value = self.config.get(name)
        if value is None:
            return default
        if type(value) is not bool:
            raise BadWeights(f"{self.where}: field {name!r} is {value!r:.40}; expected true or false")
        return value


def vocabulary_pieces(*folders: Path | None) -> int | None:
    """Return how many pieces the first ``tokenizer.model`` has before anything is added; None without one."""
    for folder in folders:
        if folder is not None and (folder / "tokenizer.model").is_file():
            return len(SentencePieces(folder / "tokenizer.model", legacy=True))
    return None


def without_tied_head(checkpoint: Checkpoint) -> dict[str, LazyTensor]:
    """Return the tensors without the head, which a tied model reads from its embedding.

    BadWeights where a head is stored that differs from the embedding.
    """
    head, embedding = checkpoint.tensors.get(HEAD), checkpoint.tensors.get(EMBEDDING)
    if head is None or embedding is None:
        return checkpoint.tensors
    if head.shape != embedding.shape or not torch.equal(head.read(), embedding.read()):
        raise BadWeights(
            f"{head.where}: {HEAD} {list(head.shape)} differs from {EMBEDDING} {list(embedding.shape)}, but "
            f"the decoder ties them; {checkpoint.where} should say tie_word_embeddings false, or a file is "
            "broken"
        )
    return {key: tensor for key, tensor in checkpoint.tensors.items() if key != HEAD}
