"""What a stage starts from: parts that are named, parts that fit, parts that stay fresh."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deixis.errors import BadWeights, MissingWeights, RecipeError
from deixis.systems.ferret.config import FerretConfig
from deixis.systems.ferret.model import FerretNetwork
from deixis.systems.spliced.training.initial_parts import Initial, fill
from tests.checkpoints.tiny_checkpoints import Folders, ferret_folders, projector_state, write_json
from tests.systems.ferret.networks import LLAMA, SAMPLER, ferret, ferret_v2


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("published")
    found = ferret_folders(root)
    (root / "projector").mkdir()
    draw = torch.Generator().manual_seed(2)
    state = projector_state(draw, "linear", name="model.mm_projector")
    torch.save(state, root / "projector" / "mm_projector.bin")
    return found


def initial(folders: Folders, **named: str) -> Initial:
    return Initial.below(folders.base.parent, named, where="recipe 'r'")


def test_a_part_that_no_network_has_is_named(folders: Folders) -> None:
    with pytest.raises(
        RecipeError, match="recipe 'r' initial: unknown key 'langage'; did you mean 'language'"
    ):
        initial(folders, langage="base")
    with pytest.raises(RecipeError, match=r"initial is \['base'\]; expected a folder for each"):
        Initial.below(folders.base.parent, ["base"], where="recipe 'r'")


def test_published_parts_make_a_network(folders: Folders) -> None:
    parts = initial(folders, language="base", tower="tower", projector="projector")
    fields, codec = parts.fields()
    assert codec is not None and codec.region == folders.pieces
    assert fields["language"]["vocab_size"] == folders.pieces + 1
    assert fields["region_token_id"] == folders.pieces and fields["codec"] == "sentencepieces"
    assert fields["tower"]["kind"] == "clip"
    torch.manual_seed(0)
    network = FerretNetwork(FerretConfig(**fields, side=56, sampler=SAMPLER))
    assert fill(network, parts.state(network), where="r") == ["sampler"]
    stored = torch.load(folders.base / "pytorch_model-00001-of-00002.bin")
    words = network.get_input_embeddings().weight
    assert torch.equal(words[: folders.pieces], stored["model.embed_tokens.weight"].float())
    assert words.dtype == torch.float32 and words[-1].any()


def test_folders_that_are_not_there(folders: Folders, tmp_path: Path) -> None:
    for named in ({"language": "gone"}, {"tower": "gone"}, {"local_tower": "gone"}):
        with pytest.raises(MissingWeights, match="gone"):
            initial(folders, **named).fields()
    with pytest.raises(MissingWeights, match="projector of LLaVA's first training stage"):
        initial(folders, projector="gone").state(ferret())
    write_json(tmp_path / "config.json", {"model_type": "llama"})
    with pytest.raises((BadWeights, MissingWeights)):
        Initial({"tower": tmp_path}).fields()


def test_parts_of_another_size_are_refused(folders: Folders) -> None:
    network = ferret()
    with pytest.raises(BadWeights, match=r"r: no place for \[\], other shapes of \['tower\."):
        fill(network, initial(folders, tower="tower").state(network), where="r")
    with pytest.raises(BadWeights, match="decoder of another size"):
        initial(folders, projector="projector").state(network)
    with pytest.raises(BadWeights, match=r"no place for .*newcomer"):
        fill(network, {"newcomer.weight": torch.ones(1)}, where="r")


def test_a_whole_checkpoint_is_no_language(folders: Folders) -> None:
    with pytest.raises(BadWeights, match="no part of a plain decoder"):
        initial(folders, language="target").state(ferret(language=LLAMA | {"vocab_size": 400}))


def test_the_tiles_projector_starts_as_a_copy() -> None:
    network = ferret_v2()
    assert network.local_projector is not None
    drawn = {
        name: torch.randn_like(tensor)
        for name, tensor in network.state_dict().items()
        if name.startswith("projector.")
    }
    fresh = fill(network, drawn, where="r")
    assert "local_projector" not in fresh and "projector" not in fresh and "local_tower" in fresh
    for name, tensor in network.local_projector.state_dict().items():
        assert torch.equal(tensor, drawn[f"projector.{name}"])
    own = {f"local_{name}": tensor + 1 for name, tensor in drawn.items()}
    fill(network, drawn | own, where="r")
    for name, tensor in network.local_projector.state_dict().items():
        assert torch.equal(tensor, own[f"local_projector.{name}"])
    assert fill(ferret(), ferret().state_dict(), where="r") == []
