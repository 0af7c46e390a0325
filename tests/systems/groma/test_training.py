"""Groma's stages through the ordinary loop: a proposer on boxes, the whole on dialogues and files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.data.groma.detection import ProposalExample
from deixis.errors import BadRegion, RecipeError, RecordError
from deixis.pictures.opening import open_picture
from deixis.progress import SILENT
from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.groma.detector.selection import shuffled
from deixis.systems.groma.preparation import IMAGENET
from deixis.systems.groma.training.building import packaged_parts, training_parts
from deixis.systems.groma.training.detection import ProposalCollate
from deixis.systems.groma.training.objective import GromaObjective
from deixis.training.loop import TrainingParts, train
from deixis.training.order import order_of
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.strict import build
from tests.systems.groma.tiny import LANGUAGE, PROPOSER, REGION_ENCODER, SIDE
from tests.toy.pack import write_toy_pack
from tests.training.toy_objective import logged
from tests.training.whole_and_cut import ALONE

DETECTOR = {"vision_encoder": {"kind": "efficientnet_tiny", "side": SIDE}, "side": SIDE, "proposer": PROPOSER}
SPEAKER = {"language": LANGUAGE, "region_encoder": REGION_ENCODER, "view": 64, "max_text": 512}
FROZEN = {"parts": ["network.vision_encoder", "network.perceiver.tower"], "rate": 0.0, "frozen_until": 1.0}


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "groma-test",
        "system": "groma",
        "steps": 3,
        "batch": 4,
        "precision": "float32",
        "groups": [{"parts": [""], "rate": 1e-3}],
        "log_every": 1,
        "save_every": 100,
        "augmentation": {"square": False},
    }
    return build(Recipe, values | changes, where="test")


def detection(**changes: Any) -> Recipe:
    network = DETECTOR | {"pretrained": False} | changes.pop("network", {})
    return recipe(**{"sources": [{"detection": True}], "network": network} | changes)


def dialogues(**changes: Any) -> Recipe:
    network = SPEAKER | {"pretrained": False} | changes.pop("network", {})
    return recipe(**{"network": network} | changes)


def parts(given: Recipe, data: Path, start: Path | None = None) -> TrainingParts:
    torch.manual_seed(0)
    return training_parts(given, data=data, start=start, work=data, progress=SILENT)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_pack(tmp_path_factory.mktemp("pack"), pictures=8)


@pytest.fixture(scope="module")
def proposer(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("proposer")
    return train(parts(detection(), pack), detection(), out=out, world=ALONE)


def test_a_proposer_learns_from_boxes(pack: Path, proposer: Path) -> None:
    rows = logged(proposer.parent)
    assert all(np.isfinite(row["detection"]) for row in rows)
    assert json.loads((proposer / "config.json").read_text())["model_type"] == "deixis_groma_proposer"
    given = detection(steps=25, groups=[{"parts": [""], "rate": 3e-3}])
    made = parts(given, pack)
    losses = []
    optimiser = torch.optim.Adam(made.objective.parameters(), 3e-3)
    batch = made.collate([made.source.example(n, np.random.default_rng(n)) for n in range(4)])
    for _ in range(15):
        optimiser.zero_grad()
        loss = made.objective(batch)["total"]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.85 * losses[0]


def test_both_heads_have_gradients_and_only_one_learns(pack: Path) -> None:
    made = parts(detection(), pack)
    batch = made.collate([made.source.example(0, np.random.default_rng(0))])
    made.objective(batch)["total"].backward()
    gradients = {name: one.grad for name, one in made.objective.named_parameters() if "class_embed_" in name}
    assert all(one is not None for one in gradients.values())
    assert all(not one.any() for name, one in gradients.items() if "sa1b" in name and one is not None)
    assert any(one.any() for name, one in gradients.items() if "coco" in name and one is not None)


def test_pictures_of_two_heads_are_not_one_batch() -> None:
    picture = open_picture(np.zeros((8, 8, 3), dtype=np.uint8))
    examples = [
        ProposalExample("a", picture, (Box(0, 0, 4, 4, frame=picture.frame),), ("x",), head)
        for head in ("coco", "sa1b")
    ]
    with pytest.raises(RecipeError, match="source_groups"):
        ProposalCollate(IMAGENET)(examples)
    batch = ProposalCollate(IMAGENET)(examples[:1])
    assert batch["boxes"].tolist() == [[0.25, 0.25, 0.5, 0.5]]


def test_a_stage_of_dialogues_starts_from_the_proposer(pack: Path, proposer: Path, tmp_path: Path) -> None:
    given = dialogues()
    made = parts(given, pack, proposer)
    before = {n: t.clone() for n, t in made.objective.state_dict().items() if ".perceiver." in n}
    start = load_proposer_state(proposer)
    assert start and all(torch.equal(before[f"network.{name}"], one) for name, one in start.items())
    model = train(made, given, out=tmp_path, world=ALONE)
    answer = load(str(model), device="cpu").ask(
        open_picture(np.zeros((40, 60, 3), dtype=np.uint8)), "where is it?", max_new_tokens=3
    )
    assert answer.system == "groma"


def load_proposer_state(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def groma_files(folder: Path) -> list[dict[str, Any]]:
    """Write a small file of two kinds, and return them as sources."""
    (folder / "images").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    for number in range(4):
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    grit = [
        {"filename": f"{n}.png", "caption": "a dog on a mat", "ref_exps": [[0, 5, 0.1, 0.1, 0.6, 0.9, 1]]}
        for n in range(4)
    ]
    (folder / "grit.json").write_text(json.dumps(grit))
    images = [{"id": n, "file_name": f"{n}.png", "width": 80, "height": 60} for n in range(4)]
    notes = [
        {
            "id": n,
            "image_id": n,
            "category_id": 1,
            "bbox": [8, 6, 40, 30],
            "iscrowd": 0,
            "caption": "a red mat",
        }
        for n in range(4)
    ]
    content = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "object"}]}
    (folder / "vg.json").write_text(json.dumps(content))
    return [{"groma": "grit.json", "kind": "grit"}, {"groma": "vg.json", "kind": "multi_vg"}]


def test_groma_files_are_learnt_from(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    given = dialogues(
        sources=groma_files(tmp_path / "data"),
        order="source_groups",
        batch=2,
        network=DETECTOR | {"codec": "words"},
    )
    made = parts(given, tmp_path / "data")
    assert made.source.sizes == (4, 4)
    batch = made.collate([made.source.example(n, np.random.default_rng(0)) for n in (0, 4)])
    assert batch["ground_counts"] == [1, 0]
    assert batch["refer_counts"] == [0, 1]
    assert batch["ground_boxes"][0].tolist() == pytest.approx([0.35, 0.5, 0.5, 0.8])
    train(made, given, out=tmp_path / "run", world=ALONE)
    assert all(np.isfinite(row["language_model"]) for row in logged(tmp_path / "run"))


def test_a_long_dialogue_of_the_files_loses_its_last_turns(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    given = dialogues(sources=groma_files(tmp_path / "data"), network=DETECTOR)
    made = parts(given, tmp_path / "data")
    example = made.source.example(4, np.random.default_rng(0))
    long = replace(example, turns=example.turns * 9, refer=example.refer * 9)
    (whole,) = made.collate([example])["input_ids"]
    made.collate.max_text = len(whole) + 40
    batch = made.collate([long])
    assert batch["refer_counts"][0] in (1, 2)
    assert batch["input_ids"].shape[1] <= made.collate.max_text
    made.objective.losses(batch)
    made.collate.max_text = len(whole) - 1
    with pytest.raises(RecordError, match="multi_vg"):
        made.collate([long])


def test_a_box_that_has_no_mark_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    sources = groma_files(tmp_path / "data")[1:]
    given = dialogues(sources=sources, network=DETECTOR)
    made = parts(given, tmp_path / "data")
    batch = made.collate([made.source.example(0, np.random.default_rng(0))])
    batch["refer_counts"], batch["refer_boxes"] = [2], batch["refer_boxes"].repeat(2, 1)
    with pytest.raises(BadRegion, match="1 marks <refer_box> for 2 boxes"):
        made.objective.losses(batch)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: recipe(sources=[{"detection": True}, {}]), "make a recipe of each"),
        (lambda: detection(network={"rejected": "never"}), "expected redrawn or replaced"),
        (lambda: detection(network={"augmented": 3}), "expected true or false"),
        (lambda: detection(network={"template": "llava"}), "template"),
        (lambda: detection(network={"proposer": {"width": 0}}), "width"),
        (lambda: dialogues(network={"sides": 3}), "sides"),
        (lambda: dialogues(objective={"x": 1}), "leave them out"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(given: Any, message: str, pack: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        parts(given(), pack)


def test_stages_start_from_what_fits_them(pack: Path, proposer: Path) -> None:
    with pytest.raises(RecipeError, match=r"sizes are settled; leave tower, side, proposer"):
        parts(detection(), pack, proposer)
    again = recipe(sources=[{"detection": True}], order="source_groups")
    assert len(order_of(parts(again, pack, proposer).source, again, chunks=1)) == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groma": "a.json"}, "needs a kind"),
        ({"kind": "grit"}, "needs a kind"),
        ({"groma": "a.json", "kind": "vqa"}, "refcoco_rec, refcoco_cap"),
        ({"groma": "a.json", "kind": "grit", "ratio": 0}, "ratio"),
        ({"groma": "a.json", "kind": "grit", "broken": "pass_over"}, "leave those out"),
        ({"ratio": 0.5}, "both are for groma"),
    ],
)
def test_choices_of_groma_files_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(sources=[changes])


def test_other_systems_refuse_groma_files(tmp_path: Path) -> None:
    from deixis.systems.sources import Sources

    given = recipe(sources=groma_files(tmp_path)[:1])
    with pytest.raises(RecipeError, match="can't read Groma's training data"):
        Sources.of(given, tmp_path)


def test_what_a_stage_needs_of_the_package() -> None:
    packaged = {"pretrained": True, "vision_encoder": "efficientnet_lite0"}
    assert packaged_parts(detection(network=packaged)) == ["efficientnet_lite0"]
    assert packaged_parts(detection()) == []
    assert packaged_parts(recipe(starts_from="x")) == []
    assert packaged_parts(recipe(network={"language": "small"}, starts_from="x")) == ["minilm"]
    assert packaged_parts(recipe()) == ["minilm"]


class SeesRegions(torch.nn.Module):
    """Stands in for the network and keeps how it was asked for places."""

    def forward(self, *, regions: Any, **others: Any) -> SimpleNamespace:
        self.order = regions.order
        return SimpleNamespace(loss=torch.zeros(()))


def test_places_are_shuffled_while_it_learns_and_only_then() -> None:
    network = SeesRegions()
    objective = GromaObjective(network)  # type: ignore[arg-type]
    boxes = {"refer_boxes": torch.zeros(0, 4), "ground_boxes": torch.zeros(0, 4)}
    counts = {"refer_counts": [0], "ground_counts": [0]}
    ids = torch.zeros(1, 3, dtype=torch.long)
    batch = {"input_ids": ids, "attention_mask": ids, "labels": ids, "pixel_values": None} | boxes | counts
    objective.train().losses(batch)
    assert network.order is shuffled
    objective.eval().losses(batch)
    assert network.order is None
