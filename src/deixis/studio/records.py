"""Dialogues of the studio as training samples: a zip of ``samples.jsonl`` and the pictures it speaks of."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from deixis.answers.content import AnswerContent
from deixis.errors import UsageError
from deixis.pictures.opening import Picture
from deixis.records.markup import PlacedPhrase
from deixis.records.record_line import strictly
from deixis.records.sample import Record, RecordTurn
from deixis.regions.as_objects import region_object
from deixis.regions.names import REGION_NAME, escaped, split_names
from deixis.regions.shapes import Region

SAMPLES = "samples.jsonl"


@dataclass
class NamedRegions:
    """The regions of one sample. The same region has one name, different ones have different names."""

    regions: dict[str, Region] = field(default_factory=dict)

    def name(self, region: Region, wish: str) -> str:
        """Return the name of a region, which is taken in: the wished one if it is free or that region's."""
        for name, known in self.regions.items():
            if region_object(known) == region_object(region):
                return name
        name, number = wish, 2
        while name in self.regions:
            name, number = f"{wish}_{number}", number + 1
        self.regions[name] = region
        return name


def record_of(picture: Picture, answers: Sequence[AnswerContent], *, name: str) -> Record:
    """Return the sample of answers about one picture, oldest first.

    name: the file that the picture will have, beside the samples. Places of answers become regions p1, p2, …
    of the sample, or are the region that was pointed at where they are the same.
    """
    named, number = NamedRegions(), 0
    turns = []
    for answer in answers:
        if not answer.question.strip() or not answer.text.strip():
            raise UsageError(
                f"an answer about {name} has no {'question' if answer.text.strip() else 'words'}; a sample "
                "needs both. Correct it, or leave it out"
            )
        said = {old: named.name(region, wish_of(old)) for old, region in answer.regions}
        phrases = []
        for span in answer.spans:
            if not span.places and not span.nowhere:
                continue  # the system read no place; the words alone say enough
            own = []
            for place in span.places:
                number += 1
                own.append(named.name(place.box, f"p{number}"))
            phrases.append(PlacedPhrase(span.start, span.end, tuple(dict.fromkeys(own))))
        turns.append(RecordTurn(renamed(answer.question, said), answer.text, tuple(phrases)))
    return Record(name, "pixels", tuple(named.regions.items()), tuple(turns))


def wish_of(name: str) -> str:
    """Return a name that a sample's region may have; those of questions may be any text.

    >>> wish_of("a"), wish_of("the 1st")
    ('a', 'r')
    """
    return name if REGION_NAME.fullmatch(name) else "r"


def renamed(question: str, names: Mapping[str, str]) -> str:
    """Return a question with other names of its regions.

    >>> renamed("Is {a} {{so}}?", {"a": "b"})
    'Is {b} {{so}}?'
    """
    return "".join(
        escaped(part.words) + ("" if part.name is None else f"{{{names[part.name]}}}")
        for part in split_names(question)
    )


def records_zip(several: Sequence[tuple[Picture, str, Sequence[AnswerContent]]]) -> bytes:
    """Return a zip of the samples of some pictures, each given with its file's name and its answers.

    Pictures are written upright as PNG, so that coordinates are in their pixels whatever reads them. Every
    line is read back before it is written; RecordError if it would be another sample.
    """
    packed, taken = io.BytesIO(), set[str]()
    lines: list[str] = []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for picture, name, answers in several:
            file = free_name(name, taken)
            record = record_of(picture, answers, name=file)
            line = record.to_line()
            strictly(line.encode(), file=Path(SAMPLES), line=len(lines) + 1, pictures=False)
            lines.append(line)
            png = io.BytesIO()
            picture.image().save(png, "PNG", compress_level=1)
            archive.writestr(file, png.getvalue())
        archive.writestr(SAMPLES, "".join(f"{line}\n" for line in lines))
    return packed.getvalue()


def free_name(name: str, taken: set[str]) -> str:
    """Return a file name in ASCII that isn't taken yet, which it is from then on.

    >>> taken = {"cat.png"}
    >>> free_name("../cat.jpg", taken), free_name("日本.jpg", taken)
    ('cat-2.png', 'picture.png')
    """
    kept = "".join(one if (one.isalnum() and one.isascii()) or one in "-_" else "-" for one in stem_of(name))
    stem = kept.strip("-")[:60] or "picture"
    number, file = 2, f"{stem}.png"
    while file in taken:
        file, number = f"{stem}-{number}.png", number + 1
    taken.add(file)
    return file


def stem_of(name: str) -> str:
    """Return a file's name without folders and ending."""
    return PurePath(name.replace("\\", "/")).stem
