"""Checks of ViP-LLaVA's visual prompts: drawings pixel by pixel, and the dialogues built around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from deixis.data.painted import captions, choices, objects, tables, vcr
from deixis.data.painted.instruction import Instruction
from deixis.errors import BadRegion
from deixis.painting.colours import NAMED
from deixis.painting.draws import Draw, ReplayedDraws, SeededDraws
from deixis.painting.kinds import CODE, CONSTANT_WIDTH, KINDS, WORDS, kind_of
from deixis.painting.published import Look, strokes_of
from deixis.painting.silhouette import Edges, Silhouette
from deixis.painting.strokes import lay_over, layer_of
from tests.parity.case import Case
from tests.parity.planning import Check

POLYGONS_CHANGED = (11, 2)  # Pillow before it fills some polygons otherwise, by one or two pixels


def check_drawing(case: Case) -> None:
    """Every mark: the layer that is drawn, and the picture with it laid over; from its seed and replayed."""
    for row in case.rows("cases"):
        name = row.given("name")
        picture = case.input(f"{name}/image").numpy()
        for draws in (SeededDraws(row.given("seed")), ReplayedDraws(replayable(row.given("rng_trace")))):
            image = Image.fromarray(picture.copy())
            try:
                strokes = strokes_of(
                    kind_of(row.given("shape")),
                    silhouette(row.given("bbox"), row.given("segmentation")),
                    rgb=tuple(row.given("rgb")),
                    size=image.size,
                    draws=draws,
                    look=Look(
                        constant=row.given("style") == "constant",
                        alpha=row.given("alpha"),
                        width=row.given("width"),
                        anchor=row.given("anchor"),
                    ),
                )
            except BadRegion as fault:
                row.settle("error", agrees=row.lookup(row.full(("error",))) is not None, how=str(fault))
                continue
            row.expect("error", ours=None)
            lay_over(image, strokes)
            layer = layer_of(strokes, (0, 0, *image.size))
            expect_pixels(case, f"{name}/image", image)
            expect_pixels(case, f"{name}/overlay_rgba", layer)
        row.expect("changed_pixels", ours=changed(picture, image))


def expect_pixels(case: Case, name: str, image: Image.Image) -> None:
    """Compare a picture; an early Pillow may differ by a few pixels of filled polygons."""
    ours = torch.from_numpy(np.array(image))
    version = tuple(int(part) for part in Image.__version__.split(".")[:2])
    if version >= POLYGONS_CHANGED:
        case.output(name, ours)
        return
    away = int((ours != case.fed(name)).any(dim=-1).sum())
    case.settle(f"outputs/{name}", agrees=away <= 4, how=f"{away} pixels of Pillow {Image.__version__}")


def changed(before: np.ndarray[Any, Any], after: Image.Image) -> int:
    return int((before != np.asarray(after)).any(axis=-1).sum())


def silhouette(box: list[float], segmentation: list[list[float]] | None) -> Silhouette:
    """Return a region from a JSON file's lists."""
    x0, y0, x1, y1 = box
    parts = tuple(tuple(zip(p[::2], p[1::2], strict=True)) for p in segmentation or [])
    return Silhouette((x0, y0, x1, y1), parts)


def replayable(trace: list[Any]) -> list[Draw]:
    """Return a stored trace as draws that we can replay."""
    draws: list[Draw] = []
    for name, asked, drawn in trace:
        if name == "mvn_rvs":
            mean, covariance = asked
            name, asked = "normal", (mean, [covariance[0][0], covariance[1][1]])
        draws.append((name, tuple(asked), drawn))
    return draws


def check_instructions(case: Case) -> None:
    """Every data set's samples as painted dialogues, drawn from their seeds."""
    picture = case.input("image").numpy()
    for row in case.rows("cases"):
        name, failed = row.given("name"), row.lookup(row.full(("error",))) is not None
        seeded = SeededDraws(row.given("seed"))
        made = built(row, seeded)
        image = Image.fromarray(picture.copy())
        marks = [drawn_of(region, made, row) for region in made.regions]
        row.expect("drawn", ours=marks)
        try:
            for region in made.regions:
                look = Look(made.constant, alpha=row.given("alpha"), anchor=row.given("image_size_anchor"))
                sign = region.sign
                strokes = strokes_of(
                    sign.kind,
                    region.silhouette,
                    rgb=sign.colour.rgb,
                    size=image.size,
                    draws=seeded,
                    look=look,
                )
                lay_over(image, strokes)
        except BadRegion as fault:
            row.settle("error", agrees=failed, how=str(fault))
            row.settle("conversation", agrees=row.lookup(row.full(("conversation",))) is None, how="none")
            continue
        row.expect("error", ours=None)
        sides = ("human", "gpt")
        said = [
            {"from": side, "value": text}
            for turn in made.turns
            for side, text in zip(sides, turn, strict=True)
        ]
        row.expect("conversation", ours=said)
        expect_pixels(case, f"{name}/image", image)


