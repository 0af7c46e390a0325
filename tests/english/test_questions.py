"""Whether a question takes for granted that what it asks for is there."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.data.synthesis.question_templates import COUNT, NAME, PRESENCE, PRESENCE_ANY, WHERE
from deixis.data.synthesis.question_writer import worded
from deixis.english.questions import presumes


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where is the dog?", True),
        ("show me the man who is next to the car", True),
        ("can you point at the dog?", True),
        ("Could you please show me where the dog is?", True),
        ("Is there a dog?", False),
        ("hey, are there dogs?", False),
        ("Does it have any windows", False),
        ("tell me whether there is a dog", False),
        ("how many dogs are there?", False),
        ("what is {it}?", True),
        ("Any idea where the dog is?", True),
        ("any dogs?", False),
        ("there is a dog, where?", True),
        ("They say there are dogs, right?", False),
        ("Just checking: is there a dog?", False),
        ("quick question, where is the dog?", True),
        ("Could you let me know what {it} is?", True),
        ("might there be a dog?", False),
        ("a dog in it, or not?", False),
        ("", True),
    ],
)
def test_presumes(question: str, expected: bool) -> None:
    assert presumes(question) is expected


@pytest.mark.parametrize(
    ("wordings", "expected"),
    [(WHERE, True), (NAME, True), (PRESENCE, False), (PRESENCE_ANY, False), (COUNT, False)],
    ids=["where", "name", "presence", "any", "count"],
)
def test_nearly_all_wordings_of_training_are_told_apart(wordings: tuple[str, ...], expected: bool) -> None:
    rng = np.random.default_rng(0)
    drawn = [
        worded(wording, rng, phrase="a red hat", loosely=False) for wording in wordings for _ in range(20)
    ]
    assert np.mean([presumes(question) is expected for question in drawn]) > 0.9
