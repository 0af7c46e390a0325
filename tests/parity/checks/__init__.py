"""The checks of golden cases: one explicit table, family by family, kind by kind.

A family that is not in the table is listed as pending at the end of a run. To implement one, write its checks
in a file of its own beside this one and add a line here.
"""

from __future__ import annotations

from tests.parity.checks import (
    deixis,
    ferret_data,
    ferret_evaluation,
    ferret_networks,
    ferret_sampler,
    ferret_text,
    ferret_v2_networks,
    ferret_v2_text,
    ferret_weights,
    florence_vl_alignment,
    florence_vl_metrics,
    florence_vl_networks,
    florence_vl_text,
    florence_vl_training,
    groma_data,
    groma_detection,
    groma_metrics,
    groma_network,
    groma_perception,
    groma_preparation,
    groma_text,
    vip_llava_networks,
    vip_llava_painting,
    vip_llava_text,
)
from tests.parity.planning import Families, Family

FAMILIES: Families = {
    "deixis": deixis.FAMILY,
    "ferret": Family(
        checks={
            **ferret_sampler.FERRET,
            **ferret_networks.CHECKS,
            **ferret_text.CHECKS,
            **ferret_data.FERRET,
            **ferret_evaluation.CHECKS,
            **ferret_weights.CHECKS,
        },
        for_reading=("serving", "web_sketch"),
    ),
    "ferret_v2": Family(
        checks={
            **ferret_sampler.FERRET_V2,
            **ferret_v2_networks.CHECKS,
            **ferret_v2_text.CHECKS,
            **ferret_data.FERRET_V2,
            **ferret_evaluation.V2_CHECKS,
        }
    ),
    "florence_vl": Family(
        checks={
            **florence_vl_networks.NETWORKS,
            **florence_vl_text.TEXT,
            **florence_vl_training.TRAINING,
            **florence_vl_alignment.ALIGNMENT,
            **florence_vl_metrics.METRICS,
        },
        for_reading=("native_equivalence",),
    ),
    "groma": Family(
        checks={
            **groma_data.DATA,
            **groma_perception.PERCEPTION,
            **groma_detection.DETECTION,
            **groma_metrics.CHECKS,
            **groma_network.NETWORK,
            **groma_preparation.PREPARATION,
            **groma_text.TEXT,
        }
    ),
    "vip_llava": Family(
        checks={**vip_llava_painting.PAINTING, **vip_llava_text.TEXT, **vip_llava_networks.NETWORKS}
    ),
}
