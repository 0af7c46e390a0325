"""Decoding answers: batched as alone, with cache as without, within the grammar and the limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import CausalLMOutputWithPast

from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.policy import Completion
from deixis.english.spelling import Spelling, Word
from deixis.layers.places.place_map import PlaceMap
from deixis.regions.shapes import Box, Point, Polygon, Region
from deixis.systems.pointer.answering import PointerSystem
from deixis.systems.pointer.decoding.openings import FIRST_WORDS, SURE
from deixis.systems.pointer.decoding.place_grammar import LONGEST, State, forbid, next_state, repetitions
from deixis.systems.pointer.decoding.place_reading import PlaceReading, PlaceRule, picture_part, read_places
from deixis.systems.pointer.decoding.policy import verdicts
from deixis.systems.pointer.region_inputs import region_tensors
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from deixis.text.tokenizers.word_pieces.vocabulary import (
    END,
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PICTURE,
    PLACE,
)
from tests.systems.decoding import decoded
from tests.systems.pointer.tiny import noise_picture, tiny_system

SEEDS = (14, 18, 24)  # of networks whose answers differ in kind, see below
QUESTIONS: tuple[tuple[str, dict[str, Region]], ...] = (
    ("what is {it}?", {"it": Box(10, 10, 60, 70)}),
    ("where is the dog?", {}),
    (
        "is {a} near {b}, or is it the big red hat that you see in {a}?",
        {"a": Point(30, 40), "b": Polygon(((2, 2), (90, 10), (50, 80)))},
    ),
    ("cat", {}),
)


def prompts_of(system: PointerSystem) -> list[Prompt]:
    picture = noise_picture()
    return system.prompts([checked_question(text, regions, picture) for text, regions in QUESTIONS])


def assert_same(first: Completion, second: Completion) -> None:
    assert first.ids == second.ids
    assert len(first.places) == len(second.places)
    for one, other in zip(first.places, second.places, strict=True):
        assert one.nowhere == other.nowhere
        assert one.nowhere_share == pytest.approx(other.nowhere_share, abs=1e-4)
        assert torch.allclose(one.boxes, other.boxes, atol=1e-2)
        assert torch.allclose(one.masses, other.masses, atol=1e-4)


@torch.inference_mode()
def grown_naively(system: PointerSystem, prompt: Prompt, *, max_new_tokens: int) -> Completion:
    """Grow an answer token by token, each time with everything computed anew by ``forward``."""
    network = system.network
    pixels = torch.from_numpy(prompt.encoded[0].view.pixels).permute(2, 0, 1)[None].float() / 255
    places = network.encode(pixels)
    tokens = network.config.picture_tokens
    ids: list[int] = []
    read: list[PlaceReading] = []
    state = State.WORDS

    def anew(written: list[int]) -> CausalLMOutputWithPast:
        row = [PICTURE.id] * tokens + [*prompt.ids, *written]
        return network(
            torch.tensor([row]),
            pixel_values=pixels,
            segments=torch.tensor([[0] * tokens + [1] * (len(row) - tokens)]),
            position_ids=torch.arange(len(row))[None],
            **region_tensors([prompt.regions], network.config),
        )

    while state is not State.ENDED and len(ids) < max_new_tokens:
        said = anew(ids)
        if not ids:
            token = naive_first_word(said.logits[:, -1], lambda first: anew([first]).logits[:, -1])
        elif state is State.PLACE:
            read.append(naive_place(system, prompt, said.hidden_states[0][:, -1:], places))
            token = NOWHERE.id if read[-1].nowhere else FOUND.id
        else:
            logits = forbid(said.logits[:, -1], [state])
            logits[0, sorted(repetitions(ids))] = -math.inf
            token = int(logits.argmax())
        following = next_state(state, token)
        assert following is not None
        state = following
        ids.append(token)
    return Completion(tuple(ids), places=tuple(read))


def naive_first_word(logits: Tensor, following: Callable[[int], Tensor]) -> int:
    allowed = forbid(logits, [State.WORDS])
    allowed[0, END.id] = -math.inf
    scores = allowed.log_softmax(dim=-1)[0]
    if scores.max() >= SURE:
        return int(scores.argmax())
    together = {}
    for first in scores.topk(FIRST_WORDS).indices.tolist():
        state = next_state(State.WORDS, first)
        if state is not None and state is not State.ENDED:
            second = forbid(following(first), [state]).log_softmax(dim=-1).max()
            together[first] = float(scores[first] + second)
    return max(together, key=lambda token: together[token])


def test_an_answer_may_begin_with_a_word_that_needs_no_article() -> None:
    """The first words are told apart by what can follow them, not by themselves alone."""
    both = Counter[bool]()
    for seed in SEEDS:
        system = tiny_system(seed=seed)
        prompts = prompts_of(system)
        for prompt in prompts:
            (short,) = decoded(system, [prompt], max_new_tokens=1)
            alone = first_alone(system, prompt)
            both[short.ids[0] == alone] += 1
    assert both[True] > 0 and both[False] > 0


@torch.inference_mode()
def first_alone(system: PointerSystem, prompt: Prompt) -> int:
    pixels = torch.from_numpy(prompt.encoded[0].view.pixels).permute(2, 0, 1)[None].float() / 255
    row = [PICTURE.id] * system.network.config.picture_tokens + list(prompt.ids)
    said = system.network(
        torch.tensor([row]), pixel_values=pixels, **region_tensors([prompt.regions], system.network.config)
    )
    return int(forbid(said.logits[:, -1], [State.WORDS]).argmax())


def naive_place(system: PointerSystem, prompt: Prompt, hidden: Tensor, places: PlaceMap) -> PlaceReading:
    pointed = system.network.point(hidden, places)
    return read_places(
        pointed.scores[0, 0],
        pointed.nowhere[0, 0],
        pointed.boxes[0, 0],
        inside=picture_part(prompt.encoded[0].view.frame, prompt.encoded[0].original),
        rule=system.rule,
    )


@pytest.mark.parametrize("candidates", [0, 6], ids=["first look", "second look"])
@pytest.mark.parametrize("seed", SEEDS)
def test_growing_with_a_cache_in_a_batch_equals_computing_everything_anew(seed: int, candidates: int) -> None:
    system = tiny_system(seed=seed, candidates=candidates)
    prompts = prompts_of(system)
    together = decoded(system, prompts, max_new_tokens=14)
    assert len({completion.ids for completion in together}) > 1
    for prompt, completion in zip(prompts, together, strict=True):
        (alone,) = decoded(system, [prompt], max_new_tokens=14)
        assert_same(alone, completion)
        assert_same(grown_naively(system, prompt, max_new_tokens=14), completion)


def test_some_of_these_answers_hold_found_and_some_missing_places() -> None:
    """Otherwise the test above would compare words alone."""
    tokens: set[int] = set()
    for seed in SEEDS:
        system = tiny_system(seed=seed)
        prompts = prompts_of(system)
        for completion in decoded(system, prompts, max_new_tokens=14):
            tokens |= set(completion.ids)
    assert {PHRASE.id, PHRASE_END.id, PLACE.id, FOUND.id, NOWHERE.id, END.id} <= tokens


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_an_answer_is_never_longer_than_asked_for(most: int) -> None:
    system = tiny_system()
    prompts = prompts_of(system)
    longer = decoded(system, prompts, max_new_tokens=20)
    for short, long in zip(decoded(system, prompts, max_new_tokens=most), longer, strict=True):
        assert short.ids == long.ids[:most]
        assert verdicts(short.ids) == len(short.places)
        assert len(short.ids) == most or short.ids[-1] == END.id
        assert short.finish == ("stop" if short.ids[-1] == END.id else "length")


class Chance(nn.Module):
    """Words at random: logits that have nothing to do with the hidden state."""

    def __init__(self, system: PointerSystem, *, seed: int) -> None:
        super().__init__()
        self.words = system.network.words
        self.chance = torch.Generator().manual_seed(seed)

    def forward(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.words(ids)
        return vectors

    def logits(self, hidden: Tensor) -> Tensor:
        noise = torch.randn(len(hidden), len(self.words.bias), generator=self.chance)
        noise[:, :12] += 2.0  # special tokens, allowed or not
        return noise


def chatter(system: PointerSystem, *, seed: int) -> None:
    """Let a system say words at random."""
    body = system.network.decoder
    words = Chance(system, seed=seed)
    system.decoder = CausalDecoder(body=body, head=words.logits, words=words, config=body.config)


@pytest.mark.parametrize("temperature", [0.0, 3.0], ids=["greedy", "drawn"])
@pytest.mark.parametrize("seed", range(8))
def test_the_grammar_is_obeyed_whatever_the_logits(seed: int, temperature: float) -> None:
    system = tiny_system(seed=seed)
    prompts = prompts_of(system)
    chatter(system, seed=seed)
    for completion in decoded(system, prompts, max_new_tokens=40, temperature=temperature, seed=seed):
        state = State.WORDS
        for token in completion.ids:
            following = next_state(state, token)
            assert following is not None, f"{completion.ids}"
            state = following
        assert (state is State.ENDED) == (completion.ids[-1] == END.id)
        assert END.id not in completion.ids[:-1]
        spoken = [token for token in completion.ids if token in (FOUND.id, NOWHERE.id)]
        assert [token == NOWHERE.id for token in spoken] == [read.nowhere for read in completion.places]


@pytest.mark.parametrize("most", [1, 3])
def test_each_place_is_told_up_to_so_many(most: int) -> None:
    counts: set[int] = set()
    for seed in range(6):
        system = tiny_system(seed=seed, most_found=most)
        system.rule = PlaceRule(nowhere=0.9, least=0.01)
        prompts = prompts_of(system)
        for prompt, completion in zip(prompts, decoded(system, prompts, max_new_tokens=30), strict=True):
            told = verdict_runs(completion.ids)
            expected = [0 if read.nowhere else min(len(read.boxes), most) for read in completion.places]
            # An answer may be cut amid its verdicts.
            assert told[:-1] == expected[:-1] and len(told) == len(expected)
            assert all(few <= many for few, many in zip(told, expected, strict=True))
            counts |= set(expected)
            assert not system.parse(completion, prompt).parse_failures[1:]
    assert max(counts) == most


def verdict_runs(ids: tuple[int, ...]) -> list[int]:
    """Return how many FOUND follow each place token; 0 where it is NOWHERE."""
    runs = []
    for slot, token in enumerate(ids[:-1]):
        if token == PLACE.id:
            rest = [*ids[slot + 1 :], END.id]
            runs.append(next(n for n, other in enumerate(rest) if other != FOUND.id))
    return runs


class OneWord(Spelling):
    """Closes every phrase after its first word, and notes what it was given."""

    def __init__(self) -> None:
        super().__init__(())
        self.asked: list[Sequence[int]] = []
        self.said: list[Sequence[int]] = []

    def words(self, ids: Sequence[int]) -> list[Word]:
        self.asked.append(ids)
        return []

    def kept(self, logits: Tensor, asked: Sequence[Word], said: Sequence[int]) -> Tensor:
        self.said.append(said)
        return torch.full_like(logits, float("-inf")).index_fill(0, torch.tensor([PHRASE_END.id]), 0.0)


def phrases_in(completions: list[Completion]) -> list[tuple[int, ...]]:
    """Return the words of every closed phrase."""
    phrases = []
    for completion in completions:
        ids = completion.ids
        for start in (place for place, token in enumerate(ids) if token == PHRASE.id):
            if PHRASE_END.id in ids[start:]:
                phrases.append(ids[start + 1 : ids.index(PHRASE_END.id, start)])
    return phrases


def test_the_spelling_of_each_prompt_has_a_say_in_every_phrase() -> None:
    longest = []
    for seed in SEEDS:
        system = tiny_system(seed=seed)
        prompts = prompts_of(system)
        before = phrases_in(decoded(system, prompts, max_new_tokens=24))
        system.spelling = spelling = OneWord()
        after = phrases_in(decoded(system, prompts, max_new_tokens=24))
        assert spelling.asked == [prompt.ids for prompt in prompts]
        assert all(len(phrase) == 1 for phrase in after)
        assert all(len(said) == 1 for said in spelling.said)
        longest += [len(phrase) for phrase in before]
    assert max(longest) > 1, "without it phrases are longer"


def test_all_prompts_of_a_batch_are_about_pictures_of_their_own() -> None:
    """Rows of different pictures, lengths and settings are decoded as each alone."""
    system = tiny_system(seed=SEEDS[0])
    prompts = [
        *prompts_of(system),
        *system.prompts([checked_question("where is the dog?", {}, noise_picture(60, 90, seed=4))]),
    ]
    assert len({prompt.encoded[0].key for prompt in prompts}) == 2
    together = decoded(system, prompts, max_new_tokens=14)
    for prompt, completion in zip(prompts, together, strict=True):
        assert_same(grown_naively(system, prompt, max_new_tokens=14), completion)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_an_answer_names_no_more_places_than_asked_for(most: int) -> None:
    more: list[int] = []
    for seed in range(6):
        system = tiny_system(seed=seed, most_found=3)
        system.rule = PlaceRule(nowhere=0.9, least=0.01)
        prompts = prompts_of(system)
        for prompt, completion, free in zip(
            prompts,
            decoded(system, prompts, max_new_tokens=30, max_places=most),
            decoded(system, prompts, max_new_tokens=30),
            strict=True,
        ):
            spans = system.parse(completion, prompt).spans
            assert sum(len(span.places) for span in spans) <= most
            assert all(span.nowhere or span.places for span in spans), "a phrase that points has a place"
            told = sum(token == FOUND.id for token in completion.ids)
            assert told == sum(len(read.boxes) for read in completion.places if not read.nowhere)
            more.append(sum(len(span.places) for span in system.parse(free, prompt).spans))
            first = next(iter(system.parse(free, prompt).spans), None)
            if most and first is not None and not first.nowhere:
                assert spans[0].places == first.places[:most], "the best ones are kept"
    assert max(more) > most, "systems that would name more are needed"


def test_no_phrase_is_opened_where_no_place_may_be_named() -> None:
    """Not even as the first word, which is chosen together with the second."""
    opened = 0
    for seed in range(6):
        system = tiny_system(seed=seed)
        prompts = prompts_of(system)
        opened += sum(PHRASE.id in one.ids for one in decoded(system, prompts, max_new_tokens=14))
        for completion in decoded(system, prompts, max_new_tokens=14, max_places=0):
            assert PHRASE.id not in completion.ids and not completion.places
    assert opened


def test_a_place_head_decides_whatever_the_temperature() -> None:
    """Places are chosen, not drawn: words that come out alike have the same places."""
    system = tiny_system(seed=SEEDS[0])
    prompts = prompts_of(system)
    greedy = decoded(system, prompts, max_new_tokens=20)
    cold = decoded(system, prompts, max_new_tokens=20, temperature=1e-4, seed=0)
    assert any(completion.places for completion in greedy)
    for one, other in zip(greedy, cold, strict=True):
        assert_same(one, other)


def test_every_token_has_the_log_probability_that_the_network_gives_it() -> None:
    """Also tokens that were forced: nothing that the grammar forbids is taken out of the shares."""
    system = tiny_system(seed=SEEDS[1])
    prompts = prompts_of(system)
    completions = decoded(system, prompts, max_new_tokens=10)
    assert any(FOUND.id in one.ids or NOWHERE.id in one.ids for one in completions)
    for prompt, completion in zip(prompts, completions, strict=True):
        said = said_anew(system, prompt, completion.ids)
        start = len(said) - len(completion.ids) - 1
        each = said[start:-1].log_softmax(dim=-1).gather(1, torch.tensor(completion.ids)[:, None])[:, 0]
        assert completion.logprobs == pytest.approx(each.tolist(), abs=1e-4)


@torch.inference_mode()
def said_anew(system: PointerSystem, prompt: Prompt, ids: Sequence[int]) -> Tensor:
    """Return logits (T, V) of a picture, a prompt and its answer, without any cache."""
    pixels = torch.from_numpy(prompt.encoded[0].view.pixels).permute(2, 0, 1)[None].float() / 255
    row = [PICTURE.id] * system.network.config.picture_tokens + [*prompt.ids, *ids]
    tensors = region_tensors([prompt.regions], system.network.config)
    return system.network(torch.tensor([row]), pixel_values=pixels, **tensors).logits[0]


@pytest.mark.parametrize("in_a_phrase", [False, True], ids=["words", "a phrase"])
def test_an_answer_that_would_never_end_comes_to_an_end(in_a_phrase: bool) -> None:
    """Whatever is asked, words in a row are bounded: a phrase gets its place, other words end the answer."""
    system = tiny_system()
    with torch.no_grad():
        bias = system.network.words.bias
        bias[END.id] = -90.0
        bias[PHRASE.id], bias[PHRASE_END.id] = (90.0 if in_a_phrase else -90.0), -90.0
    answer = system.ask(noise_picture(), "where is " + "the dog " * 60, max_new_tokens=LONGEST + 6)
    assert answer.raw is not None
    if in_a_phrase:
        assert answer.raw.ids[LONGEST + 1 : LONGEST + 3] == (PHRASE_END.id, PLACE.id)
        assert len(answer.spans) == 1
    else:
        assert answer.raw.ids[LONGEST:] == (END.id,) and answer.finish == "stop"
        assert not answer.parse_failures
