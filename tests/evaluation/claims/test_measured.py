"""Reports beside claims: only the claim's own protocol fills what was measured here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.cli import main
from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmark_table import BENCHMARKS
from deixis.evaluation.benchmarks.benchmark import Mark
from deixis.evaluation.claims.claim import NOT_REPRODUCED, read_claims
from deixis.evaluation.claims.measured import Reading, measured, readings, reports_in
from tests.evaluation.benchmarks.published.small_files import WRITERS as OF_PICTURES
from tests.evaluation.benchmarks.published.small_files import put
from tests.evaluation.benchmarks.published.small_region_files import REGION_WRITERS

WRITERS = OF_PICTURES | REGION_WRITERS
CARD = {"name": "refcoco", "rules": "published", "items": 5657, "limit": None, "system": "groma"}
ROW = {"value": 91.5, "ci95": [90.5, 92.5], "n": 5657}


def written(folder: Path, *, model: str = "Groma-7B", name: str = "a.json", **changes: Any) -> Path:
    path = folder / model / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"protocol": {**CARD, **changes}, "table": {"accuracy": ROW}}))
    return folder


def of_all(card: dict[str, Any]) -> dict[str, Any]:
    return {"protocol": {"limit": None, **card}, "table": {"all": ROW}}


def test_every_reading_is_of_a_claim_and_a_benchmark() -> None:
    known = {(claim.split, claim.paper) for claim in read_claims() if claim.own}
    for one in readings():
        assert one.rules in BENCHMARKS[one.benchmark].rules and (one.items is None or one.items > 100)
        assert one.counted or one.items in (None, 1500, 2017), "confirmed by nobody, and new"
        assert all((one.split, paper) in known for paper in one.papers), one


@pytest.mark.parametrize(
    "one", [one for one in readings() if one.benchmark in WRITERS], ids=lambda one: one.split
)
def test_every_reading_is_a_row_of_its_table(one: Reading, tmp_path: Path) -> None:
    WRITERS[one.benchmark](tmp_path)
    benchmark = BENCHMARKS[one.benchmark]
    items = benchmark.read(tmp_path)
    assert one.row in benchmark.tabulate(items, [Mark(1.0)] * len(items)).rows


def test_a_fitting_report_fills_its_claim_alone(tmp_path: Path) -> None:
    claims, unused = measured(read_claims(), reports_in(written(tmp_path)))
    (filled,) = [claim for claim in claims if claim.here is not None]
    assert (filled.model, filled.split, filled.here) == ("Groma-7B", "RefCOCO testA", 91.5)
    assert filled.measured == "91.50 (90.50 to 92.50)" and not unused


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rules": "corrected"}, "rules is 'corrected', the claim's 'published'"),
        ({"items": 500}, "items is 500"),
        ({"limit": 5657}, "limit is 5657"),
        ({"system": "pointer"}, "system is 'pointer', the claim's 'groma'"),
        ({"model": "Groma-70B"}, "no claim is of this model"),
    ],
)
def test_another_card_fills_nothing(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    claims, unused = measured(read_claims(), reports_in(written(tmp_path, **changes)))
    assert {claim.measured for claim in claims} == {NOT_REPRODUCED}
    ((_, said),) = unused
    assert why in said


def test_cards_of_judged_benchmarks_name_split_and_judge(tmp_path: Path) -> None:
    card = {"name": "vip_bench", "rules": "corrected", "items": 303, "system": "vip_llava", "split": "bbox"}
    path = put(tmp_path / "ViP-LLaVA-7B/a.json", of_all(card | {"judge": "gpt-4-0613", "judge_runs": 5}))
    claims, _ = measured(read_claims(), reports_in(tmp_path))
    assert [claim.split for claim in claims if claim.here is not None] == ["synthetic prompts"]
    path.write_text(path.read_text().replace("gpt-4-0613", "another"))
    claims, ((_, why),) = measured(read_claims(), reports_in(tmp_path))
    assert not any(claim.here for claim in claims) and "judge is 'another'" in why


def test_what_nobody_confirmed_is_said(tmp_path: Path) -> None:
    card = {"name": "mmstar", "rules": "corrected", "items": 1500, "system": "florence_vl"}
    put(tmp_path / "Florence-VL-8B/a.json", of_all(card))
    claims, _ = measured(read_claims(), reports_in(tmp_path))
    filled = [claim for claim in claims if claim.here is not None]
    assert filled and all("number of items is not confirmed" in claim.measured for claim in filled)
    unknown = Reading("Visual7W", "visual7w", "all", "corrected", ("vip_llava",), None)
    assert "isn't known" in unknown.why_not({"name": "visual7w"})


def test_two_reports_of_one_claim_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no report of a benchmark"):
        reports_in(tmp_path)
    written(tmp_path)
    written(tmp_path, name="b.json")
    with pytest.raises(RecordError, match=r"a\.json and .*b\.json are both of RefCOCO testA"):
        measured(read_claims(), reports_in(tmp_path))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path)
    written(tmp_path, model="Groma-8B")
    assert main(["claims", "--paper", "groma", "--reports", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "| **Groma-7B** | RefCOCO testA | 92.09 | 91.50 (90.50 to 92.50) |" in printed.out
    assert "| **Groma-7B** | RefCOCO testB | 86.26 | not reproduced here |" in printed.out
    assert "fills no claim" in printed.err
