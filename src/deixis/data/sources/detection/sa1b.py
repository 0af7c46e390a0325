"""Reader of SA-1B (Kirillov et al., 2023): masks of whatever there is, without names, a JSON file a picture.

`<name>.json` beside `<name>.jpg`: an object `image` (image_id, width, height, file_name) and a list
`annotations` (id, segmentation as COCO's run lengths, predicted_iou, stability_score, …). A split is a folder
of such files, as the published archives unpack to (`sa_000020/`); "train" is also all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.data.groma.boxes import SIDE, SizeFilter, on_square
from deixis.data.scene import PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes
from deixis.data.sources.detection.dropped import DroppedBoxes
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import BadRegion, RecordError
from deixis.files.json_files import Fields, Numbers, below, read_json
from deixis.regions.outside import REFUSE
from deixis.regions.rle import decompress
from deixis.regions.shapes import Mask

LARGEST = 64 << 20  # bytes, of one picture's file
PATTERN = "sa_*.json"
EVERYTHING = "train"
OBJECT = "object"


def read_sa1b(
    folder: Path,
    split: str,
    *,
    masks: bool = False,
    skip_missing: bool = False,
    outside: str | Boxes = REFUSE,
    sizes: SizeFilter | None = None,
) -> list[Scene]:
    """The scenes of one split, by the names of their files; see ``sa1b_scenes``.

    outside: taken because all readers take it; boxes around masks never stick out.
    """
    return list(sa1b_scenes(folder, split, masks=masks, skip_missing=skip_missing, sizes=sizes))


def sa1b_scenes(
    folder: Path,
    split: str,
    *,
    masks: bool = False,
    skip_missing: bool = False,
    sizes: SizeFilter | None = None,
) -> Iterator[Scene]:
    """Yield the scenes of one split, a file at a time; pictures are located, not read.

    Every thing is an "object", boxed tightly around its mask; nothing is exhaustive. With `masks`, things get
    theirs. sizes: which boxes are kept, as they are on a square of 448 pixels that the whole picture is
    squashed to, such as ``SA1B_AREAS``; None keeps all (training filters again, after it has cut a view).
    Masks without a pixel are left out, counted and logged. RecordError names file, entry and field.
    """
    dropped = DroppedBoxes()
    for file in files_of(Path(folder), split):
        content = read_json(file, largest=LARGEST)
        scene = scene_of(file, content, masks=masks, sizes=sizes, dropped=dropped)
        if scene is not None:
            yield scene
        elif not skip_missing:
            raise RecordError(f"{file} image: its picture is not beside it")
    dropped.report(Path(folder))


def files_of(folder: Path, split: str) -> list[Path]:
    """The files of a split, sorted; RecordError lists the splits that are there."""
    own = folder / split
    if own.is_dir() and own.resolve().is_relative_to(folder.resolve()):
        found = sorted(own.glob(PATTERN))
    elif split == EVERYTHING:
        found = sorted([*folder.glob(PATTERN), *folder.glob(f"*/{PATTERN}")])
    else:
        found = []
    if not found:
        splits = sorted({path.parent.name for path in folder.glob(f"*/{PATTERN}")})
        raise RecordError(
            f"{folder} has no files {PATTERN} for split {split!r}; it has folders of them: "
            f"{', '.join(splits) or 'none'} ({EVERYTHING!r} is all of them together)"
        )
    return found


def scene_of(
    file: Path,
    content: Fields,
    *,
    masks: bool,
    sizes: SizeFilter | None,
    dropped: DroppedBoxes,
) -> Scene | None:
    """The scene of one file; None if its picture isn't there."""
    image = content.inside("image")
    width, height = (image.whole(side, least=1) for side in ("width", "height"))
    path = below(file.parent, image.text("file_name"), where=image.where)
    if not path.is_file():
        return None
    numbers, things = Numbers("annotation id"), list[Thing]()
    for row in content.rows("annotations"):
        number = numbers.add(row.whole("id"), row.where)
        mask = mask_of(row, width=width, height=height)
        if mask is None:
            dropped.add(row.where)
            continue
        box = mask.bounds()
        if keeps(sizes, box.as_tuple(), width=width, height=height):
            things.append(Thing(number, box, OBJECT, mask=mask if masks else None))
    return Scene(
        id=file.stem,
        picture=PictureFile(path),
        width=width,
        height=height,
        things=tuple(things),
        captions=(),
        expressions=(),
        source="sa1b",
    )


def mask_of(row: Fields, *, width: int, height: int) -> Mask | None:
    """The mask of an entry; None where it has no pixel, RecordError where there is none."""
    value = row.values.get("segmentation")
    if not isinstance(value, dict):
        raise RecordError(f"{row.where}: field 'segmentation' is {value!r:.80}; expected COCO's run lengths")
    if is_empty(value):
        return None
    return read_segmentation(row, width=width, height=height)


def is_empty(encoded: dict[str, object]) -> bool:
    """Tell whether run lengths cover no pixel; what is no run lengths at all is not for here to say.

    >>> is_empty({"size": [2, 2], "counts": [4]}), is_empty({"size": [2, 2], "counts": [3, 1]})
    (True, False)
    """
    counts = encoded.get("counts")
    try:
        runs = decompress(counts) if isinstance(counts, str) else counts
    except BadRegion:
        return False
    return isinstance(runs, list) and not any(runs[1::2])


def keeps(
    sizes: SizeFilter | None, edges: tuple[float, float, float, float], *, width: int, height: int
) -> bool:
    """Tell whether a box is kept by its size on the square."""
    return sizes is None or bool(sizes.kept(on_square([edges], width=width, height=height, side=SIDE))[0])
