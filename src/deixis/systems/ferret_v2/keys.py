"""The names of weights in checkpoints of Ferret-UI and Ferret-v2, and in our network.

They are Ferret's, and those of a second tower and projector, for tiles.
"""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import KeyTable, language

FERRET_V2 = KeyTable(
    name="Ferret-v2",
    pairs=(
        ("model.mm_projector.", "projector."),
        ("model.mm_projector_local.", "local_projector."),
        ("model.image_newline", "newline"),
        ("model.region_geo_sampler.", "sampler."),
        ("model.region_fea_adapter.", "region_adapter."),
        *language("language"),
    ),
    towers=(("model.vision_tower", "tower"), ("model.vision_tower_local", "local_tower")),
    causes=(
        ("local_tower.", "the tiles' vision encoder is of another size, or not whole"),
        ("local_projector.", "the tiles' projector is of another kind or width than config.json says"),
        ("sampler.", "the region sampler is of another width than the map it reads"),
    ),
)
