"""Captions of regions: Visual Genome and RefCOCOg, as Groma's program asks and scores them (section 4.3).

A COCO file with a picture entry a region: images with id, file_name, width, height (and caption, for
RefCOCOg); annotations with image_id, bbox x y w h (and caption, for Visual Genome).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deixis.data.sources.boxes import box_in_picture
from deixis.errors import RecordError
from deixis.evaluation.benchmarks.benchmark import (
    Benchmark,
    BenchmarkItem,
    Mark,
    Reply,
    Row,
    Scoring,
    Table,
    unparsed,
)
from deixis.evaluation.benchmarks.marking import count
from deixis.evaluation.benchmarks.predictions import identifier
from deixis.evaluation.benchmarks.rows.row_pictures import picture_file
from deixis.evaluation.benchmarks.rows.tables import find_file, root_of
from deixis.evaluation.metrics.captions.caption_scores import CaptionScores, score_captions
from deixis.evaluation.metrics.captions.ptb_words import caption_words
from deixis.evaluation.metrics.captions.rouge import rouge_l
from deixis.files.json_files import Fields, read_json

TAG = re.compile(r"<.*?>")
REGION = "region"
MOST_TOKENS = 100


@dataclass(frozen=True)
class Described:
    """What people wrote about a region."""

    captions: tuple[str, ...]


def cleaned(text: str) -> str:
    """Return a caption as the published program takes it from decoded text.

    Line ends go without a blank in their place, double blanks become single ones (once), what looks like a
    tag goes, and quotation marks at the ends.

    >>> cleaned("<p>A dog</p> <roi> <r3> </roi> on  a\\nbench"), cleaned("a < b and c > d")
    ('A dog on abench', 'a d')
    """
    plain = TAG.sub("", text.replace("\n", "").replace("  ", " "))
    return " ".join(plain.split()).strip("' ")


def read(path: Path, *, files: tuple[str, ...], folders: tuple[str, ...]) -> list[BenchmarkItem[Described]]:
    """Return the regions of a file, or of the first such file in a folder; RecordError names the entry."""
    content = read_json(find_file(path, files, what="a file of regions with captions"))
    return regions_of(content, root=root_of(path), folders=folders)


def regions_of(content: Fields, *, root: Path, folders: tuple[str, ...]) -> list[BenchmarkItem[Described]]:
    """Return the regions of a file's content, in the order of its images."""
    entries: dict[str, list[Fields]] = {}
    for entry in content.rows("annotations"):
        entries.setdefault(identifier(entry, "image_id"), []).append(entry)
    items: dict[str, BenchmarkItem[Described]] = {}
    for picture in content.rows("images"):
        name = identifier(picture, "id")
        if name in items or name not in entries:
            raise RecordError(
                f"{picture.where}: image {name!r} has no annotation, or stands here a second time"
            )
        items[name] = region_of(name, picture, entries[name], root=root, folders=folders)
    return list(items.values())


def region_of(
    name: str, picture: Fields, entries: Sequence[Fields], *, root: Path, folders: tuple[str, ...]
) -> BenchmarkItem[Described]:
    """Return a region and its captions; several annotations have to have one box."""
    width, height = (picture.whole(side, least=1) for side in ("width", "height"))
    boxes = {tuple(entry.numbers("bbox", count=4)) for entry in entries}
    if len(boxes) > 1:
        raise RecordError(
            f"{picture.where}: image {name!r} has {len(boxes)} boxes; expected one region an entry"
        )
    x, y, wide, high = boxes.pop()
    where = f"{entries[0].where}: field 'bbox'"
    box = box_in_picture((x, y, x + wide, y + high), width=width, height=height, where=where)
    if box is None:
        raise RecordError(f"{where}: box has no area; expected a region")
    own = [entry.text("caption") for entry in entries if "caption" in entry.values]
    captions = tuple(text.strip() for text in own or [picture.text("caption")])
    if not all(captions):
        raise RecordError(f"{picture.where}: image {name!r} has an empty caption")
    return BenchmarkItem(
        id=name,
        pictures=(picture_file(root, picture.text("file_name"), where=picture.where, folders=folders),),
        question=f"{{{REGION}}}",
        truth=Described(captions),
        regions=((REGION, box),),
    )


