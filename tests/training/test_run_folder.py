"""A run and its folder: one at a time, found out before the work, and gone on with only as it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from deixis.cli.program import run as command
from deixis.errors import MissingWeights, RecipeError, RecordError, UsageError
from deixis.layers.towers import pretrained
from deixis.runs import training as runs
from deixis.runs.training import run_recipes
from deixis.systems import load, weights_folder
from deixis.systems.starting_model import model_folder
from deixis.training import workers
from deixis.training.metrics import MetricsLog, read_metrics
from deixis.training.state.checkpoints import checkpoints
from deixis.training.state.origin import Origin
from deixis.training.state.run_lock import run_lock
from tests.toy.pack import write_toy_pack
from tests.toy.recipe import TOY, toy_recipe
from tests.training import toy_objective as toy
from tests.training.test_resuming import assert_same_weights, run


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_toy_pack(tmp_path / "data", pictures=8)


# What a resumed run may change, and what not.


@pytest.mark.parametrize(
    "changes", [{"workers": 1}, {"log_every": 3}, {"save_every": 5}, {"sources": [{"max_pixels": 10**9}]}]
)
def test_what_changes_no_weights_may_change(changes: dict[str, Any], tmp_path: Path) -> None:
    given = {"ema": 0.9, "log_every": 1, "save_every": 2, "workers": 0}
    whole = run(tmp_path / "whole", given=toy.recipe(**given)).parent
    run(tmp_path / "cut", given=toy.recipe(**given), max_steps=3)
    run(tmp_path / "cut", given=toy.recipe(**given | changes), resume=True)
    assert_same_weights(tmp_path / "cut", whole)


@pytest.mark.parametrize("changes", [{"threads": 2}, {"per_device_batch": 2}, {"seed": 1}, {"batch": 2}])
def test_what_changes_weights_may_not(changes: dict[str, Any], tmp_path: Path) -> None:
    run(tmp_path, given=toy.recipe(ema=0.9), max_steps=2)
    with pytest.raises(RecipeError, match=f"with other {next(iter(changes))}"):
        run(tmp_path, given=toy.recipe(ema=0.9, **changes), resume=True)


def test_a_checkpoint_whose_recipe_has_former_keys_goes_on(tmp_path: Path) -> None:
    given = toy.recipe(ema=0.9, sources=[{"samples": "a.jsonl"}])
    run(tmp_path, given=given, max_steps=2)
    path = toy.last_checkpoint(tmp_path) / "state.json"
    content = json.loads(path.read_text())
    content["recipe"]["sources"][0]["records"] = content["recipe"]["sources"][0].pop("samples")
    for new in ("outside", "broken", "max_pixels"):
        del content["recipe"]["sources"][0][new]
    del content["data"], content["recipe"]["lora"]
    path.write_text(json.dumps(content))
    run(tmp_path, given=given, resume=True)


def test_a_checkpoint_whose_recipe_says_tower_goes_on() -> None:
    groups = [{"parts": ["network.vision_encoder"], "rate": 1.0e-3}, {"parts": [""], "rate": 3.0e-3}]
    kept = json.loads(json.dumps(toy_recipe(groups=groups).as_dict()))
    kept["groups"][0]["parts"] = ["network.tower"]
    now = Origin(toy_recipe(groups=groups).as_dict(), processes=1, data={})
    now.check({"recipe": kept, "processes": 1}, name="step-2")
    kept["groups"][0]["parts"] = ["network.decoder"]
    with pytest.raises(RecipeError, match="with other groups"):
        now.check({"recipe": kept, "processes": 1}, name="step-2")


# The data of a resumed run.


def other_caption(pack: Path) -> None:
    file = pack / "train_captions.jsonl"
    file.write_text(file.read_text().replace(" is near ", " by near ").replace(" is next ", " by next "))


def other_box(pack: Path) -> None:
    file = pack / "train_instances.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["bbox"][2] -= 1
    file.write_text(json.dumps(content))


def other_picture(pack: Path) -> None:
    file = pack / "images" / "1.jpg"
    with Image.open(file) as image:
        image.convert("RGB").save(file, quality=30)


def other_samples(pack: Path) -> None:
    file = pack / "own.jsonl"
    file.write_text(file.read_text().replace("a gizmo", "a gadget"))


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a caption": (other_caption, r"annotations of source 1 \(\./train\)"),
    "a box": (other_box, r"annotations of source 1 \(\./train\)"),
    "a picture": (other_picture, r"pictures of source 1 \(\./train\)"),
    "a sample": (other_samples, r"samples of source 2 \(\./own\.jsonl\)"),
}
LINE = {
    "picture": "images/1.jpg",
    "frame": "unit",
    "regions": {"a": {"box": [0.1, 0.1, 0.6, 0.7]}},
    "turns": [{"user": "What is {a}?", "assistant": "It is [a gizmo](a)."}],
}


def with_samples(pack: Path) -> Any:
    (pack / "own.jsonl").write_text(json.dumps(LINE) + "\n")
    return toy_recipe(steps=3, save_every=1, sources=[{}, {"samples": "own.jsonl"}])


@pytest.mark.parametrize("what", CHANGES)
def test_changed_data_are_told(what: str, pack: Path, tmp_path: Path) -> None:
    recipe = with_samples(pack)
    run_recipes([recipe], data=pack, out=tmp_path / "out", max_steps=1)
    change, message = CHANGES[what]
    change(pack)
    with pytest.raises(RecipeError, match=f"the data have changed since.*{message}.*Restore them"):
        run_recipes([recipe], data=pack, out=tmp_path / "out", resume=True)


def test_what_does_not_concern_a_run_may_change(pack: Path, tmp_path: Path) -> None:
    recipe = with_samples(pack)
    run_recipes([recipe], data=pack, out=tmp_path / "out", max_steps=1)
    (pack / "notes.txt").write_text("seen")
    moved = shutil.move(pack, tmp_path / "moved")
    run_recipes([recipe], data=Path(moved), out=tmp_path / "out", resume=True)


# One run at a time.


def test_a_second_run_is_refused(pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(TOY))
    words = ["train", str(path), "--data", str(pack), "--out", str(tmp_path / "out")]
    holder = (
        "import sys, time; from pathlib import Path; from deixis.training.state.run_lock import run_lock\n"
        "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    (tmp_path / "out" / "toy" / "step-00000002.partial").mkdir(parents=True)
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert command(words) == 2
        assert "another run is writing into" in capsys.readouterr().err
        assert (tmp_path / "out" / "toy" / "step-00000002.partial").is_dir(), "the first one is writing it"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with run_lock(tmp_path / "out"):
        pass


def test_a_lock_is_let_go_of_when_a_run_ends(tmp_path: Path) -> None:
    with (
        run_lock(tmp_path),
        pytest.raises(UsageError, match="another run is writing"),
        run_lock(tmp_path),
    ):
        pass
    with run_lock(tmp_path):
        pass


# Loader workers.


def test_workers_are_at_most_one_a_processor(caplog: pytest.LogCaptureFixture) -> None:
    assert workers.worker_count(10**6, passes=10**6) == workers.cores()
    assert "workers is 1000000, but" in caplog.text
    caplog.clear()
    assert workers.worker_count(1, passes=5) == 1 and workers.worker_count(1, passes=0) == 0
    assert not caplog.text


def children(pid: int) -> set[int]:
    """Return the processes below a process, however deep."""
    below = {int(line.split()[0]) for line in ps() if int(line.split()[1]) == pid}
    return below | {deeper for child in below for deeper in children(child)}


def ps() -> list[str]:
    return subprocess.run(
        ["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def living() -> set[int]:
    return {int(line.split()[0]) for line in ps() if not line.split()[2].startswith("Z")}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps")
def test_workers_end_with_a_parent_that_was_killed(pack: Path, tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(TOY | {"steps": 100_000, "workers": 2, "batch": 8}))
    process = subprocess.Popen(
        [sys.executable, "-m", "deixis", "train", path, "--data", pack, "--out", tmp_path / "out"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not checkpoints(tmp_path / "out" / "toy") and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.2)
    started = children(process.pid)
    assert len(started) >= 2, "two workers, and what else they need"
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while started & living() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not started & living()


# What is found out before the work.


def unread(*_: Any, **__: Any) -> Any:
    raise AssertionError("something was read before what could be known was said")


@pytest.mark.parametrize("kind", ["file", "device", "long name", "below a file"])
def test_an_out_that_cannot_be_written(
    kind: str, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    out = {
        "file": tmp_path / "file",
        "device": Path("/dev/full"),
        "long name": tmp_path / ("x" * 300),
        "below a file": tmp_path / "file" / "runs",
    }[kind]
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(TOY))
    monkeypatch.setattr(runs, "run_recipe", unread)
    assert command(["train", str(path), "--data", str(pack), "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("step", ["metrics", "checkpoint", "model"])
def test_a_disk_that_is_full_is_a_sentence(step: str, tmp_path: Path, monkeypatch: Any) -> None:
    from deixis.training import metrics
    from deixis.training.state import checkpoints as saving

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    if step == "checkpoint":
        monkeypatch.setattr(saving, "save_file", full)
    if step == "metrics":
        monkeypatch.setattr(metrics.Path, "open", full)
    if step == "model":
        monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UsageError, match=r"cannot write .*No space left on device; make room"):
        run(tmp_path / "out")


def test_a_log_is_written_whole_or_stays_as_it_was(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n')
    monkeypatch.setattr(os, "fsync", lambda descriptor: full())

    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match=r"metrics\.jsonl: No space left on device; make room .*--resume"):
        MetricsLog(path, first_step=2)
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3]
    monkeypatch.undo()
    MetricsLog(path, first_step=2)
    assert [row["step"] for row in read_metrics(path)] == [1, 2] and len(list(tmp_path.iterdir())) == 1


def test_missing_packages_are_found_first(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = {known.package for known in pretrained.PACKAGED.values()}
    found = pretrained.importlib.util.find_spec
    monkeypatch.setattr(
        pretrained.importlib.util,
        "find_spec",
        lambda name, *more: None if name in packages else found(name, *more),
    )
    monkeypatch.setattr(runs, "run_recipe", unread)
    for values in (
        {"objective": {}, "network": {"vision_encoder": "efficientnet_lite0"}},
        {"system": "ferret", "objective": {}, "network": {}, "augmentation": {"square": False}},
    ):
        with pytest.raises(MissingWeights, match=r"make training.*pip install 'deixis\[training\]'"):
            run_recipes([toy_recipe(**values)], data=pack, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_models_that_are_not_there_are_found_first(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "run_recipe", unread)
    for name in ("gone", "../../evil", "/nowhere/at/all", "x" * 5000, "a\0b"):
        with pytest.raises(RecipeError, match="needs"):
            run_recipes([toy_recipe(starts_from=name)], data=pack, out=tmp_path / "out")


def test_a_systems_name_is_its_packaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pointer").mkdir()
    (tmp_path / "pointer" / "config.json").write_text("{}")
    recipe = toy_recipe(starts_from="pointer")
    assert model_folder("pointer", recipe=recipe, out=tmp_path / "out") == weights_folder("pointer")
    assert model_folder("./pointer", recipe=recipe, out=tmp_path / "out") == Path("./pointer")
    with pytest.raises(MissingWeights, match="ferret"):
        model_folder("ferret", recipe=recipe, out=tmp_path / "out")


def test_former_names_of_runs_are_found(tmp_path: Path) -> None:
    for kept, asked in (("pointer-look", "pointer-stage-1"), ("pointer-stage-2", "pointer-again")):
        folder = tmp_path / kept / "model"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        assert model_folder(asked, recipe=toy_recipe(), out=tmp_path) == folder


# Checkpoints.


def test_checkpoints_have_the_mode_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run(tmp_path, max_steps=2)
    finally:
        os.umask(before)
    files = list(toy.last_checkpoint(tmp_path).iterdir())
    assert len(files) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o640}


def edit_state(**values: Any) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        content = json.loads((folder / "state.json").read_text())
        (folder / "state.json").write_text(json.dumps(content | values))
        return "state.json"

    return damage


def nested(folder: Path) -> str:
    (folder / "state.json").write_text("[" * 100_000)
    return "state.json"


def other_moment(folder: Path) -> str:
    tensors = load_file(folder / "optimiser.safetensors")
    key = next(key for key in tensors if key.endswith("exp_avg"))
    save_file(tensors | {key: torch.zeros(3, 1)}, folder / "optimiser.safetensors")
    return "optimiser.safetensors"


def unknown_parameter(folder: Path) -> str:
    tensors = load_file(folder / "optimiser.safetensors")
    save_file(tensors | {"gone/exp_avg": torch.zeros(3)}, folder / "optimiser.safetensors")
    return "optimiser.safetensors"


def empty_numbers(folder: Path) -> str:
    tensors = load_file(folder / "random-00000.safetensors")
    save_file(tensors | {"numpy.gauss": torch.zeros(0)}, folder / "random-00000.safetensors")
    return "random-00000.safetensors"


def other_average(folder: Path) -> str:
    tensors = load_file(folder / "average.safetensors")
    key = next(iter(tensors))
    save_file(tensors | {key: torch.zeros(1)}, folder / "average.safetensors")
    return "average.safetensors"


DAMAGES = {
    "step beyond the end": edit_state(step=99),
    "step below 0": edit_state(step=-1),
    "step of text": edit_state(step="4"),
    "step that is true": edit_state(step=True),
    "recipe of text": edit_state(recipe="toy"),
    "data of text": edit_state(data="toy"),
    "nested": nested,
    "moment of another shape": other_moment,
    "moment of nothing": unknown_parameter,
    "no number where one is": empty_numbers,
    "average of another shape": other_average,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_further_damages_of_a_checkpoint_are_named(damage: str, tmp_path: Path) -> None:
    run(tmp_path, max_steps=2)
    file = DAMAGES[damage](toy.last_checkpoint(tmp_path))
    with pytest.raises(RecipeError, match=rf"step-00000002: .*{file} is missing or damaged"):
        run(tmp_path, resume=True)


def test_odd_rows_of_a_log_end_no_run(tmp_path: Path) -> None:
    run(tmp_path, max_steps=2)
    with (tmp_path / "metrics.jsonl").open("a") as log:
        log.write(
            '{"step": 1}\n{"step": 1, "losses": 5}\n{"step": 2, "losses": {"words": "x", "total": null}}\n'
        )
    run(tmp_path, resume=True)


# Sources below --data.


@pytest.mark.parametrize("name", ["../elsewhere", "/", "link", "a\0b", "loop"])
def test_sources_outside_of_the_data_are_refused(name: str, pack: Path, tmp_path: Path) -> None:
    write_toy_pack(tmp_path / "elsewhere", pictures=4)
    (pack / "link").symlink_to(tmp_path / "elsewhere")
    (pack / "loop").symlink_to(pack / "loop")
    with pytest.raises(RecipeError, match=r"leads out of the data folder|no name of a file"):
        run_recipes([toy_recipe(sources=[{"folder": name}])], data=pack, out=tmp_path / "out")
    for source in ({"samples": f"{name}/a.jsonl"}, {"grit": f"{name}/a.json"}):
        with pytest.raises((RecipeError, RecordError)):
            run_recipes([toy_recipe(sources=[source])], data=pack, out=tmp_path / "out")


def test_links_within_the_data_are_followed(pack: Path, tmp_path: Path) -> None:
    (pack / "inner").symlink_to(pack)
    (tmp_path / "linked").symlink_to(pack)
    recipe = toy_recipe(sources=[{"folder": "inner"}])
    run_recipes([recipe], data=tmp_path / "linked", out=tmp_path / "out", max_steps=1)


# Adapters.


def test_adapters_learn_and_are_merged(pack: Path, tmp_path: Path) -> None:
    (before,) = run_recipes([toy_recipe(steps=1)], data=pack, out=tmp_path)
    tuned = toy_recipe(
        name="tuned", starts_from="toy", lora={"rank": 2, "parts": ["network.decoder"]}, groups=None
    )
    (after,) = run_recipes([tuned], data=pack, out=tmp_path)
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    assert old.keys() == new.keys()
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    learnt = {name for name in changed if "running" not in name and "num_batches" not in name}
    assert learnt and all(name.startswith("decoder.") and name.endswith(".weight") for name in learnt)
    assert load(after).name == "pointer"


def test_a_resumed_run_with_adapters_ends_the_same(tmp_path: Path) -> None:
    given = toy.recipe(ema=0.9, lora={"rank": 2}, groups=None)
    whole = run(tmp_path / "whole", given=given).parent
    run(tmp_path / "cut", given=given, max_steps=3)
    run(tmp_path / "cut", given=given, resume=True)
    assert_same_weights(tmp_path / "cut", whole)
    assert not any("lora_" in name for name in toy.weights(whole))


def test_parts_without_a_linear_map_are_told(tmp_path: Path) -> None:
    given = toy.recipe(lora={"parts": ["network.nothing"]}, groups=None)
    said = "no linear map has a name that begins with one of lora's parts .* there are linear maps in head, "
    with pytest.raises(RecipeError, match=said):
        run(tmp_path, given=given)
