"""Writes dialogues of every kind about one view of one scene: a table of who writes which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from deixis.data.synthesis.skills.claim_dialogues import choice_dialogues, quality_dialogues
from deixis.data.synthesis.skills.colour_dialogues import colour_dialogues
from deixis.data.synthesis.skills.deed_dialogues import deed_dialogues, doer_dialogues
from deixis.data.synthesis.skills.picture_dialogues import picture_dialogues
from deixis.data.synthesis.skills.refusals import refusal_dialogues
from deixis.data.synthesis.skills.relation_dialogues import relation_dialogues
from deixis.data.synthesis.visible_scene import VisibleScene
from deixis.data.synthesis.writers.assertions import assertion_dialogues
from deixis.data.synthesis.writers.captioning import caption_dialogues, list_dialogues
from deixis.data.synthesis.writers.counting import count_dialogues
from deixis.data.synthesis.writers.histories import history_dialogues
from deixis.data.synthesis.writers.locating import absent_dialogues, present_dialogues
from deixis.data.synthesis.writers.naming import region_dialogues
from deixis.data.synthesis.writers.pairs import pair_dialogues
from deixis.data.synthesis.writers.presence import presence_dialogues
from deixis.data.synthesis.writers.qualified_dialogues import qualified_dialogues
from deixis.records.dialogue import Dialogue

WRITERS: Mapping[str, Callable[[VisibleScene, str, int, np.random.Generator], list[Dialogue]]] = {
    "locate": present_dialogues,
    "locate_bare": present_dialogues,
    "absent": absent_dialogues,
    "absent_bare": absent_dialogues,
    "name": region_dialogues,
    "name_bare": region_dialogues,
    "describe": region_dialogues,
    "presence": presence_dialogues,
    "caption": caption_dialogues,
    "list": list_dialogues,
    "two_turns": history_dialogues,
    "count": count_dialogues,
    "relate": pair_dialogues,
    "compare": pair_dialogues,
    "qualified": qualified_dialogues,
    "qualified_bare": qualified_dialogues,
    "verify": assertion_dialogues,
    "colour": colour_dialogues,
    "deed": deed_dialogues,
    "doer": doer_dialogues,
    "relation": relation_dialogues,
    "whole": picture_dialogues,
    "choose": choice_dialogues,
    "quality": quality_dialogues,
    "refuse": refusal_dialogues,
}


def write_dialogues(seen: VisibleScene, kind: str, count: int, rng: np.random.Generator) -> list[Dialogue]:
    """Return up to ``count`` dialogues of a kind: fewer where the picture has less to ask about."""
    return WRITERS[kind](seen, kind, count, rng) if count else []
