"""The parity harness on families made up for the purpose: each of its rules in a pytest inside pytest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.parity.golden import Acceptance

BOUNDS = {"atol": 0.01, "rtol": 0.0, "rtol_of_max": 0.0}
ACCEPTANCE: dict[str, Any] = {"collect": True, "values": BOUNDS, "gradients": {**BOUNDS, "atol": 0.5}}

CONFTEST = "from tests.conftest import pytest_addoption, pytest_configure, pytest_terminal_summary\n"
# A family that doubles: numbers in fields, tensors in tensors, and a kind whose check forgets the tensor.
TESTS = """
    from pathlib import Path

    from tests.parity.planning import Check, Family, parametrise


    def doubled(case):
        for row in case.rows("cases"):
            row.expect("out", ours=2 * row.given("in"))


    def tensors(case):
        case.output("twice", 2 * case.input("x"))


    def gradients(case):
        case.output("twice", 2 * case.input("x"), under="gradients")


    def masked(case):
        case.output("twice", 2 * case.input("x"), where=case.input("mask").bool())


    def forgetful(case):
        case.expect("loss", ours=1.0)


    def lazy(case):
        case.input("x")


    def peeking(case):
        case.expect("loss", ours=case.given("loss"))


    def resized(case):
        case.expect("order", ours=case.acceptance.resize)


    def settled(case):
        chosen = case.fed("chosen")
        case.settle("outputs/chosen", agrees=set(chosen.tolist()) == {1, 2, 3}, how="the set of chosen rows")


    FAMILIES = {
        "doubler": Family(
            checks={
                "numbers": Check(doubled, given=("cases/*/in",)),
                "tensors": Check(tensors),
                "gradients": Check(gradients),
                "masked": Check(masked),
                "forgetful": Check(forgetful),
                "lazy": Check(lazy),
                "peeking": Check(peeking),
                "resized": Check(resized),
                "settled": Check(settled),
            },
            for_reading=("story",),
        )
    }


    def pytest_generate_tests(metafunc):
        parametrise(metafunc, families=FAMILIES, own=Path(__file__).parent / "own")


    def test_parity(planned):
        planned.run()
"""

Tensors = dict[str, torch.Tensor]
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the made-up family on the cases in the folder ``golden``."""
    # Other plugins play no part here, and some take a second to start.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_made_up=TESTS)
    (pytester.path / "golden").mkdir()

    def run(*arguments: str, folder: str = "golden") -> pytest.RunResult:
        return pytester.runpytest_inprocess(
            "-p", "no:cacheprovider", "-v", f"--parity-dir={folder}", *arguments
        )

    return run


@pytest.fixture
def golden(pytester: pytest.Pytester) -> Callable[..., None]:
    """Writes one case into the folder ``golden``."""

    def write(
        kind: str,
        fields: dict[str, Any] | None = None,
        *,
        tensors: Tensors | None = None,
        family: str = "doubler",
        case: str = "one",
        **changed: Any,
    ) -> None:
        path = pytester.path / "golden" / f"any_name_{family}_{kind}_{case}.json"
        head = {"family": family, "kind": kind, "case": case, "acceptance": ACCEPTANCE | changed}
        path.write_text(json.dumps(head | (fields or {})), encoding="utf-8")
        if tensors is not None:
            save_file(tensors, path.with_suffix(".safetensors"))

    return write


NUMBERS = {"cases": [{"in": 2, "out": 4}, {"in": 5, "out": 10}]}
TWICE = {"inputs/x": torch.tensor([1.0, 2.0]), "outputs/twice": torch.tensor([2.0, 4.0])}
NEARLY = {"inputs/x": torch.tensor([1.0, 2.0]), "outputs/twice": torch.tensor([2.0, 4.3])}
MASKED = NEARLY | {"inputs/mask": torch.tensor([1, 0])}
WHOLE = {"inputs/x": torch.tensor([1, 2]), "outputs/twice": torch.tensor([2, 4])}
CHOSEN = {"outputs/chosen": torch.tensor([3, 1, 2])}

