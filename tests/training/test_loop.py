import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from deixis.errors import NonFiniteLoss, RecipeError, RecordError
from deixis.regions.shapes import Box
from deixis.runs.training import run_recipes
from deixis.systems import load, training_parts
from deixis.training.loop import train
from deixis.training.optimiser import build_optimiser
from deixis.training.parallel import join_world
from deixis.training.recipes.low_rank import LowRank
from deixis.training.recipes.recipe import Group, Mixture
from deixis.training.state.checkpoints import checkpoints
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return write_toy_pack(tmp_path_factory.mktemp("pack"), pictures=10)


@pytest.fixture(scope="module")
def finished(pack, tmp_path_factory):
    """An uninterrupted toy run."""
    out = tmp_path_factory.mktemp("finished")
    run_recipes([toy_recipe()], data=pack, out=out)
    return out / "toy"


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def assert_same_weights(first: Path, second: Path) -> None:
    ours, theirs = weights_of(first), weights_of(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_leaves_model_metrics_and_checkpoints(finished):
    rows = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert {"places", "boxes", "language_model", "total"} <= rows[0]["losses"].keys()
    assert {path.name for path in (finished / "model").iterdir()} == {
        "README.md",
        "config.json",
        "data_terms.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    }
    assert [path.name for path in checkpoints(finished)] == ["step-00000004", "step-00000006"]


def test_frozen_parts_stand_still_and_others_learn(pack, finished):
    torch.manual_seed(0)
    fresh = training_parts(toy_recipe(), data=pack, start=None, work=finished).objective.network.state_dict()
    trained = weights_of(finished)
    stem = [name for name in trained if name.startswith("tower.stem") and "running" not in name]
    assert stem and all(torch.equal(trained[name], fresh[name].to(torch.bfloat16)) for name in stem)
    assert not torch.equal(
        trained["place_head.query.weight"], fresh["place_head.query.weight"].to(torch.bfloat16)
    )


def test_stopping_early_and_resuming_gives_the_same_weights(pack, finished, tmp_path):
    run_recipes([toy_recipe()], data=pack, out=tmp_path, max_steps=3)
    run_recipes([toy_recipe()], data=pack, out=tmp_path, resume=True)
    assert_same_weights(tmp_path / "toy", finished)
    steps = [
        json.loads(line)["step"] for line in (tmp_path / "toy" / "metrics.jsonl").read_text().splitlines()
    ]
    assert steps[-2:] == [4, 6]


def test_a_network_that_drops_goes_on_to_the_same_weights(pack, tmp_path):
    recipe = toy_recipe(network={**TOY["network"], "dropped": 0.25})
    run_recipes([recipe], data=pack, out=tmp_path / "whole")
    run_recipes([recipe], data=pack, out=tmp_path / "cut", max_steps=3)
    run_recipes([recipe], data=pack, out=tmp_path / "cut", resume=True)
    assert_same_weights(tmp_path / "cut" / "toy", tmp_path / "whole" / "toy")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["mid-run", "while a checkpoint is written"])
def test_a_killed_run_resumes_to_the_same_weights(pack, tmp_path, moment):
    recipe = {**TOY, "steps": 12, "workers": 1}
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "deixis", "train", str(path), "--data", str(pack)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", str(whole)], check=True, env=environment, capture_output=True)
    process = subprocess.Popen(
        [*command, "--out", str(killed)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pattern = "step-*.partial" if moment.startswith("while") else "step-00000004"
    deadline = time.monotonic() + 240
    while not list((killed / "toy").glob(pattern)) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"
    subprocess.run(
        [*command, "--out", str(killed), "--resume"], check=True, env=environment, capture_output=True
    )
    assert_same_weights(killed / "toy", whole / "toy")
    assert not list((killed / "toy").glob("*.partial"))


def test_a_half_written_checkpoint_is_never_read(pack, finished, tmp_path):
    run_recipes([toy_recipe()], data=pack, out=tmp_path, max_steps=4)
    broken = tmp_path / "toy" / "step-00000009.partial"
    broken.mkdir()
    (broken / "network.safetensors").write_bytes(b"cut")
    run_recipes([toy_recipe()], data=pack, out=tmp_path, resume=True)
    assert not broken.exists()
    assert_same_weights(tmp_path / "toy", finished)


def test_an_earlier_run_is_not_overwritten(pack, finished):
    with pytest.raises(RecipeError, match="go on with --resume"):
        run_recipes([toy_recipe()], data=pack, out=finished.parent)


def test_resuming_with_another_recipe_is_refused(pack, tmp_path):
    run_recipes([toy_recipe()], data=pack, out=tmp_path, max_steps=2)
    with pytest.raises(RecipeError, match="other batch"):
        run_recipes([toy_recipe(batch=2)], data=pack, out=tmp_path, resume=True)


def test_passes_add_up_to_the_batch(pack, tmp_path):
    """Accumulating passes steps as often as one pass does, and learns from every one of them."""
    run_recipes([toy_recipe(per_device_batch=2)], data=pack, out=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "toy" / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 6


def test_a_stage_starts_from_another_at_a_new_size_with_a_second_look(pack, tmp_path):
    second = toy_recipe(name="larger", starts_from="toy", steps=2, network={"side": 96, "candidates": 4})
    models = run_recipes([second, toy_recipe(steps=2)], data=pack, out=tmp_path)
    assert [model.parent.name for model in models] == ["toy", "larger"]
    assert json.loads((models[1] / "config.json").read_text())["side"] == 96
    first, then = (load_file(model / "model.safetensors") for model in models)
    assert then["mapper.fine_position"].shape[-1] == 12
    assert not [name for name in first if name.startswith("second_look.")]
    assert then["second_look.score.weight"].any(), "it was added and has learnt"


def test_no_steps_learn_nothing_and_change_the_size(pack, tmp_path):
    second = toy_recipe(name="larger", starts_from="toy", steps=0, network={"side": 96})
    models = run_recipes([second, toy_recipe(steps=2)], data=pack, out=tmp_path)
    first, then = (load_file(model / "model.safetensors") for model in models)
    changed = {name for name in first if not torch.equal(first[name], then[name])}
    assert changed == {"mapper.fine_position", "mapper.coarse_position"}
    assert then["mapper.fine_position"].shape[-1] == 12


def test_a_stage_without_steps_fits_a_namer_to_the_finished_network(pack, tmp_path):
    second = toy_recipe(name="named", starts_from="toy", steps=0, network={"region_namer": True})
    models = run_recipes([second, toy_recipe(steps=2)], data=pack, out=tmp_path)
    first, then = (load_file(model / "model.safetensors") for model in models)
    assert not [name for name in first if not torch.equal(first[name], then[name])]
    assert {name.split(".")[0] for name in then.keys() - first.keys()} == {"region_namer"}
    assert (then["region_namer.bias"] > -50).any(), "it knows names"
    assert then["region_namer.mean"].any(), "it has seen regions"
    assert json.loads((models[1] / "config.json").read_text())["claim_rules"] == {}, "nothing was held out"


def test_rules_are_chosen_on_what_is_held_out(pack, tmp_path):
    sources = [{"split": "train", "hold_out": 3}]
    namer = {**TOY["network"], "region_namer": True}
    [model] = run_recipes([toy_recipe(steps=2, sources=sources, network=namer)], data=pack, out=tmp_path)
    config = json.loads((model / "config.json").read_text())
    assert config["place_rule"] and "name" in config["claim_rules"]
    answer = load(model).ask(
        next((pack / "images").glob("*.jpg")), "is {it} a circle or a square?", it=Box(5, 5, 60, 60)
    )
    assert answer.text in ("A circle.", "A square.")


def test_a_stage_mixes_in_another_model(pack, tmp_path):
    other = toy_recipe(name="other", starts_from="toy", steps=2, seed=5)
    shares = {"": 0.25, "network.mapper": 1.0}
    mixed = toy_recipe(
        name="mixed", starts_from="toy", steps=0, mixed_with={"model": "other", "shares": shares}
    )
    models = run_recipes([mixed, other, toy_recipe(steps=2)], data=pack, out=tmp_path)
    assert [model.parent.name for model in models] == ["toy", "other", "mixed"]
    first, second, mean = (load_file(model / "model.safetensors") for model in models)
    assert not torch.equal(first["words.table.weight"], second["words.table.weight"])
    for name, tensor in mean.items():
        if tensor.is_floating_point():
            share = 1.0 if name.startswith("mapper") else 0.25
            expected = torch.lerp(first[name].float(), second[name].float(), share).to(tensor.dtype)
            assert torch.equal(tensor, expected), name


def test_mixing_in_nothing_or_other_words_is_an_error(pack, tmp_path):
    run_recipes([toy_recipe(steps=1)], data=pack, out=tmp_path)
    mixed = {"name": "mixed", "starts_from": "toy", "steps": 0}
    with pytest.raises(RecipeError, match="needs 'gone', but no recipe of that name"):
        gone = {"model": "gone", "shares": {"": 0.5}}
        run_recipes([toy_recipe(**mixed, mixed_with=gone)], data=pack, out=tmp_path)
    strange = shutil.copytree(tmp_path / "toy" / "model", tmp_path / "strange")
    words = (strange / "tokenizer.json").read_text()
    (strange / "tokenizer.json").write_text(words.replace('"circle"', '"circlet"'))
    with pytest.raises(RecipeError, match="mixes models whose words differ"):
        other = {"model": str(strange), "shares": {"": 0.5}}
        run_recipes([toy_recipe(**mixed, mixed_with=other)], data=pack, out=tmp_path)


def test_starting_from_nowhere_is_an_error(pack, tmp_path):
    with pytest.raises(RecipeError, match="needs 'gone'"):
        run_recipes([toy_recipe(starts_from="gone")], data=pack, out=tmp_path)


def test_a_group_that_matches_nothing_is_an_error(pack, tmp_path):
    groups = [{"parts": ["network.towr"], "rate": 1.0}, {"parts": [""], "rate": 1.0}]
    with pytest.raises(RecipeError, match="matches nothing"):
        run_recipes([toy_recipe(groups=groups)], data=pack, out=tmp_path)


def test_groups_take_parts_of_names(pack, tmp_path):
    inside = {"parts": ["network.tower"], "containing": ["norm"], "rate": 0.0, "frozen_until": 1.0}
    groups = [inside, {"parts": [""], "rate": 1.0e-3}]
    torch.manual_seed(0)
    fresh = training_parts(toy_recipe(), data=pack, start=None, work=tmp_path).objective
    optimiser = build_optimiser(fresh, toy_recipe(groups=groups))
    first = [name for bucket in optimiser.param_groups if bucket["group"] == 0 for name in bucket["names"]]
    names = [name for name, _ in fresh.named_parameters()]
    assert first and set(first) == {n for n in names if n.startswith("network.tower") and "norm" in n}
    [model] = run_recipes([toy_recipe(groups=groups, steps=2, ema=None)], data=pack, out=tmp_path)
    before, after = fresh.network.state_dict(), load_file(model / "model.safetensors")
    changed = {n for n in after if not torch.equal(after[n], before[n].to(after[n].dtype))}
    assert not {f"network.{name}" for name in changed} & set(first)
    assert any(name.startswith("tower.") for name in changed)


def test_a_group_whose_names_contain_nothing_of_it_is_an_error(pack, tmp_path):
    groups = [{"parts": ["network.tower"], "containing": ["lora"], "rate": 1.0}, {"parts": [""], "rate": 1.0}]
    with pytest.raises(
        RecipeError, match=r"\['network.vision_encoder'\] containing \['lora'\] matches nothing"
    ):
        run_recipes([toy_recipe(groups=groups)], data=pack, out=tmp_path)


def test_a_loss_that_is_not_finite_stops_with_a_report(pack, tmp_path):
    parts = training_parts(toy_recipe(), data=pack, start=None, work=tmp_path)
    with torch.no_grad():
        parts.objective.network.place_head.query.weight.fill_(float("nan"))
    with pytest.raises(NonFiniteLoss, match=r"step 0: the loss is not finite"):
        train(parts, toy_recipe(), out=tmp_path / "run", world=join_world())
    report = json.loads((tmp_path / "run" / "non-finite.json").read_text())
    assert report["step"] == 0 and len(report["pictures"]) == 4


def test_a_batch_without_supervision_is_an_error(pack, tmp_path):
    none = dict.fromkeys(
        ("locate", "locate_bare", "absent", "absent_bare", "name", "name_bare", "describe"), 0.0
    )
    none |= dict.fromkeys(("presence", "caption", "list", "two_turns"), 0.0)
    with pytest.raises(RecordError, match="no answer in this batch"):
        run_recipes([toy_recipe(dialogues=none)], data=pack, out=tmp_path)


def test_a_users_own_records_are_trained_on(pack, tmp_path):
    picture = next((pack / "images").glob("*.jpg"))
    record = {
        "picture": f"images/{picture.name}",
        "frame": "unit",
        "regions": {"a": {"box": [0.1, 0.1, 0.6, 0.7]}},
        "turns": [
            {"user": "What is {a}?", "assistant": "It is [a gizmo](a)."},
            {"user": "Where is the zebra?", "assistant": "[The zebra]() is not in the picture."},
        ],
    }
    (pack / "own.jsonl").write_text(json.dumps(record) + "\n")
    sources = [{"records": "own.jsonl"}]
    [model] = run_recipes([toy_recipe(sources=sources, batch=2, steps=2)], data=pack, out=tmp_path)
    assert "gizmo" in (model / "tokenizer.json").read_text()
    both = [*sources, {"split": "train", "hold_out": 2}]
    parts = training_parts(toy_recipe(sources=both), data=pack, start=None, work=tmp_path)
    assert len(parts.source) == 1 + 8


@pytest.mark.slow
def test_two_processes_share_a_run(pack, tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({**TOY, "steps": 2}))
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "deixis",
    ]
    command += ["train", str(path), "--data", str(pack), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True)
    assert (tmp_path / "out" / "toy" / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize("word", ["network.vision_encoder", "network.tower"])
def test_a_vision_encoder_goes_by_that_word_and_by_the_former(word: str) -> None:
    (group,) = toy_recipe(groups=[{"parts": [f"{word}.stem"], "rate": 1.0e-3}]).groups or ()
    assert group.parts == ("network.vision_encoder.stem",)
    assert group.takes("network.tower.stem.0.weight") and not group.takes("network.tower.stages.0.weight")
    inside = Group(("network.",), 1.0, containing=("vision_encoder",))
    assert inside.takes("network.local_tower.norm") and not inside.takes("network.decoder.norm")
    tuned = LowRank(parts=(f"{word}.blocks", "network.decoder"))
    assert tuned.parts == ("network.vision_encoder.blocks", "network.decoder")
    assert tuned.stored_parts == ("network.tower.blocks", "network.decoder")
    assert Mixture("other", {word: 0.5}).shares == {"network.vision_encoder": 0.5}
    with pytest.raises(RecipeError, match="name a part twice"):
        Mixture("other", {"network.tower": 0.5, "network.vision_encoder": 0.4})
