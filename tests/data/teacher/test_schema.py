"""Our check of replies agrees with a full implementation of JSON Schema on whatever a teacher may send."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.data.teacher.dialogue_rules import DIALOGUE_SCHEMA
from deixis.data.teacher.kinds import NAMES, find_kind
from deixis.data.teacher.kinds.negatives import SCHEMA
from deixis.data.teacher.lesson import Rejected
from deixis.data.teacher.schema import check_schema
from tests.data.teacher.school import GOOD

KINDS = {name: find_kind(name) for name in NAMES}
SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-2, 7) | st.floats(allow_nan=False) | st.text(max_size=3)
)
NAMES = st.sampled_from(["human", "gpt", "number", "wrong", "other"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def accepts(value: Any, schema: Any) -> bool:
    try:
        check_schema(value, schema)
    except Rejected as fault:
        assert str(fault).startswith("schema: the reply")
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(VALUES | st.lists(st.dictionaries(NAMES, SCALARS, max_size=2), max_size=4))
def test_as_json_schema(value: Any) -> None:
    for schema in (DIALOGUE_SCHEMA, SCHEMA):
        assert accepts(value, schema) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("kind", KINDS)
def test_good_replies_fit_and_broken_ones_do_not(kind: str) -> None:
    schema, value = KINDS[kind].schema, json.loads(GOOD[kind])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert accepts(value, schema)
    for change in (
        lambda entry: entry.update(other="x"),
        lambda entry: entry.update(dict.fromkeys(entry, 7.5)),
        lambda entry: entry.clear(),
        lambda entry: entry.update(dict.fromkeys(entry, "")),
    ):
        broken = copy.deepcopy(value)
        change(broken[0])
        assert not accepts(broken, schema)
    assert not accepts([], schema) and not accepts({}, schema) and not accepts(value * 30, schema)


def test_a_schema_that_is_not_known_is_a_mistake_of_ours() -> None:
    with pytest.raises(AssertionError, match="pattern"):
        check_schema("a", {"type": "string", "pattern": "b"})
