from __future__ import annotations

import pytest

from deixis.errors import RecordError
from deixis.evaluation.metrics.referring_classification import (
    NamedObject,
    score_classification,
    spoken_names,
    without_denials,
)

DOG = NamedObject("dog", ("dog",), "cat_(animal)")
CUP = NamedObject("cup", ("cup", "mug"), "measuring_cup")


@pytest.mark.parametrize(
    ("known", "text", "published", "corrected"),
    [
        (DOG, "The object is a dog.", True, True),
        (DOG, "It is a Dog.", False, True),
        (DOG, "two dogs", True, True),
        (DOG, "hotdog stand", True, False),
        (DOG, "It is a cat, not a dog.", False, False),
        (DOG, "a cat not a dog", True, False),
        (DOG, "It isn't a cat, it is a dog", True, True),
        (DOG, "It is a dog or a cat.", True, False),
        (DOG, "No, it is a dog.", True, True),
        (CUP, "A Mug.", False, True),
        (CUP, "a measuring cup", True, False),
        (NamedObject("notebook", ("notebook",)), "It is a notebook, a thin one.", False, True),
        (NamedObject("cat", ("cat_(animal)",)), "an animal", True, True),
        (NamedObject("tv_(set)", ("telly",)), "a tv", False, True),
        (NamedObject("measuring_cup", (), "cup"), "A measuring cup", True, True),
        (DOG, "", False, False),
    ],
)
def test_is_the_object_named(known: NamedObject, text: str, published: bool, corrected: bool) -> None:
    for protocol, expected in (("published", published), ("corrected", corrected)):
        scores = score_classification({1: known}, {1: text}, protocol=protocol)  # type: ignore[arg-type]
        assert scores.right == (expected,), protocol


def test_whole_words_can_be_had_in_either_protocol() -> None:
    cat, said = {0: NamedObject("cat")}, {0: "a caterpillar"}
    assert score_classification(cat, said, protocol="published", whole_words=True).value == 0
    assert score_classification(cat, said, whole_words=False).value == 1


def test_failures_are_answers_that_choose_nothing() -> None:
    objects = dict(enumerate([DOG, DOG, DOG, NamedObject("dog"), NamedObject("dog")]))
    texts = dict(enumerate(["a cat", "something brown", "", "a cat", " "]))
    scores = score_classification(objects, texts)
    assert (scores.n, scores.value, scores.parse_failures) == (5, 0.0, 3)


def test_none_at_all_is_no_zero() -> None:
    scores = score_classification({}, {})
    assert scores.value is None and scores.printed == "Acc: no objects"


def test_ids_pair_not_places() -> None:
    objects = {"a": DOG, "b": CUP}
    assert score_classification(objects, {"b": "a mug", "a": "a dog"}).right == (True, True)
    with pytest.raises(RecordError, match="were never asked about: c"):
        score_classification(objects, {"b": "", "a": "", "c": ""})


@pytest.mark.parametrize(
    ("text", "published", "corrected"),
    [
        ("It is a dog, not a cat.", "It is a dog,", "It is a dog, "),
        ("there is no dog. a cat", "there is a cat", "there is  a cat"),
        ("a dog not a cat", "a dog not a cat", "a dog "),
        ("It is a knot, I think.", "It is a knot, I think.", "It is a knot, I think."),
        ("It is a nose, I think.", "It is a I think.", "It is a nose, I think."),
    ],
)
def test_denials(text: str, published: str, corrected: str) -> None:
    assert without_denials(text, protocol="published") == published
    assert without_denials(text) == corrected


def test_names_are_said_without_underscores() -> None:
    known = NamedObject("bow_(decorative_ribbons)", ("bow_(decorative_ribbons)", "hair_bow"))
    assert spoken_names(known) == ["bow", "decorative ribbons", "hair bow"]
    assert spoken_names(known, protocol="published")[1:] == ["bow", "decorative ribbons", "hair bow"]
