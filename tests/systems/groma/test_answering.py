"""Groma answering: what is reused between questions, masks, and the proposer by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from deixis.engine.settings import Settings
from deixis.errors import BadRegion, UsageError
from deixis.layers.proposals.proposing import Proposals
from deixis.regions.shapes import Box, Point, Scribble
from deixis.systems import load
from deixis.systems.groma.answering import GromaSystem, places_of
from deixis.systems.groma.detector.answering import GromaProposerSystem
from deixis.systems.groma.detector.config import GromaProposerConfig
from deixis.systems.groma.detector.network import GromaProposerNetwork
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from tests.systems.groma.tiny import PROPOSER, SIDE, fresh_groma
from tests.systems.pointer.tiny import noise_picture


def prompt_of(system: GromaSystem, picture: Any, question: str, **regions: Any) -> Prompt:
    return system.prompts([checked_question(question, regions, picture)])[0]


def counting(module: nn.Module) -> list[int]:
    """Return a list that grows by one whenever a module runs."""
    runs: list[int] = []
    module.register_forward_hook(lambda *_: runs.append(1))
    return runs


def test_a_further_question_reads_the_picture_no_more() -> None:
    system, picture = fresh_groma(), noise_picture(90, 60)
    perceived = counting(system.network.perceiver.proposer)
    boxes: list[int] = []
    sampler = system.network.region_encoder.roi_align
    sampler.register_forward_hook(lambda _, given, __: boxes.append(len(given[1][0])))
    system.ask(picture, "what is it?", max_new_tokens=2)
    system.ask(picture, "where is the dog?", max_new_tokens=2)
    assert len(perceived) == 1 and len(boxes) == 1
    system.ask(picture, "what is {it}?", regions={"it": Box(3, 3, 30, 40)}, max_new_tokens=2)
    assert len(perceived) == 1 and boxes[1] == 1, "only the new box is read"


def test_prompts_about_one_picture_begin_alike() -> None:
    system, picture = fresh_groma(), noise_picture(90, 60)
    first, second = (
        system.embed([prompt_of(system, picture, text)])[0] for text in ("a dog", "where is it?")
    )
    listed = len(places_of(prompt_of(system, picture, "a")).listed)
    assert second.shared_with(first.identity) > system.network.picture_tokens() + 2 * listed


def test_places_are_in_the_original_and_user_regions_among_them() -> None:
    system, picture = fresh_groma(), noise_picture(90, 60)
    given = {"box": Box(10, 10, 40, 40), "point": Point(70, 30), "line": Scribble(((5, 50), (60, 50)))}
    prompt = prompt_of(system, picture, "{box} or {point} or {line}?", **given)
    own = places_of(prompt)
    listed = [own.listed[place] for place in own.features]
    assert listed[0].box.as_tuple() == pytest.approx((10, 10, 40, 40), abs=1e-3)
    assert listed[0].objectness == 1
    x0, y0, x1, y1 = listed[1].box.as_tuple()
    assert x0 < 70 < x1 and y0 < 30 < y1
    assert listed[2].box.y1 > listed[2].box.y0


def test_too_many_regions_are_refused() -> None:
    system, picture = fresh_groma(max_region_num=4), noise_picture(90, 60)
    regions = {f"r{number}": Box(number, number, number + 5, number + 5) for number in range(5)}
    question = " ".join(f"{{{name}}}" for name in regions)
    with pytest.raises(BadRegion, match="points at 5 regions; at most 4"):
        system.ask(picture, question, regions=regions)


class Masking(nn.Module):
    """A proposer that finds the left half of every picture, with a mask."""

    def forward(self, features: Tensor) -> Proposals:
        count = len(features)
        boxes = torch.tensor([[0.25, 0.5, 0.5, 1.0]]).expand(count, 1, 4)
        mask = torch.zeros(count, 1, 8, 8)
        mask[..., :4] = 1
        sure = torch.full((count, 1), 5.0)
        return Proposals(boxes, {"coco": sure, "sa1b": sure}, mask)


def test_masks_of_an_injected_proposer_are_those_of_places() -> None:
    system, picture = fresh_groma(), noise_picture(80, 40)
    system.network.perceiver.proposer = Masking()
    (place,) = places_of(prompt_of(system, picture, "what is there?")).listed
    assert place.mask is not None
    inside = place.mask.rasterise()
    assert inside[:, :36].all() and not inside[:, 44:].any()


def test_only_listed_places_can_be_chosen() -> None:
    system, picture = fresh_groma(), noise_picture(80, 40)
    prompt = prompt_of(system, picture, "where is the dog?")
    policy, tokens = system.policy(prompt, Settings()), system.tokens
    count = len(places_of(prompt).listed)
    logits = torch.zeros(system.network.config.vocab_size)
    assert not policy.constrain(logits)[list(tokens.proxies)].isfinite().any()
    policy.accept(tokens.roi, 0.0)
    allowed = policy.constrain(logits).isfinite().nonzero()[:, 0].tolist()
    assert allowed == list(tokens.proxies[:count])
    policy.accept(tokens.proxies[0], 0.0)
    allowed = policy.constrain(logits).isfinite().nonzero()[:, 0].tolist()
    assert sorted(allowed) == sorted([*tokens.proxies[1:count], tokens.roi_end])


def test_a_phrase_is_not_closed_before_its_words() -> None:
    system = fresh_groma()
    prompt = prompt_of(system, noise_picture(90, 60), "what is it?")
    policy, tokens = system.policy(prompt, Settings()), system.tokens
    logits = torch.zeros(system.network.config.vocab_size)
    policy.accept(tokens.phrase, 0.0)
    assert policy.constrain(logits)[tokens.phrase_end] == -float("inf")
    policy.accept(system.codec.encode("dog", begin=False)[0], 0.0)
    assert policy.constrain(logits)[tokens.phrase_end] == 0


def test_an_answer_has_no_token_that_no_answer_has() -> None:
    system = fresh_groma()
    prompt = prompt_of(system, noise_picture(90, 60), "what is it?")
    policy, reader = system.policy(prompt, Settings()), system.reader(prompt, Settings())
    allowed = policy.constrain(torch.zeros(system.network.config.vocab_size)).isfinite().nonzero()[:, 0]
    added = [one for one in allowed.tolist() if one >= system.codec.words]
    assert added and all(reader.sayable(one) for one in added)
    for text in ("<img>", "</img>", "<sep>", "[PAD]", "<refer_box>"):
        assert system.codec.encode(text, begin=False)[0] not in allowed


def proposer_folder(folder: Path, **options: Any) -> Path:
    torch.manual_seed(0)
    tower = {"kind": "efficientnet_tiny", "side": SIDE}
    config = GromaProposerConfig(tower=tower, side=SIDE, proposer=PROPOSER, **options)
    GromaProposerSystem(GromaProposerNetwork(config)).save(folder)
    return folder


def test_the_proposer_alone_says_what_things_there_are(tmp_path: Path) -> None:
    system = load(proposer_folder(tmp_path / "p", box_score_thres=0.0), device="cpu")
    picture = noise_picture(90, 60)
    answer = system.ask(picture, "what things are there?")
    (span,) = answer.spans
    scores = [place.score for place in span.places]
    assert scores == sorted(scores, reverse=True) and len(scores) > 1
    assert len(system.ask(picture, "what?", max_places=2).spans[0].places) == 2
    stream = system.stream(picture, "what?")
    assert "".join(delta.text for delta in stream) == stream.answer.text
    with pytest.raises(UsageError, match="can't be asked about regions"):
        system.ask(picture, "what is {it}?", it=Box(1, 1, 20, 20))
    again = tmp_path / "again"
    system.save(again)
    assert load(again, device="cpu").fingerprint() == system.fingerprint()


def test_the_proposer_alone_may_find_nothing(tmp_path: Path) -> None:
    system = load(proposer_folder(tmp_path / "p", box_score_thres=0.9), device="cpu")
    (span,) = system.ask(noise_picture(90, 60), "what things are there?").spans
    assert span.nowhere and span.nowhere_score is not None and span.nowhere_score > 0.5


def test_token_merge_can_be_left_out() -> None:
    merged, whole = fresh_groma(), fresh_groma(token_merge=False)
    assert whole.network.picture_tokens() == 4 * merged.network.picture_tokens()
    assert whole.ask(noise_picture(90, 60), "what is it?", max_new_tokens=2).text is not None


def test_base_and_added_rows_can_be_frozen_apart() -> None:
    network = fresh_groma().network
    names = {name for name, _ in network.named_parameters() if "embed_tokens" in name or "lm_head" in name}
    assert names == {
        f"language.{place}.{part}.weight"
        for place in ("model.embed_tokens", "lm_head")
        for part in ("base", "extra")
    }


def test_a_system_may_be_asked_for_words_as_they_are() -> None:
    system, picture = fresh_groma(), noise_picture(90, 60)
    mark = system.tokens.grounding
    before = system.ask(picture, "what is it?", max_new_tokens=2)
    assert mark in prompt_of(system, picture, "what is it?").ids
    system.grounding = "never"
    asked = checked_question("where is the dog?", {}, picture, before=(before,))
    assert mark not in system.prompts([asked])[0].ids, "neither in the question nor in what was asked before"
    again = GromaSystem(system.network, system.codec, grounding="never")
    assert mark not in prompt_of(again, picture, "what is it?").ids
    system.grounding = "alway"  # type: ignore[assignment]
    with pytest.raises(UsageError, match="grounding is 'alway'; expected one of auto, always, never"):
        system.ask(picture, "what is it?", max_new_tokens=2)


def test_words_alone_are_asked_for_beside_the_system_as_it_was() -> None:
    system, picture = fresh_groma(), noise_picture(90, 60)
    mark = system.tokens.grounding
    words = system.in_words()
    assert words.in_words() is words and words.network is system.network
    assert mark not in prompt_of(words, picture, "what is it?").ids
    assert mark in prompt_of(system, picture, "what is it?").ids, "this one stays as it was"
    perceived = counting(system.network.perceiver.proposer)
    words.ask(picture, "what is it?", max_new_tokens=2)
    system.ask(picture, "what is it?", max_new_tokens=2)
    assert perceived == [], "both know the picture"


def test_all_proposals_of_a_picture_are_there_to_be_looked_at(tmp_path: Path) -> None:
    """Unsure ones too: what a prompt lists is another matter."""
    picture = noise_picture(120, 60)
    sure, unsure = fresh_groma(box_score_thres=0.0), fresh_groma(box_score_thres=0.99)
    places = unsure.propose(picture)
    assert places == sure.propose(picture) and 1 < len(places) <= PROPOSER["queries"]
    assert [place.score for place in places] == sorted((place.score for place in places), reverse=True)
    assert sure.propose(picture, most=2) == places[:2]
    for place in places:
        assert 0 <= place.box.x0 < place.box.x1 <= 120 and 0 <= place.box.y0 < place.box.y1 <= 60
    alone = load(proposer_folder(tmp_path / "p", box_score_thres=0.0), device="cpu")
    assert alone.propose(picture, most=100) == alone.ask(picture, "what is there?").spans[0].places
