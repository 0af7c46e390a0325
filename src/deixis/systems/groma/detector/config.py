"""The proposer alone with its vision encoder, saved as ``config.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from transformers import PreTrainedConfig

from deixis.errors import UsageError
from deixis.files.declared_fields import Field, Number, Whole
from deixis.systems.groma.detector.fields import DINOV2_LARGE, INTERPOLATIONS, PERCEPTION, proposer_size
from deixis.systems.groma.detector.selection import SelectionRules


class GromaProposerConfig(PreTrainedConfig):
    """What Groma's first stage trains, with the published sizes unless said otherwise.

    The fields are those of ``GromaConfig``; nms_thres, box_score_thres and max_region_num say which proposals
    are shown.
    """

    model_type = "deixis_groma_proposer"

    def __init__(
        self,
        *,
        tower: dict[str, Any] | None = None,
        tower_interpolation: Literal["scale_factor", "size"] = "scale_factor",
        side: int = 448,
        proposer: dict[str, Any] | None = None,
        proposer_layers: Sequence[int] = (-4, -3, -2, -1),
        nms_thres: float = 0.6,
        box_score_thres: float = 0.15,
        max_region_num: int = 100,
        **kwargs: Any,
    ) -> None:
        self.tower = dict(DINOV2_LARGE if tower is None else tower)
        self.tower_interpolation, self.side = tower_interpolation, side
        self.proposer, self.proposer_layers = dict(proposer or {}), list(proposer_layers)
        self.nms_thres, self.box_score_thres = nms_thres, box_score_thres
        self.max_region_num = max_region_num
        if tower_interpolation not in INTERPOLATIONS:
            raise UsageError(
                f"tower_interpolation is {tower_interpolation!r}; expected one of {', '.join(INTERPOLATIONS)}"
            )
        proposer_size(self.proposer)
        self.rules()
        super().__init__(**kwargs)

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Return what a saved file may say, field by field."""
        return {
            **PERCEPTION,
            "nms_thres": Number(0, 1),
            "box_score_thres": Number(0, 1),
            "max_region_num": Whole(1, 4096),
        }

    def rules(self) -> SelectionRules:
        """Return which proposals are shown."""
        return SelectionRules(self.nms_thres, self.box_score_thres, self.max_region_num)
