"""The names of the dummy's weights where it was "published", and in our network."""

from __future__ import annotations

from deixis.checkpoints.convert.renaming import KeyTable, language

DUMMY = KeyTable(
    name="dummy",
    pairs=(("eyes.", "tower."), ("bridge.", "projector."), ("hand.", "sampler."), *language("language")),
    causes=(("sampler.", "the dummy has another hand"),),
)
