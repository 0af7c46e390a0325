"""Flags of a model that is asked over HTTP, and the model that the flags mean, wherever it is."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.cli.messages import LOG, NOTICE
from deixis.cli.system_flags import open_system
from deixis.errors import UsageError

if TYPE_CHECKING:
    from deixis.endpoints.endpoint import Endpoint
    from deixis.evaluation.endpoint.model import EndpointModel
    from deixis.evaluation.keeping.answer_log import AnswerLog

FORMATS = ("auto", "parts", "words")
FRAMES = ("pixels", "unit", "percent", "thousandths", "thousandths_yx")  # as ``evaluation.endpoint`` has them
MOST_WORKERS = 256
LONGEST_WAIT = 120.0  # seconds, that a server may ask to wait
# Flags that mean something for a model at an address alone, with what they are where nobody gave them.
OF_ENDPOINTS = {
    "model_name": None,
    "region_format": FORMATS[0],
    "frame": None,
    "decimals": None,
    "workers": 1,
    "api_key_env": None,
    "timeout": 120.0,
    "attempts": 6,
}


def add_endpoint_flags(parser: argparse.ArgumentParser) -> None:
    """Add --model-name, --region-format, --frame and what goes with them."""
    group = parser.add_argument_group(
        "a model behind an OpenAI-compatible endpoint (--model http://…/v1; docs/evaluation.md)"
    )
    group.add_argument("--model-name", metavar="NAME", help="its name there (default: the only one listed)")
    group.add_argument(
        "--region-format",
        choices=FORMATS,
        default=FORMATS[0],
        help="how regions go and places come: parts of the message, as deixis serve takes them, or "
        "coordinates in words (default: parts where the endpoint says that it knows them)",
    )
    group.add_argument(
        "--frame", choices=FRAMES, help="on which scale words give coordinates (default: thousandths)"
    )
    group.add_argument("--decimals", type=int, metavar="N", help="of coordinates in words")
    group.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="pictures that are asked about at once (default: 1)",
    )
    group.add_argument("--api-key-env", metavar="NAME", help="environment variable that holds the key")
    group.add_argument(
        "--timeout", type=float, default=120.0, metavar="S", help="seconds for one attempt (default: 120)"
    )
    group.add_argument(
        "--attempts", type=int, default=6, metavar="N", help="for a request at most (default: 6)"
    )


def is_address(model: str | None) -> bool:
    """Tell whether --model is an endpoint's address.

    >>> is_address("http://127.0.0.1:8000/v1"), is_address("pointer"), is_address(None)
    (True, False, False)
    """
    return model is not None and model.startswith(("http://", "https://"))


def check_endpoint_flags(arguments: argparse.Namespace) -> None:
    """Raise UsageError for numbers that mean nothing, and for flags that a model on this machine ignores."""
    if not 1 <= arguments.workers <= MOST_WORKERS:
        raise UsageError(f"--workers is {arguments.workers}; expected 1 to {MOST_WORKERS}")
    if is_address(arguments.model):
        if arguments.region_format == "parts" and (arguments.frame or arguments.decimals is not None):
            raise UsageError("--frame and --decimals are for coordinates in words; leave them out with parts")
        return
    for name, unset in OF_ENDPOINTS.items():
        if getattr(arguments, name) != unset:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} is for a model behind an endpoint (--model http://…); leave it out")


def asked_model(arguments: argparse.Namespace, log: AnswerLog | None) -> Any:
    """Return the model that the flags mean, its answers kept in the log where there is one."""
    from deixis.evaluation.keeping.answer_log import AnswerLog

    if is_address(arguments.model):
        return endpoint_model(arguments, AnswerLog() if log is None else log)
    system = open_system(arguments)
    if log is None:
        return system
    from deixis.evaluation.keeping.kept_answers import KeptAnswers

    return KeptAnswers(system, log, weights=system.fingerprint())


def endpoint_model(arguments: argparse.Namespace, log: AnswerLog) -> EndpointModel:
    """Return the endpoint's model; EndpointError, UsageError: there is none or it isn't known which."""
    from deixis.evaluation.endpoint.model import EndpointModel, listed_models
    from deixis.evaluation.endpoint.written_frames import find_frame

    endpoint = endpoint_of(arguments)
    frame = find_frame(arguments.frame or "thousandths", decimals=arguments.decimals)
    name, form = arguments.model_name, arguments.region_format
    if name is None or form == "auto":
        listed = {one["id"]: one for one in listed_models(endpoint)}
        if name is None:
            if len(listed) != 1:
                raise UsageError(
                    f"{endpoint.address} has {len(listed)} models; name one with --model-name: "
                    f"{', '.join(listed)}"
                )
            (name,) = listed
        if form == "auto":
            form = "parts" if "deixis" in listed.get(name, {}) else "words"
    if form == "parts" and (arguments.frame or arguments.decimals is not None):
        raise UsageError(
            f"{endpoint.address} takes regions as parts, without any rounding; leave --frame and --decimals "
            "out, or say --region-format words"
        )
    model = EndpointModel(endpoint, name, form, frame=frame, workers=arguments.workers, log=log)
    LOG.log(NOTICE, "%s, regions as %s", model.name, form)
    return model


def endpoint_of(arguments: argparse.Namespace) -> Endpoint:
    """Return the endpoint; UsageError where its address or its key can't be right."""
    from deixis.endpoints.endpoint import Endpoint
    from deixis.endpoints.keys import is_openai
    from deixis.endpoints.pace import Pace

    variable = arguments.api_key_env or ("" if is_openai(arguments.model) else None)
    endpoint = Endpoint(
        arguments.model.rstrip("/"),
        key_variable=variable,
        timeout=arguments.timeout,
        attempts=arguments.attempts,
        longest_wait=LONGEST_WAIT,
        pace=Pace(),
    )
    endpoint.key_to_send()
    return endpoint


def log_of(path: Path | None) -> AnswerLog | None:
    """Return the file in which answers are kept, None where none is named."""
    from deixis.evaluation.keeping.answer_log import AnswerLog

    return None if path is None else AnswerLog(path, flag="--answers")
