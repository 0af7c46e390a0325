"""Pictures with their captions as vectors: each encoder looks once at each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deixis.data.scene import Scene
from deixis.errors import UsageError
from deixis.pictures.resizing import resize
from deixis.progress import SILENT, Progress
from deixis.studies.alignment.encoders import VisionEncoder
from deixis.studies.alignment.texts import LanguageModel, text_vectors

BATCH = 16


@dataclass(frozen=True)
class CaptionVectors:
    """The unit vectors of all captions (n, D), picture after picture.

    firsts: where those of each picture begin, and where the last one's end.
    """

    vectors: Tensor
    firsts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def count(self, picture: int) -> int:
        """Return how many captions a picture has."""
        return self.firsts[picture + 1] - self.firsts[picture]

    def chosen(self, pictures: Sequence[int], numbers: Sequence[int]) -> Tensor:
        """Return one caption of each picture (N, D); a number goes round where there are fewer."""
        rows = [
            self.firsts[picture] + number % self.count(picture)
            for picture, number in zip(pictures, numbers, strict=True)
        ]
        return self.vectors[rows]


def captioned(scenes: Sequence[Scene], *, limit: int | None) -> list[Scene]:
    """Return the scenes that have a caption, at most ``limit``; UsageError for none."""
    found = [scene for scene in scenes if any(caption.text.strip() for caption in scene.captions)][:limit]
    if not found:
        raise UsageError(
            f"none of {len(scenes)} pictures has a caption; the study of alignment needs a dataset with "
            "captions"
        )
    return found


def caption_vectors(
    scenes: Sequence[Scene], language: LanguageModel, *, progress: Progress = SILENT
) -> CaptionVectors:
    """Return the vectors of the scenes' captions."""
    texts: list[str] = []
    firsts = [0]
    for scene in scenes:
        texts += [caption.text for caption in scene.captions if caption.text.strip()]
        firsts.append(len(texts))
    return CaptionVectors(text_vectors(texts, language, progress=progress), tuple(firsts))


@torch.inference_mode()
def picture_vectors(
    scenes: Sequence[Scene], encoder: VisionEncoder, *, progress: Progress = SILENT
) -> tuple[Tensor, int]:
    """Return the mean of each picture's vectors (n, D), in float32, and how many vectors there were.

    Pictures are squashed to the square that the encoder sees. The projection that is trained is linear, with
    a bias: the mean of projected vectors is the projected mean, so that the mean is all that has to be kept.
    """
    means: list[Tensor] = []
    tokens = 0
    for first in progress.track(range(0, len(scenes), BATCH), encoder.name, unit=f"{BATCH} pictures"):
        pixels = [
            encoder.normalisation.tensor(resize(scene.picture.open(), encoder.side, encoder.side).pixels)
            for scene in scenes[first : first + BATCH]
        ]
        found = encoder.tokens(torch.stack(pixels)).float()  # (B, N, D)
        tokens = found.shape[1]
        means.append(found.mean(dim=1))
    return torch.cat(means), tokens
