"""What a recipe's sources hold: scenes, records, texts for a vocabulary, and training examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.data.detection import DetectionSource
from deixis.data.example_source import ExampleSource
from deixis.data.grit.mixing import MultipliedSource
from deixis.data.grit.records import PLACEHOLDER
from deixis.data.grit.source import DenseSource, GritSource
from deixis.data.mixture import JoinedSource
from deixis.data.scene import Scene
from deixis.data.synthesis.phrasebook import Phrasebook, phrases_of
from deixis.data.synthesis.views import DialogueSource, skill_texts, template_texts
from deixis.errors import RecipeError
from deixis.progress import SILENT, Progress
from deixis.records.record import Record, RecordSource
from deixis.systems.read_source import ReadSource, largest_of
from deixis.training.recipes.recipe import Recipe


@dataclass(frozen=True)
class Sources:
    """All sources of a recipe, in its order."""

    recipe: Recipe
    read: tuple[ReadSource, ...]

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        data: Path,
        *,
        detection: bool = False,
        marked: bool = False,
        progress: Progress = SILENT,
    ) -> Sources:
        """Return the sources of a recipe; RecipeError where there is nothing to learn from.

        detection, marked: whether the system learns from boxes without dialogues, and from dialogues with
        Groma's marks; one that doesn't refuses them.
        """
        for choice in recipe.sources:
            if choice.groma and not marked:
                raise RecipeError(
                    f"recipe {recipe.name!r}: {recipe.system} can't read Groma's training data, which source "
                    f"{choice.what!r} is; give datasets or samples"
                )
            if choice.detection and not detection:
                raise RecipeError(
                    f"recipe {recipe.name!r}: {recipe.system} learns from dialogues; source "
                    f"{choice.folder!r} is for detection and has none. Leave detection out"
                )
        choices = progress.track(recipe.sources, f"{recipe.name}: reading", unit="source")
        read = tuple(ReadSource.read(choice, data) for choice in choices)
        if not any(source.has_any for source in read):
            said = ", ".join(choice.what for choice in recipe.sources)
            raise RecipeError(
                f"recipe {recipe.name!r}: nothing to learn from in {said} below {data}; "
                "expected samples, or pictures with a phrase that has a box"
            )
        return cls(recipe, read)

    def identity(self) -> dict[str, str]:
        """Return by source which data these are; a resumed run knows them again by it."""
        return {
            f"{kind} of source {number} ({source.choice.what})": value
            for number, source in enumerate(self.read, start=1)
            for kind, value in source.identity().items()
        }

    @property
    def scenes(self) -> list[Scene]:
        """The scenes that are trained on."""
        return [scene for source in self.read for scene in source.scenes]

    @property
    def held_out(self) -> list[Scene]:
        """The scenes that are kept out of training."""
        return [scene for source in self.read for scene in source.held_out]

    @property
    def records(self) -> list[Record]:
        """The records of all record files."""
        return [record for source in self.read for record in source.records]

    def only_dialogues(self) -> None:
        """Raise RecipeError where a source is of a kind for systems that spell boxes as text."""
        for choice in self.recipe.sources:
            if choice.grit is not None or choice.dense or choice.multiplier != 1:
                raise RecipeError(
                    f"recipe {self.recipe.name!r}: {self.recipe.system} learns from datasets and samples; "
                    f"source {choice.folder!r} has grit, dense or a multiplier, which are for systems that "
                    "spell boxes as text"
                )

        for source in self.read:
            bare = sum(not record.image for record in source.painted)
            bare += 0 if source.rows is None else source.rows.counts.without_picture
            if bare or source.choice.published_quirks:
                raise RecipeError(
                    f"recipe {self.recipe.name!r}: {self.recipe.system} needs a picture for every sample; "
                    f"source {source.choice.what!r} has {bare} without one"
                    + (", and published_quirks leave out more" * source.choice.published_quirks)
                )

    def texts(self) -> Iterator[str]:
        """Yield every text that a vocabulary made of the data should cover."""
        yield from texts_of(self.scenes, self.records)
        if self.recipe.dialogues.skills:
            yield from skill_texts() * 2
        for source in self.read:
            for record in source.grit:
                for turn in record.turns:
                    yield from (PLACEHOLDER.sub(" ", turn.text),) * 2
            if source.painted:
                for text in source.painted_source(side=None).texts():
                    yield from (text,) * 2
            if source.rows is not None:
                for text in source.instruction_source(source.rows, side=None).texts():
                    yield from (text,) * 2
            if source.groma is not None:
                for text in source.groma.texts():
                    yield from (text,) * 2

    def examples(self, *, phrasebook: Phrasebook, side: int, request: str = "") -> ExampleSource:
        """Return the training examples of all sources, one behind the other.

        side: pixels of the longer side of drawn views; records and grit keep their own size unless views are
        square. request: what is added to questions that ask for boxes.
        """
        sources = []
        for read in self.read:
            source = examples_of(read, self.recipe, phrasebook=phrasebook, side=side, request=request)
            if source is not None:
                factor = read.choice.multiplier
                sources.append(
                    source if factor == 1 else MultipliedSource(source, factor, seed=self.recipe.seed)
                )
        return sources[0] if len(sources) == 1 else JoinedSource(sources)


def examples_of(
    read: ReadSource, recipe: Recipe, *, phrasebook: Phrasebook, side: int, request: str
) -> ExampleSource | None:
    """Return the examples of one source; None where it is empty."""
    fixed = side if recipe.augmentation.square else None
    if read.records:
        return RecordSource(read.records, side=fixed)
    if read.grit:
        return GritSource(
            read.grit,
            images=read.folder / read.choice.images,
            side=fixed,
            request=request,
            max_pixels=largest_of(read.choice),
        )
    if read.painted:
        return read.painted_source(side=fixed)
    if read.rows is not None:
        return read.instruction_source(read.rows, side=fixed)
    if read.groma is not None:
        return read.groma
    if not read.scenes:
        return None
    if read.choice.dense:
        return DenseSource(read.scenes, side=fixed)
    views = recipe.augmentation
    if read.choice.detection:
        return DetectionSource(read.scenes, augmentation=views, side=side)
    return DialogueSource(
        read.scenes, phrasebook=phrasebook, mix=recipe.dialogues, augmentation=views, side=side
    )


def phrases_in(record: Record) -> list[str]:
    """Return the lower-cased phrases that a record gives places."""
    return [turn.answer[p.start : p.end].lower() for turn in record.turns for p in turn.phrases]


def texts_of(scenes: Sequence[Scene], records: Sequence[Record] = ()) -> Iterator[str]:
    """Yield every text that the vocabulary should cover; some twice, so that all their words count."""
    for record in records:
        for turn in record.turns:
            yield from (turn.question, turn.answer) * 2
    for scene in scenes:
        yield from (caption.text for caption in scene.captions)
        yield from phrases_of(scene)
    yield from template_texts() * 2


def own_pieces(texts: Sequence[str]) -> dict[str, int]:
    """Return whole words and single characters as pieces, where no pretrained pieces are used."""
    words = {word for text in texts for word in text.lower().replace("{", " ").replace("}", " ").split()}
    stripped = {word.strip(".,?!'\"") for word in words}
    characters = {chr(code) for code in range(33, 127)} | {f"##{chr(code)}" for code in range(33, 127)}
    return {piece: number for number, piece in enumerate(["[UNK]", *sorted(characters | stripped - {""})])}
