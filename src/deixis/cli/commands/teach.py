"""`deixis teach`: training dialogues about regions, written by a language model behind an endpoint."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli.counting import counted
from deixis.cli.dataset_flags import add_dataset_flags, refuse_read_files
from deixis.cli.folders import require_folder
from deixis.cli.messages import is_quiet
from deixis.data.teacher.kinds import NAMES, find_kind
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.data.sources import Dataset
    from deixis.data.teacher.asking import Asker
    from deixis.data.teacher.lesson import Lesson
    from deixis.data.teacher.results import Origin, Results
    from deixis.data.teacher.spending import Spending
    from deixis.endpoints.endpoint import Endpoint

LOG = logging.getLogger("deixis")
HELP = "have a language model behind an endpoint write training dialogues about regions"
EXAMPLE = """\
kinds: region, pair (for what looks at marks, as ViP-LLaVA); conversation, negatives (for the Ferret family);
  grounded (for Groma)

example:
  deixis teach region --data refcocog --split train --out regions.json --model gpt-4o \\
      --endpoint https://api.openai.com/v1 --workers 8 --rate 60/min --prices 2.5,10 --budget 20USD
"""
MOST_WORKERS = 256
LONGEST_WAIT = 120.0  # seconds, that a server may ask to wait


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis teach`."""
    parser.add_argument("kind", choices=NAMES, metavar="KIND", help="what is written: " + ", ".join(NAMES))
    add_dataset_flags(parser)
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder that samples name pictures from (default: --data)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the samples, a JSON list; rejects, replies and a card are kept beside it",
    )
    parser.add_argument("--licence", metavar="TEXT", help="terms of the dataset, for the card")
    parser.add_argument("--terms", metavar="TEXT", help="terms of the teacher, for the card")
    teacher = parser.add_argument_group("teacher")
    teacher.add_argument(
        "--endpoint", required=True, metavar="URL", help="address of an OpenAI-compatible server, up to /v1"
    )
    teacher.add_argument(
        "--model", required=True, metavar="NAME", help="its model, which has to see pictures"
    )
    key = teacher.add_mutually_exclusive_group()
    key.add_argument(
        "--key-variable",
        metavar="NAME",
        help="environment variable that holds the key (default: OPENAI_API_KEY, for OpenAI's address alone)",
    )
    key.add_argument("--no-key", action="store_true", help="the server needs none")
    teacher.add_argument(
        "--temperature", type=float, default=0.7, metavar="T", help="of its replies (default: 0.7)"
    )
    teacher.add_argument(
        "--timeout", type=float, default=120.0, metavar="S", help="seconds for one attempt (default: 120)"
    )
    teacher.add_argument(
        "--attempts", type=int, default=6, metavar="N", help="for a request at most (default: 6)"
    )
    amount = parser.add_argument_group("amount")
    amount.add_argument("--workers", type=int, default=4, metavar="N", help="requests at once (default: 4)")
    amount.add_argument("--rate", metavar="N/s", help="most requests in a time, such as 2/s or 60/min")
    amount.add_argument("--budget", metavar="B", help="most that is spent, such as 5USD or 200000tokens")
    amount.add_argument(
        "--prices", metavar="IN,OUT", help="dollars for a million tokens of requests and of replies"
    )
    amount.add_argument("--limit", type=int, metavar="N", help="at most N requests")
    amount.add_argument(
        "--each", type=int, default=1, metavar="N", help="regions or pairs of a picture (default: 1)"
    )
    amount.add_argument("--seed", type=int, default=0, help="draws regions (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Have the samples written, and say what came of it."""
    from deixis.data.teacher.asking import asker_of
    from deixis.data.teacher.results import Results, replies_folder
    from deixis.data.teacher.teaching import plan
    from deixis.endpoints.kept_replies import ReplyFolder
    from deixis.training.state.run_lock import run_lock

    # Whatever can be wrong with the call shows before anything is read or asked.
    check_numbers(arguments)
    spending, rate, endpoint = spending_of(arguments), rate_of(arguments), endpoint_of(arguments)
    check_files(arguments)
    dataset, kind = open_with_masks(arguments), find_kind(arguments.kind)
    lessons = plan(kind, dataset.scenes, each=arguments.each, seed=arguments.seed, limit=arguments.limit)
    if not lessons:
        raise UsageError(
            f"{arguments.dataset} has nothing for the kind {kind.name!r} in its split {arguments.split!r}: "
            "no picture with enough large things that have names"
        )
    replies = replies_folder(arguments.out)
    kept = ReplyFolder(replies, endpoint.address)
    replies.mkdir(exist_ok=True)
    with run_lock(replies):
        asker = asker_of(endpoint, kept=kept, spending=spending, rate=rate)
        results = Results(kind, arguments.out, origin_of(arguments, dataset))
        fill(results, arguments, lessons=lessons, asker=asker)
    return tell(results, asker)


def fill(results: Results, arguments: argparse.Namespace, *, lessons: list[Lesson], asker: Asker) -> None:
    """Give all lessons, and write the files of what came of them."""
    from deixis.cli.progress_bars import ProgressBars
    from deixis.data.teacher.picture_files import picture_files
    from deixis.data.teacher.teaching import Teaching, teach
    from deixis.progress import SILENT

    scenes = [lesson.scene for lesson in lessons]
    files = picture_files(scenes, images=arguments.images or arguments.dataset, out=arguments.out)
    teaching = Teaching(results.kind, arguments.model, files, arguments.temperature, arguments.broken)
    progress = SILENT if is_quiet(arguments) else ProgressBars()
    for result in teach(teaching, lessons, asker, workers=arguments.workers, progress=progress):
        results.add(result)
    results.write(scenes, spending=asker.spending, images=files.root)


def tell(results: Results, asker: Asker) -> int:
    """Print what came of it; an error that ended the asking is raised after that."""
    from deixis.data.teacher.results import card_file, rejects_file

    states = results.states
    print(
        f"{results.out}: {counted(len(results.samples), 'sample')} of {counted(states['made'], 'reply')}, "
        f"{asker.asked:,} of them new; {asker.spending} in all"
    )
    if results.rejects:
        print(f"{rejects_file(results.out)}: {counted(len(results.rejects), 'reject')} with reasons")
    print(f"{card_file(results.out)}: what the samples are, and their terms")
    if states["unasked"]:
        LOG.warning("%s not asked: %s", counted(states["unasked"], "lesson"), asker.why)
    if asker.fault is not None:
        raise type(asker.fault)(f"{asker.fault}; the same command goes on where this one stopped")
    return 0


def spending_of(arguments: argparse.Namespace) -> Spending:
    """Return what may be spent; UsageError for words that are no budget or no prices."""
    from deixis.data.teacher.spending import Spending, read_budget, read_prices

    budget = None if arguments.budget is None else read_budget(arguments.budget)
    prices = None if arguments.prices is None else read_prices(arguments.prices)
    if budget is not None and budget.dollars is not None and prices is None:
        raise UsageError(f"--budget {arguments.budget} is money: give the model's --prices IN,OUT, too")
    return Spending(budget, prices)


def rate_of(arguments: argparse.Namespace) -> float | None:
    """Return the most requests a second; None for no limit."""
    from deixis.endpoints.pace import read_rate

    return None if arguments.rate is None else read_rate(arguments.rate)


def endpoint_of(arguments: argparse.Namespace) -> Endpoint:
    """Return the endpoint; UsageError where its address or its key can't be right."""
    from deixis.endpoints.endpoint import Endpoint
    from deixis.endpoints.keys import OPENAI_VARIABLE, is_openai

    variable = None if arguments.no_key else arguments.key_variable or ""
    endpoint = Endpoint(
        arguments.endpoint,
        key_variable=variable,
        timeout=arguments.timeout,
        attempts=arguments.attempts,
        longest_wait=LONGEST_WAIT,
    )
    if variable == "" and not is_openai(endpoint.address):
        raise UsageError(
            f"no key for {endpoint.address}: name the environment variable that holds it with "
            "--key-variable, or say --no-key for a server that needs none"
        )
    if variable is not None and not os.environ.get(variable or OPENAI_VARIABLE, "").strip():
        raise UsageError(
            f"no key for {endpoint.address}: set the environment variable {variable or OPENAI_VARIABLE}, or "
            "name another one with --key-variable"
        )
    endpoint.key_to_send()
    return endpoint


def check_numbers(arguments: argparse.Namespace) -> None:
    """Raise UsageError for numbers that mean nothing."""
    for name, least, most in (("workers", 1, MOST_WORKERS), ("each", 1, 1000), ("limit", 1, 10**9)):
        value = getattr(arguments, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"--{name} is {value}; expected a whole number from {least} to {most:,}")
    if arguments.seed < 0:
        raise UsageError(f"--seed is {arguments.seed}; expected a whole number from 0")
    if not 0 <= arguments.temperature <= 2:
        raise UsageError(f"--temperature is {arguments.temperature}; expected a number from 0 to 2")
    if not arguments.model.strip():
        raise UsageError("--model is empty; expected the name of a model of the endpoint")


def check_files(arguments: argparse.Namespace) -> None:
    """Raise UsageError where folders are missing or files can't be written."""
    from deixis.data.teacher.results import replies_folder
    from deixis.files.writing import require_writable

    require_folder(arguments.dataset, flag=arguments.dataset_flag)
    if arguments.images is not None:
        require_folder(arguments.images, flag="--images")
    if not replies_folder(arguments.out).is_dir():  # else it's a file of an earlier run of this command
        refuse_read_files(arguments.out, arguments.dataset, "the dataset", flag="--out")
    require_writable(arguments.out, flag="--out")
    if not arguments.out.suffix:
        raise UsageError(f"--out {arguments.out} has no ending; expected a name such as samples.json")


def open_with_masks(arguments: argparse.Namespace) -> Dataset:
    """Return the dataset, its things with masks where there are any."""
    from deixis.data.sources import read_dataset

    return read_dataset(
        arguments.dataset,
        arguments.split,
        layout=arguments.layout,
        outside=arguments.outside,
        masks=arguments.kind == "region",
        max_pixels=arguments.max_pixels,
    )


def origin_of(arguments: argparse.Namespace, dataset: Dataset) -> Origin:
    """Return where the samples come from, for their card."""
    from deixis.data.teacher.results import Origin

    return Origin(
        data=arguments.dataset.resolve().name,
        split=arguments.split,
        layout=dataset.layout,
        teacher=arguments.model,
        address=arguments.endpoint,
        licence=arguments.licence,
        terms=arguments.terms,
        seed=arguments.seed,
        temperature=arguments.temperature,
    )
