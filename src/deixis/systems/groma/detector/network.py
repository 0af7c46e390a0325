"""The proposer alone with its vision encoder: pictures in, boxes of whatever there is out."""

from __future__ import annotations

from torch import Tensor, nn
from transformers import PreTrainedModel

from deixis.layers.proposals.proposing import Proposals
from deixis.layers.proposals.region_proposer import Detection
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.detector.fields import proposer_size
from deixis.systems.groma.detector.perception import PerceivedLayers, Perceiver


class GromaProposerNetwork(PreTrainedModel):
    """What Groma's first stage trains; the whole network has the same part by the same names.

    pixels: square pictures, normalised (B, 3, S, S). Boxes are cx cy w h as fractions of their sides.
    """

    config: GromaProposerConfig
    config_class = GromaProposerConfig
    main_input_name = "pixel_values"

    def __init__(self, config: GromaProposerConfig) -> None:
        super().__init__(config)
        own = tuple(config.proposer_layers)
        self.perceiver = Perceiver(
            config.tower,
            proposer_size(config.proposer),
            layers=PerceivedLayers(own, own[-1:], own[-1]),
            interpolation=config.tower_interpolation,
        )
        self.rules = config.rules()
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave every part as its own constructor made it."""

    def forward(self, pixel_values: Tensor) -> Detection:
        """Return all that is said of pictures (B, 3, S, S), for training."""
        return self.perceiver.detect(self.perceiver.states(pixel_values))

    def propose(self, pixel_values: Tensor) -> Proposals:
        """Return the proposals for pictures (B, 3, S, S)."""
        return self.perceiver.propose(self.perceiver.states(pixel_values))
