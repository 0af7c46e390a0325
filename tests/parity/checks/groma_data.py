"""Checks of Groma's data: files through every kind of data set, to ids, labels, boxes and pixels."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from deixis.data.groma.source import PUBLISHED_SOURCES, GromaSource, MarkedExample, read_groma
from deixis.systems.groma.dialect import GromaTokens, groma_codec
from deixis.systems.groma.labels import supervised
from deixis.systems.groma.preparation import GromaPreparation, unit_boxes
from deixis.systems.groma.prompts import groma_template
from deixis.text.tokenizers.codecs.piece_codec import SentencePieceCodec
from tests.parity.case import Case
from tests.parity.planning import Check

FILES = {"refcoco_rec": "rec", "refcoco_cap": "rec", "single_vg": "vg", "multi_vg": "vg", "coco": "coco"}
FILES |= {"lvis": "lvis", "flickr30k": "flickr", "grit": "grit", "llava_instruct": "llava"}
FILES |= {"groma_instruct": "groma"}
COCO_IDS = [number for number in range(1, 91) if number not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
NAMES = Path(__file__).parents[1] / "categories"  # of COCO and of LVIS v1, in the order of their ids
DIGITS = 5  # that pixels were recorded with


class RecordedDraws:
    """The same of all choices, orders reversed, and scores from torch's generator."""

    def __init__(self, chance: torch.Generator, *, chosen: int) -> None:
        self.chance, self.chosen = chance, chosen

    def choice(self, count: int) -> int:
        """Return the one that the case says."""
        return min(self.chosen, count - 1)

    def order(self, count: int) -> list[int]:
        """Return the last one first."""
        return list(range(count))[::-1]

    def scores(self, count: int) -> NDArray[np.float64]:
        """Return numbers of 0..1."""
        return torch.rand(count, generator=self.chance).double().numpy()


def check_datasets(case: Case) -> None:
    """Every kind with every template."""
    settings = case.given("settings")
    assert settings["random_shuffle"] == "reverses"
    model, legacy, _ = settings["tokenizer"].split(", ")
    codec = groma_codec(case.file(model), legacy={"legacy=false": False, "legacy=true": True}[legacy])
    tokens = GromaTokens.of(codec)
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        write_files(case, folder)
        for row in case.rows("samples"):
            kind, template = row.at[-1].split("/")
            file = folder / f"{FILES[kind]}_{kind}.json"
            source = GromaSource(
                read_groma(file, kind=kind),
                kind=kind,
                root=folder,
                without_boxes="replaced",
                published=True,
            )
            chance = torch.Generator().manual_seed(settings["torch_manual_seed_before_multi_vg"])
            draws = RecordedDraws(chance, chosen=settings["random_choice_always_picks_index"])
            samples = row.rows()
            assert len(samples) == len(source)
            for sample, record in zip(samples, source.records, strict=True):
                check_sample(sample, source.drawn(record, draws), codec, tokens, template)


def check_sample(
    sample: Case, ours: MarkedExample, codec: SentencePieceCodec, tokens: GromaTokens, template: str
) -> None:
    """One sample."""
    one = supervised(ours.turns, template=groma_template(template), codec=codec, tokens=tokens)
    sample.expect("input_ids", ours=one.ids)
    sample.expect("labels", ours=one.labels)
    sample.expect("text_of_ids", ours=[codec.pieces.token(i) for i in one.ids])
    sample.expect("source", ours=PUBLISHED_SOURCES.get(ours.kind, ours.kind))
    for name, boxes in (("refer_boxes", ours.refer), ("ground_boxes", ours.ground)):
        if sample.has(name):
            sample.expect(name, ours=unit_boxes(boxes, ours.picture).tolist(), under="values")
        else:
            assert not boxes, f"{name}: {boxes}"
    route = "pillow" if ours.by_pillow else "opencv"
    _, pixels = GromaPreparation(448, route, order=sample.acceptance.resize).view(ours.picture)
    sample.expect("image_shape", ours=list(pixels.shape))
    seen = pixels[:, ::64, ::64].double().numpy().round(DIGITS).tolist()
    sample.expect("image_sample_stride64", ours=seen, under="values")


def write_files(case: Case, folder: Path) -> None:
    """Write the pictures, and the annotation file of each kind."""
    for name in case.given("contents", "images"):
        pixels = np.array(case.given("raw_images", name), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    for kind, name in FILES.items():
        content = case.given("contents", name)
        if kind not in ("grit", "llava_instruct", "groma_instruct"):
            content = coco_file(case, kind, content)
        (folder / f"{name}_{kind}.json").write_text(json.dumps(content), encoding="utf-8")


def coco_file(case: Case, kind: str, annotations: list[list[Any]]) -> dict[str, Any]:
    """Return a file in COCO's layout of the tuples that the case lists."""
    captions = {"refcoco_rec": "captions", "refcoco_cap": "captions", "flickr30k": "flickr_captions"}
    said = case.given("contents", captions[kind]) if kind in captions else None
    images = []
    for number, (name, (width, height)) in enumerate(case.given("contents", "images").items()):
        image = {"id": number + 1, "width": width, "height": height}
        image |= {"coco_url": f"http://host/{name}"} if kind == "lvis" else {"file_name": name}
        images.append(image | ({} if said is None else {"caption": said[number]}))
    rows = []
    for number, (image, box, *more) in enumerate(annotations, start=1):
        row = {"id": number, "image_id": image, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        row |= {"category_id": more[0] if more else 1}
        rows.append(row | (more[1] if len(more) > 1 else {}))
    return {"images": images, "annotations": rows, "categories": categories(kind)}


def categories(kind: str) -> list[dict[str, Any]]:
    """Return the categories of a file."""
    if kind not in ("coco", "lvis"):
        return [{"id": 1, "name": "object"}]
    ids = COCO_IDS if kind == "coco" else range(1, 1204)
    file = NAMES / ("coco.txt" if kind == "coco" else "lvis_v1.txt")
    names = file.read_text(encoding="utf-8").splitlines()
    return [{"id": number, "name": name} for number, name in zip(ids, names, strict=True)]


DATA: dict[str, Check] = {"datasets": Check(check_datasets, given=("settings", "contents", "raw_images"))}
