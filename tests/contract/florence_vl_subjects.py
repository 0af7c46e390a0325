"""Florence-VL at tiny size, as published and in its other forms, as subjects of the contract."""

from __future__ import annotations

from deixis.systems.spliced.answering import SplicedSystem
from tests.contract.ferret_subjects import subject
from tests.contract.promises import Subject
from tests.systems.florence_vl.tiny import fresh_florence_vl


def florence_vl() -> Subject:
    """Return Florence-VL's subject, taught to spell boxes; tower and encoder are trained too."""
    return subject(learning_florence_vl, frozen=())


def florence_vl_weighing() -> Subject:
    """Return one whose gate reads the question: tokens joined, two depths."""
    return subject(weighing_florence_vl, frozen=("tower.", "encoder."))


def learning_florence_vl() -> SplicedSystem:
    """Return an untaught Florence-VL that may spell boxes and learns as a whole."""
    return fresh_florence_vl(boxes="thousandths", tower_training="trained")


def weighing_florence_vl() -> SplicedSystem:
    """Return an untaught one with all that the published one hasn't got."""
    return fresh_florence_vl(
        boxes="thousandths",
        integration="token",
        gate="question",
        davit_stages=[2, -1],
        drop_pooled_token=True,
        mask_prompt_padding=True,
    )
