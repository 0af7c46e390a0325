"""``deixis study alignment``: how well vision encoders agree with a language model, as a table and a plot."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.folders import require_folder
from deixis.cli.messages import is_quiet
from deixis.cli.saving import save_or_print

HELP = "fit one linear map from each vision encoder to a language model, and compare the losses"
EXAMPLE = """\
  deixis study alignment --data DIR --encoder efficientnet_lite0 --encoder clip=FOLDER --out runs/alignment"""
ABOUT = """
The alignment loss of the Florence-VL paper (section 4) on photos and their captions. Encoders: small ones
by name, clip=, siglip=, dinov2= and florence2= with a folder of weights; without --encoder, the small ones.
Encoders without weights are listed as not measured. OUT gets study.md, study.json and study.png.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the study's arguments."""
    add_dataset_flags(parser, what="dataset of pictures with captions", split="val", layout=False)
    parser.add_argument(
        "--train-split",
        default="train",
        metavar="NAME",
        help="pictures that projections are fitted to; --split judges them (default: %(default)s)",
    )
    parser.add_argument(
        "--encoder", action="append", metavar="NAME[=FOLDER]", help="a vision encoder; may be given again"
    )
    parser.add_argument(
        "--language",
        type=Path,
        metavar="DIR",
        help="folder of a Llama, Gemma or Phi-3 (default: the packaged sentence encoder)",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="fit to N pictures only")
    parser.add_argument("--steps", type=int, default=3000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--batch", type=int, default=128, metavar="N", help="pairs a batch (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")


def run(arguments: argparse.Namespace) -> int:
    """Measure every encoder, write the table and the plot."""
    from deixis.cli.progress_bars import ProgressBars
    from deixis.data.opening import sound_scenes
    from deixis.errors import UsageError
    from deixis.files.writing import require_writable_folder
    from deixis.progress import SILENT
    from deixis.studies.alignment.encoders import SMALL, check_encoder, not_measured, open_encoder
    from deixis.studies.alignment.fitting import FitSettings
    from deixis.studies.alignment.pairs import captioned
    from deixis.studies.alignment.study import run_alignment
    from deixis.studies.alignment.texts import open_language
    from deixis.studies.study import require_plots

    settings = FitSettings(steps=arguments.steps, batch=arguments.batch, seed=arguments.seed)
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError(f"--limit is {arguments.limit}; expected at least 1")
    if arguments.train_split == arguments.split:
        raise UsageError(f"--train-split and --split are both {arguments.split!r}; judge by other pictures")
    named = arguments.encoder or list(SMALL)
    for name in named:
        check_encoder(name)
    if arguments.language is not None:
        require_folder(arguments.language, flag="--language")
    require_plots()
    require_writable_folder(arguments.out, flag="--out")
    trained, unseen = (
        captioned(
            sound_scenes(
                open_dataset(arguments, split=split).scenes, source=arguments.dataset, broken=arguments.broken
            ),
            limit=limit,
        )
        for split, limit in ((arguments.train_split, arguments.limit), (arguments.split, None))
    )
    study = run_alignment(
        [partial(open_encoder, name) for name in named],
        open_language(arguments.language),
        trained=trained,
        unseen=unseen,
        settings=settings,
        data=f"{arguments.dataset.resolve().name} {arguments.split}",
        missing=not_measured(named),
        progress=SILENT if is_quiet(arguments) else ProgressBars(),
    )
    print(study.to_markdown(), flush=True)
    save_or_print(
        {arguments.out / "study.json": study.to_json(), arguments.out / "study.md": study.to_markdown()}
    )
    study.plot(arguments.out / "study.png")
    return 0
