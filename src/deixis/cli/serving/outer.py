"""``deixis serve --outer``: models whose words another engine writes."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from deixis.errors import EndpointError, UsageError

if TYPE_CHECKING:
    from deixis.client.server import Server
    from deixis.serving.outer.decoding import OuterDecoding

MODELS = "/v1/models"


def add_outer_flag(parser: argparse.ArgumentParser) -> None:
    """Add --outer."""
    parser.add_argument(
        "--outer",
        action="append",
        default=[],
        metavar="MODEL=URL[#NAME]",
        help="let the vLLM server at this address, started with --enable-prompt-embeds, write the words of a "
        "model that is served here; NAME is what it calls the language model, if it has several. Ferret, "
        "Ferret-v2, Ferret-UI and ViP-LLaVA can (default: none, all words are written here)",
    )


def outer_engines(words: Sequence[str], names: Collection[str]) -> dict[str, OuterDecoding]:
    """Return engines elsewhere by the names of the models that they write for.

    names: of all models. UsageError: a model that isn't served, or two engines for one. EndpointError: there
    is no such server, or it doesn't have one language model of that name.
    """
    from deixis.client.server import Server
    from deixis.serving.outer.decoding import OuterDecoding

    engines: dict[str, OuterDecoding] = {}
    for word in words:
        model, equals, where = word.partition("=")
        address, _, called = where.partition("#")
        if not equals or not model or not address:
            raise UsageError(f"--outer is {word!r:.100}; expected MODEL=URL, such as ferret=http://host:8001")
        if model not in names:
            raise UsageError(f"--outer names {model!r:.80}; models that are served: {', '.join(names)}")
        if model in engines:
            raise UsageError(f"--outer names {model!r:.80} twice; leave one out")
        server = Server(address, program="vllm serve")
        engines[model] = OuterDecoding(server, model=language_model(server, called))
    return engines


def language_model(server: Server, called: str) -> str:
    """Return the name of the model that a server has; of that name, if one is given."""
    listed: Any = server.get(MODELS)
    try:
        names = [str(one["id"]) for one in listed["data"]]
    except (KeyError, TypeError):
        raise EndpointError(f"{server.address} lists no models; is it the address of vllm serve?") from None
    if called in names:
        return called
    if called or len(names) != 1:
        asked = f"no {called!r:.80}" if called else "not one model"
        raise UsageError(
            f"{server.address} has {asked}, it has: {', '.join(names) or 'none'}; say which: "
            "--outer MODEL=URL#NAME"
        )
    return names[0]
