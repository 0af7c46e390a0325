"""Published numbers as data: complete, in range, with their protocols; the command that prints them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from deixis.cli import main
from deixis.errors import RecordError, UsageError
from deixis.evaluation.claims.claim import (
    NOT_REPRODUCED,
    PAPERS,
    chosen_claims,
    claims_in,
    claims_of,
    read_claims,
)

TABLE: dict[str, Any] = {
    "table": "3",
    "benchmark": "a benchmark",
    "metric": "percent",
    "protocol": "ours",
    "source": "a paper",
    "columns": ["val", "test"],
    "rows": [{"model": "m", "own": True, "values": [50.5, None], "here": {"val": 49.25}}],
}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_file_is_complete(paper: str) -> None:
    claims = claims_in(paper)
    assert len(claims) > 20 and any(claim.own for claim in claims)
    for claim in claims:
        assert all((claim.model, claim.table, claim.benchmark, claim.split, claim.metric))
        assert claim.protocol and claim.source and claim.value > 0
        assert claim.value <= (100 if "accuracy" in claim.metric and "CIDEr" not in claim.metric else 3000)
    keys = Counter((one.model, one.table, one.benchmark, one.split) for one in claims)
    assert not [key for key, count in keys.items() if count > 1]


def test_some_numbers_are_as_printed() -> None:
    found = {(one.paper, one.model, one.split): one.value for one in read_claims()}
    assert found["groma", "Groma-7B", "AR@l"] == 64.3
    assert found["groma", "Groma-7B", "Visual Genome CIDEr"] == 158.4
    assert found["ferret_v2", "Ferret-v2-7B", "RefCOCO+ testB"] == 79.3
    assert found["ferret", "Ferret-13B", "free form"] in (70.98, 58.02)
    assert found["vip_llava", "ViP-LLaVA-13B", "synthetic prompts"] == 48.3
    assert found["florence_vl", "Florence-VL-8B", "TextVQA"] == 74.2


def test_the_mean_of_expressions_is_that_of_the_splits() -> None:
    claims = chosen_claims(claims_in("groma"), benchmark="RefCOCO,", own=True)
    own = {one.split: one.value for one in claims if one.table == "2"}
    splits = [value for split, value in own.items() if split != "mean"]
    assert len(splits) == 8 and sum(splits) / 8 == pytest.approx(own["mean"], abs=0.01)


def test_a_cell_may_be_missing_and_may_have_been_measured() -> None:
    (claim,) = claims_of(TABLE, "groma")
    assert (claim.split, claim.value, claim.measured) == ("val", 50.5, "49.25")
    (plain,) = claims_of(TABLE | {"rows": [{"model": "m", "values": [1, None]}]}, "groma")
    assert plain.measured == NOT_REPRODUCED and not plain.own


@pytest.mark.parametrize("values", [[1], [1, 2, 3], [1, "2"], [1, True], [1, float("nan")]])
def test_rows_that_do_not_fit_are_refused(values: list[Any]) -> None:
    with pytest.raises(RecordError, match=r"groma\.yaml 3: m has"):
        claims_of(TABLE | {"rows": [{"model": "m", "values": values}]}, "groma")


def test_the_command_prints_what_was_not_reproduced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--paper", "groma", "--benchmark", "lvis-ground", "--own"]) == 0
    out = capsys.readouterr().out
    assert "| **Groma-7B** | AR | 28.8 | not reproduced here |" in out and "Shikra" not in out
    assert "AS-MANY" in out and out.count("|---|---|---:|---|") == 1
    assert main(["claims", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == len(read_claims()) and {one["paper"] for one in listed} == set(PAPERS)
    assert main(["claims", "--benchmark", "poems"]) == 2
    assert "no claim is about 'poems'; there are some about: " in capsys.readouterr().err


def test_an_unknown_paper() -> None:
    with pytest.raises(UsageError, match="the papers are ferret, "):
        claims_in("poems")
