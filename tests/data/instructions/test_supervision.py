"""Batches in which nothing is learnt: the published fault, its correction, errors that name samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.data.instructions.reading import RowRules, read_instructions
from deixis.data.instructions.source import InstructionSource
from deixis.errors import RecordError
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.label_masking import IGNORED, Masking
from deixis.text.tokenizers.codecs.opening import TokenizerCodec
from deixis.training.passes import learn_from
from tests.parity.checks.florence_vl_training import TOKENIZERS
from tests.systems.florence_vl.tiny import fresh_florence_vl, tiny_options
from tests.training.toy_objective import recipe
from tests.training.whole_and_cut import ALONE

ONE = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A dog."}]
ROWS = [
    {"id": "single", "image": "a.png", "conversations": ONE},
    {"id": "rounds", "image": "a.png", "conversations": ONE * 3},
    {"id": "words", "conversations": ONE * 2},
    {"id": "late", "image": "a.png", "conversations": [*ONE, {**ONE[0], "value": "So?\n<image>"}, ONE[1]]},
]
SINGLE, ROUNDS, WORDS, LATE = range(4)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> InstructionSource:
    folder = tmp_path_factory.mktemp("supervision")
    Image.new("RGB", (40, 30), (90, 120, 60)).save(folder / "a.png")
    (folder / "rows.json").write_text(json.dumps(ROWS))
    return InstructionSource(read_instructions([folder / "rows.json"], RowRules()), images=folder)


@pytest.fixture(scope="module")
def system() -> SplicedSystem:
    """A tiny Florence-VL with Llama-3's template, and a tokenizer that begins texts as Llama-3's does."""
    codec = TokenizerCodec(
        TOKENIZERS / "toy_llama3_tokenizer" / "tokenizer.json", eos="<|eot_id|>", pad="<pad>", region=None
    )
    ids = {"bos_token_id": codec.bos, "eos_token_id": codec.eos, "pad_token_id": codec.pad}
    made = fresh_florence_vl(
        template="llama3",
        codec="tokenizer",
        tower_training="frozen",  # so that no dropout draws
        language=wide(len(codec)),
        **ids,
    )
    return type(made)(made.network, codec)


def wide(words: int) -> dict[str, Any]:
    return {**tiny_options()["language"], "vocab_size": words}


def batch_of(
    system: SplicedSystem, source: InstructionSource, *rows: int, masking: Masking = "corrected"
) -> dict[str, Any]:
    collate = system.collate()
    collate.strict_masking = masking
    return collate([source.example(row, np.random.default_rng(0)) for row in rows])


def test_the_published_masking_learns_nothing_of_several_rounds_and_the_corrected_all(
    system: SplicedSystem, source: InstructionSource
) -> None:
    published = batch_of(system, source, SINGLE, ROUNDS, WORDS, LATE, masking="published")
    corrected = batch_of(system, source, SINGLE, ROUNDS, WORDS, LATE)
    learnt = [(batch["labels"] != IGNORED).sum(dim=1).tolist() for batch in (published, corrected)]
    answer = learnt[0][SINGLE]
    assert answer > 0 and learnt == [[answer, 0, 0, 0], [answer, 3 * answer, 2 * answer, 2 * answer]]
    assert corrected["picture_counts"] == [1, 1, 0, 1] and len(corrected["pixel_values"]) == 3


@pytest.mark.parametrize("rows", [(ROUNDS,), (ROUNDS, WORDS, LATE)], ids=str)
def test_a_batch_without_anything_learnt_is_an_error_that_names_the_samples(
    system: SplicedSystem, source: InstructionSource, rows: tuple[int, ...], tmp_path: Path
) -> None:
    batch = batch_of(system, source, *rows, masking="published")
    objective = SplicedObjective(system.network)
    passes = [batch_of(system, source, row, masking="published") for row in rows]
    for attempt in (lambda: objective(batch), lambda: stepped(objective, passes, tmp_path)):
        with pytest.raises(RecordError, match="no answer in this batch is learnt from") as fault:
            attempt()
        for row in rows:
            assert f"rows.json[{row}]" in str(fault.value)


def stepped(objective: SplicedObjective, passes: list[dict[str, Any]], out: Path) -> dict[str, float]:
    return learn_from(passes, objective, recipe(precision="float32"), world=ALONE, step=0, out=out)


def test_a_mixed_step_learns_from_what_has_labels_and_is_finite(
    system: SplicedSystem, source: InstructionSource, tmp_path: Path
) -> None:
    objective = SplicedObjective(system.network.train())
    silent = [batch_of(system, source, row, masking="published") for row in (ROUNDS, WORDS)]
    spoken = batch_of(system, source, SINGLE)
    together = stepped(objective, [silent[0], spoken, silent[1]], tmp_path)
    gradients = taken(objective)
    alone = stepped(objective, [spoken], tmp_path)
    assert together["total"] == pytest.approx(alone["total"], rel=1e-6) and np.isfinite(together["total"])
    for name, gradient in taken(objective).items():
        torch.testing.assert_close(gradients[name], gradient, msg=name)
    rows = batch_of(system, source, SINGLE, ROUNDS, WORDS, masking="published")
    assert float(objective(rows)["total"].detach()) == pytest.approx(alone["total"], rel=1e-5)


def taken(objective: SplicedObjective) -> dict[str, torch.Tensor]:
    """Return the gradients, which are forgotten then."""
    found = {n: p.grad.clone() for n, p in objective.named_parameters() if p.grad is not None}
    assert found and all(gradient.isfinite().all() for gradient in found.values())
    objective.zero_grad()
    return found
