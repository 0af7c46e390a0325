"""The study of alignment: every encoder's loss in a table and as curves (Chen et al., 2024, section 4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deixis.data.scene import Scene
from deixis.files.writing import replacing
from deixis.layers.alignment import chance_loss, lowest_loss
from deixis.progress import SILENT, Progress
from deixis.runs.unseen import paired_interval
from deixis.studies.alignment.encoders import VisionEncoder
from deixis.studies.alignment.fitting import FitSettings, Fitted, fit
from deixis.studies.alignment.pairs import CaptionVectors, caption_vectors, picture_vectors
from deixis.studies.alignment.texts import LanguageModel
from deixis.studies.study import require_plots

COLUMNS = ("vision encoder", "weights", "vectors", "width", "loss", "unseen loss", "own text nearest")


@dataclass(frozen=True)
class AlignedEncoder:
    """A row: an encoder, or one without one of its parts. tokens: vectors of a picture; width: of each."""

    name: str
    weights: str
    tokens: int
    width: int
    fitted: Fitted

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "encoder": self.name,
            "weights": self.weights,
            "tokens": self.tokens,
            "width": self.width,
            "curve": [[point.step, point.trained, point.unseen] for point in self.fitted.curve],
            "unseen": self.fitted.unseen.tolist(),
            "own_text_nearest": self.fitted.first,
        }


@dataclass(frozen=True)
class AlignmentStudy:
    """All rows, and what they were made of. missing: a sentence for each known encoder without a row.

    trained, unseen: how many pictures there were. data: what they are called. language: what read the texts.
    """

    rows: tuple[AlignedEncoder, ...]
    missing: tuple[str, ...]
    settings: FitSettings
    data: str
    trained: int
    unseen: int
    language: str

    def to_json(self) -> str:
        """Return the study as JSON."""
        content = {
            "study": "alignment",
            "data": self.data,
            "pictures": {"trained": self.trained, "unseen": self.unseen},
            "language": self.language,
            "projection": "linear with bias",
            "steps": self.settings.steps,
            "batch": self.settings.batch,
            "rate": self.settings.rate,
            "seed": self.settings.seed,
            "chance": chance_loss(self.settings.batch),
            "lowest": lowest_loss(self.settings.batch),
            "rows": [row.to_dict() for row in self.rows],
            "not_measured": list(self.missing),
        }
        return json.dumps(content, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the table, how it was measured, and what was not."""
        lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
        for row in self.rows:
            cells = [row.name, row.weights, f"{row.tokens:,}", f"{row.width:,}"]
            cells += [f"{row.fitted.curve[-1].trained:.3f}", self.unseen_loss(row)]
            cells.append(f"{100 * row.fitted.first:.1f} %")
            lines.append("| " + " | ".join(cells) + " |")
        size = self.settings.batch
        lines += [
            "",
            f"{self.data}: a projection fitted to {self.trained:,} pictures in {self.settings.steps:,} steps "
            f"of {size}, judged by {self.unseen:,} others. Mean loss of a row of {size}: "
            f"{chance_loss(size):.3f} by chance, never below {lowest_loss(size):.3f}. In brackets the 95 % "
            "interval of how far a row is from the first, batch by batch. "
            f"Texts: {self.language}.",
        ]
        lines += [f"- not measured: {sentence}" for sentence in self.missing]
        return "\n".join(lines) + "\n"

    def unseen_loss(self, row: AlignedEncoder) -> str:
        """Return a row's loss on unseen pictures and its distance from the first row's."""
        mean = f"{row.fitted.unseen.mean():.3f}"
        if row is self.rows[0]:
            return mean
        low, high = paired_interval(self.rows[0].fitted.unseen, row.fitted.unseen)
        return f"{mean} ({low:+.3f} to {high:+.3f})"

    def plot(self, path: Path) -> None:
        """Draw the losses of unseen pictures over steps; UsageError where matplotlib is not installed."""
        require_plots()
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for row in self.rows:
            steps = [point.step for point in row.fitted.curve]
            axes.plot(steps, [point.unseen for point in row.fitted.curve], label=row.name, linewidth=1.2)
        for value, name in (
            (chance_loss(self.settings.batch), "chance"),
            (lowest_loss(self.settings.batch), "lowest possible"),
        ):
            axes.axhline(value, linestyle="--", linewidth=1, color="#888888")
            axes.annotate(name, (self.settings.steps, value), ha="right", va="bottom", color="#666666")
        axes.set_xlabel("step")
        axes.set_ylabel(f"alignment loss on unseen pictures (batches of {self.settings.batch})")
        axes.legend()
        with replacing(path) as partial:
            figure.savefig(partial, dpi=120)


def run_alignment(
    encoders: Sequence[Callable[[], VisionEncoder]],
    language: LanguageModel,
    *,
    trained: Sequence[Scene],
    unseen: Sequence[Scene],
    settings: FitSettings,
    data: str,
    missing: Sequence[str] = (),
    progress: Progress = SILENT,
) -> AlignmentStudy:
    """Return the study. encoders: each is opened when it comes up, so that one at a time is in memory."""
    texts = caption_vectors(trained, language, progress=progress)
    others = caption_vectors(unseen, language, progress=progress)
    rows: list[AlignedEncoder] = []
    for opened in encoders:
        encoder = opened()
        own, tokens = picture_vectors(trained, encoder, progress=progress)
        judging, _ = picture_vectors(unseen, encoder, progress=progress)
        for name, channels in kept_channels(encoder, own.shape[1]):
            progress.phase(f"{name}: fitting")
            fitted = fitted_to(own[:, channels], texts, judging[:, channels], others, settings)
            rows.append(AlignedEncoder(name, encoder.weights, tokens, len(channels), fitted))
    return AlignmentStudy(
        rows=tuple(rows),
        missing=tuple(missing),
        settings=settings,
        data=data,
        trained=len(trained),
        unseen=len(unseen),
        language=language.what,
    )


def fitted_to(
    own: Tensor, texts: CaptionVectors, judging: Tensor, others: CaptionVectors, settings: FitSettings
) -> Fitted:
    """Return the fit of pictures' vectors (n, D') to texts, judged by others."""
    with torch.inference_mode(False):
        return fit(own.clone(), texts, unseen=(judging.clone(), others), settings=settings)


def kept_channels(encoder: VisionEncoder, width: int) -> list[tuple[str, list[int]]]:
    """Return an encoder's channels by the name of a row: all of them, and all without each part's."""
    rows = [(encoder.name, list(range(width)))]
    for part, (first, last) in encoder.parts.items():
        kept = [channel for channel in range(width) if not first <= channel < last]
        rows.append((f"{encoder.name} without {part}", kept))
    return rows
