"""What holds for every network that reads pictures between words: training, generating, saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional

from deixis.checkpoints.convert.renaming import dinov2_attention, with_parts
from deixis.errors import BadPicture, BadRegion
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.systems.spliced.network import SplicedNetwork
from deixis.text.splicing import IGNORED, PICTURE_MARKER
from tests.systems.ferret.networks import (
    GEMMA,
    GRID_TOWER,
    REGION,
    WORDS,
    Batch,
    batch,
    drawn,
    ferret,
    ferret_v2,
    square_pixels,
    tiled_pixels,
)

SUBJECTS: dict[str, tuple[Callable[..., SplicedNetwork], Callable[[], Any]]] = {
    "ferret": (ferret, square_pixels),
    "ferret small tower": (lambda **more: ferret(tower=GRID_TOWER, **more), square_pixels),
    "ferret gemma": (lambda **more: ferret(language=GEMMA, **more), square_pixels),
    "ferret adapter": (lambda **more: ferret(sampler=None, region_adapter=True, **more), square_pixels),
    "ferret_v2": (ferret_v2, tiled_pixels),
    "ferret_v2 small towers": (
        lambda **more: ferret_v2(tower=GRID_TOWER, local_tower=GRID_TOWER, **more),
        tiled_pixels,
    ),
    "ferret_ui": (
        lambda **more: ferret_v2(
            language=GEMMA,
            local_tower=None,
            separate_projectors=False,
            region_feature_source="encoder",
            point_order="transposed",
            **more,
        ),
        tiled_pixels,
    ),
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> tuple[SplicedNetwork, Batch]:
    make, pixels = SUBJECTS[request.param]
    return make(), batch(pixels())


Subject = tuple[SplicedNetwork, Batch]


def forward(network: SplicedNetwork, given: Batch, **more: Any) -> Any:
    return network(**given.inputs(), **more)


def test_a_step_trains_every_part(subject: Subject) -> None:
    network, given = subject
    network.train()
    parts = {name.split(".")[0] for name, _ in network.named_parameters()}
    trained = torch.optim.SGD(network.parameters(), lr=1e-3)
    before = forward(network, given, labels=given.labels).loss
    before.backward()
    moved = {
        name.split(".")[0] for name, w in network.named_parameters() if w.grad is not None and w.grad.any()
    }
    assert moved == parts
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    trained.step()
    assert forward(network, given, labels=given.labels).loss < before


def test_a_batch_without_regions_gives_their_encoder_gradients_of_zero(subject: Subject) -> None:
    network, given = subject
    network.train()
    plain = batch(given.pixel_values, regions=False)
    for regions in (None, drawn(counts=(0, 0))):
        network.zero_grad()
        loss = network(**{**plain.inputs(), "regions": regions}, labels=plain.labels).loss
        assert loss.isfinite()
        loss.backward()
        for name, weight in network.named_parameters():
            if name.startswith(("sampler.", "region_adapter.")):
                assert weight.grad is not None and not weight.grad.any(), name


def test_a_batch_without_pictures(subject: Subject) -> None:
    """With placeholder pictures or without any, text is what the decoder alone makes of it."""
    network, given = subject
    ids = torch.tensor([[1, 5, 6, 7], [1, 8, 9, 10]])
    labels = ids.clone()
    expected = network.language(input_ids=ids).logits
    for pixels in (None, given.pixel_values):
        torch.testing.assert_close(network(ids, pixel_values=pixels).logits, expected)
    network.train()
    loss = network(ids, pixel_values=given.pixel_values, labels=labels).loss
    loss.backward()
    torch.testing.assert_close(
        loss, functional.cross_entropy(expected[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    )
    for part in ("tower", "projector", "sampler", "region_adapter", "local_tower", "local_projector"):
        for weight in getattr(getattr(network, part, None), "parameters", list)():
            assert weight.grad is not None and not weight.grad.any(), part


def test_logits_with_labels_are_those_that_are_learnt(subject: Subject) -> None:
    network, given = subject
    with torch.no_grad():
        every = forward(network, given).logits
        learning = forward(network, given, labels=given.labels)
        merged = network.read(**given.inputs(), labels=given.labels)
    assert merged.labels is not None
    wanted = merged.labels[:, 1:]
    torch.testing.assert_close(learning.logits, every[:, :-1][wanted != IGNORED])
    expected = functional.cross_entropy(every[:, :-1].transpose(1, 2), wanted, ignore_index=IGNORED)
    torch.testing.assert_close(learning.loss, expected)
    last = forward(network, given, logits_to_keep=1).logits
    torch.testing.assert_close(last, every[:, -1:])


def test_nothing_to_learn_costs_nothing(subject: Subject) -> None:
    network, given = subject
    loss = forward(network.train(), given, labels=torch.full_like(given.labels, IGNORED)).loss
    assert loss == 0
    loss.backward()


def test_rows_continue_together_as_they_do_alone(subject: Subject) -> None:
    network, given = subject
    network.generation_config.eos_token_id = None  # type: ignore[union-attr]
    together = network.generate(given.input_ids, **rest(given), max_new_tokens=6)
    assert together.shape == (2, 6)
    features = network.encode_pictures(given.pixel_values)
    assert given.regions is not None
    found = network.encode_regions(features.maps, given.regions)
    for row in range(2):
        kept = given.attention_mask[row].bool()
        alone = network.embed(
            given.input_ids[row][kept][None],
            pictures=[features.tokens[row]],
            slots={REGION: [found[given.regions.pictures == row]]},
        )
        again = network.generate(
            inputs_embeds=alone.embeds, attention_mask=alone.attention_mask, max_new_tokens=6
        )
        assert again[0].tolist() == together[row].tolist()


def rest(given: Batch) -> dict[str, Any]:
    return {name: value for name, value in given.inputs().items() if name != "input_ids"}


def test_generated_tokens_are_the_likeliest_ones(subject: Subject) -> None:
    """Step by step without a cache, the same tokens."""
    network, given = subject
    network.generation_config.eos_token_id = None  # type: ignore[union-attr]
    first = {
        name: value for name, value in given.inputs().items() if name not in ("input_ids", "attention_mask")
    }
    merged = network.read(given.input_ids, attention_mask=given.attention_mask, **first, padding="left")
    new = network.generate(
        inputs_embeds=merged.embeds, attention_mask=merged.attention_mask, max_new_tokens=4
    )
    embeds, mask = merged.embeds, merged.attention_mask
    for number in range(4):
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)
        logits = network(inputs_embeds=embeds, attention_mask=mask, position_ids=places).logits[:, -1]
        assert logits.argmax(dim=-1).tolist() == new[:, number].tolist()
        embeds = torch.cat([embeds, network.get_input_embeddings()(new[:, number : number + 1])], dim=1)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)


def test_pictures_and_regions_are_encoded_once(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    network, given = subject
    calls = []
    for name in ("encode_pictures", "encode_regions"):
        own = getattr(network, name)
        monkeypatch.setattr(network, name, lambda *a, own=own, name=name: (calls.append(name), own(*a))[1])
    network.generate(given.input_ids, **rest(given), max_new_tokens=5)
    assert calls == ["encode_pictures", "encode_regions"]


def test_generate_stops_at_the_end_token(subject: Subject) -> None:
    network, given = subject
    free = network.generate(given.input_ids, **rest(given), max_new_tokens=5, eos_token_id=None)
    stopping = network.generate(
        given.input_ids, **rest(given), max_new_tokens=5, eos_token_id=int(free[0, 1])
    )
    assert free[0, 1] in stopping[0] and stopping.shape[1] <= 5
    assert (
        stopping[0, int((stopping[0] == free[0, 1]).nonzero()[0]) + 1 :].eq(network.config.pad_token_id).all()
    )


def test_questions_about_one_picture_share_its_tokens(subject: Subject) -> None:
    network, given = subject
    features = network.encode_pictures(given.pixel_values)
    ids = torch.tensor([[1, PICTURE_MARKER, 5, 6], [1, PICTURE_MARKER, 7, 8]])
    shared = network.embed(ids, pictures=[features.tokens[0]] * 2)
    alone = network.embed(ids[1:], pictures=[features.tokens[0]])
    assert torch.equal(shared.embeds[1:], alone.embeds)


def test_saved_and_opened_again(subject: Subject, tmp_path: Path) -> None:
    network, given = subject
    network.save_pretrained(tmp_path / "one")
    opened: Any = type(network).from_pretrained(tmp_path / "one", output_loading_info=True)
    again, report = opened
    assert not any(report.values()), report
    own, other = network.config.to_dict(), again.config.to_dict()
    for settings in (own, other):
        for passing in ("architectures", "dtype", "_name_or_path", "transformers_version"):
            settings.pop(passing, None)
    assert other == own
    assert again.state_dict().keys() == network.state_dict().keys()
    with torch.no_grad():
        torch.testing.assert_close(forward(again.eval(), given).logits, forward(network, given).logits)
    again.save_pretrained(tmp_path / "two")
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("one", "two")]
    assert files[0] == files[1]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    with safe_open(tmp_path / "one" / "model.safetensors", "pt") as stored:
        # transformers writes DINOv2's attention by its names before release 5, and reads both.
        names = {with_parts(name, dinov2_attention()) for name in stored.keys()}  # noqa: SIM118
    assert names | set(network.all_tied_weights_keys) == set(network.state_dict())


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable.*:FutureWarning")
def test_activations_can_be_computed_again_instead_of_kept(subject: Subject) -> None:
    network, given = subject
    network.train()
    gradients, runs = [], [0]
    layer = network.language.model.layers[0].mlp
    layer.register_forward_pre_hook(lambda *_: runs.__setitem__(0, runs[0] + 1))
    for expected in (1, 2):
        if expected == 2:
            network.gradient_checkpointing_enable()
        runs[0] = 0
        network.zero_grad()
        forward(network, given, labels=given.labels).loss.backward()
        assert runs[0] == expected
        gradients.append({name: weight.grad for name, weight in network.named_parameters()})
    torch.testing.assert_close(gradients[1], gradients[0])


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_weights_with_pixels_in_full(subject: Subject, precision: torch.dtype) -> None:
    network, given = subject
    exact = forward(network, given).logits
    rough = forward(network.to(precision), given).logits
    assert rough.dtype == precision and rough.isfinite().all()
    seen = network.read(**given.inputs()).attention_mask.bool()
    assert functional.cosine_similarity(rough.float()[seen], exact[seen], dim=-1).mean() > 0.9


def test_autocast(subject: Subject) -> None:
    network, given = subject
    network.train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = forward(network, given, labels=given.labels).loss
    loss.backward()
    assert loss.isfinite() and loss.dtype == torch.float32
    assert all(w.grad is None or w.grad.isfinite().all() for w in network.parameters())


def test_more_words(subject: Subject) -> None:
    network, given = subject
    before = forward(network, given).logits
    network.resize_token_embeddings(WORDS + 4, mean_resizing=False)
    after = forward(network, given).logits
    assert after.shape[-1] == WORDS + 4 == network.config.vocab_size
    torch.testing.assert_close(after[..., :WORDS], before)


def test_vectors_are_as_large_as_the_decoders_words() -> None:
    network, given = ferret(language=GEMMA), batch(square_pixels())
    features = network.encode_pictures(given.pixel_values)
    merged = network.read(**given.inputs())
    scale = network.config.hidden_size**0.5
    torch.testing.assert_close(merged.embeds[0, 1 : 1 + len(features.tokens[0])], features.tokens[0] * scale)
    torch.testing.assert_close(merged.embeds[0, 0], network.language.model.embed_tokens.weight[1] * scale)


def test_inputs_that_do_not_belong_together(subject: Subject) -> None:
    network, given = subject
    inputs = given.inputs()
    with pytest.raises(BadRegion, match="without the pictures"):
        network(**{**inputs, "pixel_values": None})
    with pytest.raises(BadRegion, match="2 region tokens and 0 regions"):
        network(**{**inputs, "regions": None})
    with pytest.raises(BadRegion, match="row 0"):
        network(**{**inputs, "regions": drawn(counts=(1, 2))})
    with pytest.raises(BadPicture, match="2 pictures came with 1 row"):
        network(given.input_ids[:1], pixel_values=given.pixel_values)
    with pytest.raises(BadPicture, match="no picture came"):
        network(torch.tensor([[1, PICTURE_MARKER, 5]]))
    with pytest.raises(ValueError, match="input_ids or inputs_embeds"):
        network()
    with pytest.raises(ValueError, match="inputs"):
        network.generate()


def test_counts_say_which_pictures_belong_to_a_row(subject: Subject) -> None:
    """Of two pictures a row may have both, and the next one none."""
    network, given = subject
    features = network.encode_pictures(given.pixel_values)
    ids = torch.tensor([[1, PICTURE_MARKER, 5, PICTURE_MARKER, 6], [1, 7, 8, 9, 10]])
    merged = network.read(ids, pixel_values=given.pixel_values, picture_counts=[2, 0])
    first, second = features.tokens
    own = merged.embeds[0]
    torch.testing.assert_close(own[1 : 1 + len(first)], network.scaled([first])[0])
    torch.testing.assert_close(
        own[2 + len(first) : 2 + len(first) + len(second)], network.scaled([second])[0]
    )
    assert merged.attention_mask.sum(dim=1).tolist() == [3 + len(first) + len(second), 5]
    torch.testing.assert_close(merged.embeds[1, :5], network.embed(ids[1:]).embeds[0])
    for counts in ([1, 0], [1, 1, 0], [2]):
        with pytest.raises(BadPicture, match=r"2 pictures came with 2 rows of text; expected \["):
            network.read(ids, pixel_values=given.pixel_values, picture_counts=counts)
    with pytest.raises(BadPicture, match="row 0 of the batch has 2 picture markers, but 1 picture came"):
        network.read(ids, pixel_values=given.pixel_values, picture_counts=[1, 1])


def test_a_network_without_region_encoder() -> None:
    network, given = ferret(sampler=None), batch(square_pixels())
    with pytest.raises(BadRegion, match="without a sampler"):
        forward(network, given)
    plain = batch(square_pixels(), regions=False)
    assert forward(network, plain).logits.isfinite().all()


def test_regions_follow_their_own_rows() -> None:
    """In whatever order regions of several pictures come, each row gets those of its own."""
    network, given = ferret(), batch(square_pixels())
    assert given.regions is not None
    order = torch.tensor([2, 0, 1])
    shuffled = DrawnRegions(
        points=given.regions.points[order],
        pictures=given.regions.pictures[order],
        starts=given.regions.starts[:, order],
    )
    merged = network.read(**{**given.inputs(), "regions": shuffled})
    torch.testing.assert_close(merged.embeds, network.read(**given.inputs()).embeds)
    assert int((given.input_ids == REGION).sum()) == len(shuffled)


def test_surplus_regions_of_a_row_are_left_out(subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    """One more region than tokens in the first row: its last one goes, not the second row's."""
    network, given = subject
    exact, surplus = drawn(counts=(2, 1)), drawn(counts=(3, 1))
    kept = torch.tensor([0, 1, 3])
    surplus = DrawnRegions(surplus.points.clone(), surplus.pictures, surplus.starts)
    surplus.points[kept], surplus.starts[:, kept] = exact.points, exact.starts
    wanted = network.read(**given.inputs() | {"regions": exact}).embeds
    assert not caplog.records
    torch.testing.assert_close(network.read(**given.inputs() | {"regions": surplus}).embeds, wanted)
    assert "row 0 of the batch has 2 region tokens and 3 regions; the last 1 are left out" in caplog.text


def test_regions_of_which_no_text_speaks_train_nothing(subject: Subject) -> None:
    network, given = subject
    ids = given.input_ids.masked_fill(given.input_ids == REGION, 7)
    network.train()
    learnt = network(**given.inputs() | {"input_ids": ids}, labels=ids.masked_fill(ids < 0, IGNORED))
    learnt.loss.backward()
    parts = [getattr(network, name, None) for name in ("sampler", "region_adapter")]
    weights = [weight for part in parts if part is not None for weight in part.parameters()]
    assert all(weight.grad is not None and not weight.grad.any() for weight in weights)
