"""Training examples of records, and of scenes that records are drawn from each time they come up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deixis.data.grit.conversion import record_dialogue
from deixis.data.grit.dense import scene_records
from deixis.data.grit.draws import Format, LocationDraws, NumpyDraws, StatedFormats
from deixis.data.grit.locations import PointRule, choose_locations
from deixis.data.grit.pictures import find_picture as find_picture
from deixis.data.grit.pictures import open_record
from deixis.data.grit.records import GritRecord
from deixis.data.grit.tasks import TASKS, make_record
from deixis.data.opening import open_scene
from deixis.data.scene import Scene
from deixis.errors import RecordError, UsageError
from deixis.pictures.broken import REFUSE, BrokenPictures
from deixis.pictures.opening import LARGEST_PIXELS, Picture
from deixis.pictures.padding import letterbox
from deixis.records.dialogue import Dialogue, Example
from deixis.records.lengths import words_in


class GritSource:
    """Training examples of records: whether a question's regions are points or boxes is drawn each time.

    images: the folder that the records' pictures are named from. side: letterbox pictures to it; None leaves
    them as they are. request: added to the first question of grounded kinds
    (`rendering.INCLUDE_COORDINATES`). max_pixels: how large pictures may be that are opened.
    """

    def __init__(
        self,
        records: Sequence[GritRecord],
        *,
        images: Path,
        side: int | None = None,
        rule: PointRule | None = None,
        request: str = "",
        max_pixels: int = LARGEST_PIXELS,
    ) -> None:
        if not records:
            raise RecordError("there are no records to train from; expected at least one")
        self.records, self.images, self.side = tuple(records), Path(images), side
        self.rule, self.request, self.max_pixels = rule or PointRule(), request, max_pixels

    def __len__(self) -> int:
        return len(self.records)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return record `index` with its locations drawn from `rng`."""
        opened, record = open_record(self.records[index], self.images, max_pixels=self.max_pixels)
        picture = self.fitted(opened)
        draws = NumpyDraws(rng)
        dialogue = drawn_dialogue(record, picture, draws=draws, rule=self.rule, request=self.request)
        return Example(f"{record.dataset or 'grit'} {record.id}", (picture,), (dialogue,))

    def lengths(self) -> list[int]:
        """Return how many words each record has, negative where it has no picture."""
        words = [words_in(turn.text for turn in record.turns) for record in self.records]
        return [
            -count if record.picture is None else count
            for record, count in zip(self.records, words, strict=True)
        ]

    def fitted(self, picture: Picture) -> Picture:
        """Return the picture at the size that is asked for."""
        return picture if self.side is None else letterbox(picture, self.side)


class TaskSource:
    """Training examples of scenes: `dialogues` tasks are drawn for a picture each time it comes up.

    tasks: name of a task -> how often it is drawn, in proportion; those that a scene has nothing for count
    nothing there. Scenes that no task fits are left out.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        tasks: Mapping[str, float] | None = None,
        dialogues: int = 1,
        side: int | None = None,
        rule: PointRule | None = None,
        request: str = "",
    ) -> None:
        self.tasks = dict.fromkeys(TASKS, 1.0) if tasks is None else dict(tasks)
        for name, share in self.tasks.items():
            if name not in TASKS or not share > 0:
                raise UsageError(
                    f"task {name!r} has the share {share}; expected a number above 0 for any of "
                    f"{', '.join(TASKS)}"
                )
        self.scenes = [scene for scene in scenes if drawn_record(scene, self.tasks, np.random.default_rng(0))]
        if not self.scenes:
            raise RecordError(f"no scene has anything for the tasks {', '.join(self.tasks)}")
        self.dialogues, self.side = dialogues, side
        self.rule, self.request = rule or PointRule(), request

    def __len__(self) -> int:
        return len(self.scenes)

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return scene `index` with dialogues drawn from `rng`."""
        picture, scene = open_scene_picture(self.scenes[index], self.side)
        records = [drawn_record(scene, self.tasks, rng) for _ in range(self.dialogues)]
        dialogues = tuple(
            drawn_dialogue(record, picture, draws=NumpyDraws(rng), rule=self.rule, request=self.request)
            for record in records
            if record is not None
        )
        return Example(scene.id, (picture,), dialogues)


