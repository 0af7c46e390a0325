"""The decoder: equal to the library's whole class; neither there nor called where words are asked for."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Florence2ForConditionalGeneration, GenerationConfig
from transformers.models.bart.modeling_bart import BartDecoder

from deixis.checkpoints.convert.florence_folder import DECODER_FILE, FlorenceFiles
from deixis.checkpoints.convert.florence_keys import original
from deixis.checkpoints.files.lazy import LazyTensor
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.florence_encoder import PromptedEncoder
from deixis.regions.shapes import Box
from deixis.systems import load
from deixis.systems.florence_vl.answering import FlorenceVlSystem
from deixis.systems.florence_vl.places.decoder import DECODER, FlorenceDecoder, PlaceDecoding, decoder_config
from deixis.systems.florence_vl.places.tokens import TOKENS_FILE
from tests.device_double import DeviceDouble
from tests.parity.checks.florence_vl_text import native_shapes
from tests.systems.florence_vl.places.tiny import decoder_of, lively_florence, locating_folder
from tests.systems.florence_vl.tiny import SIDE, fresh_florence_vl
from tests.systems.pointer.tiny import noise_picture, tiny_system

PICTURE = noise_picture(50, 30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return locating_folder(tmp_path_factory.mktemp("florence"))


def opened(folder: Path) -> FlorenceVlSystem:
    system = load(folder, device="cpu")
    assert isinstance(system, FlorenceVlSystem)
    return system


def generated(model: Florence2ForConditionalGeneration, pixels: Any, ids: list[int], beams: int) -> list[int]:
    """What the library's own whole class writes to pixels and a prompt with its markers of pictures."""
    model.config.image_token_id = 51200  # a row that no prompt of ours has
    words = torch.tensor([[51200] * (1 + (SIDE // 32) ** 2) + ids])
    settings = GenerationConfig(
        max_new_tokens=12,
        num_beams=beams,
        early_stopping=beams > 1,
        no_repeat_ngram_size=3,
        do_sample=False,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_bos_token_id=0,
    )
    with torch.no_grad():
        written = model.generate(input_ids=words, pixel_values=pixels, generation_config=settings)
    return list(written[0].tolist())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("beams", [1, 3])
def test_it_writes_what_the_librarys_whole_class_writes(beams: int, seed: int) -> None:
    model = lively_florence(seed)
    decoder = decoder_of(model)
    pixels = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    (visual,) = decoder.visual_tokens(pixels)
    theirs = model.get_image_features(pixels).pooler_output[0]
    torch.testing.assert_close(visual, theirs, rtol=1e-4, atol=1e-5)
    ids = [0, 574, 22486, 40000, 51288, 2]
    written = decoder.write(visual, ids, PlaceDecoding(num_beams=beams, max_new_tokens=12))
    assert [2, *written.ids] == generated(model, pixels, ids, beams)
    assert len(set(written.ids)) > 5, "too few different tokens to compare"
    assert len(written.logprobs) == len(written.ids) and all(one <= 0 for one in written.logprobs)
    with torch.no_grad():
        words = model.get_input_embeddings()(torch.tensor([ids]))
        states = model.get_encoder()(inputs_embeds=torch.cat([theirs[None], words], dim=1))
        before = torch.tensor([[2, *written.ids[:-1]]])
        logits = model(encoder_outputs=states, decoder_input_ids=before).logits[0]
    wanted = logits.log_softmax(-1).gather(1, torch.tensor(written.ids)[:, None])[:, 0]
    torch.testing.assert_close(torch.tensor(written.logprobs), wanted, rtol=1e-4, atol=1e-4)


def test_asking_in_words_neither_holds_nor_calls_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the decoder was built or called")

    with monkeypatch.context() as patch:
        for name in ("__init__", "forward"):
            patch.setattr(BartDecoder, name, refuse)
        patch.setattr(FlorenceDecoder, "__init__", refuse)
        system = opened(folder)
        system.ask(PICTURE, "what is there?", max_new_tokens=2)
        assert system.places.opened is None
        assert not any("decoder" in name for name, _ in system.network.named_parameters())
        with pytest.raises(AssertionError, match="built or called"):
            system.locate(PICTURE, "od", max_new_tokens=4)
    before = system.ask(PICTURE, "what is there?", max_new_tokens=4)
    weights = sum(one.numel() for one in system.network.parameters())
    system.locate(PICTURE, "od", max_new_tokens=4)
    assert system.places.opened is not None
    assert sum(one.numel() for one in system.network.parameters()) == weights
    assert system.ask(PICTURE, "what is there?", max_new_tokens=4).raw == before.raw


def test_tower_and_encoder_are_not_held_twice(folder: Path) -> None:
    system = opened(folder)
    decoder = system.places.get().decoder
    own = {id(one) for one in system.network.parameters()}
    more = [name for name, one in decoder.model.named_parameters() if id(one) not in own]
    assert more and all(
        name == "lm_head.weight"
        or name.startswith(("model.language_model.shared", "model.language_model.decoder"))
        for name in more
    )
    assert not any(one.is_meta for one in decoder.model.parameters())


def test_a_picture_is_seen_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = opened(folder)
    calls: list[int] = []
    plain = FlorenceDecoder.visual_tokens

    def counted(self: FlorenceDecoder, pixels: Any) -> Any:
        calls.append(1)
        return plain(self, pixels)

    monkeypatch.setattr(FlorenceDecoder, "visual_tokens", counted)
    first = system.locate(PICTURE, "<CAPTION>", max_new_tokens=4, num_beams=1)
    system.locate(PICTURE, "region-to-category", region=Box(1, 1, 20, 20), max_new_tokens=4)
    assert len(calls) == 1
    assert first.system == "florence_2"


def test_in_other_numbers(folder: Path) -> None:
    system = opened(folder)
    system.locate(PICTURE, "od", max_new_tokens=3)
    system.network.to(torch.bfloat16)
    system.locate(PICTURE, "od", max_new_tokens=3)
    decoder = system.places.get().decoder
    assert decoder.words.weight.dtype == torch.bfloat16
    assert decoder.words.weight is decoder.model.lm_head.weight is decoder.bart.embed_tokens.weight


@pytest.mark.parametrize("moved", ["before", "after"])
def test_it_is_where_the_network_is(folder: Path, moved: str) -> None:
    """All but the library's loop, which the double of a device can't run."""
    written = torch.tensor([[2, 0, 5, 300, 2]])
    system = opened(folder)
    here = system.places.get()
    here.decoder.model.generate = lambda **_: written
    answer = system.locate(PICTURE, "od")
    with DeviceDouble() as double:
        if moved == "before":
            system = opened(folder)
        system.to(double.device)
        decoder = system.places.get().decoder
        decoder.model.generate = lambda **_: written.to(double.device)
        there = system.locate(PICTURE, "od")
        assert not double.mixed and double.operations
        assert decoder.words.weight.device == double.device
        assert decoder.words.weight is decoder.model.lm_head.weight is decoder.bart.embed_tokens.weight
    assert (there.raw, there.spans) == (answer.raw, answer.spans)


def test_names_and_shapes_of_the_real_size() -> None:
    shapes = {original(key): tuple(shape) for key, shape in native_shapes().items()}
    files = FlorenceFiles({}, {}, {key: unread(shape) for key, shape in shapes.items()})
    rest = files.rest()
    with torch.device("meta"):
        encoder = PromptedEncoder({}, inputs=2048, prompts=[])
        bart = BartDecoder(decoder_config(encoder.bart.config, rest))
    wanted = {key: tuple(one.shape) for key, one in bart.state_dict().items() if "embed_tokens" not in key}
    found = {key.removeprefix(DECODER): one.shape for key, one in rest.items() if key.startswith(DECODER)}
    assert wanted == found and bart.config.decoder_attention_heads == 16
    assert sum(prod(one.shape) for one in rest.values()) == pytest.approx(255e6, rel=0.01)


def unread(shape: tuple[int, ...]) -> LazyTensor:
    def read() -> Tensor:
        raise AssertionError("a tensor of the real size was read")

    return LazyTensor(shape, torch.float32, "nowhere", read)


def test_what_is_missing(folder: Path, tmp_path: Path) -> None:
    system = opened(folder)
    system.save(tmp_path / "again")
    again = opened(tmp_path / "again")
    assert (
        again.locate(PICTURE, "od", max_new_tokens=3).raw
        == system.locate(PICTURE, "od", max_new_tokens=3).raw
    )
    (tmp_path / "again" / TOKENS_FILE).unlink()
    with pytest.raises(MissingWeights, match=r"florence_tokenizer.json.*--vision-encoder"):
        opened(tmp_path / "again").locate(PICTURE, "od")
    (tmp_path / "again" / DECODER_FILE).unlink()
    with pytest.raises(MissingWeights, match="decoder"):
        opened(tmp_path / "again").locate(PICTURE, "od")


def test_networks_and_systems_without_it() -> None:
    with pytest.raises(UsageError, match="not opened from a folder"):
        fresh_florence_vl().locate(PICTURE, "od")
    bare = fresh_florence_vl(encoder=None, fused="depth")
    for ask in (lambda: bare.locate(PICTURE, "od"),):
        with pytest.raises(UsageError, match="no Florence-2 inside"):
            ask()
    pointer = tiny_system()
    with pytest.raises(UsageError, match="'pointer' has no tasks of Florence-2"):
        pointer.locate(PICTURE, "od")
    with pytest.raises(UsageError, match="'pointer' has no decoder of Florence-2"):
        pointer.ground(pointer.ask(PICTURE, "what is there?"))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("lost", "fc1.weight is missing"),
        ("odd", "has no place"),
        ("nan", "infinity or NaN"),
        ("wide", "positions is 63"),
        ("bias", "isn't zero"),
    ],
)
def test_a_damaged_decoder(folder: Path, tmp_path: Path, change: str, match: str) -> None:
    opened(folder).save(tmp_path / "again")
    path = tmp_path / "again" / DECODER_FILE
    state = load_file(path)
    layer = "language_model.model.decoder.layers.0."
    positions = "language_model.model.decoder.embed_positions.weight"
    if change == "lost":
        state[f"{layer}fc1.bias"] = state.pop(f"{layer}fc1.bias")
        del state[f"{layer}self_attn.k_proj.bias"]
        match = "k_proj.bias is missing"
    elif change == "odd":
        state[f"{layer}more.weight"] = torch.zeros(1)
    elif change == "nan":
        state[f"{layer}fc1.bias"][0] = float("nan")
    elif change == "wide":
        state[positions] = state[positions][:-1].clone()
    else:
        state["language_model.final_logits_bias"] = torch.ones(1, 51289)
    save_file(state, path)
    with pytest.raises(BadWeights, match=match):
        opened(tmp_path / "again").locate(PICTURE, "od")
