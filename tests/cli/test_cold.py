"""What a first answer from the shell does without."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
import deixis
picture = np.zeros((40, 60, 3), np.uint8)
answer = deixis.load(device="cpu").ask(picture, "What is {it}?", it=deixis.Point(5, 5))
assert answer.text
print([name for name in ("transformers", "torchvision", "torch._dynamo", "scipy") if name in sys.modules])
"""


def test_the_embedded_system_answers_without_what_takes_seconds_to_import() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
