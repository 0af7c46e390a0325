"""What the documentation shows as output is what comes out today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.blocks import Block, parts_of
from tests.documentation.pages import pages, renewed


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_output_is_up_to_date(page: Path) -> None:
    pytest.importorskip("skimage")
    assert renewed(page, write=False) == []


PAGE = """\
<!-- output: echo hidden > there.txt -->
```
$ cat there.txt
stale
$ echo one \\
    two
one two
```
Words.

<!-- output -->
```python
>>> import pathlib
>>> pathlib.Path("there.txt").read_text()
'stale'
```

<!-- picture small.png: cp photos/cat.jpg small.png -->
![small](small.png)
"""


def test_a_page_is_checked_and_written(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    stale = renewed(page, write=False)
    assert [line.splitlines()[0] for line in stale] == [
        "page.md:3: today it reads",
        "page.md:13: today it reads",
        "page.md:18: small.png shows something else",
    ]
    assert page.read_text() == PAGE and not (tmp_path / "small.png").exists()

    renewed(page, write=True)
    written = page.read_text()
    assert "$ cat there.txt\nhidden\n$ echo one \\\n    two\none two\n```" in written
    assert ">>> pathlib.Path(\"there.txt\").read_text()\n'hidden\\n'\n" in written
    assert renewed(page, write=False) == [] and page.read_text() == written


def test_a_picture_that_nobody_writes_is_told(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    page = tmp_path / "page.md"
    page.write_text("<!-- picture small.png: echo no -->\n")
    with pytest.raises(AssertionError, match=r"page\.md:1: echo no wrote no small\.png: no"):
        renewed(page, write=True)


def test_a_block_without_a_comment_is_no_output() -> None:
    assert parts_of("```\n$ echo a\nb\n```\n") == []
    assert isinstance(parts_of(PAGE)[0], Block)
