"""Scores of captions: recorded values of the published programs, and what they promise for any text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import RecordError, UsageError
from deixis.evaluation.metrics.captions.bleu import bleu
from deixis.evaluation.metrics.captions.caption_scores import score_captions
from deixis.evaluation.metrics.captions.cider import cider
from deixis.evaluation.metrics.captions.meteor import meteor, why_no_meteor
from deixis.evaluation.metrics.captions.rouge import rouge_l

WORDS = st.lists(st.sampled_from(["a", "red", "dog", "on", "the", "bench"]), min_size=1, max_size=9)
CAPTIONS = {"1": "A dog runs on the grass .", "2": "two men; talking", "10": "a red bus"}
REFERENCES = {
    "1": ["a brown dog runs across grass", "the dog is running"],
    "2": ["two men are talking to each other"],
    "10": ["a red bus on a street", "the bus is red", "red bus"],
}
# By pycocoevalcap 1.2, whose METEOR is METEOR 1.5.
RECORDED = {
    "Bleu_1": 0.7139007176964713,
    "Bleu_2": 0.49709665407986425,
    "Bleu_3": 0.3177256447278944,
    "Bleu_4": 5.3717461765744024e-05,
    "CIDEr": 2.299320538057213,
    "ROUGE_L": 0.7420998980632008,
}
RECORDED_METEOR = 0.30534653258698835


def scored(order: list[str]) -> dict[str, float | None]:
    return score_captions({name: CAPTIONS[name] for name in order}, REFERENCES, with_meteor=False).to_dict()


def test_scores_are_those_of_the_published_programs() -> None:
    for name, value in RECORDED.items():
        ours = scored(list(CAPTIONS))[name]
        assert ours is not None and math.isclose(ours, value, rel_tol=1e-9), name


def test_the_order_of_captions_means_nothing() -> None:
    assert scored(["1", "2", "10"]) == scored(["10", "2", "1"])


@settings(deadline=None, max_examples=50)
@given(st.lists(WORDS, min_size=2, max_size=5))
def test_a_caption_that_is_its_reference_earns_most(texts: list[list[str]]) -> None:
    references = [[text] for text in texts]
    assert bleu(texts, references)[0] == pytest.approx(1)
    assert all(rouge_l(text, [text]) == pytest.approx(1) for text in texts)
    own, moved = cider(texts, references), cider(texts[1:] + texts[:1], references)
    assert all(score >= other - 1e-9 for score, other in zip(own, moved, strict=True))


def test_an_empty_caption_earns_nothing() -> None:
    scores = score_captions({"a": "", "b": "a dog"}, {"a": ["a cat"], "b": ["a dog"]}, with_meteor=False)
    assert scores.rouge_each[0] == scores.cider_each[0] == 0 < scores.rouge_each[1]


@pytest.mark.parametrize(
    ("captions", "references"),
    [({}, {}), ({"a": "x"}, {"b": ["x"]}), ({"a": "x"}, {"a": []}), ({"a": "x"}, {"a": ["x"], "b": ["y"]})],
)
def test_ids_have_to_agree(captions: dict[str, str], references: dict[str, list[str]]) -> None:
    with pytest.raises(RecordError, match="by the same ids"):
        score_captions(captions, references)


def test_meteor_is_computed_or_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    scores = score_captions(CAPTIONS, REFERENCES)
    assert scores.meteor is None and scores.no_meteor == why_no_meteor() != ""
    assert scores.to_dict()["METEOR"] is None
    with pytest.raises(UsageError, match="METEOR can't be computed"):
        meteor([["a"]], [[["a"]]])


@pytest.mark.skipif(why_no_meteor() != "", reason=why_no_meteor() or "METEOR can be computed")
def test_meteor_of_the_published_program() -> None:
    scores = score_captions(CAPTIONS, REFERENCES)
    assert scores.meteor is not None and math.isclose(scores.meteor.value, RECORDED_METEOR)
