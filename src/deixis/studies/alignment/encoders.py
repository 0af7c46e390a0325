"""Vision encoders behind one interface: pixels in, the vectors of a picture out; and which have weights here.

Small convolutional encoders come from ordinary packages. All others are read from folders that the user
gives: CLIP, SigLIP and DINOv2 in the format of ``transformers``, Florence-2 in that or its original one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from deixis.checkpoints.convert.florence_folder import read_florence
from deixis.checkpoints.convert.siglip_folder import read_siglip
from deixis.checkpoints.convert.tower_folder import read_tower
from deixis.checkpoints.files.lazy import LazyTensor
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.building import build_feature_tower
from deixis.layers.towers.feature_grid import FeatureGridTower
from deixis.layers.towers.feature_tower import FeatureTower
from deixis.layers.towers.florence_davit import DavitTower
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.layers.towers.florence_prompts import prompt_ids
from deixis.layers.towers.pretrained import PACKAGED, load_pretrained_tower, packaged_file
from deixis.layers.towers.siglip import SiglipTower
from deixis.pictures.normalising import Normalisation

SMALL_SIDE = 224  # pixels, what the small encoders see
DEPTH, ASKED = "depth", ("caption", "ocr", "grounding")  # the features of Florence-VL, in their order
LANGUAGE = "minilm"  # among the packaged weights, but no vision encoder


@dataclass(frozen=True)
class VisionEncoder:
    """An encoder with its weights.

    weights: what they are, for the table. side: of the square that it sees. tokens: from normalised pixels
    (B, 3, S, S) to vectors (B, N, D). parts: where several features are side by side by channels, the
    channels [first, last) of each; otherwise empty.
    """

    name: str
    weights: str
    side: int
    normalisation: Normalisation
    tokens: Callable[[Tensor], Tensor]
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class EncoderKind:
    """How an encoder is opened. example: weights that are known to be of this kind."""

    example: str
    opened: Callable[[Path], VisionEncoder]


def of_tower(tower: FeatureTower, *, name: str, weights: str) -> VisionEncoder:
    """Return a tower as an encoder of the study."""
    return VisionEncoder(name, weights, tower.side, tower.normalisation, tower.eval())


def filled(module: nn.Module, tensors: Mapping[str, LazyTensor], *, start: str, folder: Path) -> None:
    """Read weights named below ``start`` into a module; BadWeights where one is missing or misshapen."""
    state = {key.removeprefix(start): tensor.read().float() for key, tensor in tensors.items()}
    try:
        report = module.load_state_dict(state, strict=False)
    except RuntimeError as fault:
        raise BadWeights(f"{folder}: its weights don't fit its config.json: {fault}") from fault
    if report.missing_keys:
        raise BadWeights(f"{folder}: {report.missing_keys[0]} is missing ({len(report.missing_keys)} in all)")


def open_packaged(name: str) -> VisionEncoder:
    """Return a small convolutional encoder with the weights that its package holds."""
    tower = FeatureGridTower(name, side=SMALL_SIDE)
    load_pretrained_tower(tower.vision, name)
    return of_tower(tower, name=name, weights="ImageNet labels")


def open_transformer(kind: str, folder: Path) -> VisionEncoder:
    """Return CLIP or DINOv2: the states before its last block, as systems read them."""
    files = read_tower(folder)
    if files.settings["kind"] != kind:
        raise BadWeights(f"{folder} holds {files.settings['kind']}; expected {kind}")
    tower = build_feature_tower(files.settings)
    filled(tower, files.under("tower"), start="tower.", folder=folder)
    return of_tower(tower, name=kind, weights=folder.name)


def open_siglip(folder: Path) -> VisionEncoder:
    """Return SigLIP: the states before its last block."""
    settings, tensors = read_siglip(folder)
    tower = SiglipTower(settings)
    filled(tower.vision, tensors, start="", folder=folder)
    return of_tower(tower, name="siglip", weights=folder.name)


def open_florence2(folder: Path) -> VisionEncoder:
    """Return Florence-2's four features side by side, as Florence-VL fuses them."""
    files = read_florence(folder)
    settings = {name: value for name, value in files.tower.items() if name != "kind"}
    tower = DavitTower(settings)
    encoder = PromptedEncoder(files.encoder, inputs=tower.width, prompts=prompt_ids(ASKED))
    filled(tower, files.under("tower"), start="tower.", folder=folder)
    filled(encoder, files.under("encoder"), start="encoder.", folder=folder)
    return florence_encoder(tower.eval(), encoder.eval(), weights=folder.name)


def florence_encoder(tower: DavitTower, encoder: PromptedEncoder, *, weights: str) -> VisionEncoder:
    """Return tower and prompted encoder as one encoder of the study."""

    def tokens(pixels: Tensor) -> Tensor:
        return torch.cat(encoder(tower.states(pixels)[-1]), dim=-1)  # (B, 1 + N, 4 * D)

    names = (DEPTH, *ASKED)
    parts = {name: (n * encoder.width, (n + 1) * encoder.width) for n, name in enumerate(names)}
    return VisionEncoder("florence2", weights, tower.side, tower.normalisation, tokens, parts)


FOLDERS: Mapping[str, EncoderKind] = {
    "clip": EncoderKind("openai/clip-vit-large-patch14-336", lambda folder: open_transformer("clip", folder)),
    "siglip": EncoderKind("google/siglip-so400m-patch14-384", open_siglip),
    "dinov2": EncoderKind("facebook/dinov2-large", lambda folder: open_transformer("dinov2", folder)),
    "florence2": EncoderKind("microsoft/Florence-2-large-ft", open_florence2),
}
SMALL = tuple(name for name in PACKAGED if name != LANGUAGE)


def open_encoder(named: str) -> VisionEncoder:
    """Return an encoder by what a user writes: a small one's name, or ``kind=FOLDER``.

    UsageError for an unknown name; MissingWeights, BadWeights where there are none that can be used.
    """
    check_encoder(named)
    name, _, folder = named.partition("=")
    return FOLDERS[name].opened(Path(folder)) if folder else open_packaged(name)


def check_encoder(named: str) -> None:
    """Raise UsageError, or MissingWeights, for what names no encoder; nothing large is read."""
    name, given, folder = named.partition("=")
    if not given and name in SMALL:
        packaged_file(name)
    elif given and folder and name in FOLDERS:
        if not Path(folder).is_dir():
            raise MissingWeights(f"{folder} is no folder; expected one with the weights of {name}")
    elif name in FOLDERS:
        raise UsageError(
            f"encoder {name!r} needs a folder with its weights: --encoder {name}=FOLDER, for instance that "
            f"of {FOLDERS[name].example}"
        )
    else:
        raise UsageError(
            f"encoder {named!r} is not known; known: {', '.join(SMALL)}, and with a folder "
            f"{', '.join(f'{one}=FOLDER' for one in FOLDERS)}"
        )


def not_measured(measured: list[str]) -> list[str]:
    """Return a sentence for each encoder that is known and was not measured."""
    names = {name.partition("=")[0] for name in measured}
    small = [f"{name}: not asked for" for name in SMALL if name not in names]
    return [
        *small,
        *(
            f"{name}: no weights were given ({kind.example} would be such)"
            for name, kind in FOLDERS.items()
            if name not in names
        ),
    ]
