"""``deixis study proposals``: what systems find before anything is asked, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.messages import is_quiet
from deixis.cli.saving import save_or_print
from deixis.cli.system_flags import MODEL, add_device_flags

HELP = "measure how many of a dataset's boxes systems propose before anything is asked"
EXAMPLE = """\
  deixis study proposals --data DIR --split val --model runs/small-instruct/model --model pointer \\
    --out runs/proposals"""
ABOUT = """
AR@100 and recall at IoU 0.5 with 95 % intervals, split into people and animals, objects, clothing and parts,
scene phrases. Groma and its proposer propose by themselves; of pointer it is the boxes of its place map that
most locations agree with. All systems see the same pictures and are held against the same boxes. OUT gets
study.md and study.json.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the study's arguments."""
    parser.add_argument("--model", action="append", metavar="NAME|DIR", help=f"{MODEL}; may be given again")
    add_dataset_flags(parser, what="dataset of pictures with boxes", split="val")
    parser.add_argument("--limit", type=int, metavar="N", help="only N pictures, drawn with --seed")
    parser.add_argument(
        "--most", type=int, default=100, metavar="N", help="boxes a picture (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default: %(default)s")
    add_device_flags(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")


def run(arguments: argparse.Namespace) -> int:
    """Measure every system, write the tables."""
    import deixis
    from deixis.cli.progress_bars import ProgressBars
    from deixis.data.opening import sound_scenes
    from deixis.data.set_aside import boxes_outside
    from deixis.errors import UsageError
    from deixis.evaluation.runner import chosen
    from deixis.files.writing import require_writable_folder
    from deixis.progress import SILENT
    from deixis.studies.proposals import run_proposals, with_things

    models = arguments.model or ["pointer"]
    if len(set(models)) < len(models):
        raise UsageError(f"--model names one system twice: {', '.join(models)}")
    if arguments.most < 1:
        raise UsageError(f"--most is {arguments.most}; expected at least 1")
    require_writable_folder(arguments.out, flag="--out")
    dataset = open_dataset(arguments)
    drawn = chosen(with_things(dataset.scenes), limit=arguments.limit, seed=arguments.seed)
    scenes = sound_scenes(drawn, source=arguments.dataset, broken=arguments.broken)
    sentence = boxes_outside(dataset.boxes).sentence("boxes that stick out of their pictures")
    opened = {model: deixis.load(model, device=arguments.device, dtype=arguments.dtype) for model in models}
    study = run_proposals(
        opened,
        scenes,
        most=arguments.most,
        data=f"{arguments.dataset.resolve().name} {arguments.split}",
        seed=arguments.seed,
        set_aside=[sentence] if sentence else [],
        progress=SILENT if is_quiet(arguments) else ProgressBars(),
    )
    print(study.to_markdown(), flush=True)
    save_or_print(
        {arguments.out / "study.json": study.to_json(), arguments.out / "study.md": study.to_markdown()}
    )
    return 0
