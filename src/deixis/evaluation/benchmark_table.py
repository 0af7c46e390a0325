"""The table of benchmarks. A new one is a file below ``benchmarks`` and a line in ``BENCHMARKS``."""

from __future__ import annotations

import difflib
from typing import Any

from deixis.errors import UsageError
from deixis.evaluation.benchmarks.benchmark import Benchmark
from deixis.evaluation.benchmarks.choices.ai2d import AI2D
from deixis.evaluation.benchmarks.choices.cv_bench import CV_BENCH
from deixis.evaluation.benchmarks.choices.mmbench import MMBENCH
from deixis.evaluation.benchmarks.choices.mmbench_cn import MMBENCH_CN
from deixis.evaluation.benchmarks.choices.mmmu import MMMU
from deixis.evaluation.benchmarks.choices.mmstar import MMSTAR
from deixis.evaluation.benchmarks.choices.mmvp import MMVP
from deixis.evaluation.benchmarks.choices.real_world_qa import REAL_WORLD_QA
from deixis.evaluation.benchmarks.choices.scienceqa import SCIENCEQA
from deixis.evaluation.benchmarks.choices.seed_bench import SEED_BENCH
from deixis.evaluation.benchmarks.grounding.flickr_phrases import FLICKR_PHRASES
from deixis.evaluation.benchmarks.grounding.grefcoco import GREFCOCO
from deixis.evaluation.benchmarks.grounding.grounded_captions import GROUNDED_CAPTIONS
from deixis.evaluation.benchmarks.grounding.llava_bench_coco import LLAVA_BENCH_COCO
from deixis.evaluation.benchmarks.grounding.lvis_classification import LVIS_CLASSIFICATION
from deixis.evaluation.benchmarks.grounding.lvis_ground import LVIS_GROUND
from deixis.evaluation.benchmarks.grounding.refcoco_folder import REFCOCO
from deixis.evaluation.benchmarks.grounding.region_captions import REFCOCOG, VISUAL_GENOME
from deixis.evaluation.benchmarks.judged.ferret_bench import FERRET_BENCH
from deixis.evaluation.benchmarks.judged.llava_bench import LLAVA_BENCH
from deixis.evaluation.benchmarks.judged.mathvista import MATHVISTA
from deixis.evaluation.benchmarks.judged.mm_vet import MM_VET
from deixis.evaluation.benchmarks.judged.vip_bench import VIP_BENCH
from deixis.evaluation.benchmarks.open_answers.chartqa import CHARTQA
from deixis.evaluation.benchmarks.open_answers.docvqa import DOCVQA
from deixis.evaluation.benchmarks.open_answers.gqa import GQA
from deixis.evaluation.benchmarks.open_answers.infovqa import INFOVQA
from deixis.evaluation.benchmarks.open_answers.ocrbench import OCRBENCH
from deixis.evaluation.benchmarks.open_answers.textvqa import TEXTVQA
from deixis.evaluation.benchmarks.open_answers.vizwiz import VIZWIZ
from deixis.evaluation.benchmarks.open_answers.vqav2 import VQAV2
from deixis.evaluation.benchmarks.painted.look_twice import LOOK_TWICE
from deixis.evaluation.benchmarks.painted.vcr import VCR
from deixis.evaluation.benchmarks.painted.visual7w import VISUAL7W
from deixis.evaluation.benchmarks.yes_or_no.hallusion_bench import HALLUSION_BENCH
from deixis.evaluation.benchmarks.yes_or_no.mme import MME
from deixis.evaluation.benchmarks.yes_or_no.pope import POPE

BENCHMARKS: dict[str, Benchmark[Any]] = {
    "vqav2": VQAV2,
    "gqa": GQA,
    "vizwiz": VIZWIZ,
    "textvqa": TEXTVQA,
    "chartqa": CHARTQA,
    "docvqa": DOCVQA,
    "infovqa": INFOVQA,
    "ocrbench": OCRBENCH,
    "cv_bench": CV_BENCH,
    "mmvp": MMVP,
    "ai2d": AI2D,
    "scienceqa": SCIENCEQA,
    "mmbench": MMBENCH,
    "mmbench_cn": MMBENCH_CN,
    "seed_bench": SEED_BENCH,
    "real_world_qa": REAL_WORLD_QA,
    "mmstar": MMSTAR,
    "mmmu": MMMU,
    "pope": POPE,
    "mme": MME,
    "hallusion_bench": HALLUSION_BENCH,
    "mathvista": MATHVISTA,
    "mm_vet": MM_VET,
    "llava_bench": LLAVA_BENCH,
    "llava_bench_coco": LLAVA_BENCH_COCO,
    "refcoco": REFCOCO,
    "grefcoco": GREFCOCO,
    "flickr30k": FLICKR_PHRASES,
    "lvis_classification": LVIS_CLASSIFICATION,
    "lvis_ground": LVIS_GROUND,
    "vg_captions": VISUAL_GENOME,
    "refcocog_captions": REFCOCOG,
    "grounded_captions": GROUNDED_CAPTIONS,
    "ferret_bench": FERRET_BENCH,
    "vip_bench": VIP_BENCH,
    "visual7w": VISUAL7W,
    "look_twice": LOOK_TWICE,
    "vcr": VCR,
}


def find_benchmark(name: str) -> Benchmark[Any]:
    """Return a benchmark by its name; UsageError names the nearest for one that isn't there.

    >>> find_benchmark("pope").title
    'POPE (COCO val2014)'
    """
    if name not in BENCHMARKS:
        near = difflib.get_close_matches(name, BENCHMARKS, n=1)
        hint = f". Did you mean {near[0]!r}? Known" if near else "; known"
        raise UsageError(f"there is no benchmark {name!r}{hint} benchmarks: {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name]