VERDICTS = [
    # kind, fields, tensors, whether it passes, what is said if not
    ("numbers", NUMBERS, None, True, ""),
    ("numbers", {"cases": [{"in": 2, "out": 5}]}, None, False, "*cases/0/out: 4, golden 5*"),
    ("numbers", {"cases": [{"in": 2, "out": 4, "more": 1}]}, None, False, "*never compared: cases/0/more*"),
    ("numbers", {**NUMBERS, "extra": []}, None, False, "*never compared: extra*"),
    ("numbers", {**NUMBERS, "what": "a remark", "tolerance_fp32": 1e-5}, None, True, ""),
    ("tensors", {}, TWICE, True, ""),
    ("tensors", {}, NEARLY, False, "*outputs/twice: 1 of 2 values are beyond*ours 4,*"),
    ("tensors", {}, WHOLE, True, ""),
    ("tensors", {}, WHOLE | {"outputs/twice": torch.tensor([2, 5])}, False, "*1 of 2 whole numbers differ*"),
    (
        "tensors",
        {},
        WHOLE | {"outputs/twice": torch.tensor([2.0, 4.0])},
        False,
        "*int64, golden torch.float32*",
    ),
    ("tensors", {}, TWICE | {"outputs/twice": torch.tensor([2.0])}, False, "*shape [[]2[]], golden [[]1[]]*"),
    ("tensors", {}, TWICE | {"outputs/other": torch.zeros(1)}, False, "*never compared: outputs/other*"),
    ("tensors", {}, TWICE | {"outputs/twice": torch.tensor([2.0, torch.nan])}, False, "*golden nan*"),
    ("tensors", {}, TWICE | {"outputs/twice": torch.tensor([2.0, torch.inf])}, False, "*golden inf*"),
    ("gradients", {}, NEARLY, True, ""),
    ("masked", {}, MASKED, True, ""),
    ("masked", {}, MASKED | {"inputs/mask": torch.zeros(2)}, False, "*leaves nothing to compare*"),
    ("forgetful", {"loss": 1.0}, None, True, ""),
    ("forgetful", {"loss": 1.0}, TWICE, False, "*never compared: outputs/twice*"),
    ("lazy", {}, {"inputs/x": torch.zeros(1)}, False, "*the check compared nothing*"),
    ("peeking", {"loss": 1.0}, None, False, "*loss is not declared as given*"),
    ("settled", {}, CHOSEN, True, ""),
    (
        "settled",
        {},
        {"outputs/chosen": torch.tensor([3, 1, 4])},
        False,
        "*the set of chosen rows does not agree*",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "tensors", "passes", "said"), VERDICTS)
def test_a_case_passes_only_if_all_that_is_expected_was_compared_and_agrees(
    run: Run,
    golden: Callable[..., None],
    kind: str,
    fields: dict[str, Any],
    tensors: Tensors | None,
    passes: bool,
    said: str,
) -> None:
    golden(kind, fields, tensors=tensors)
    result = run()
    result.assert_outcomes(passed=int(passes), failed=int(not passes))
    if not passes:
        result.stdout.fnmatch_lines([said])


def test_bounds_of_a_case_decide(run: Run, golden: Callable[..., None]) -> None:
    golden("tensors", tensors=NEARLY, values={"atol": 0, "rtol": 0.08, "rtol_of_max": 0}, case="relative")
    golden("tensors", tensors=NEARLY, values={"atol": 0, "rtol": 0, "rtol_of_max": 0.08}, case="of_max")
    golden("tensors", tensors=NEARLY, values={"atol": 0, "rtol": 0.06, "rtol_of_max": 0}, case="too_small")
    run().assert_outcomes(passed=2, failed=1)


def test_order_of_resizing_reaches_the_check(run: Run, golden: Callable[..., None]) -> None:
    golden("resized", {"order": "width_first"}, case="not_stated")
    golden("resized", {"order": "pillow13"}, case="stated", resize="pillow13")
    golden("resized", {"order": "pillow99"}, case="unknown", resize="pillow99")
    result = run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*acceptance says resize 'pillow99'*"])


