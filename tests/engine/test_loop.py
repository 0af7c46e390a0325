"""The decoding loop: rows that share a batch, each equal to itself alone and to no cache at all."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from deixis.engine.decoders.causal import CausalDecoder
from deixis.engine.embedded import Embedded
from deixis.engine.loop import Decoding, Event
from deixis.engine.policy import Completion, Probe, Request, Start
from deixis.engine.prefixes import PrefixCache
from deixis.engine.reading import LEAST_SHARED
from deixis.errors import BadWeights
from tests.engine.answers import END, Recording, asked, embedded, logits_anew, written_anew
from tests.engine.decoders.test_causal import SWITCH, tiny
from tests.systems.decoding import reads_of

LONG = [20 + number % 25 for number in range(40)]


@pytest.fixture(scope="module")
def decoder() -> CausalDecoder:
    return CausalDecoder(tiny("llama"))


def assert_as_anew(
    decoder: CausalDecoder, request: Request, completion: Completion, *, opening: Sequence[int] = ()
) -> None:
    ids, logprobs = written_anew(decoder, request, opening=opening)
    assert completion.ids == tuple(ids)
    assert completion.logprobs == pytest.approx(logprobs, abs=1e-4)
    assert completion.finish == ("stop" if ids[-1] == END else "length")
    assert completion.settings is request.settings
    assert isinstance(request.policy, Recording) and request.policy.ids == ids


def mixture(decoder: CausalDecoder) -> list[Request]:
    """Return requests of different lengths, pictures, policies and settings."""
    return [
        asked(decoder, [3, 4, 5], max_new_tokens=9),
        asked(decoder, [7], shown=1, policy=Recording(never=(END,)), max_new_tokens=4),
        asked(decoder, [7, 8, 9, 10], shown=1, temperature=1.5, seed=3, max_new_tokens=12),
        asked(decoder, LONG, shown=2, temperature=2.0, top_p=0.7, seed=3, max_new_tokens=6),
        asked(decoder, LONG[:30], shown=2, policy=Recording(told={2: (6, 11), 7: (END,)}), max_new_tokens=20),
        asked(decoder, LONG, max_new_tokens=1),
        asked(decoder, [5, 6], temperature=0.9, seed=11, policy=Recording(never=range(25)), max_new_tokens=7),
    ]


def test_rows_of_all_kinds_share_a_batch_and_are_each_alone(decoder: CausalDecoder) -> None:
    requests = mixture(decoder)
    together = Decoding(decoder, requests).completions()
    assert len({completion.ids for completion in together}) == len(together)
    assert {completion.finish for completion in together} == {"stop", "length"}
    for request, completion in zip(requests, together, strict=True):
        assert_as_anew(decoder, request, completion)
    for request, completion in zip(mixture(decoder), together, strict=True):
        (alone,) = Decoding(decoder, [request]).completions()
        assert (alone.ids, alone.finish, alone.places) == (
            completion.ids,
            completion.finish,
            completion.places,
        )
        assert alone.logprobs == pytest.approx(completion.logprobs, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama-grouped", "gemma", "phi3", "phi3-window"])
def test_every_kind_of_decoder_of_the_library_is_decoded(kind: str) -> None:
    decoder = CausalDecoder(tiny(kind))
    requests = [
        asked(decoder, [3, 4, 5], max_new_tokens=9),
        asked(decoder, LONG, temperature=1.5, seed=3, max_new_tokens=6),
        asked(decoder, LONG[:20], max_new_tokens=3),
    ]
    for request, completion in zip(requests, Decoding(decoder, requests).completions(), strict=True):
        assert_as_anew(decoder, request, completion)


def test_no_requests_no_answers(decoder: CausalDecoder) -> None:
    assert Decoding(decoder, []).completions() == [] and list(Decoding(decoder, [])) == []


def test_all_that_is_told_together_is_the_answer(decoder: CausalDecoder) -> None:
    requests = mixture(decoder)
    told: dict[int, list[Event]] = {number: [] for number in range(len(requests))}
    for event in Decoding(decoder, requests):
        told[event.number].append(event)
    for number, request in enumerate(requests):
        events, last = told[number], told[number][-1]
        assert last.completion is not None and last.delta.ended
        assert [event.completion for event in events[:-1]] == [None] * (len(events) - 1)
        assert len(events) == len(last.completion.ids), "each token is told as it comes"
        text = "".join(event.delta.text for event in events)
        ids = "".join(f"{token} " for token in last.completion.ids)
        assert text == f"{ids}({last.completion.finish})"
        assert request.policy.finish == last.completion.finish  # type: ignore[attr-defined]


def test_answers_that_are_over_make_room(decoder: CausalDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped: list[int] = []
    step = decoder.step

    def noting(store: Any, rows: Sequence[int], vectors: Tensor, **more: Any) -> Tensor:
        stepped.append(len(rows))
        return step(store, rows, vectors, **more)

    monkeypatch.setattr(decoder, "step", noting)
    requests = [
        asked(decoder, [number + 3], policy=Recording(never=(END,)), max_new_tokens=length)
        for number, length in enumerate((1, 5, 3, 5, 2))
    ]
    decoding = Decoding(decoder, requests)
    lengths = [len(completion.ids) for completion in decoding.completions()]
    assert lengths == [1, 5, 3, 5, 2]
    assert stepped == [4, 3, 2, 2], "the last token of an answer is never read"
    assert decoding.batch.members == []


# How answers end.


def test_a_cancelled_answer_ends_at_its_next_token(decoder: CausalDecoder) -> None:
    requests = [asked(decoder, [3], policy=Recording(never=(END,)), max_new_tokens=50) for _ in range(2)]
    decoding = Decoding(decoder, requests)
    seen = 0
    for event in decoding:
        seen += 1
        if seen == 4:  # both have said two tokens
            decoding.cancel()
        if event.completion is not None:
            assert event.completion.finish == "cancelled" and len(event.completion.ids) == 3
    assert seen == 6


def test_an_answer_that_ends_by_itself_was_not_cancelled(decoder: CausalDecoder) -> None:
    request = asked(decoder, [3], policy=Recording(told={0: (END,)}))
    decoding = Decoding(decoder, [request])
    decoding.cancel()
    (completion,) = decoding.completions()
    assert completion.finish == "stop" and completion.ids == (END,)


def test_the_last_token_that_is_allowed_may_end_the_answer(decoder: CausalDecoder) -> None:
    requests = [
        asked(decoder, [3], policy=Recording(told={2: (END,)}), max_new_tokens=most) for most in (2, 3)
    ]
    assert [one.finish for one in Decoding(decoder, requests).completions()] == ["length", "stop"]


# What isn't the words' to decide.


def test_forced_tokens_come_one_by_one_and_places_are_kept(decoder: CausalDecoder) -> None:
    policy = Recording(told={1: (6, 7, 8)}, never=(END,))
    (completion,) = Decoding(decoder, [asked(decoder, [3], policy=policy, max_new_tokens=6)]).completions()
    assert completion.ids[1:4] == (6, 7, 8) and completion.places == (1,)
    assert len(policy.hidden) == 6, "it is asked before every token"


def test_what_is_forced_later_takes_the_place_of_what_waited(decoder: CausalDecoder) -> None:
    policy = Recording(told={0: (6, 7, 8), 1: (9,)}, never=(END,))
    (completion,) = Decoding(decoder, [asked(decoder, [3], policy=policy, max_new_tokens=3)]).completions()
    assert completion.ids[:2] == (6, 9) and completion.ids[2] not in (7, 8)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_numbers_that_are_not_finite_are_damaged_weights(temperature: float) -> None:
    decoder = CausalDecoder(tiny("llama"))
    with torch.no_grad():
        decoder.body.norm.weight[0] = float("nan")
    request = asked(decoder, [3], temperature=temperature, seed=0)
    with pytest.raises(BadWeights, match="not finite"):
        Decoding(decoder, [request]).completions()


# How answers begin.


def trying(*rounds: Sequence[Probe], say: Sequence[int] = (), heard: list[Tensor] | None = None) -> Recording:
    """Return a policy that tries things out, round by round, and begins with what it wants to say."""

    def opening(logits: Tensor) -> Start:
        for probes in rounds:
            answer = yield probes
            if heard is not None:
                heard.append(answer)
        return say

    return Recording(opening=opening, never=(END,))


def test_a_policy_begins_as_it_likes(decoder: CausalDecoder) -> None:
    policies = [trying(say=(9, 8, 7)), trying(say=(6,)), Recording(never=(END,))]
    requests = [asked(decoder, [3, 4], policy=policy, max_new_tokens=5) for policy in policies]
    together = Decoding(decoder, requests).completions()
    for request, completion, opening in zip(requests, together, ((9, 8, 7), (6,), ()), strict=True):
        assert_as_anew(decoder, request, completion, opening=opening)
        expected = logits_anew(decoder, request.embedded)
        assert request.policy.first.tolist() == pytest.approx(expected.tolist(), abs=1e-4)  # type: ignore[attr-defined]


def test_an_opening_longer_than_the_answer_is_cut(decoder: CausalDecoder) -> None:
    request = asked(decoder, [3], policy=trying(say=(9, 8, 7)), max_new_tokens=2)
    (completion,) = Decoding(decoder, [request]).completions()
    assert completion.ids == (9, 8) and completion.finish == "length"


@pytest.mark.parametrize("shown", [None, 4])
def test_what_is_tried_out_is_read_behind_the_prompt_or_instead_of_it(
    decoder: CausalDecoder, shown: int | None
) -> None:
    """In rounds of different lengths, for prompts short and long, with others that try nothing."""
    other = embedded(decoder, [9, 9, 2], shown=shown)
    rounds = (
        [Probe((5,)), Probe((6, 7, 8)), Probe((5,))],
        [Probe((), other)],
        [Probe((5,), other), Probe(()), Probe((3,))],
    )
    for ids in ([3], LONG):
        heard: list[list[Tensor]] = [[], []]
        requests = [
            asked(decoder, ids, shown=shown, policy=trying(*rounds, heard=heard[0]), max_new_tokens=3),
            asked(decoder, [4, 4], shown=shown, policy=Recording(never=(END,)), max_new_tokens=3),
            asked(decoder, ids[:1], shown=shown, policy=trying(rounds[0], heard=heard[1]), max_new_tokens=3),
        ]
        together = Decoding(decoder, requests).completions()
        for number, request in ((0, requests[0]), (1, requests[2])):
            assert len(heard[number]) == (3, 1)[number]
            for probes, answer in zip(rounds, heard[number], strict=False):
                expected = [
                    logits_anew(decoder, probe.instead or request.embedded, probe.tokens) for probe in probes
                ]
                torch.testing.assert_close(answer, torch.stack(expected), atol=1e-4, rtol=1e-4)
        for request, completion in zip(requests, together, strict=True):
            assert_as_anew(decoder, request, completion)


def test_equal_probes_are_read_once(decoder: CausalDecoder) -> None:
    """Whoever tries them out: two who ask the same, or one about another prompt that is the same."""
    heard: list[list[Tensor]] = [[], [], []]
    same = embedded(decoder, LONG, shown=4)
    probes = [Probe((5,)), Probe((6,)), Probe((5,)), Probe((5,), same)]
    requests = [
        asked(decoder, LONG, shown=4, policy=trying(probes, heard=one), max_new_tokens=1) for one in heard
    ]
    with reads_of(decoder) as read:
        Decoding(decoder, requests).completions()
    assert read[-1] == [1, 1], "one position for each token that is tried"
    for one in heard:
        assert one[0].equal(heard[0][0]) and one[0][0].equal(one[0][2]) and one[0][0].equal(one[0][3])
        assert not one[0][0].equal(one[0][1])


def test_a_round_without_probes_hears_nothing(decoder: CausalDecoder) -> None:
    heard: list[Tensor] = []
    request = asked(decoder, [3], policy=trying([Probe((5,))], heard=heard, say=(4,)), max_new_tokens=2)
    (completion,) = Decoding(decoder, [request]).completions()
    assert completion.ids[0] == 4 and heard[0].shape == (1, 50)


# What is read, and what is taken over.


def positions(read: Sequence[Sequence[int]]) -> int:
    return sum(sum(rows) for rows in read)


def test_what_several_prompts_begin_with_is_read_once(decoder: CausalDecoder) -> None:
    tails = ([9], [9, 8, 7], [2, 3])
    requests = [asked(decoder, [*LONG, *tail], shown=3, max_new_tokens=4) for tail in tails]
    with reads_of(decoder) as read:
        together = Decoding(decoder, requests).completions()
    assert read[0] == [5 + len(LONG)] and positions(read[1:]) == sum(map(len, tails))
    for request, completion in zip(requests, together, strict=True):
        assert_as_anew(decoder, request, completion)


def test_little_that_is_shared_is_read_in_one_go(decoder: CausalDecoder) -> None:
    requests = [asked(decoder, [*LONG[: LEAST_SHARED - 1], tail], max_new_tokens=2) for tail in (3, 4)]
    with reads_of(decoder) as read:
        Decoding(decoder, requests).completions()
    assert read == [[LEAST_SHARED, LEAST_SHARED]]


def test_prompts_that_begin_with_different_pictures_share_nothing(decoder: CausalDecoder) -> None:
    requests = [asked(decoder, LONG, shown=shown, max_new_tokens=4) for shown in (1, 2, 1)]
    together = Decoding(decoder, requests).completions()
    assert together[0].ids == together[2].ids != together[1].ids
    for request, completion in zip(requests, together, strict=True):
        assert_as_anew(decoder, request, completion)


@pytest.mark.parametrize("shown", [None, 6])
def test_the_next_one_goes_on_where_a_lone_request_ended(decoder: CausalDecoder, shown: int | None) -> None:
    """A dialogue: the second question is put behind the first one and its answer."""
    prefixes = PrefixCache()
    first = asked(decoder, LONG, shown=shown, policy=Recording(never=(END,)), max_new_tokens=6)
    (said,) = Decoding(decoder, [first], prefixes=prefixes).completions()
    second = asked(decoder, [*LONG, *said.ids, 4, 5, 6], shown=shown, max_new_tokens=6)
    with reads_of(decoder) as read:
        (completion,) = Decoding(decoder, [second], prefixes=prefixes).completions()
    assert read == [[4]], "the last token that was said, which nobody had read, and three new ones"
    assert_as_anew(decoder, second, completion)


def test_another_question_about_a_picture_reads_only_what_is_new(decoder: CausalDecoder) -> None:
    prefixes = PrefixCache()
    for tail in ([3, 4], [5, 6, 7], [3, 9]):
        request = asked(decoder, tail, shown=6, max_new_tokens=5)
        with reads_of(decoder) as read:
            (completion,) = Decoding(decoder, [request], prefixes=prefixes).completions()
        assert_as_anew(decoder, request, completion)
        assert positions(read) == {(3, 4): 7, (5, 6, 7): 3, (3, 9): 1}[tuple(tail)]


def test_a_batch_leaves_behind_what_its_prompts_share(decoder: CausalDecoder) -> None:
    prefixes = PrefixCache()
    batch = [asked(decoder, [*LONG, tail], shown=6, max_new_tokens=5) for tail in (3, 4)]
    Decoding(decoder, batch, prefixes=prefixes).completions()
    request = asked(decoder, [*LONG, 5], shown=6, max_new_tokens=5)
    with reads_of(decoder) as read:
        (completion,) = Decoding(decoder, [request], prefixes=prefixes).completions()
    assert read == [[1]] and len(prefixes) >= 1
    assert_as_anew(decoder, request, completion)


def test_without_a_memory_everything_is_read_anew(decoder: CausalDecoder) -> None:
    for _ in range(2):
        with reads_of(decoder) as read:
            Decoding(decoder, [asked(decoder, LONG, max_new_tokens=2)]).completions()
        assert read == [[len(LONG)]]


# Decoders whose frequencies change.


@pytest.fixture(scope="module")
def switching() -> CausalDecoder:
    """A decoder that reads rows of more than ``SWITCH`` tokens otherwise."""
    return CausalDecoder(tiny("phi3-long"))


@pytest.mark.parametrize("length", [1, SWITCH - 3, SWITCH - 1, SWITCH, SWITCH + 1])
def test_an_answer_that_crosses_the_switch_is_as_without_a_cache(
    switching: CausalDecoder, length: int
) -> None:
    policy = Recording(never=(END,))
    request = asked(switching, LONG[:length], policy=policy, max_new_tokens=SWITCH + 6)
    (completion,) = Decoding(switching, [request]).completions()
    assert_as_anew(switching, request, completion)


def test_rows_on_both_sides_of_the_switch_share_a_batch(switching: CausalDecoder) -> None:
    lengths = (2, SWITCH - 2, SWITCH, SWITCH + 1, SWITCH + 9)
    requests = [
        asked(switching, LONG[:length], policy=Recording(never=(END,)), max_new_tokens=8, **drawn)
        for length in lengths
        for drawn in ({}, {"temperature": 1.0, "seed": length})
    ]
    for request, completion in zip(requests, Decoding(switching, requests).completions(), strict=True):
        assert_as_anew(switching, request, completion)


def test_a_beginning_shorter_than_the_switch_is_not_shared_by_longer_prompts(
    switching: CausalDecoder,
) -> None:
    """They read it with other frequencies."""
    shared = LONG[:SWITCH]
    assert len(shared) >= LEAST_SHARED and switching.regime(len(shared)) == 0
    requests = [asked(switching, [*shared, tail, 5, 6], max_new_tokens=5) for tail in (3, 4)]
    assert switching.regime(len(requests[0].embedded)) == 1
    for prefixes in (None, PrefixCache()):
        for _ in range(2):
            together = Decoding(switching, requests, prefixes=prefixes).completions()
            for request, completion in zip(requests, together, strict=True):
                request.policy.ids.clear()  # type: ignore[attr-defined]
                ids, _ = written_anew(switching, request)
                assert completion.ids == tuple(ids)


def test_what_is_tried_out_may_cross_the_switch(switching: CausalDecoder) -> None:
    heard: list[Tensor] = []
    probes = [Probe((5,)), Probe((5, 6)), Probe((5, 6, 7, 8))]
    request = asked(switching, LONG[: SWITCH - 2], policy=trying(probes, heard=heard), max_new_tokens=6)
    (completion,) = Decoding(switching, [request]).completions()
    expected = [logits_anew(switching, request.embedded, probe.tokens) for probe in probes]
    torch.testing.assert_close(heard[0], torch.stack(expected), atol=1e-4, rtol=1e-4)
    assert_as_anew(switching, request, completion)


def test_what_was_read_before_the_switch_is_of_no_use_behind_it(switching: CausalDecoder) -> None:
    prefixes = PrefixCache()
    first = asked(switching, LONG[:10], policy=Recording(never=(END,)), max_new_tokens=3)
    (said,) = Decoding(switching, [first], prefixes=prefixes).completions()
    second = asked(switching, [*LONG[:10], *said.ids, *LONG[:8]], max_new_tokens=4)
    with reads_of(switching) as read:
        (completion,) = Decoding(switching, [second], prefixes=prefixes).completions()
    assert read == [[21]]
    assert_as_anew(switching, second, completion)
    third = asked(switching, [*second.embedded.identity, *completion.ids, 3], max_new_tokens=4)  # type: ignore[list-item]
    with reads_of(switching) as read:
        (completion,) = Decoding(switching, [third], prefixes=prefixes).completions()
    assert read == [[2]]
    assert_as_anew(switching, third, completion)


def test_a_prompt_is_not_changed_by_being_answered(decoder: CausalDecoder) -> None:
    request = asked(decoder, LONG, shown=2, max_new_tokens=3)
    before = Embedded(request.embedded.vectors.clone(), request.embedded.identity, request.embedded.prefix)
    Decoding(decoder, [request], prefixes=PrefixCache()).completions()
    assert request.embedded.vectors.equal(before.vectors) and torch.is_grad_enabled()


def test_what_the_words_head_said_is_let_go_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    # All of it would be answers x tokens x vocabulary: gigabytes at the size of Gemma's.
    decoder = CausalDecoder(tiny("llama"))
    said: list[weakref.ref[Tensor]] = []
    alive: list[int] = []
    logits = decoder.logits

    def recorded(hidden: Tensor) -> Tensor:
        alive.append(sum(one() is not None for one in said))
        made = logits(hidden)
        said.append(weakref.ref(made))
        return made

    monkeypatch.setattr(decoder, "logits", recorded)
    requests = [asked(decoder, [3, 4], policy=Recording(never=(END,)), max_new_tokens=30) for _ in range(3)]
    Decoding(decoder, requests).completions()
    assert len(said) > 30 and max(alive) <= 2


def test_memory_of_a_batch_grows_as_its_answers_do(decoder: CausalDecoder) -> None:
    lengths = (5, 40)
    requests = [
        asked(decoder, [3, 4], policy=Recording(never=(END,)), max_new_tokens=length) for length in lengths
    ]
    decoding = Decoding(decoder, requests)
    sizes, done = set(), {}
    for event in decoding:
        sizes.add(decoding.batch.store.slots)
        if event.completion is not None:
            done[event.number] = event.completion
    assert len(sizes) == 2 and min(sizes) < max(sizes) == 2 + max(lengths), "as much as the longest needs"
    assert_as_anew(decoder, requests[1], done[1])
