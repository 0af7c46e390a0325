"""The study: what is kept of pictures and texts, fits that can and cannot succeed, the table, the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from deixis.cli import main
from deixis.data.sources import read_scenes
from deixis.errors import UsageError
from deixis.layers.alignment import chance_loss, lowest_loss, unit_mean
from deixis.studies.alignment.encoders import VisionEncoder
from deixis.studies.alignment.fitting import FitSettings, Projection, fit
from deixis.studies.alignment.pairs import CaptionVectors, captioned, picture_vectors
from deixis.studies.alignment.study import run_alignment
from deixis.studies.alignment.texts import BATCH, LanguageModel, open_language, text_vectors
from tests.checkpoints.tiny_checkpoints import ferret_folders
from tests.studies.alignment.made_folders import clip_folder
from tests.toy.pack import write_toy_pack

FLAT = VisionEncoder("flat", "none", 8, None, lambda pixels: pixels.flatten(2).transpose(1, 2))  # type: ignore[arg-type]


def spoken(pictures: int, *, width: int = 12, seed: int = 0) -> CaptionVectors:
    draw = torch.Generator().manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(2 * pictures, width, generator=draw), dim=-1)
    return CaptionVectors(vectors, tuple(range(0, 2 * pictures + 1, 2)))


def test_the_mean_is_all_that_a_linear_projection_needs() -> None:
    torch.manual_seed(0)
    tokens = torch.randn(5, 7, 6)
    projection = Projection(tokens.mean(dim=1), 4)
    each = unit_mean([projection(one) for one in tokens])
    torch.testing.assert_close(each, torch.nn.functional.normalize(projection(tokens.mean(dim=1)), dim=-1))


def test_texts_are_means_of_their_own_states_without_padding() -> None:
    table = torch.nn.functional.normalize(
        torch.randn(300, 5, generator=torch.Generator().manual_seed(0)), dim=-1
    )
    language = LanguageModel(
        "toy", "a table", lambda text: [ord(c) for c in text], lambda ids, mask: table[ids]
    )
    texts = ["ab", "a longer text", "x"] * (BATCH // 2)
    found = text_vectors(texts, language)
    assert len(found) == len(texts)
    for text, vector in zip(texts[:3], found, strict=False):
        torch.testing.assert_close(vector, unit_mean([table[[ord(c) for c in text]]])[0])


def test_captions_are_chosen_by_picture_and_number() -> None:
    captions = CaptionVectors(torch.arange(5.0)[:, None], (0, 2, 5))
    assert captions.chosen([0, 1, 1], [0, 2, 4]).flatten().tolist() == [0.0, 4.0, 3.0]
    assert len(captions) == 2


def test_a_fit_succeeds_where_there_is_something_to_learn_and_only_there() -> None:
    settings = FitSettings(steps=300, batch=16, rate=0.02)
    draw = torch.Generator().manual_seed(1)
    mix = torch.randn(12, 20, generator=draw)

    def told_by(captions: CaptionVectors) -> Tensor:
        firsts = list(captions.firsts[:-1])
        return (captions.vectors[firsts] + captions.vectors[[first + 1 for first in firsts]]) @ mix

    train, other = spoken(200, seed=2), spoken(40, seed=3)
    learnt = fit(told_by(train), train, unseen=(told_by(other), other), settings=settings)
    noise = torch.randn(200, 20, generator=draw), torch.randn(40, 20, generator=draw)
    unlearnt = fit(noise[0], train, unseen=(noise[1], other), settings=settings)
    assert lowest_loss(16) < learnt.unseen.mean() < chance_loss(16) - 0.3 and learnt.first > 0.5
    assert unlearnt.unseen.mean() > chance_loss(16) - 0.05 and unlearnt.first < 0.25
    assert learnt.curve[-1].step == 300 and learnt.curve[0].trained > learnt.curve[-1].trained
    again = fit(told_by(train), train, unseen=(told_by(other), other), settings=settings)
    assert again.curve == learnt.curve, "the same seed gives the same curve"


def test_too_few_pictures_for_a_batch() -> None:
    with pytest.raises(UsageError, match="4 unseen pictures for batches of 8"):
        fit(torch.zeros(9, 3), spoken(9), unseen=(torch.zeros(4, 3), spoken(4)), settings=FitSettings(1, 8))
    for wrong in ({"steps": 0}, {"batch": 1}, {"rate": 0.0}):
        with pytest.raises(UsageError, match="expected at least 1 step"):
            FitSettings(**wrong)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alignment")
    write_toy_pack(folder / "toy", pictures=6)
    ferret_folders(folder / "language")
    clip_folder(folder / "clip")
    return folder


def test_pictures_are_read_once_and_in_order(data: Path) -> None:
    from deixis.layers.towers.feature_grid import UNIT_PIXELS

    scenes = captioned(read_scenes(data / "toy", "train"), limit=3)
    encoder = VisionEncoder("flat", "none", 8, UNIT_PIXELS, FLAT.tokens)
    means, tokens = picture_vectors(scenes, encoder)
    assert means.shape == (3, 3) and tokens == 64
    assert len(set(map(tuple, means.tolist()))) == 3
    with pytest.raises(UsageError, match="none of 0 pictures has a caption"):
        captioned([], limit=None)


def test_without_each_part_there_is_a_row(data: Path) -> None:
    from deixis.layers.towers.feature_grid import UNIT_PIXELS

    scenes = captioned(read_scenes(data / "toy", "train"), limit=4)
    parts = {"one": (0, 1), "two": (1, 3)}
    encoder = VisionEncoder("flat", "none", 8, UNIT_PIXELS, FLAT.tokens, parts)
    study = run_alignment(
        [lambda: encoder],
        open_language(data / "language" / "base"),
        trained=scenes,
        unseen=scenes,
        settings=FitSettings(steps=2, batch=2),
        data="toy",
        missing=("clip: no weights were given",),
    )
    assert [(row.name, row.width) for row in study.rows] == [
        ("flat", 3),
        ("flat without one", 2),
        ("flat without two", 1),
    ]
    table = study.to_markdown()
    assert "- not measured: clip: no weights were given" in table and "llama of the folder base" in table
    assert json.loads(study.to_json())["chance"] == pytest.approx(0.693, abs=1e-3)


def test_the_command_writes_table_numbers_and_plot(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data / "out"
    words = ["study", "alignment", "--data", str(data / "toy"), "--encoder", f"clip={data / 'clip'}"]
    words += [
        "--language",
        str(data / "language" / "base"),
        "--steps",
        "3",
        "--batch",
        "2",
        "--out",
        str(out),
    ]
    assert main([*words, "--quiet"]) == 0
    printed = capsys.readouterr()
    assert "| clip | clip | 16 | 32 |" in printed.out and printed.err == ""
    assert (out / "study.md").read_text() in printed.out
    assert (out / "study.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((out / "study.json").read_text())
    assert content["rows"][0]["encoder"] == "clip" and len(content["not_measured"]) == 6
    for wrong, message in (
        (["--train-split", "val"], "judge by other pictures"),
        (["--limit", "0"], "--limit is 0"),
        (["--encoder", "nothing"], "is not known"),
    ):
        assert main([*words, *wrong]) == 2
        assert message in capsys.readouterr().err