def prompt(item: BenchmarkItem[Described], *, instruction: str) -> str:
    """Return what is asked: the first of the published instructions, where the program draws one."""
    return instruction.replace("{}", item.question)


def score(item: BenchmarkItem[Described], reply: Reply, scoring: Scoring) -> Mark:
    """Return the caption as it counts, and its ROUGE-L; the scores of papers are those of all together."""
    caption = cleaned(reply.text)
    if not caption:
        return unparsed("nothing is left of the reply once it is cleaned")
    true = [caption_words(text) for text in item.truth.captions]
    return Mark(rouge_l(caption_words(caption), true), read=caption)


def caption_scores(
    items: Sequence[BenchmarkItem[Described]], captions: Mapping[str, str], *, with_meteor: bool = True
) -> CaptionScores:
    """Return all scores of cleaned captions, by the items' ids."""
    return score_captions(captions, {item.id: item.truth.captions for item in items}, with_meteor=with_meteor)


def tabulate(
    items: Sequence[BenchmarkItem[Described]], marks: Sequence[Mark], *, with_meteor: bool = True
) -> Table:
    """Return CIDEr, METEOR (none where it can't be computed), BLEU-1 to BLEU-4 and ROUGE-L, times 100."""
    pairs = zip(items, marks, strict=True)
    captions = {item.id: one.read for item, one in pairs}
    scores = caption_scores(items, captions, with_meteor=with_meteor)
    n = len(items)
    faults: dict[str, Any] = {"unparsed": count(marks, "unparsed"), "refused": count(marks, "refused")}
    rows = {"CIDEr": Row(100 * scores.cider, n, **faults, most=1000.0)}
    if scores.meteor is None:
        rows[f"METEOR (not computed: {scores.no_meteor})"] = Row(None, 0, unjudged=n)
    else:
        rows["METEOR"] = Row(100 * scores.meteor.value, n, **faults)
    rows |= {f"BLEU-{place}": Row(100 * value, n, **faults) for place, value in enumerate(scores.bleu, 1)}
    return Table(rows | {"ROUGE-L": Row(100 * scores.rouge_l, n, **faults)})


def region_captions(
    name: str, *, title: str, instruction: str, layout: str, files: tuple[str, ...], folders: tuple[str, ...]
) -> Benchmark[Described]:
    """Return a benchmark of captions of regions."""
    return Benchmark(
        name=name,
        title=title,
        layout=layout,
        prompt_text=instruction.replace("{}", "<region>"),
        metric="COCO's scores of captions, of all regions together: CIDEr, METEOR (only with Java and "
        "pycocoevalcap), BLEU and ROUGE-L, times 100; line ends, tags and quotation marks go first",
        read=partial(read, files=files, folders=folders),
        prompt=partial(prompt, instruction=instruction),
        score=score,
        tabulate=tabulate,
        resampled=partial(tabulate, with_meteor=False),
        resamples=200,
        numbers="Groma, table 4",
        unread="an empty caption, and counted as unparsed",
        max_new_tokens=MOST_TOKENS,
    )


VISUAL_GENOME = region_captions(
    "vg_captions",
    title="Visual Genome region captions",
    instruction="What is {}?",
    layout="vg_test.json in COCO's format, a picture entry a region; pictures in images/ or VG_100K/",
    files=("vg_test*.json",),
    folders=("images", "VG_100K", "VG_100K_2", ""),
)
REFCOCOG = region_captions(
    "refcocog_captions",
    title="RefCOCOg region captions",
    instruction="Can you provide me with a detailed description of {}?",
    layout="refcocog_cap_val.json in COCO's format, a picture entry a region; pictures in train2014/",
    files=("refcocog_cap*.json",),
    folders=("train2014", "images", ""),
)