class DenseSource:
    """Training examples of scenes: dense referring and dense detection about the same objects of a picture.

    tasks: which of "referring" and "detection" a picture is asked. Scenes without an object are left out.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        tasks: Sequence[str] = ("referring", "detection"),
        side: int | None = None,
    ) -> None:
        if not tasks or not set(tasks) <= {"referring", "detection"}:
            raise UsageError(f"dense tasks are {list(tasks)}; expected referring, detection or both")
        self.scenes = [
            scene for scene in scenes if scene_records(scene, NumpyDraws(np.random.default_rng(0)))
        ]
        if not self.scenes:
            raise RecordError("no scene has a named object of 16 squared pixels; expected at least one")
        self.tasks, self.side = tuple(tasks), side

    def __len__(self) -> int:
        return len(self.scenes)

    def lengths(self) -> list[int]:
        """Return how many words each scene has, as spoken of once."""
        return [
            words_in(turn.text for task in self.tasks for turn in record_of[task].turns)
            for record_of in (
                chosen_records(scene, NumpyDraws(np.random.default_rng(0))) for scene in self.scenes
            )
        ]

    def example(self, index: int, rng: np.random.Generator) -> Example:
        """Return scene `index`; of many objects, those that are spoken of are drawn from `rng`."""
        draws = NumpyDraws(rng)
        picture, scene = open_scene_picture(self.scenes[index], self.side)
        chosen = chosen_records(scene, draws)
        return Example(
            scene.id,
            (picture,),
            tuple(drawn_dialogue(chosen[task], picture, draws=draws, formats="box") for task in self.tasks),
        )


def chosen_records(scene: Scene, draws: LocationDraws) -> dict[str, GritRecord]:
    """The records of a scene with objects, by task."""
    records = scene_records(scene, draws)
    assert records is not None
    return {"referring": records.referring, "detection": records.detection}


def drawn_dialogue(
    record: GritRecord,
    picture: Picture,
    *,
    draws: LocationDraws,
    rule: PointRule | None = None,
    formats: Format | None = None,
    request: str = "",
) -> Dialogue:
    """The dialogue of a record about its opened picture; formats: locations are all points or all boxes."""
    chance = draws if formats is None else StatedFormats(draws, formats)
    locations = choose_locations(record, rule or PointRule(), chance)
    return record_dialogue(record, locations, picture.frame, request=request)


def drawn_record(scene: Scene, tasks: Mapping[str, float], rng: np.random.Generator) -> GritRecord | None:
    """A record of one of the tasks that fit a scene, drawn by their shares; None if none fits."""
    left = dict(tasks)
    while left:
        shares = np.array(list(left.values()))
        name = list(left)[int(rng.choice(len(left), p=shares / shares.sum()))]
        if (record := make_record(scene, rng, name)) is not None:
            return record
        del left[name]
    return None


def sound_records(
    records: Sequence[GritRecord],
    *,
    images: Path,
    broken: str = REFUSE,
    max_pixels: int = LARGEST_PIXELS,
) -> list[GritRecord]:
    """The records that are kept by the rule `broken` (`BrokenPictures`); pictures lie in `images`.

    max_pixels: how large pictures may be that are opened; larger ones are broken.
    """
    pictures = BrokenPictures(broken)

    def name(record: GritRecord) -> str:  # a picture that isn't there is a mistake, not a damage
        named = record.picture
        return "" if named is None else str(find_picture(named, images, where=record.where))

    def opened(record: GritRecord) -> Picture:
        return open_record(record, images, max_pixels=max_pixels)[0]

    found = list(pictures.sound(records, opened=opened, name=name))
    pictures.report(images)
    return found


def open_scene_picture(scene: Scene, side: int | None) -> tuple[Picture, Scene]:
    """The picture of a scene, letterboxed if a side is given, and the scene in its pixels."""
    picture, scene = open_scene(scene)
    return (picture if side is None else letterbox(picture, side)), scene