def test_ids_are_family_kind_case_and_choose_tests(run: Run, golden: Callable[..., None]) -> None:
    golden("numbers", NUMBERS)
    golden("tensors", tensors=TWICE)
    result = run("-k", "doubler/numbers")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*[[]doubler/numbers/one[]] PASSED*"])
    run("-k", "groma").assert_outcomes(deselected=2)


def test_case_for_reading_is_not_collected(run: Run, golden: Callable[..., None]) -> None:
    golden("numbers", NUMBERS)
    golden("story", {"once": "upon a time"}, collect=False, why="for reading")
    golden("tensors", tensors=NEARLY, collect=False)
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize("collect", [True, False])
def test_unknown_kind_of_an_implemented_family_fails(
    run: Run, golden: Callable[..., None], collect: bool
) -> None:
    golden("tripled", NUMBERS, collect=collect)
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*doubler has no check for kind 'tripled'; known: *numbers*"])


def test_case_without_acceptance_fails(
    run: Run, golden: Callable[..., None], pytester: pytest.Pytester
) -> None:
    golden("numbers", NUMBERS)
    (path,) = (pytester.path / "golden").glob("*.json")
    fields = json.loads(path.read_text())
    del fields["acceptance"]
    path.write_text(json.dumps(fields))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the case needs an 'acceptance' block*"])


def test_family_without_system_is_pending_and_counts_as_nothing(
    run: Run, golden: Callable[..., None]
) -> None:
    golden("numbers", NUMBERS)
    for case in ("first", "second"):
        golden("anything", {"x": 1}, family="tripler", case=case)
    golden("anything", {"x": 1}, family="tripler", case="for_reading", collect=False)
    golden("anything", {"x": 1}, family="halver")
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*parity: pending*", "halver: 1 case pending*", "tripler: 2 cases pending*"])


def test_nothing_is_pending_when_all_is_implemented(run: Run, golden: Callable[..., None]) -> None:
    golden("numbers", NUMBERS)
    run().stdout.no_fnmatch_line("*parity: pending*")


def test_folder_without_an_implemented_family_skips_it_with_a_message(
    run: Run, golden: Callable[..., None]
) -> None:
    golden("anything", {"x": 1}, family="tripler")
    result = run("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no golden case of doubler in *golden*--parity-dir*"])


def test_missing_folder_is_a_usage_error(run: Run) -> None:
    result = run(folder="nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--parity-dir: there is no folder *nowhere*"])


def test_broken_json_is_a_usage_error(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "golden" / "cut.json").write_text('{"family": "dou', encoding="utf-8")
    result = run()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*cut.json among the golden cases cannot be read as JSON*"])


def test_json_without_kind_is_no_case(
    run: Run, golden: Callable[..., None], pytester: pytest.Pytester
) -> None:
    golden("numbers", NUMBERS)
    (pytester.path / "golden" / "toy_tokenizer.json").write_text('{"model": {}}', encoding="utf-8")
    run().assert_outcomes(passed=1)


def test_own_cases_are_always_tested_and_folders_add_up(
    run: Run, golden: Callable[..., None], pytester: pytest.Pytester
) -> None:
    golden("numbers", NUMBERS)
    (pytester.path / "golden").rename(pytester.path / "own")
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
    (pytester.path / "golden").mkdir()
    golden("tensors", tensors=TWICE)
    run().assert_outcomes(passed=2)
    run("--parity-dir=own", "--parity-dir=golden").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"values": BOUNDS}, "'collect'"),
        ({"collect": True, "value": BOUNDS}, "unknown keys"),
        ({"collect": True, "resize": "height_first"}, "height_first"),
    ],
)
def test_broken_acceptance_says_what_is_wrong(block: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Acceptance.read(block)


def test_own_cases_are_read_whatever_their_files_are_called(tmp_path: Path) -> None:
    from tests.parity.golden import read_goldens

    path = tmp_path / "deep" / "down" / "x.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"family": "f", "kind": "k", "case": "c"}), encoding="utf-8")
    assert [golden.name for golden in read_goldens([tmp_path])] == ["f/k/c"]
