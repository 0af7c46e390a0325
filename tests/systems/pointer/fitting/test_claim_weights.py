"""Choosing the rules of claims on toy pictures: whose evidence, in which order, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import torch

from deixis.data.scene import Scene
from deixis.data.sources import read_scenes
from deixis.data.synthesis.claims import FAR, YES, Claim, claims_about
from deixis.data.synthesis.phrasebook import Phrasebook
from deixis.data.synthesis.qualities import Qualities
from deixis.layers.regions.region_classifier import NEVER
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.claim_verdicts import Evidence, KnownClaim, Sort, Weighed
from deixis.systems.pointer.fitting import claim_weights
from deixis.systems.pointer.fitting.claim_weights import choose_claim_rules, evidence_of
from deixis.systems.prompt import Prompt
from tests.systems.pointer.tiny import tiny_system
from tests.toy.pack import write_toy_pack


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return list(read_scenes(write_toy_pack(tmp_path_factory.mktemp("toy"), pictures=12), split="train"))


def fitted_system() -> PointerSystem:
    system = tiny_system(region_namer=True)
    with torch.no_grad():
        system.network.region_namer.usual_names[:] = -3.0
        system.network.region_namer.usual_qualities[:] = NEVER
    return system


def test_each_claim_gets_the_evidence_of_its_own_thing(
    scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches as all at once, in the order of the claims."""
    system, scene = fitted_system(), scenes[0]
    claims = list(claims_about(scene, book=Phrasebook(scenes), seed=0))
    assert len(claims) >= 4
    rows = list(evidence_of(system, scene, claims, sort="name"))
    assert [true for _, true in rows] == [claim.truth == YES for claim in claims]
    for (row, true), claim in zip(rows, claims, strict=True):
        assert len(row) == 5 and row[-1] == 1.0
        ((alone, same),) = evidence_of(system, scene, [claim], sort="name")
        assert alone == pytest.approx(row, abs=1e-4) and same == true
    monkeypatch.setattr(claim_weights, "BATCH", 3)
    assert [row for row, _ in evidence_of(system, scene, claims, sort="name")] == [
        pytest.approx(row, abs=1e-4) for row, _ in rows
    ]
    assert not list(evidence_of(system, scene, claims, sort="quality"))
    assert not list(evidence_of(system, scene, [], sort="name"))


def test_claims_that_the_system_cannot_judge_are_left_out(
    scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    system, scene = fitted_system(), scenes[0]
    claims = [Claim(thing.id, "a dog", sort) for thing in scene.things for sort in (YES, FAR)]

    def weighed(
        _: PointerSystem, prompts: Sequence[Prompt], __: Sequence[Claim]
    ) -> list[tuple[Weighed | None, torch.Tensor]]:
        known = Weighed("name", ((KnownClaim((20,), 20), Evidence(-1.0, -2.0, -3.0)),), torch.zeros(1, 1))
        scores = torch.zeros(len(system.vocabulary))
        return [(known if number % 2 else None, scores) for number in range(len(prompts))]

    monkeypatch.setattr(claim_weights, "weighed_all", weighed)
    rows = list(evidence_of(system, scene, claims, sort="name"))
    assert [true for _, true in rows] == [False] * len(scene.things)
    assert all(row[1:] == [-1.0, -2.0, -3.0, 1.0] for row, _ in rows)


def test_a_rule_weighs_what_tells_true_from_false(
    scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    def evidence(
        _: PointerSystem, __: Scene, claims: Sequence[Claim], *, sort: Sort
    ) -> Iterator[tuple[list[float], bool]]:
        for claim in claims:
            true = claim.truth == YES
            telling = 1.0 if true else -1.0
            yield ([0.5, telling, 0.5, 0.5, 1.0] if sort == "name" else [0.5, 0.5, 0.5, telling, 1.0]), true

    monkeypatch.setattr(claim_weights, "evidence_of", evidence)
    book, qualities = Phrasebook(scenes), Qualities(scenes, at_least=2)
    rules = choose_claim_rules(fitted_system(), scenes, book=book, qualities=qualities)
    assert rules["name"].called > 1.0 > 0.2 > abs(rules["name"].usual)
    assert rules["quality"].usual > 1.0 > 0.2 > abs(rules["quality"].called)
    none = choose_claim_rules(fitted_system(), scenes, book=book, qualities=Qualities(scenes, at_least=10**6))
    assert set(none) == {"name"}
    assert not choose_claim_rules(fitted_system(), [], book=book, qualities=qualities)
