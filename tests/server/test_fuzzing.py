"""A short run of what `make fuzz` does at length."""

from __future__ import annotations

import pytest

from tests.server.asking import CHAT
from tests.server.fuzzing import application, fuzz


@pytest.mark.filterwarnings("ignore")
def test_requests_made_up_from_the_schema_find_no_fault() -> None:
    with application() as app:
        seen = fuzz(app, cases=40, seed=1)
    assert seen.total() >= 40
    assert seen[CHAT, 200] and seen[CHAT, 400] and seen["/v1/pictures", 400]
    assert not [status for _, status in seen if status >= 500]
