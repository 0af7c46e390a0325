import pytest

from deixis.evaluation.metrics.answered_noun import answered_noun


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("A dog.", "dog"),
        ("It is a dog.", "dog"),
        ("it's a brown dog in the grass", "dog"),
        ("This is the red car, parked.", "car"),
        ("They are two men.", "men"),
        ("a man who is running", "man"),
        ("It is.", "is"),
        ("This dog", "dog"),
        ("Italian food", "food"),
        ("", ""),
        (" .", ""),
    ],
)
def test_answered_noun(text: str, noun: str) -> None:
    assert answered_noun(text) == noun
