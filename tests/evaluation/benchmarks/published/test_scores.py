"""How marks of the benchmarks come about and add up, by hand-made replies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmark_table import find_benchmark
from deixis.evaluation.benchmarks.answer_rules.edit_similarity import edits
from deixis.evaluation.benchmarks.answer_rules.letters import read_letter
from deixis.evaluation.benchmarks.answer_rules.soft_accuracy import normalised, soft_accuracy
from deixis.evaluation.benchmarks.benchmark import Mark, Reply, Scoring, Table, unjudged, unparsed
from deixis.evaluation.benchmarks.choices.mmmu_answers import open_candidates, open_match
from deixis.evaluation.benchmarks.marking import all_right, mark_all, row
from tests.evaluation.benchmarks.published.small_files import WRITERS


def scored(name: str, folder: Path, replies: dict[str, str], rules: Any = "corrected") -> Table:
    """The table of replies to some items; all others are answered by nothing."""
    WRITERS[name](folder)
    one = find_benchmark(name)
    items = one.read(folder)
    assert set(replies) <= {item.id for item in items}
    given = {item.id: Reply(replies.get(item.id, "")) for item in items}
    return one.tabulate(items, mark_all(one, items, given, Scoring(rules)))


def values(table: Table) -> dict[str, float | None]:
    return {name: None if one.value is None else round(one.value, 3) for name, one in table.rows.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Dog.", "dog"),
        ("Two, three", "2 3"),
        ("$1,000.50", "$1000.50"),
        ("none", "0"),
        ("it's 5:30", "it's 5:30"),
        ("isnt\nit?", "isn't it"),
        ("T-shirt", "t shirt"),
        ("on - off", "on off"),
    ],
)
def test_answers_are_normalised_as_in_vqa(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(("same", "expected"), [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)])
def test_soft_accuracy_averages_over_nine_of_ten(same: int, expected: float) -> None:
    people = ["red"] * same + [f"other{number}" for number in range(10 - same)]
    assert soft_accuracy("red", people) == pytest.approx(expected)


def test_an_answer_that_normalises_to_nothing_is_worth_nothing() -> None:
    assert soft_accuracy("the", ["a"] * 10) == 0


def test_vqav2_published_leaves_agreeing_people_as_they_are(tmp_path: Path) -> None:
    replies = {"420": "Red!", "421": "Yes."}
    assert values(scored("vqav2", tmp_path / "a", replies))["all"] == 95.0
    assert values(scored("vqav2", tmp_path / "b", replies, "published"))["all"] == 45.0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("intention", "execution", 5), ("ab", "ba", 2)],
)
def test_edits(first: str, second: str, expected: int) -> None:
    assert edits(first, second) == edits(second, first) == expected


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("A", "A"),
        ("(c).", "C"),
        ("**B**", "B"),
        ("D", None),
        ("B: blue", "B"),
        ("The correct option is (B) blue.", "B"),
        ("Answer: C", "C"),
        ("the answer is c, I think", "C"),
        ("I would choose A because it is red", "A"),
        ("The answer is a cat", None),
        ("blue", "B"),
        ("It is blue", None),
        ("A. red\nB. blue", None),
        ("The answer is B. The answer is C.", None),
        ("(A) or (B)?", None),
        ("neither", None),
        ("", None),
    ],
)
def test_letters(text: str, letter: str | None) -> None:
    assert read_letter(text, {"A": "red", "B": "blue", "C": "a cat"}) == letter


def test_equal_choices_are_not_told_apart_by_their_words() -> None:
    assert read_letter("red", {"A": "red", "B": "Red"}) is None


def test_letters_of_long_replies_take_linear_time() -> None:
    assert read_letter("answer is " * 20_000 + "(((" * 20_000, {"A": "x", "B": "y"}) is None


def test_cv_bench_combines_sources_and_halves(tmp_path: Path) -> None:
    found = values(scored("cv_bench", tmp_path, {"2D/0": "A", "2D/1": "B", "2D/2": "A", "3D/3": "B"}))
    # ADE20K 1 of 1, COCO 1 of 2: 2D is 75 %; 3D is 0 of 1.
    assert found["combined"] == 37.5 and found["questions"] == 50.0
    assert found["source: COCO"] == 50.0 and found["half: 2D"] == 66.667


def test_cv_bench_published_counts_empty_replies_but_tells_of_them(tmp_path: Path) -> None:
    table = scored("cv_bench", tmp_path, {"2D/0": "A", "2D/1": "A"}, "published")
    assert values(table)["questions"] == 75.0 and table.rows["questions"].unparsed == 2


def test_cv_bench_needs_both_halves_for_the_combination(tmp_path: Path) -> None:
    WRITERS["cv_bench"](tmp_path)
    (tmp_path / "test_3d.jsonl").unlink()
    one = find_benchmark("cv_bench")
    items = one.read(tmp_path)
    table = one.tabulate(items, [Mark(1.0)] * len(items))
    assert next(iter(table.rows)) == "questions"


def test_mmvp_pairs_need_both(tmp_path: Path) -> None:
    assert values(scored("mmvp", tmp_path / "a", {"1": "(a)", "2": "(a)"})) == {
        "pairs": 0.0,
        "questions": 50.0,
    }
    table = scored("mmvp", tmp_path / "b", {"1": "(a)"})
    assert values(table) == {"pairs": 0.0, "questions": 50.0} and table.rows["pairs"].unparsed == 1


def test_scienceqa_published_knows_capitals_only(tmp_path: Path) -> None:
    assert values(scored("scienceqa", tmp_path / "a", {"4": "a"}))["all"] == 100.0
    table = scored("scienceqa", tmp_path / "b", {"4": "a"}, "published")
    assert values(table)["all"] == 0.0 and table.first.unparsed == 1


def test_mmbench_is_right_in_every_rotation_or_not_at_all(tmp_path: Path) -> None:
    table = scored("mmbench", tmp_path, {"7": "B", "1000007": "B", "9": "A", "1000009": "C", "2000009": "B"})
    assert values(table)["circular"] == 50.0 and values(table)["asked once"] == 100.0
    assert values(table)["category: colour"] == 0.0 and table.first.n == 2


def test_mmbench_keeps_rotations_that_the_table_has(tmp_path: Path) -> None:
    WRITERS["mmbench"](tmp_path)
    path = tmp_path / "mmbench_dev_en_20231003.tsv"
    content = path.read_text()
    first = content.splitlines()[2]
    path.write_text(content + first.replace("9\t", "1000009\t", 1) + "\n")
    items = find_benchmark("mmbench").read(tmp_path)
    assert [(item.id, item.together) for item in items] == [("7", "7"), ("9", "9"), ("1000009", "9")]


def test_mmbench_asks_a_judge_only_for_what_rules_do_not_read(tmp_path: Path) -> None:
    WRITERS["mmbench"](tmp_path)
    one = find_benchmark("mmbench")
    item = one.read(tmp_path)[0]
    asked = []

    def judge(said: str) -> Any:
        def reply(request: Any) -> str:
            asked.append(request)
            return said

        return reply

    assert one.score(item, Reply("B"), Scoring(judge=judge("A"))).value == 1 and not asked
    assert one.score(item, Reply("the sky's colour"), Scoring(judge=judge("B"))).value == 1
    assert str(asked[0].messages[0][1]).endswith(
        "Options: A. red B. blue\nAnswer: the sky's colour\nYour output: "
    )
    assert one.score(item, Reply("Spider"), Scoring(judge=judge("E"))).fault == "unparsed"
    assert one.score(item, Reply("Spider"), Scoring(judge=judge("well"))).fault == "unjudged"
    assert one.score(item, Reply("Spider"), Scoring()).fault == "unparsed"


def test_pope_averages_f1_over_the_splits(tmp_path: Path) -> None:
    replies = {"random/1": "yes", "random/2": "yes", "popular/1": "no", "popular/2": "Maybe."}
    table = scored("pope", tmp_path, replies)
    found = values(table)
    assert found["random: f1"] == 66.667 and found["popular: f1"] is None and found["f1"] is None
    assert found["all: accuracy"] == 50.0 and table.first.unparsed == 1
    assert found["all: f1"] == 50.0 and found["all: said yes"] == 50.0


def test_pope_published_reads_everything_else_as_yes(tmp_path: Path) -> None:
    replies = {"random/1": "perhaps", "random/2": "no", "popular/1": "no", "popular/2": ""}
    table = scored("pope", tmp_path, replies, "published")
    assert values(table)["f1"] == 100.0 and table.first.unparsed == 1


def test_mme_adds_questions_and_pictures(tmp_path: Path) -> None:
    WRITERS["mme"](tmp_path)
    one = find_benchmark("mme")
    items = one.read(tmp_path)
    replies = {item.id: Reply("Yes" if item.kinds["task"] == "count" else item.truth) for item in items}
    table = one.tabulate(items, mark_all(one, items, replies, Scoring()))
    assert table.rows["count"].value == 50.0 and table.rows["perception"].value == 1850.0
    assert table.rows["cognition"].value == table.rows["cognition"].most == 800.0


def test_mme_gives_no_sum_where_a_task_is_missing(tmp_path: Path) -> None:
    WRITERS["mme"](tmp_path)
    (tmp_path / "scene" / "1.txt").unlink()
    one = find_benchmark("mme")
    items = one.read(tmp_path)
    assert "perception" not in one.tabulate(items, [Mark(1.0)] * len(items)).rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Is it?\tYes\n", "has 1 questions"),
        ("Is it? Yes\nNo?\tNo\n", ":1: is"),
        ("A?\tyes\nB?\tmaybe\n", ":2: is"),
    ],
)
def test_mme_names_the_line_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    WRITERS["mme"](tmp_path)
    (tmp_path / "OCR" / "1.txt").write_text(text)
    with pytest.raises(RecordError, match=rf"OCR/1\.txt.*{said}"):
        find_benchmark("mme").read(tmp_path)


def test_hallusion_bench_figures_and_pairs(tmp_path: Path) -> None:
    # Right about both questions of figure 0, wrong about figure 1: the first question's pair is lost.
    replies = {"VD/illusion/0/0/0": "yes", "VD/illusion/0/0/1": "no", "VD/illusion/0/1/0": "yes"}
    found = values(scored("hallusion_bench", tmp_path, replies))
    assert (found["aAcc"], found["fAcc"], found["qAcc"]) == (66.667, 50.0, 50.0)


def test_ocrbench_counts_and_ignores_case_but_not_in_formulas(tmp_path: Path) -> None:
    table = scored("ocrbench", tmp_path, {"0": "cenTRE", "1": r"\FRAC{a}b"})
    assert table.first.value == 1 and table.first.most == 2 and values(table)["all"] == 50.0


def test_an_empty_true_answer_would_be_in_every_reply(tmp_path: Path) -> None:
    WRITERS["ocrbench"](tmp_path)
    path = tmp_path / "OCRBench.json"
    path.write_text(path.read_text().replace("CENTRE", ""))
    with pytest.raises(RecordError, match=r"OCRBench\.json\[0\]: field 'answers'"):
        find_benchmark("ocrbench").read(tmp_path)


@pytest.mark.parametrize(
    ("text", "answers", "right"),
    [
        ("The final answer is 24.", ["24"], True),
        ("It is 1,200", ["200"], False),
        ("x = 3\nSo y = 7.5", ["7.50"], True),
        ("a dark blue", ["blue"], True),
        ("unclear", ["clear cut"], False),
        ("12", ["2"], False),
        ("It is X", ["x"], True),
        ("axe", ["x"], False),
    ],
)
def test_open_answers_of_mmmu(text: str, answers: list[str], right: bool) -> None:
    assert open_match(open_candidates(text), answers) is right


def test_unjudged_marks_are_left_out_and_others_counted() -> None:
    found = row([Mark(1.0), unparsed("x"), unjudged("y"), Mark(0.0, fault="refused")])
    assert (found.n, found.unparsed, found.refused, found.unjudged) == (3, 1, 1, 1)
    assert found.value == pytest.approx(100 / 3) and row([]).value is None
    groups = {"a": [Mark(1.0), unjudged("y")], "b": [unjudged("y"), Mark(0.0)], "c": [Mark(1.0), Mark(1.0)]}
    found = all_right(groups)
    assert (found.value, found.n, found.unjudged) == (50.0, 2, 1)


def test_rules_have_to_exist() -> None:
    with pytest.raises(UsageError, match='expected "published" or "corrected"'):
        Scoring("lenient")  # type: ignore[arg-type]
