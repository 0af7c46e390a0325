"""Writes the cases of the family ``deixis``: ``python -m tests.parity.make_cases``.

Nothing here uses our own code: pictures are resized by Pillow, one axis at a time in a stated order, and
masks are encoded by a second, plain implementation of COCO's format.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent / "cases" / "deixis"
EXACT = {"atol": 0, "rtol": 0, "rtol_of_max": 0}

# Name, order of passes, own width x height, new width x height, which axis that order takes first. The last
# column is worked out by hand: pillow13 takes the height first if h - H > 0 and h - H > 2 * (w - W).
RESIZES = [
    ("portrait_shrinks", "width_first", (19, 41), (13, 7), "width"),
    ("portrait_shrinks", "pillow13", (19, 41), (13, 7), "height"),
    ("landscape_shrinks", "width_first", (43, 17), (12, 9), "width"),
    ("landscape_shrinks", "pillow13", (43, 17), (12, 9), "width"),
    ("twice_is_not_enough", "pillow13", (21, 33), (16, 23), "width"),
    ("just_over_twice", "pillow13", (21, 33), (16, 22), "height"),
    ("wider_and_lower", "pillow13", (11, 29), (23, 28), "height"),
    ("wider_and_higher", "pillow13", (9, 11), (20, 25), "width"),
    ("wider_and_higher", "width_first", (9, 11), (20, 25), "width"),
    ("only_lower", "pillow13", (14, 31), (14, 10), "height"),
    ("only_narrower", "pillow13", (31, 14), (10, 14), "width"),
]

MASKS = {
    "empty": ["....", "....", "...."],
    "full": ["###", "###"],
    "first_pixel": ["#..", "...", "..."],
    "last_pixel": ["...", "...", "..#"],
    "rings": [".####.", ".#..#.", ".#..#.", ".####."],
    "stripes": ["#.#.#.#", "#.#.#.#", ".#.#.#."],
    "one_row": ["..##..#####.#"],
    "one_column": [".", "#", "#", ".", "#"],
    # Long and falling runs: several characters a run, negative differences.
    "wide_block": ["." * 60 + "#" * 40 + "." * 20] * 30,
    "steps": ["#" * (3 * row + 1) + "." * (90 - 3 * row) for row in range(25)],
}


def write_resizes() -> None:
    """Write one case for each line of RESIZES."""
    for name, order, (width, height), size, first in RESIZES:
        chance = np.random.default_rng([width, height])
        # Noise, so that every rounding shows; black and white in it, so that overshoots are cut.
        pixels = chance.integers(0, 256, (height, width, 3)).astype(np.uint8)
        pixels[::3, ::4] = 255
        pixels[1::5, 2::3] = 0
        image = Image.fromarray(pixels)
        between = (size[0], height) if first == "width" else (width, size[1])
        resized = image.resize(between, Image.Resampling.BICUBIC).resize(size, Image.Resampling.BICUBIC)
        if order == "pillow13" and int(PIL.__version__.split(".")[0]) == 13:
            assert np.array_equal(
                np.asarray(resized), np.asarray(image.resize(size, Image.Resampling.BICUBIC))
            ), name
        tensors = {"inputs/picture": pixels, "outputs/resized": np.ascontiguousarray(np.asarray(resized))}
        write(
            "resize",
            f"{name}_{order}",
            {
                "source": f"Pillow {PIL.__version__}, bicubic, two single-axis resizes, the {first} first",
                "width": size[0],
                "height": size[1],
                "scale": [size[0] / width, size[1] / height],
            },
            acceptance={"collect": True, "values": EXACT, "resize": order},
            tensors=tensors,
        )


def write_masks() -> None:
    """Write all masks as one case."""
    rows = [{"drawn": drawn, **encoded(drawn)} for drawn in MASKS.values()]
    source = "a plain second implementation of COCO's run lengths, see tests/parity/make_cases.py"
    write("coco_rle", "drawn_masks", {"source": source, "masks": rows}, acceptance={"collect": True})


def encoded(drawn: list[str]) -> dict[str, Any]:
    """Return the runs, the string and the area of a drawn mask, pixel by pixel."""
    columns = "".join("".join(line[x] for line in drawn) for x in range(len(drawn[0])))
    runs, current = [0], "."
    for pixel in columns:
        if pixel != current:
            runs.append(0)
            current = pixel
        runs[-1] += 1
    string = ""
    for index, run in enumerate(runs):
        string += characters(run if index < 3 else run - runs[index - 2])
    return {"runs": runs, "string": string, "area": columns.count("#")}


def characters(number: int) -> str:
    """Return a signed number as base-32 digits, lowest first, each but the last with 32 added, offset by 48.

    >>> characters(3), characters(-1), characters(16), characters(70)
    ('3', 'O', '`0', 'V2')
    """
    count = 1
    while not -(32**count) <= 2 * number < 32**count:
        count += 1
    rest = number % 32**count  # two's complement in 5 * count bits
    digits = [rest // 32**place % 32 for place in range(count)]
    return "".join(chr(48 + digit + 32 * (place < count - 1)) for place, digit in enumerate(digits))


def write(
    kind: str,
    case: str,
    fields: dict[str, Any],
    *,
    acceptance: dict[str, Any],
    tensors: dict[str, NDArray[np.uint8]] | None = None,
) -> None:
    """Write one case."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    head = {"acceptance": acceptance, "family": "deixis", "kind": kind, "case": case}
    path = FOLDER / f"{kind}_{case}.json"
    path.write_text(json.dumps(head | fields, indent=1) + "\n", encoding="utf-8")
    if tensors:
        save_file(tensors, path.with_suffix(".safetensors"))


if __name__ == "__main__":
    write_resizes()
    write_masks()
