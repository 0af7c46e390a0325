"""What was said comes back to the letter, and is not read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from deixis.answers.grounded import Answer, Raw
from deixis.engine.loop import Decoding
from deixis.engine.prefixes import PrefixCache
from deixis.engine.settings import Settings
from deixis.regions.shapes import Box, Polygon
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question, checked_question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.text.prompt_tokens import prompt_ids
from tests.contract.promises import assert_same_answer
from tests.systems.ferret.tiny import fresh_ferret, fresh_ferret_v2, saved
from tests.systems.pointer.tiny import noise_picture
from tests.systems.spliced.members import SPOKEN, spoken

ONE, TWO = noise_picture(96, 64), noise_picture(40, 80, seed=1)
TAUGHT: dict[str, Callable[[Path], SplicedSystem]] = {
    "ferret": lambda folder: saved(fresh_ferret, folder),
    "ferret_v2": lambda folder: saved(fresh_ferret_v2, folder),
}
UNTAUGHT: dict[str, Callable[[Path], SplicedSystem]] = {
    name: lambda folder, name=name: spoken(name, folder) for name in SPOKEN
}


@pytest.fixture(scope="module", params=[*TAUGHT, *UNTAUGHT])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SplicedSystem:
    return {**TAUGHT, **UNTAUGHT}[request.param](tmp_path_factory.mktemp("member"))


@pytest.fixture(scope="module", params=TAUGHT)
def taught(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SplicedSystem:
    return TAUGHT[request.param](tmp_path_factory.mktemp("taught"))


def question(text: str, *, before: Sequence[Answer] = ()) -> Question:
    return checked_question(text, {}, ONE, before=before)


def prompt(system: SplicedSystem, asked: Question) -> Prompt:
    """Return a prompt, its picture encoded once for all."""
    return system.prompts([asked])[0]


def answers(system: SplicedSystem, asked: Question, *, count: int, **settings: Any) -> list[Answer]:
    """Return answers to one question, each drawn with a seed of its own."""
    first = prompt(system, asked)
    requests = [system.requests([first], Settings(seed=seed, **settings))[0] for seed in range(count)]
    return [
        system.answer(asked, system.parse(one, first), one, seconds=0.0)
        for one in Decoding(system.decoder, requests).completions()
    ]


def words_of(system: SplicedSystem, answer: Answer) -> tuple[int, ...] | None:
    """Return the tokens of an answer without what closes it; None where others act in it."""
    assert answer.raw is not None
    ids = answer.raw.ids
    closing = tuple(system.text.piece(system.template.answer_end, first=False))
    if ids[-1:] and ids[-1] in system.ends:
        ids = ids[:-1]
    for width in range(len(closing), 0, -1):
        if ids[-width:] == closing[:width]:
            ids = ids[:-width]
            break
    return None if acting(system) & {*ids} else ids


def acting(system: SplicedSystem) -> set[int]:
    """Return the tokens of the texts that no words may hold."""
    each = [system.text.piece(text, first=False) for text in system.specials]
    return {ids[0] for ids in each if len(ids) == 1}


def test_two_hundred_answers_come_back_to_the_letter(system: SplicedSystem) -> None:
    asked = question("where are they?")
    first, count, different = prompt(system, asked), 0, set()
    closing = tuple(system.text.piece(system.template.answer_end, first=False))
    for answer in answers(system, asked, count=200, temperature=1.2, max_new_tokens=20):
        ids = words_of(system, answer)
        assert answer.raw is not None
        later = prompt(system, question("and now?", before=[answer])).ids
        assert later[: len(first.ids)] == first.ids
        if ids is None:
            assert not [*holding(later, answer.raw.ids[:-1])]
            continue
        end = len(first.ids) + len(ids)
        assert later[len(first.ids) : end] == ids, f"{answer.raw.text!r} came back otherwise"
        assert later[end : end + len(closing)] == closing
        assert system.codec.decode(ids).strip() == answer.raw.text.strip()
        count += 1
        different.add(ids)
    assert count > 60 and len(different) > count // 2, (
        f"{count} answers of words, {len(different)} of them different"
    )


def test_what_is_known_stands_as_a_text_would(system: SplicedSystem) -> None:
    """An answer whose tokens are those of its text gives the prompt that the whole text gives."""
    turns: list[tuple[str, str | None]] = [
        ("<image>\nwhat is it?", "a dog."),
        ("and?", "it is red, yes"),
        ("so?", None),
    ]
    whole = prompt_ids(system.template.render(turns), system.codec)
    assert system.text.ids(turns, [None, None]) == whole
    said = [
        tuple(system.text.piece(system.template.gap + text, first=False))
        for text in ("a dog.", "it is red, yes")
    ]
    assert [*holding(whole, said[0])] and [*holding(whole, said[1])]
    assert system.text.ids(turns, said) == whole
    assert system.text.ids(turns, [said[0], None]) == whole
    assert system.text.ids(turns, [None, said[1]]) == whole


def holding(ids: Sequence[int], part: Sequence[int]) -> Iterator[int]:
    """Yield the places at which some ids stand in others."""
    for at in range(len(ids) - len(part) + 1):
        if tuple(ids[at : at + len(part)]) == tuple(part):
            yield at


def test_answers_of_no_words_do_not_shift_what_follows(system: SplicedSystem) -> None:
    ids = tuple(system.codec.encode("a dog is there", begin=False))
    nothing = said_by(system, (system.codec.eos,))
    something = said_by(system, (*ids, system.codec.eos))
    assert (nothing.text, nothing.raw) == ("", Raw("", (system.codec.eos,)))
    prompts = [
        prompt(system, question("so?", before=before)).ids
        for before in ([nothing, something], [something, nothing], [nothing, something, nothing, something])
    ]
    assert [len([*holding(one, ids)]) for one in prompts] == [1, 1, 2]
    mark = tuple(system.text.piece(system.template.answer_end, first=False))
    for one, turns in zip(prompts, (2, 2, 4), strict=True):
        # Gemma's and Llama's questions end alike.
        assert len([*holding(one, mark)]) in (turns, 2 * turns + 1, 2 * turns + 2, turns + 1)


def said_by(system: SplicedSystem, ids: tuple[int, ...]) -> Answer:
    """Return an answer of these tokens as the system itself gives it."""
    text = system.codec.decode([token for token in ids if token not in system.ends])
    return Answer(text, (), (ONE,), system.name, 0.0, question="what?", raw=Raw(text, ids))


def test_what_acts_is_written_anew(system: SplicedSystem) -> None:
    """Tokens that only a template may write don't come back, whoever sent them."""
    plain = prompt(system, question("so?", before=[replace(said_by(system, ()), text="a dog", raw=None)])).ids
    words = tuple(system.codec.encode("a dog", begin=False))
    assert len(acting(system)) >= 4
    for token in (*acting(system), -200, len(system.codec)):
        for ids in ((token, *words, token), (*words, token, *words), (token, token)):
            if token in system.ends and ids == (token, token):
                continue
            raw = Raw("a dog", ids)
            sent = replace(said_by(system, ()), text="a dog", raw=raw)
            assert prompt(system, question("so?", before=[sent])).ids == plain, token


