"""The stage after training: what is fitted to a network that has learnt, and nothing of it changes any more.

The region classifier is fitted to the scenes that were trained on; the rule by which places are read, and
the weights of what speaks for claims, are chosen on scenes that were held out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.data.synthesis.qualities import Qualities
from deixis.progress import SILENT, Progress
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.core import PointerCore
from deixis.systems.pointer.fitting.claim_weights import choose_claim_rules
from deixis.systems.pointer.fitting.place_rule import choose_rule
from deixis.systems.pointer.fitting.region_classifier import fit_region_classifier
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary


def fit_network(
    network: PointerCore,
    vocabulary: Vocabulary,
    *,
    scenes: Sequence[Scene],
    held_out: Sequence[Scene],
    phrasebook: Phrasebook,
    progress: Progress = SILENT,
) -> None:
    """Fit the region classifier's weights and the rules in the configuration, on the device of the network.

    scenes: those that were trained on. Without any held out, the rules stay what they are.
    """
    if network.config.region_namer:
        fit_region_classifier(network, vocabulary, scenes, progress=progress)
    if not held_out:
        return
    rule = choose_rule(PointerSystem(network, vocabulary), held_out, phrasebook=phrasebook, progress=progress)
    network.config.place_rule = dataclasses.asdict(rule)
    if network.config.region_namer:
        rules = choose_claim_rules(
            PointerSystem(network, vocabulary),
            held_out,
            book=phrasebook,
            qualities=Qualities(scenes),
            progress=progress,
        )
        network.config.claim_rules = {sort: dataclasses.asdict(rule) for sort, rule in rules.items()}
