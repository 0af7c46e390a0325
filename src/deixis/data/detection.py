"""Scenes as labelled boxes, without a word said about them: what a system learns to find things from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.augment import Augmentation, draw_view
from deixis.data.opening import open_scene
from deixis.data.scene import Scene, Thing
from deixis.errors import RecordError
from deixis.pictures.opening import Picture
from deixis.regions.shapes import Box


@dataclass(frozen=True)
class DetectionExample:
    """A picture and what is in it.

    boxes: in the picture's frame; none where a view shows nothing. labels: the category of each.
    """

    name: str
    picture: Picture
    boxes: tuple[Box, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.boxes) != len(self.labels):
            raise RecordError(
                f"{self.name} has {len(self.boxes)} boxes and {len(self.labels)} labels; expected one each"
            )
        for box in self.boxes:
            if box.frame != self.picture.frame:
                raise RecordError(f"{self.name}: {box} is in another frame than the picture")


class DetectionSource:
    """Examples of scenes: a random view of a picture, and the boxes of which enough is left in it.

    Boxes drawn round several things at once are left out. side: pixels of the longer side of a view.
    """

    def __init__(self, scenes: Sequence[Scene], *, augmentation: Augmentation, side: int) -> None:
        if not scenes:
            raise RecordError("there are no scenes to find things in; expected at least one")
        self.scenes, self.augmentation, self.side = tuple(scenes), augmentation, side

    def __len__(self) -> int:
        return len(self.scenes)

    def lengths(self) -> list[int]:
        """Return how many boxes each scene has, plus one."""
        return [1 + len(single_things(scene)) for scene in self.scenes]

    def example(self, index: int, rng: np.random.Generator) -> DetectionExample:
        """Return a view of scene ``index``; the same for the same state of ``rng``."""
        picture, scene = open_scene(self.scenes[index])
        things = single_things(scene)
        boxes = np.array([thing.box.as_tuple() for thing in things], dtype=np.float64).reshape(-1, 4)
        view = draw_view(picture.pixels, boxes, side=self.side, how=self.augmentation, rng=rng)
        frame = view.picture.frame
        return DetectionExample(
            name=scene.id,
            picture=view.picture,
            boxes=tuple(Box(*map(float, box), frame=frame) for box in view.boxes[view.kept]),
            labels=tuple(thing.category for thing, kept in zip(things, view.kept, strict=True) if kept),
        )


def single_things(scene: Scene) -> tuple[Thing, ...]:
    """Return the things of a scene whose box holds nothing but the one."""
    return tuple(thing for thing in scene.things if not thing.group)


def labelled(scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """Return the scenes that have the box of a single thing."""
    return tuple(scene for scene in scenes if single_things(scene))
