"""Boxes as text: what may be written in a bracket, and that nothing else can be, by any tokenizer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
import torch

from deixis.answers.reading.boxed_phrases import read_boxes
from deixis.engine.settings import Settings
from deixis.errors import UsageError
from deixis.systems.questions import checked_question
from deixis.systems.spliced.grammar.boxes import LONGEST, OUTSIDE, BoxGrammar
from deixis.systems.spliced.grammar.tokens import BoxTokens, HeldToBoxes
from tests.systems.ferret.tiny import fresh_ferret

DECIMALS = re.compile(r"\[" + r", ?".join([r"([01]\.\d\d)"] * 4) + r"\]")


class Pieces:
    """A codec of pieces of text as they are, the end token first."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = ("", *pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        return [self.pieces.index(character) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces[one] for one in ids)


LETTERS = tuple("a0123456789.,[] ")
LARGE = ("12", "100", "99", " [", "[1", "], [", "][", ", ", "0, ", "1]", "[sic]", "[]", " [5, 7, 9, 9] ",
         "[9, 9, 9", "0.", ".00", "1.00", " 1", "a ", "]a")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("a dog [1, 2, 3, 4].", True),
        ("[0, 0, 1000, 1000]", True),
        ("[1,2,3,4] and [5, 6,7, 8]", True),
        ("a ] b", True),
        ("[1, 2, 3", True),
        ("[1, 2, 1", True),  # 10 may follow
        ("[1, 2, 1,", False),
        ("[999, 2, 10", True),
        ("[999, 2, 101", False),
        ("[1000", False),
        ("[100", True),
        ("[3, 2, 3,", False),
        ("[3, 2, 4, 2]", False),
        ("[3, 2, 4]", False),
        ("[3, 2, 4, 5, ", False),
        ("[03", False),
        ("[ 3", False),
        ("[3 ,", False),
        ("[3,  4", False),
        ("[3, , ", False),
        ("[]", False),
        ("[[", False),
        ("[sic]", False),
        ("[0.1", False),
        ("[-1", False),
    ],
)
def test_whole_thousandths(text: str, sound: bool) -> None:
    assert (BoxGrammar.of("thousandths").after(OUTSIDE, text) is not None) is sound


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("[0.10, 0.20, 0.30, 1.00]", True),
        ("[0.10, 0.20, 0.1", True),
        ("[0.10, 0.20, 0.10,", False),
        ("[1", False),  # 1.00 is no left edge
        ("[0.99, 0.00, 1.00, 0.01]", True),
        ("[0.99, 0.00, 0", False),
        ("[0.1,", False),
        ("[0.105", False),
        ("[1.01", False),
        (f"[{'0.00, ' * 2}1.00, 1.00]", True),
    ],
)
def test_fractions(text: str, sound: bool) -> None:
    assert (BoxGrammar.of("decimals").after(OUTSIDE, text) is not None) is sound


def written(codec: Any, spelling: Any, *, seed: int, most: int | None, length: int = 260) -> str:
    """Return what a network that likes brackets, numbers and endings would write."""
    tokens = BoxTokens(codec, BoxGrammar.of(spelling))
    held = HeldToBoxes(tokens, most=most, room=length)
    chance = torch.Generator().manual_seed(seed)
    liked = [one for one, text in enumerate(tokens.texts) if set(text) & set("[]0123456789,.") or not text]
    reader: list[int] = []
    for _ in range(length):
        logits = torch.randn(len(codec) + 3, generator=chance)
        logits[liked] += 2
        token = int(held.constrain(logits).argmax())
        if token < len(codec):
            held.accept(token)
            reader.append(token)
        elif held.state != OUTSIDE:
            raise AssertionError("a token that nothing is known of, in a bracket")
        else:
            held.left -= 1
    return codec.decode(codec.encode("a", begin=False) + reader)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [None, 3, 0])
def test_whatever_the_logits_only_sound_boxes_are_written(seed: int, most: int | None) -> None:
    for codec in (Pieces(*LETTERS), Pieces(*LETTERS, *LARGE)):
        text = written(codec, "thousandths", seed=seed, most=most)
        boxes, failures = read_boxes(text)
        assert not failures and text.count("[") == len(boxes)
        assert len(boxes) == most if most is not None else len(boxes) > 3
        text = written(codec, "decimals", seed=seed, most=most)
        found = [tuple(map(float, one.groups())) for one in DECIMALS.finditer(text)]
        assert text.count("[") == len(found) and all(a < c <= 1 and b < d <= 1 for a, b, c, d in found)
        assert len(found) == most if most is not None else len(found) > 1


def test_a_box_is_begun_only_if_it_can_be_finished() -> None:
    codec = Pieces(*LETTERS)
    tokens = BoxTokens(codec, BoxGrammar.of("thousandths"))
    opening = codec.pieces.index("[")
    for room, opens in ((LONGEST, True), (LONGEST - 1, False)):
        held = HeldToBoxes(tokens, most=None, room=room)
        logits = torch.zeros(len(codec))
        assert bool(held.constrain(logits)[opening] > float("-inf")) is opens
        assert logits.equal(torch.zeros(len(codec))), "what was given isn't changed"


def test_a_piece_that_would_hold_one_box_too_many_is_no_choice() -> None:
    codec = Pieces(*LETTERS, *LARGE)
    tokens = BoxTokens(codec, BoxGrammar.of("thousandths"))
    held = HeldToBoxes(tokens, most=1, room=100)
    for piece in ("[1", ", ", "1", ", ", "12", ", ", "99"):
        held.accept(codec.pieces.index(piece))
    allowed = held.constrain(torch.zeros(len(codec))) > float("-inf")
    assert [codec.pieces[one] for one in allowed.nonzero()[:, 0].tolist()] == [*"0123456789", "]", "1]", "]a"]


def test_a_tokenizer_that_can_not_spell_boxes_is_named() -> None:
    with pytest.raises(UsageError, match=r"no token of its own for '3', ']'"):
        BoxTokens(Pieces(*(one for one in LETTERS if one not in "3]")), BoxGrammar.of("thousandths"))  # type: ignore[arg-type]


def test_a_system_held_to_it_writes_nothing_that_can_not_be_read() -> None:
    system = fresh_ferret(0)
    texts = system.box_tokens.texts
    liked = [one for one, text in enumerate(texts) if set(text) & set("[]0123456789,")]
    picture = system.pictures(torch.full((60, 80, 3), 99, dtype=torch.uint8).numpy())
    (prompt,) = system.prompts([checked_question("where is the dog?", {}, picture)])

    def answered(seed: int, **settings: Any) -> tuple[list[str], int]:
        policy = system.policy(prompt, Settings(max_new_tokens=200, **settings))
        chance = torch.Generator().manual_seed(seed)
        spans = 0
        for _ in range(200):
            logits = torch.full((len(texts),), float("-inf"))
            logits[liked] = torch.randn(len(liked), generator=chance)
            delta = policy.accept(int(policy.constrain(logits).argmax()), -0.5)
            spans += sum(len(span.places) for span in delta.spans)
            if delta.ended:
                break
        rest = policy.close("length")
        return policy.reader.failures, spans + sum(len(span.places) for span in rest.spans)

    cut = "the answer stopped before its end; raise max_new_tokens"
    for seed in range(3):
        assert set(answered(seed)[0]) - {cut}, "not held to it, it writes what is no box"
        failures, boxes = answered(seed, grammar=True)
        assert set(failures) <= {cut} and boxes > 3
        failures, boxes = answered(seed, grammar=True, max_places=2)
        assert set(failures) <= {cut} and boxes == 2
