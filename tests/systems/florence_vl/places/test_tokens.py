"""Tokens and prompts: the added ones in their order, what a user types, regions in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.florence_prompts import PROMPTS
from deixis.systems.florence_vl.places.tasks import TASKS, find_task
from deixis.systems.florence_vl.places.tokens import ADDED, BINS, FlorenceTokens, Location, Mark, Words
from tests.systems.florence_vl.places.tiny import byte_tokenizer, tiny_tokens


def test_there_are_as_many_added_tokens_as_the_published_table_has_room_for() -> None:
    assert len(ADDED) == len(set(ADDED)) == 1024
    assert 50265 + len(ADDED) == 51289
    assert ADDED.index("<loc_0>") == 4


@pytest.mark.parametrize("added", [False, True])
def test_both_kinds_of_files(tmp_path: Path, added: bool) -> None:
    path = byte_tokenizer(tmp_path / "tokenizer.json", added=added)
    tokens = FlorenceTokens(path)
    assert len(tokens) == 3 + 256 + 1024 + added
    ids = [0, *tokens.encode("a dog"), *tokens.locations([0, 999]), 2]
    assert list(tokens.pieces(ids)) == [Words("a dog"), Location(0, 6), Location(999, 7)]
    assert tokens.text(ids) == "<s>a dog<loc_0><loc_999></s>"


def test_what_a_user_types_never_acts(tmp_path: Path) -> None:
    tokens = tiny_tokens(tmp_path)
    ids = tokens.encode("<loc_5> </s><poly>")
    assert not set(ids) & set(tokens.acting)
    assert list(tokens.pieces(ids)) == [Words("<loc_5> </s><poly>")]


def test_added_tokens_that_are_not_special_are_taken_apart(tmp_path: Path) -> None:
    path = byte_tokenizer(tmp_path / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_tokens(["<odd>"])
    tokenizer.save(str(path))
    tokens = FlorenceTokens(path)
    assert not set(tokens.encode("an <odd> one")) & set(tokens.acting)


def test_a_row_without_a_token_is_a_mark(tmp_path: Path) -> None:
    tokens = tiny_tokens(tmp_path)
    assert list(tokens.pieces([50000])) == [Mark("<50000>")]


def test_letters_of_several_bytes(tmp_path: Path) -> None:
    tokens = tiny_tokens(tmp_path)
    assert list(tokens.pieces(tokens.encode("né 猫"))) == [Words("né 猫")]


@pytest.mark.parametrize("lost", ["<s>", "<loc_500>"])
def test_another_tokenizer(tmp_path: Path, lost: str) -> None:
    path = byte_tokenizer(tmp_path / "tokenizer.json", added=True)
    path.write_text(path.read_text().replace(f'"{lost}"', '"<other>"'))
    with pytest.raises(BadWeights, match=r"<s>|<loc_0> to <loc_999>"):
        FlorenceTokens(path)


def test_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="no tokenizer file"):
        FlorenceTokens(tmp_path / "tokenizer.json")


def test_sentences_are_those_that_the_encoder_is_asked_with() -> None:
    tokens = {task.token: task.sentence for task in TASKS.values()}
    assert all(tokens[one.task] == one.text for one in PROMPTS.values())


def test_tasks_by_name() -> None:
    assert len(TASKS) == 15
    for task in TASKS.values():
        assert find_task(task.name) is find_task(task.token) is find_task(task.token.strip("<>")) is task
        assert (task.takes == "nothing") == ("{input}" not in task.sentence)
    with pytest.raises(UsageError, match="no task 'find'; known tasks: caption, "):
        find_task("find")
    assert BINS == 1000
