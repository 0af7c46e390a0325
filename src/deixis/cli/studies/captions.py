"""``deixis study captions``: trained runs side by side by their captions and names, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.dataset_flags import add_dataset_flags, open_dataset
from deixis.cli.folders import require_folder
from deixis.cli.messages import is_quiet
from deixis.cli.saving import save_or_print
from deixis.cli.system_flags import add_device_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deixis.data.scene import Scene
    from deixis.studies.captions import CaptionRow
    from deixis.systems.contract import System
    from deixis.training.recipes.recipe import Recipe

HELP = "compare trained runs by their captions of unseen pictures, naming, length and time"
EXAMPLE = """\
  deixis study captions --data DIR/flickr_grounding --split val --out runs/captions \\
    --run out/florence_vl-small-plain --run out/florence_vl-small-channel"""
ABOUT = """
For each run: positions of a prompt with a picture, seconds a step of training, the loss of captions (and how
far it is from the first run's, batch by batch), CIDEr and ROUGE-L of captions, right names; all with 95 %
intervals. OUT gets study.md and study.json.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the study's arguments."""
    parser.add_argument(
        "--run",
        dest="runs",
        action="append",
        required=True,
        metavar="[RECIPE=]DIR",
        help="the folder that a recipe was trained into (with model/ in it), by default that of the packaged "
        "recipe of its name; may be given again",
    )
    add_dataset_flags(
        parser, what="dataset of pictures with captions", split="val", layout=False, recipes=True
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="captions and losses of N pictures, N items of naming"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of --limit (default: %(default)s)")
    add_device_flags(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where results go")


def run(arguments: argparse.Namespace) -> int:
    """Measure every run, write the table."""
    from deixis.data.opening import sound_scenes
    from deixis.data.set_aside import boxes_outside
    from deixis.evaluation.runner import chosen
    from deixis.files.writing import require_writable_folder
    from deixis.studies.captions import CaptionStudy, check_losses, with_captions

    runs = [run_of(given) for given in arguments.runs]
    require_writable_folder(arguments.out, flag="--out")
    dataset = open_dataset(arguments)
    sound = sound_scenes(dataset.scenes, source=arguments.dataset, broken=arguments.broken)
    shown = chosen(with_captions(sound), limit=arguments.limit, seed=arguments.seed)
    rows = tuple(
        row_of(recipe, folder, arguments=arguments, scenes=sound, shown=shown) for recipe, folder in runs
    )
    check_losses(rows)
    sentence = boxes_outside(dataset.boxes).sentence("boxes that stick out of their pictures")
    study = CaptionStudy(
        rows,
        f"{arguments.dataset.resolve().name} {arguments.split}",
        set_aside=[sentence] if sentence else [],
    )
    print(study.to_markdown(), flush=True)
    save_or_print(
        {arguments.out / "study.json": study.to_json(), arguments.out / "study.md": study.to_markdown()}
    )
    return 0


def run_of(given: str) -> tuple[Recipe, Path]:
    """Return the recipe and the folder of a run; UsageError where there is no model in it."""
    from deixis.errors import UsageError
    from deixis.training.recipes.packaged import find_recipes
    from deixis.training.recipes.recipe import read_recipe

    name, told, place = given.rpartition("=")
    folder = Path(place)
    require_folder(folder / "model", flag="--run")
    found = find_recipes(name if told else folder.resolve().name.replace("-", "/", 1))
    if len(found) > 1:
        raise UsageError(f"--run {given!r} means {len(found)} recipes; give one")
    return read_recipe(found[0]), folder


def row_of(
    recipe: Recipe,
    folder: Path,
    *,
    arguments: argparse.Namespace,
    scenes: Sequence[Scene],
    shown: Sequence[Scene],
) -> CaptionRow:
    """Return the row of one run."""
    import deixis
    from deixis.cli.progress_bars import ProgressBars
    from deixis.evaluation.evaluating import evaluate
    from deixis.evaluation.tasks import find_tasks
    from deixis.progress import SILENT
    from deixis.runs.unseen import captions_alone, unseen_losses
    from deixis.studies.captions import BATCH, CaptionRow, captioned

    model = folder / "model"
    losses = unseen_losses(
        recipe,
        model,
        pack=arguments.dataset,
        split=arguments.split,
        outside=arguments.outside,
        broken=arguments.broken,
        max_pixels=arguments.max_pixels,
        size=BATCH,
        dialogues=captions_alone(),
        most=None if arguments.limit is None else max(arguments.limit // BATCH, 2),
    )
    system = deixis.load(model, device=arguments.device, dtype=arguments.dtype)
    progress = SILENT if is_quiet(arguments) else ProgressBars()
    naming = evaluate(
        system,
        scenes,
        find_tasks(["naming"]),
        data=arguments.dataset.name,
        split=arguments.split,
        limit=arguments.limit,
        seed=arguments.seed,
        progress=not is_quiet(arguments),
    )
    return CaptionRow(
        run=folder.resolve().name,
        recipe=recipe.name,
        weights=system.fingerprint(),
        positions=positions_of(system, shown[0]),
        step=seconds_a_step(folder, recipe),
        unseen=losses,
        captions=captioned(system, shown, what=recipe.name, progress=progress),
        naming=naming.tasks["naming"],
    )


def positions_of(system: System, scene: Scene) -> int:
    """Return how many positions the prompt for a caption takes."""
    from deixis.studies.captions import QUESTION
    from deixis.systems.questions import checked_question

    pictures = system.pictures(scene.picture.open())
    (embedded,) = system.embed(system.prompts([checked_question(QUESTION, {}, pictures, before=())]))
    return len(embedded)


def seconds_a_step(folder: Path, recipe: Recipe) -> float | None:
    """Return how long a step of training took, by the run's log; None where there is none."""
    from deixis.training.metrics import read_metrics, seconds_in

    log = folder / "metrics.jsonl"
    rows = read_metrics(log) if log.is_file() else []
    return seconds_in(rows, batch=recipe.batch) / rows[-1]["step"] if rows else None
