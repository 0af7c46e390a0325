import numpy as np
import pytest

from deixis.errors import UsageError
from deixis.evaluation.metrics.prior_boxes import STEPS, candidate, grid_spans, hit_by, learn_prior_boxes
from deixis.evaluation.metrics.top_place import hits
from deixis.regions.frames import Frame
from deixis.regions.shapes import Box

WIDE, HIGH = Frame.original(400, 100), Frame.original(80, 160)


def of_shares(frame: Frame, *shares: float) -> Box:
    width, height = frame.size
    x0, y0, x1, y1 = shares
    return Box(x0 * width, y0 * height, x1 * width, y1 * height, frame=frame)


def test_a_noun_gets_the_box_where_it_usually_is() -> None:
    hat, sea = (0.25, 0.0, 0.75, 0.25), (0.0, 0.5, 1.0, 1.0)
    examples = [("hat", [of_shares(frame, *hat)]) for frame in (WIDE, HIGH, WIDE)]
    examples += [("sea", [of_shares(WIDE, *sea)]), ("hat", [of_shares(WIDE, *sea)])]
    priors = learn_prior_boxes(examples)
    assert set(priors.by_noun) == {"hat", "sea"}
    assert hits(priors.box("hat", HIGH), [of_shares(HIGH, *hat)])
    assert hits(priors.box("sea", HIGH), [of_shares(HIGH, *sea)])
    assert hits(priors.box("unicorn", HIGH), [of_shares(HIGH, *hat)])  # the most frequent place of all


def test_equal_counts_are_decided_by_all_nouns() -> None:
    often = [("dog", [of_shares(WIDE, 0.25, 0.25, 0.75, 0.75)])] * 5
    once = [("cat", [of_shares(WIDE, 0.25, 0.25, 0.75, 0.75), of_shares(WIDE, 0.0, 0.0, 0.25, 0.25)])]
    priors = learn_prior_boxes([*once, *often])
    assert priors.by_noun["cat"] == priors.by_noun["dog"] == priors.of_all


def test_candidates_hit_as_boxes_do() -> None:
    rng = np.random.default_rng(0)
    spans = grid_spans()
    examples = []
    for _ in range(12):
        low = rng.random((int(rng.integers(1, 4)), 2)) * 0.6
        edges = np.concatenate([low, low + 0.1 + 0.3 * rng.random(low.shape)], axis=1)
        examples.append([of_shares(WIDE, *row) for row in edges.tolist()])
    hit = hit_by(examples, spans)
    assert hit.shape == (12, (STEPS * (STEPS + 1) // 2) ** 2)
    for row, boxes in zip(hit, examples, strict=True):
        assert row.any() and not row.all()
        for index in [*np.flatnonzero(row)[:5], *rng.integers(hit.shape[1], size=30)]:
            assert row[index] == hits(of_shares(WIDE, *candidate(spans, index)), boxes)


def test_more_examples_than_one_chunk_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    examples = []
    for index in range(40):
        x, y = rng.random(2) * 0.5
        examples.append((f"noun {index % 3}", [of_shares(HIGH, x, y, x + 0.4, y + 0.4)]))
    whole = learn_prior_boxes(examples)
    monkeypatch.setattr("deixis.evaluation.metrics.prior_boxes.CHUNK", 7)
    assert learn_prior_boxes(examples) == whole


def test_there_must_be_something_to_learn_from() -> None:
    with pytest.raises(UsageError, match="right split"):
        learn_prior_boxes([])
