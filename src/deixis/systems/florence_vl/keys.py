"""The names of Florence-VL's weights outside its vision encoder: the authors' and ours."""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import KeyTable, language

MOST_LINEAR = 99  # linear maps that a projector's name can ask for
# The first linear map stands alone, each further one behind its GELU.
PROJECTOR = (
    ("model.mm_projector.encoder_mlp.0.", "projector.0."),
    *(
        (f"model.mm_projector.encoder_mlp.{number}.1.", f"projector.{2 * number}.")
        for number in range(1, MOST_LINEAR)
    ),
)
FLORENCE_VL = KeyTable(
    name="Florence-VL",
    pairs=(*PROJECTOR, *language("language")),
    towers=(("model.vision_tower", "tower"), ("model.vision_tower", "encoder")),
    causes=(("encoder.", "the vision encoder is of another size, or not whole; see --vision-encoder"),),
)
TOWER = "model.vision_tower.vision_tower."
