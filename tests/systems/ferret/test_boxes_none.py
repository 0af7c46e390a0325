"""Ferret without boxes in its answers: for comparing ways of pointing with nothing else different."""

from __future__ import annotations

import pytest

from deixis.errors import DeixisError
from deixis.regions import Frame
from deixis.regions.shapes import Box
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.dialect import FerretDialect

FRAME = Frame.original(640, 480)
BOX = Box(10, 20, 300, 400, frame=FRAME)


def test_answers_have_no_boxes_but_questions_still_point() -> None:
    silent = FerretDialect(spells_boxes=False)
    assert silent.write_box(BOX) == ""
    assert silent.write_region(BOX).text == FerretDialect().write_region(BOX).text
    reader = silent.reader()
    read = reader.add("a dog [1, 2, 3, 4]"), reader.close()
    assert "".join(one.text for one in read) == "a dog [1, 2, 3, 4]"
    assert not any(one.phrases for one in read)


def test_the_config_keeps_it() -> None:
    assert FerretConfig().boxes == "thousandths"
    config = FerretConfig(boxes="none")
    assert FerretConfig(**config.to_diff_dict()).boxes == "none"
    with pytest.raises(DeixisError, match="thousandths"):
        FerretConfig.fields()["boxes"].check("pixels", name="boxes", where="config.json")
