"""Checks of Ferret's data: records to texts and regions, and the second generation's dense dialogues."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.data.grit.dense import DenseObject, dense_records
from deixis.data.grit.draws import PythonDraws, StatedFormats
from deixis.data.grit.locations import Location, PointRule, choose_locations
from deixis.data.grit.records import GritRecord, dataset_of, parse_grit
from deixis.data.grit.rendering import PROVIDE_BOXES, RenderedRecord, Spelling, render_record
from deixis.data.sources.lvis import category_words
from deixis.files.json_files import Fields
from deixis.regions.marked_pixels import region_pixels
from deixis.regions.pixels import RegionPixels
from deixis.text.label_masking import supervised
from deixis.text.templates import TEMPLATES
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec
from tests.parity.case import Case
from tests.parity.planning import Check


def check_grit_records(case: Case) -> None:
    """Records of every file, with the options and the seed of each row, as texts, token counts and masks."""
    records = [
        (dataset_of(name), parse_grit(Fields(value, f"{name}[{index}]")))
        for name, values in case.given("files").items()
        for index, value in enumerate(values)
    ]
    codec = SentencePieceCodec(case.file(case.given("tokenizer_file")))
    for row in case.rows("cases"):
        options, stated = row.given("options"), row.given("dataset")
        record = next(r for kind, r in records if r.id == str(row.given("sample_id")) and kind == stated)
        draws = StatedFormats(
            PythonDraws(random.Random(row.given("python_random_seed"))),
            row.given("location_format_per_human_turn"),
        )
        rule = PointRule.parse(options["point_input_sample"])
        rendered = render_record(record, choose_locations(record, rule, draws), spelling_of(options))
        row.expect("conversation", ours=conversation(rendered))
        texts = [text for _, text in rendered.turns]
        # The original was trained with its own way of finding the answers in the text.
        labels = supervised(
            list(zip(texts[::2], texts[1::2], strict=True)),
            TEMPLATES["ferret_v1"],
            codec,
            strict_masking="published",
        )
        row.expect("n_tokens", ours=len(labels.ids))
        row.expect("n_supervised", ours=labels.learnt)
        masks = [pixels.mask() for pixels in trained_pixels(record, rendered.regions)]
        if row.has("region_masks_rows_by_x"):
            row.expect("region_masks_rows_by_x", ours=[drawn(mask) for mask in masks])
        if row.has("region_mask_bbox"):
            row.expect("region_mask_bbox", ours=[[*extent(mask), int(mask.sum())] for mask in masks])


def check_dataset_items(case: Case) -> None:
    """Items with a stated format and points in the middle of boxes, as texts and masks."""
    for row in case.rows("cases"):
        item = row.given("item")
        record = parse_grit(Fields(item, "item"))
        draws = StatedFormats(PythonDraws(random.Random(0)), row.given("human_format"))
        locations = choose_locations(record, PointRule("center", on_mask=False), draws)
        request = PROVIDE_BOXES if item.get("location_instruction") else ""
        options = row.given("options") if row.has("options") else {}
        rendered = render_record(record, locations, spelling_of(options, request=request))
        row.expect("conversation", ours=conversation(rendered))
        masks = [pixels.mask() for pixels in trained_pixels(record, rendered.regions)]
        row.expect("image_size", ours=list(record.size))
        found = row.rows("region_masks")
        assert len(found) == len(masks), f"{len(masks)} region masks, golden {len(found)}"
        if not found:
            row.expect("region_masks", ours=[])
        for region, mask in zip(found, masks, strict=True):
            region.expect("shape", ours=list(mask.T.shape))
            region.expect("bounds", ours=extent(mask))
            region.expect("count", ours=int(mask.sum()))


def check_stage_two_text(case: Case) -> None:
    """Pictures of annotated objects as dense referring and dense detection."""
    names = {
        int(number): category_words(category["name"], tuple(category.get("synonyms", ())))
        for number, category in case.given("categories").items()
    }
    for row in case.rows("cases"):
        item = row.given("item")
        objects = [dense_object(annotation, names) for annotation in item["annotations"]]
        made = dense_records(
            objects,
            width=item["width"],
            height=item["height"],
            draws=PythonDraws(random.Random(item.get("seed", 0))),
        )
        if made is None:
            row.expect("expected", ours=None)
            continue
        row.expect("expected", "order", ours=made.order)
        for name, record in (("dense_referring", made.referring), ("dense_detection", made.detection)):
            boxes = StatedFormats(PythonDraws(random.Random(0)), "box")
            rendered = render_record(record, choose_locations(record, PointRule(), boxes))
            row.expect("expected", name, ours=[text for _, text in rendered.turns])


def dense_object(annotation: dict[str, Any], names: dict[int, str]) -> DenseObject:
    """An annotation in COCO's format, whose box is x, y, width, height."""
    x, y, wide, high = annotation["bbox"]
    return DenseObject(names[annotation["category_id"]], (x, y, x + wide, y + high))


def spelling_of(options: dict[str, Any], *, request: str = "") -> Spelling:
    """The options of the original data loader as ours."""
    return Spelling(
        coordinates=not options.get("no_coor", False),
        region_tokens=options.get("add_region_feature", True),
        refer_previous_point=options.get("refer_previous_point", False),
        request=request,
    )


def conversation(rendered: RenderedRecord) -> list[dict[str, str]]:
    """The turns as the cases list them."""
    return [{"from": speaker, "value": text} for speaker, text in rendered.turns]


def trained_pixels(record: GritRecord, regions: tuple[Location, ...]) -> Iterator[RegionPixels]:
    """Yield the pixels that each region shows to the sampler in training."""
    width, height = record.size if regions else (1, 1)
    for location in regions:
        yield region_pixels(
            location.seen(width=width, height=height),
            width=width,
            height=height,
            variant="train",
            box=location.box,
            segment=None if location.segment is None else location.segment.rasterise(),
        )


def drawn(mask: NDArray[np.bool_]) -> list[str]:
    """A mask (H, W) as one text of 0 and 1 a column."""
    return ["".join(str(int(pixel)) for pixel in column) for column in mask.T]


def extent(mask: NDArray[np.bool_]) -> list[int]:
    """First column, first row, last column and last row of a mask (H, W)."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return [int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])]


FERRET: dict[str, Check] = {
    "grit_records": Check(
        check_grit_records,
        given=(
            "tokenizer_file",
            "image_size",  # of the picture's preprocessing, which no text depends on
            "files",
            "cases/*/options",
            "cases/*/sample_id",
            "cases/*/dataset",
            "cases/*/python_random_seed",
            "cases/*/location_format_per_human_turn",
        ),
    ),
}
FERRET_V2: dict[str, Check] = {
    "dataset_items": Check(
        check_dataset_items,
        # The number type is that of the original's own dense masks.
        given=("cases/*/item", "cases/*/human_format", "cases/*/options", "cases/*/region_masks/*/dtype"),
    ),
    "v2_stage2_text": Check(check_stage_two_text, given=("categories", "cases/*/item")),
}
