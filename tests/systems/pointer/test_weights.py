"""Saving, opening and changing a network: a second look is kept, and added where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from deixis.errors import BadWeights
from deixis.systems.pointer.training.building import learn_words
from deixis.systems.pointer.weights import load_network, rebuilt, save_network
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary, grown_vocabulary, piece_tokenizer
from tests.systems.pointer.tiny import saved_system, tiny_network, tiny_vocabulary


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    network = tiny_network(candidates=6)
    save_network(network, tiny_vocabulary(), tmp_path, dtype=torch.float32)
    again, _ = load_network(tmp_path)
    assert again.config.candidates == 6
    stored, loaded = network.state_dict(), again.state_dict()
    assert stored.keys() == loaded.keys()
    assert not [name for name, tensor in stored.items() if not torch.equal(tensor, loaded[name])]
    assert any(name.startswith("second_look.") for name in loaded)


def test_a_folder_from_before_the_second_look_has_none(tmp_path: Path) -> None:
    saved_system(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["candidates"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load_network(tmp_path)[0].config.candidates == 0


@pytest.mark.parametrize(("stored", "claimed"), [(0, 6), (6, 0)], ids=["missing", "left over"])
def test_a_second_look_that_the_config_does_not_tell_of(tmp_path: Path, stored: int, claimed: int) -> None:
    saved_system(tmp_path, candidates=stored)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"candidates": claimed}))
    with pytest.raises(BadWeights, match=r"second_look\.score\.weight"):
        load_network(tmp_path)


def test_a_second_look_is_added_and_the_rest_is_kept(tmp_path: Path) -> None:
    saved_system(tmp_path)
    network, _ = load_network(tmp_path)
    changed = rebuilt(network, {"candidates": 6, "side": 96})
    assert (changed.config.candidates, changed.config.side) == (6, 96)
    before, after = network.state_dict(), changed.state_dict()
    added = after.keys() - before.keys()
    assert added and all(name.startswith("second_look.") for name in added)
    kept = before.keys() - {"mapper.coarse_position", "mapper.fine_position"}
    assert not [name for name in kept if not torch.equal(before[name], after[name])]
    for head in ("score", "none", "refine"):
        assert not after[f"second_look.{head}.weight"].any(), "it begins by saying what the first look said"


def test_regions_are_read_in_detail_and_nothing_else_changes() -> None:
    network = tiny_network()
    before, changed = network.state_dict(), rebuilt(network, {"region_detail": True, "most_found": 4})
    added = changed.state_dict().keys() - before.keys()
    assert added and all(name.startswith("region_detail.") for name in added)
    assert changed.config.most_found == 4
    assert not changed.region_detail.own.weight.any() and not changed.region_detail.proposed.weight.any()


def test_candidates_are_read_in_detail_and_nothing_else_changes() -> None:
    network = tiny_network(candidates=6)
    before, changed = network.state_dict(), rebuilt(network, {"candidate_detail": True})
    after = changed.state_dict()
    added = after.keys() - before.keys()
    assert added and all(name.startswith("second_look.detail.") for name in added)
    assert not [name for name in before if not torch.equal(before[name], after[name])]
    assert not after["second_look.detail.out.weight"].any(), "it begins by changing nothing"


def test_another_grid_of_picture_tokens_has_the_old_positions_resized() -> None:
    network = tiny_network()
    grid = network.config.picture_grid
    with torch.no_grad():
        row = torch.arange(grid, dtype=torch.float32).repeat_interleave(grid)
        network.reader.position.copy_(row[:, None].expand_as(network.reader.position))
    changed = rebuilt(network, {"picture_grid": 2 * grid})
    position = changed.reader.position.reshape(2 * grid, 2 * grid, -1)
    expected = ((torch.arange(2 * grid) + 0.5) / 2 - 0.5).clamp(0, grid - 1)
    torch.testing.assert_close(position, expected[:, None, None].expand_as(position))
    assert changed.reader(changed.encode(torch.rand(1, 3, 64, 64))).shape[1] == 4 * grid**2


def test_parts_of_another_size_are_named() -> None:
    with pytest.raises(BadWeights, match=r"mapper\.\S+ is .* keeps its decoder and widths"):
        rebuilt(tiny_network(), {"map_width": 32})


def test_another_tower_starts_as_made_and_everything_else_is_kept() -> None:
    network = tiny_network(candidates=6, region_view=True)
    changed = rebuilt(network, {"tower": "efficientnet_lite0"})
    before, after = network.state_dict(), changed.state_dict()
    kept = {name for name in before if not name.startswith(("tower.", "mapper.laterals."))}
    assert kept and not [name for name in kept if not torch.equal(before[name], after[name])]
    fresh = {f"mapper.laterals.{depth}.weight" for depth in range(4)} | {"tower.stem.conv.weight"}
    assert not [name for name in fresh if torch.equal(before[name], after[name])]
    assert changed.encode(torch.rand(1, 3, 64, 64)).keys.shape == (1, network.config.map_width, 64)


def test_views_and_a_namer_can_be_left_out_and_added() -> None:
    network = tiny_network(region_view=True)
    named = rebuilt(network, {"region_view": False, "region_namer": True})
    before, after = network.state_dict(), named.state_dict()
    assert {n.split(".")[0] for n in before.keys() - after.keys()} == {"region_view"}
    assert {n.split(".")[0] for n in after.keys() - before.keys()} == {"region_namer"}
    assert not [n for n in before.keys() & after.keys() if not torch.equal(before[n], after[n])]
    assert not any(
        n.startswith("region_namer.") for n in rebuilt(named, {"region_namer": False}).state_dict()
    )


def test_other_parts_can_t_be_left_out() -> None:
    with pytest.raises(BadWeights, match=r"no place for .*second_look\."):
        rebuilt(tiny_network(candidates=6), {"candidates": 0})


def test_a_namer_starts_anew_behind_another_tower() -> None:
    network = tiny_network(region_namer=True)
    with torch.no_grad():
        network.region_namer.bias.fill_(0.0)
    changed = rebuilt(network, {"tower": "efficientnet_lite0"})
    assert len(network.region_namer.pieces) and not len(changed.region_namer.pieces)


def test_what_reads_other_channels_of_another_tower_is_named() -> None:
    with pytest.raises(BadWeights, match=r"second_look\.detail\.read\.0\.weight is"):
        rebuilt(tiny_network(candidates=6, candidate_detail=True), {"tower": "efficientnet_lite0"})


def test_what_the_old_network_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deixis.systems.pointer.weights.ADDED", ("second_look.",))
    with pytest.raises(BadWeights, match=r"the old network has no .*region_detail\.read"):
        rebuilt(tiny_network(), {"region_detail": True})


@pytest.mark.parametrize("wrong", [{"candidates": -1}, {"looks": 0}, {"looks": 9}, {"most_found": 0}])
def test_counts_that_are_none(wrong: dict[str, int]) -> None:
    with pytest.raises(BadWeights, match="expected whole numbers from 0, from 1, and from 1 to 8"):
        tiny_network(**wrong)


def test_further_words_leave_the_known_ones_as_they_were() -> None:
    network, vocabulary = tiny_network(), tiny_vocabulary()
    pieces = {piece: number for number, piece in enumerate([*vocabulary.pieces, "whereabouts"])}
    grown = grown_vocabulary(vocabulary, Vocabulary(piece_tokenizer(pieces, unknown="<unknown>")))
    before = {name: tensor.clone() for name, tensor in network.words.state_dict().items()}
    hidden = torch.randn(3, network.config.width)
    said = network.words.logits(hidden)
    learn_words(network, grown, {})
    assert network.config.vocab_size == len(vocabulary) + 1 == len(network.words.bias)
    for name, tensor in network.words.state_dict().items():
        assert torch.equal(tensor[: len(before[name])], before[name])
    assert torch.allclose(network.words.logits(hidden)[:, :-1], said, atol=1e-6)


def test_further_words_are_no_names() -> None:
    network, vocabulary = tiny_network(region_namer=True), tiny_vocabulary()
    with torch.no_grad():
        network.region_namer.bias[[20, 30]] = 0.0
    pieces = {piece: number for number, piece in enumerate([*vocabulary.pieces, "whereabouts"])}
    grown = grown_vocabulary(vocabulary, Vocabulary(piece_tokenizer(pieces, unknown="<unknown>")))
    learn_words(network, grown, {})
    assert len(network.region_namer.bias) == len(grown) and network.region_namer.pieces.tolist() == [20, 30]


def test_another_count_of_candidates_is_the_same_second_look() -> None:
    network = tiny_network(candidates=6)
    before, after = network.state_dict(), rebuilt(network, {"candidates": 3}).state_dict()
    assert before.keys() == after.keys()
    assert not [name for name in before if not torch.equal(before[name], after[name])]


def test_a_further_look_is_added_to_the_second() -> None:
    network = tiny_network(candidates=6)
    before, after = network.state_dict(), rebuilt(network, {"looks": 3}).state_dict()
    assert after.keys() - before.keys() == {"second_look.again"}
    assert after["second_look.again"].shape == (2, network.config.width)
    assert not [name for name in before if not torch.equal(before[name], after[name])]


def test_a_second_look_is_not_dropped_silently() -> None:
    with pytest.raises(BadWeights, match=r"no place for .*second_look"):
        rebuilt(tiny_network(candidates=6), {"candidates": 0})
