"""MMBench-CN (Liu et al., 2023): MMBench in Chinese."""

from __future__ import annotations

from deixis.evaluation.benchmarks.benchmark import Benchmark
from deixis.evaluation.benchmarks.choices.mmbench import (
    CIRCULAR,
    LAYOUT,
    MODEL,
    UNREAD,
    prompter,
    reader,
    score,
    tabulate,
)

LETTER_ONLY_CN = "请直接回答选项字母。"
MMBENCH_CN = Benchmark(
    name="mmbench_cn",
    title="MMBench, Chinese (dev)",
    layout=LAYOUT.format(name="mmbench_dev_cn_20231003.tsv or MMBench_DEV_CN.tsv"),
    prompt_text=f"<hint, where there is one>\n<question>\nA. <choice>\nB. …\n{LETTER_ONLY_CN}",
    metric=CIRCULAR,
    read=reader(
        ("mmbench_dev_cn_20231003.tsv", "MMBench_DEV_CN*.tsv"), what="the TSV file of the Chinese dev split"
    ),
    prompt=prompter(LETTER_ONLY_CN),
    score=score,
    tabulate=tabulate,
    numbers="Florence-VL, tables 2 and 3 (MMB-CN)",
    unread=UNREAD,
    judge="optional",
    judge_model=MODEL,
)
