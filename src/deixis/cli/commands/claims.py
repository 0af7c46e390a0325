"""`deixis claims`: what the papers of the systems here claim, beside what was measured here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from deixis.cli.messages import LOG

HELP = "print what the papers claim, beside what was measured here"
EXAMPLE = "deixis claims --paper groma --benchmark LVIS-Ground"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `deixis claims`."""
    from deixis.evaluation.claims.claim import PAPERS

    parser.add_argument(
        "--paper", choices=PAPERS, metavar="NAME", help="of one paper alone: " + ", ".join(PAPERS)
    )
    parser.add_argument(
        "--benchmark", metavar="WORDS", help="those whose benchmark or split has these words alone"
    )
    parser.add_argument(
        "--own", action="store_true", help="without the models that papers compare theirs with"
    )
    parser.add_argument(
        "--reports",
        type=Path,
        metavar="DIR",
        help="reports of benchmarks in folders named after the models (DIR/Groma-7B/refcoco.json): those "
        "whose card is a claim's fill what was measured here",
    )
    parser.add_argument("--json", action="store_true", help="as a JSON list, with protocols and sources")


def run(arguments: argparse.Namespace) -> int:
    """Print the claims."""
    from deixis.evaluation.claims.claim import PAPERS, chosen_claims, read_claims
    from deixis.evaluation.claims.measured import measured, reports_in

    papers = PAPERS if arguments.paper is None else (arguments.paper,)
    claims = read_claims(papers)
    if arguments.reports is not None:
        claims, unused = measured(claims, reports_in(arguments.reports))
        for report, why in unused:
            LOG.warning("%s fills no claim: %s", report.path, why)
    claims = chosen_claims(claims, benchmark=arguments.benchmark, own=arguments.own)
    if arguments.json:
        print(json.dumps([claim.to_dict() for claim in claims], indent=1, ensure_ascii=False))
        return 0
    printed: tuple[str, ...] = ()
    for claim in claims:
        heading = (claim.paper, claim.benchmark, claim.table, claim.metric, claim.protocol, claim.source)
        if heading != printed:
            print("" if not printed else "\n", end="")
            print(f"{claim.benchmark} ({claim.source}): {claim.metric}. {claim.protocol}")
            print("| model | split | published | here |\n|---|---|---:|---|")
            printed = heading
        model = f"**{claim.model}**" if claim.own else claim.model
        print(f"| {model} | {claim.split} | {claim.value:g} | {claim.measured} |")
    return 0