def test_an_answer_that_is_not_the_systems_own_is_written_anew(system: SplicedSystem) -> None:
    ids = tuple(system.codec.encode("a dog", begin=False))
    own = replace(said_by(system, (*ids, system.codec.eos)), text="a dog")
    plain = prompt(system, question("so?", before=[replace(own, raw=None)])).ids
    for other in (
        replace(own, system="another"),
        replace(own, raw=Raw("a cat", own.raw.ids if own.raw else ())),
    ):
        assert prompt(system, question("so?", before=[other])).ids == plain


# Reading only what is new.


@contextmanager
def counted(system: SplicedSystem) -> Iterator[list[int]]:
    """Count the positions that each reading of a prompt takes."""
    counts: list[int] = []
    read = system.decoder.read

    def counting(store: Any, rows: Sequence[int], vectors: Sequence[Tensor], **more: Any) -> Tensor:
        counts.append(sum(map(len, vectors)))
        return read(store, rows, vectors, **more)

    system.decoder.read = counting  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        del system.decoder.read


def length(system: SplicedSystem, asked: Question) -> int:
    return len(system.embed([prompt(system, asked)])[0])


def fresh(system: SplicedSystem) -> SplicedSystem:
    """Forget what was read."""
    system.prefixes = PrefixCache()
    return system


