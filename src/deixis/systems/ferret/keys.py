"""The names of Ferret's weights in its published checkpoints and in our network."""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import KeyTable, language

FERRET = KeyTable(
    name="Ferret",
    pairs=(
        ("model.mm_projector.", "projector."),
        ("model.region_geo_sampler.", "sampler."),
        ("model.region_fea_adapter.", "region_adapter."),
        *language("language"),
    ),
    towers=(("model.vision_tower", "tower"),),
    causes=(("sampler.", "the region sampler is of another width than the map it reads"),),
)
# What its deltas hold and the language model that they are added to lacks.
ADDED = (
    "model.mm_projector.",
    "model.region_geo_sampler.",
    "model.region_fea_adapter.",
    "model.vision_tower.",
)
