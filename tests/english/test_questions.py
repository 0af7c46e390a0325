"""Whether a question takes for granted that what it asks for is there."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.data.synthesis.question_writer import question_from
from deixis.data.synthesis.templates.questions import COUNT, NAME, PRESENCE, PRESENCE_ANY, WHERE
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
        ("where is the number plate?", True),
        ("Where is the house number?", True),
        ("point to the number 7", True),
        ("what is the number of the bus?", True),
        ("where are the many dogs?", True),
        ("show me the total station", True),
        ("find the yes sign", True),
        ("where is the true north arrow?", True),
        ("where is the man without any hat?", True),
        ("where is the tally counter", True),
        ("find the absent-minded man", True),
        ("how many number plates are there?", False),
        ("what is the number of dogs?", False),
        ("give me the number of the dogs", False),
        ("Count the dogs.", False),
        ("please count them", False),
        ("can you count the dogs?", False),
        ("what is the total number?", False),
        ("a total of all the dogs", False),
        ("a dog, yes or no?", False),
        ("true or false: a dog is here", False),
        ("a dog: present or absent?", False),
        ("is there a number plate?", False),
        ("let me know if you see a number plate", False),
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
        question_from(wording, rng, phrase="a red hat", loosely=False)
        for wording in wordings
        for _ in range(20)
    ]
    assert np.mean([presumes(question) is expected for question in drawn]) > 0.9