@pytest.mark.parametrize(
    "settings", [{}, {"temperature": 1.2, "seed": 4}, {"stop": "dog"}, {"max_new_tokens": 3}]
)
def test_each_turn_reads_only_what_is_new(taught: SplicedSystem, settings: dict[str, Any]) -> None:
    system, before = fresh(taught), list[Answer]()
    known = 0
    for text in ("what is {it}?", "where are they?", "what is there?"):
        regions = {"it": Box(5, 5, 40, 50)} if "{it}" in text else {}
        asked = checked_question(text, regions, ONE, before=before)
        whole = length(system, asked)
        with counted(system) as counts:
            answer = system.ask(ONE, text, regions=regions, before=before, **settings)
        assert sum(counts) == whole - known
        assert answer.raw is not None
        known = whole + len(answer.raw.ids) - 1  # the last token was never read
        kept, system.prefixes = system.prefixes, PrefixCache()
        assert_same_answer(answer, system.ask(ONE, text, regions=regions, before=before, **settings))
        system.prefixes = kept
        before.append(answer)
    assert known > 2 * sum(counts), "most was known by then"


def test_an_answer_that_was_cut_is_known_too(taught: SplicedSystem) -> None:
    """Without an end token, what closes an answer is read with the next question."""
    system = fresh(taught)
    first = system.ask(ONE, "where are they?", max_new_tokens=4)
    assert first.finish == "length" and first.raw is not None and len(first.raw.ids) == 4
    start = length(system, question("where are they?"))
    asked = question("and now?", before=[first])
    with counted(system) as counts:
        system.ask(ONE, "and now?", before=[first], max_new_tokens=1)
    assert sum(counts) == length(system, asked) - (start + 3)


def test_further_questions_read_the_picture_no_more(taught: SplicedSystem) -> None:
    system = fresh(taught)
    first = prompt(system, question("where is the dog?"))
    system.ask(ONE, "where is the dog?", max_new_tokens=1)
    with counted(system) as counts:
        system.ask(ONE, "what is there?", max_new_tokens=1)
    after = len(first.ids) - first.ids.index(-200)
    assert sum(counts) < after + 24 < length(system, question("what is there?"))
    with counted(system) as counts:
        system.ask(TWO, "what is there?", max_new_tokens=1)
    other = checked_question("what is there?", {}, TWO)
    assert sum(counts) == length(system, other) - first.ids.index(-200), "another picture is read"


def test_another_region_is_read_anew(taught: SplicedSystem) -> None:
    """Two regions of the same words have vectors of their own."""
    system = fresh(taught)
    regions = (Box(0, 0, 30, 30), Polygon(((0, 0), (31, 0), (31, 31))))
    asked = [checked_question("what is {it}?", {"it": one}, ONE) for one in regions]
    prompts = [prompt(system, one) for one in asked]
    assert prompts[0].ids == prompts[1].ids
    first, second = system.embed(prompts)
    differing = (first.vectors != second.vectors).any(dim=1).nonzero()[:, 0].tolist()
    assert len(differing) == 1 and first.identity[differing[0]] != second.identity[differing[0]]
    reading = []
    for region in (*regions, regions[1]):
        with counted(system) as counts:
            system.ask(ONE, "what is {it}?", it=region, max_new_tokens=1)
        reading.append(sum(counts))
    assert reading == [len(first), len(first) - differing[0], 1]
