"""What a stage of the family starts from: published parts, or an earlier stage with new parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from deixis.checkpoints.convert.florence_folder import is_florence, read_florence
from deixis.checkpoints.convert.tower_folder import read_tower
from deixis.checkpoints.files.settings import read_settings
from deixis.checkpoints.files.shards import open_shards
from deixis.checkpoints.initial_state import language_state, projector_state, tower_state
from deixis.checkpoints.language_settings import language_settings
from deixis.errors import BadWeights, RecipeError
from deixis.systems.network_options import stored_options
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.prompt_tokens import TextCodec
from deixis.text.tokenizers.codecs.opening import FERRET, CodecDefaults, open_codec
from deixis.training.recipes.data_paths import below

PARTS = ("language", "tower", "local_tower", "projector")
Reading = Callable[[str, str], CodecDefaults]
"""What is known of a tokenizer, by the kinds of its decoder ("llama", …) and of its codec."""


def as_ferret(decoder: str, codec: str) -> CodecDefaults:
    """Return what Ferret knows of every tokenizer."""
    return FERRET


@dataclass(frozen=True)
class Initial:
    """Folders (or files) of published parts, by the part of the network that they become."""

    folders: Mapping[str, Path]

    @classmethod
    def below(cls, data: Path, named: object, *, where: str) -> Initial:
        """Return the parts that a recipe names; RecipeError for a part that no network has."""
        if not isinstance(named, Mapping):
            raise RecipeError(f"{where}: initial is {named!r:.80}; expected a folder for each named part")
        folders = stored_options(named, PARTS, where=f"{where} initial")
        return cls(
            {
                name: below(data, str(folder), where=f"{where}: folder of initial {name}")
                for name, folder in folders.items()
            }
        )

    def fields(self, reading: Reading = as_ferret) -> tuple[dict[str, Any], TextCodec | None]:
        """Return what the parts say of a configuration, and the tokenizer of the decoder if there is one.

        A vision encoder may be CLIP or DINOv2, or Florence-2, which brings its own encoder of prompts.
        """
        fields: dict[str, Any] = {}
        codec = None
        for name in ("tower", "local_tower"):
            if name in self.folders and is_florence(self.folders[name]):
                files = read_florence(self.folders[name])
                fields |= {name: files.tower, "encoder": files.encoder}
            elif name in self.folders:
                fields[name] = dict(read_tower(self.folders[name]).settings)
        if "language" in self.folders:
            folder = self.folders["language"]
            config = read_settings(folder / "config.json")
            kind = "sentencepieces" if (folder / "tokenizer.model").is_file() else "tokenizer"
            settings = language_settings(config, open_shards(folder), where=str(folder / "config.json"))
            codec = open_codec(kind, folder, reading(settings["model_type"], kind))
            fields["language"] = settings | {"vocab_size": max(len(codec), settings["vocab_size"])}
            fields |= {"codec": kind, "region_token_id": codec.region, "bos_token_id": codec.bos}
            fields |= {"eos_token_id": codec.eos, "pad_token_id": codec.pad}
        return fields, codec

    def state(self, network: SplicedNetwork) -> dict[str, Tensor]:
        """Return the weights of all parts in the names of ``network``."""
        state: dict[str, Tensor] = {}
        if "language" in self.folders:
            rows = int(network.config.vocab_size)
            state |= language_state(self.folders["language"], rows=rows)
        for name in ("tower", "local_tower"):
            if name in self.folders and is_florence(self.folders[name]):
                files = read_florence(self.folders[name])
                parts = files.under("tower") | files.under("encoder")
                state |= {key: tensor.read() for key, tensor in parts.items()}
            elif name in self.folders:
                state |= tower_state(self.folders[name], name=name)
        if "projector" in self.folders:
            state |= projector_state(self.folders["projector"], outputs=network.config.hidden_size)
        return state


def fill(network: SplicedNetwork, state: Mapping[str, Tensor], *, where: str) -> list[str]:
    """Load weights into a network, cast to its own types, and return the parts that keep fresh ones.

    A projector of tiles without weights of its own starts as a copy of the other one (Ferret-v2 paper, 3.3).
    BadWeights for weights that the network has no place for, or of another shape.
    """
    own = network.state_dict()
    given = dict(state)
    if not any(name.startswith("local_projector.") for name in given):
        copied = {f"local_{name}": tensor for name, tensor in given.items() if name.startswith("projector.")}
        given |= {name: tensor for name, tensor in copied.items() if name in own}
    left_over = sorted(set(given) - set(own))
    wrong = [name for name in given if name in own and given[name].shape != own[name].shape]
    if left_over or wrong:
        raise BadWeights(f"{where}: no place for {left_over[:5]}, other shapes of {wrong[:5]}; other sizes?")
    network.load_state_dict(given, strict=False)
    return sorted({name.split(".")[0] for name in own if name not in given})