def drawn_of(region: Any, made: Instruction, row: Case) -> dict[str, Any]:
    """Return what is painted for a region as the published program records it."""
    known = region.silhouette
    flat = [[float(value) for point in part for value in point] for part in known.polygons]
    return {
        "shape": region.sign.kind,
        "image_size_anchor": row.given("image_size_anchor"),
        "rgb_value": list(region.sign.colour.rgb),
        "bbox_coord": list(known.box),
        "segmentation": flat or None,
        "visual_prompt_style": "constant" if made.constant else "",
        "alpha": row.given("alpha"),
    }


def built(row: Case, draws: SeededDraws) -> Instruction:
    """Return the dialogue of a record, as published."""
    source = row.given("source")
    kind, *further = source["id"].split("-")
    values = [turn["value"] for turn in source.get("conversations", [])]
    turns = list(zip(values[::2], values[1::2], strict=True))
    by_model = "gpt4v" in further[:1]
    if kind == "refcocog":
        thing = silhouette(source["bboxes"][0], source["segmentations"][0])
        if by_model:
            return objects.object_dialogue(thing, turns, draws)
        return objects.object_instruction(thing, source["answer"], draws, published=True)
    if kind == "vg_rel":
        first, second = (edges(box) for box in source["bboxes"])
        if by_model:
            return objects.relation_dialogue((first, second), turns, draws, published=True)
        return objects.relation_instruction((first, second), source["answer"], draws, published=True)
    if kind == "flickr30k":
        phrases = [[edges(box) for box in boxes] for boxes in source["bbox"]]
        return captions.caption_instruction(source["grounding"], phrases, draws)
    if kind == "v7w":
        boxes = [edges(box) for box in source["bboxes"]]
        return choices.visual7w_instruction(source["question"], boxes, edges(source["answer"]), draws)
    if kind == "pointQA_twice":
        box = edges(source["bboxes"][0])
        return objects.look_twice_instruction(box, source["general_question"], source["answer"])
    assert kind == "vcr"
    return vcr.vcr_instruction(
        vcr.question_of(source),
        vcr.scene_of(row.given("vcr_metadata")),
        draws,
        form=row.given("visual_prompt_style") or "train",
    )


def edges(box: list[float]) -> Edges:
    x0, y0, x1, y1 = box
    return x0, y0, x1, y1


def check_templates(case: Case) -> None:
    """Every fixed text and table that instructions are built from."""
    ours: dict[str, Any] = {
        "colour_pool": {name: list(rgb) for name, rgb in NAMED.items()},
        "shape_words": {kind: dict(zip(("preposition", "noun"), WORDS[kind], strict=True)) for kind in KINDS},
        "option_letters": tables.LETTERS,
        "why_questions": tables.WHY,
        "question_prefixes": tables.QUESTION_PREFIXES,
        "options_prefixes": tables.OPTIONS_PREFIXES,
        "flickr30k_questions": dict(tables.CAPTION_QUESTIONS),
        "flickr30k_hint_intros": tables.HINT_INTROS,
        "vcr_answer_adjectives": tables.ANSWER_ADJECTIVES,
        "vcr_answer_punctuation": tables.ANSWER_PUNCTUATION,
        "vcr_multichoice_answer_forms": [
            form.format(letter="{L}", adjective="{adj}", mark="{punct}", text="{text}")
            for form in tables.ANSWER_FORMS
        ],
        "vg_rel": tables.RELATION_PROMPT.format(subject="{s}", object="{o}"),
        "multiple_choice": tables.MULTIPLE_CHOICE,
        "vcr_qar": tables.RATIONALE.replace("{choices}", "{multiple_choice with an empty question}"),
        "pointqa": {"question": tables.LOOK_TWICE, "colour": "red"},
    }
    for name, value in ours.items():
        case.expect(name, ours=value)
    for split in ("shape_choices_train", "shape_choices_test"):
        for row in case.rows(split):
            source = row.at[-1]
            row.expect("shapes", ours=CODE[source])
            row.expect("style", ours="constant" if source in CONSTANT_WIDTH else "")
    case.expect("refcocog", "generic", ours=tables.OBJECT_PROMPTS)
    case.expect("refcocog", "specific", ours=tables.OBJECT_PROMPT)
    case.expect("refcocog", "suffix", ours=tables.OBJECT_SUFFIX)
    case.expect("refcocog", "probability_generic", ours=objects.GENERIC)


ROW = ("shape", "bbox", "segmentation", "anchor", "rgb", "color_name", "seed", "image_size", "background")
DRAWN = ("name", *ROW, "style", "alpha", "width", "rng_trace", "named_draws", "primitive_calls")
RECORD = ("name", "kind", "seed", "visual_prompt_style", "alpha", "image_size_anchor", "image_size")
RECORD = (*RECORD, "background", "source", "vcr_metadata", "rng_trace")
PAINTING: dict[str, Check] = {
    "drawing": Check(check_drawing, given=("libraries", *(f"cases/*/{name}" for name in DRAWN))),
    "instructions": Check(check_instructions, given=("libraries", *(f"cases/*/{name}" for name in RECORD))),
    "templates": Check(
        check_templates,
        given=("vcr_multichoice_answer_note", "refcocog/note", "abbreviations_protected"),
    ),
}
