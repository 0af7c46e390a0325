"""Scenes while a dataset's files are being read: one way to make them for every reader.

A reader says where pictures lie and what its rows mean; sizes, numbers given twice, categories, boxes that
stick out or have no area and what speaks of them are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from deixis.data.scene import Caption, Expression, PictureFile, Scene, Thing
from deixis.data.sources.boxes import Boxes
from deixis.data.sources.segmentations import read_segmentation
from deixis.errors import RecordError
from deixis.files.json_files import Fields, Numbers, numbered
from deixis.regions.shapes import Box, Mask


@dataclass
class SceneDraft:
    """What is known so far of one picture of `width` x `height` pixels.

    incomplete: names of categories of which something is there that no thing stands for. passed_over: numbers
    of things that were left out for their boxes.
    """

    id: str
    picture: PictureFile
    width: int
    height: int
    things: dict[int, Thing] = field(default_factory=dict)
    captions: list[Caption] = field(default_factory=list)
    expressions: list[Expression] = field(default_factory=list)
    exchanges: list[tuple[str, str]] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    passed_over: set[int] = field(default_factory=set)

    @classmethod
    def of_row(cls, row: Fields, picture: PictureFile, *, number: int) -> Self:
        """The draft of an entry that states `width` and `height`."""
        return cls(str(number), picture, row.whole("width", least=1), row.whole("height", least=1))

    def scene(self, source: str, *, exhaustive: Iterable[str] = ()) -> Scene:
        """The scene; exhaustive: the categories that are so where nothing is incomplete."""
        return Scene(
            id=self.id,
            picture=self.picture,
            width=self.width,
            height=self.height,
            things=tuple(self.things.values()),
            captions=tuple(self.captions),
            expressions=tuple(self.expressions),
            exhaustive=frozenset(exhaustive) - self.incomplete,
            source=source,
            exchanges=tuple(self.exchanges),
        )


@dataclass(frozen=True)
class Annotation:
    """A row of `annotations`: its number, its category, and its box; None where nothing of it is left."""

    row: Fields
    draft: SceneDraft
    number: int
    category: Fields
    box: Box | None

    @property
    def crowd(self) -> bool:
        """Whether the box is drawn round several things."""
        return self.row.flag("iscrowd")

    def mask(self) -> Mask | None:
        """The pixels of the field `segmentation`, in the picture's size."""
        return read_segmentation(self.row, width=self.draft.width, height=self.draft.height)


class Instances:
    """The lists `images`, `categories` and `annotations` of COCO's detection format and its kin.

    locate: the picture of an entry of `images`, None where there is none; then `missing` says what is wrong,
    unless skip_missing. only: the numbers of the pictures that are wanted, None for all.
    """

    def __init__(
        self,
        content: Fields,
        *,
        boxes: Boxes,
        locate: Callable[[Fields], PictureFile | None],
        missing: Callable[[Fields], str],
        skip_missing: bool = False,
        only: Collection[int] | None = None,
    ) -> None:
        self.content, self.boxes = content, boxes
        self.categories = numbered(content.rows("categories"), "category id")
        self.images = numbered(content.rows("images"), "image id")
        self.drafts: dict[int, SceneDraft] = {}
        for number, row in self.images.items():
            if only is not None and number not in only:
                continue
            picture = locate(row)
            if picture is not None:
                self.drafts[number] = SceneDraft.of_row(row, picture, number=number)
            elif not skip_missing:
                raise RecordError(f"{row.where}: {missing(row)}")

    def draft(self, row: Fields) -> SceneDraft | None:
        """The draft that a row speaks of; None where its picture was passed over."""
        number = row.whole("image_id")
        if number not in self.images:
            raise RecordError(f"{row.where}: image_id {number} is not in 'images' of the instances file")
        return self.drafts.get(number)

    def annotations(self) -> Iterator[Annotation]:
        """The rows of `annotations` about pictures that are there, checked."""
        numbers = Numbers("annotation id")
        for row in self.content.rows("annotations"):
            number, draft = numbers.add(row.whole("id"), row.where), self.draft(row)
            if draft is None:
                continue
            category = self.categories.get(row.whole("category_id"))
            if category is None:
                raise RecordError(
                    f"{row.where}: category_id {row.whole('category_id')} is not in 'categories'"
                )
            x, y, wide, high = row.numbers("bbox", count=4)
            edges, size = (x, y, x + wide, y + high), {"width": draft.width, "height": draft.height}
            box = self.boxes.inside(edges, **size, where=f"{row.where}: field 'bbox'")
            if box is None and self.boxes.tolerates(edges, **size):
                draft.passed_over.add(number)
            yield Annotation(row, draft, number, category, box)
