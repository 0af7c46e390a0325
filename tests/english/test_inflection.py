"""Singular, plural and article of a list of nouns, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deixis.english import noun_table
from deixis.english.articles import indefinite
from deixis.english.inflection import forms, is_plural_noun, plural, singular
from deixis.english.nouns import is_plural, with_article

TABLE = Path(__file__).with_name("nouns.txt")  # article ("-" for none), singular, plural
NOUNS = [tuple(line.split()) for line in TABLE.read_text().splitlines()]


def test_the_list_is_long_and_has_every_noun_once() -> None:
    assert len({singular for _, singular, _ in NOUNS}) == len(NOUNS) >= 300


@pytest.mark.parametrize(("article", "one", "many"), NOUNS, ids=lambda word: word)
def test_a_noun_there_and_back(article: str, one: str, many: str) -> None:
    assert plural(one) == many and singular(many) == one
    assert plural(many) == many and singular(one) == one
    assert forms(one) == forms(many) == {one, many}
    assert is_plural_noun(many) or one == many
    assert with_article(one) == (one if article == "-" else f"{article} {one}" if one != "sheep" else "sheep")


@pytest.mark.parametrize(("one", "many"), [(one, many) for _, one, many in NOUNS if one != many], ids=str)
def test_a_noun_is_one_or_many_as_part_of_a_phrase(one: str, many: str) -> None:
    assert is_plural_noun(many) and not is_plural_noun(one)
    assert is_plural(f"the old {many} on the left") and not is_plural(f"the old {one} on the left")
    assert is_plural(f"two {many}") and is_plural(f"a few {many}") and is_plural(f"a couple of {many}")
    assert with_article(many) == many


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("fire hydrant", "fire hydrants"),
        ("glass of water", "glasses of water"),
        ("piece of cake", "pieces of cake"),
        ("man in black", "men in black"),
        ("pair of scissors", "pairs of scissors"),
        ("wine glass", "wine glasses"),
        ("police officer", "police officers"),
        ("young man", "young men"),
        ("sheep dog", "sheep dogs"),
        ("", ""),
    ],
)
def test_of_several_words_the_head_is_put_in_the_plural(noun: str, many: str) -> None:
    assert plural(noun) == many and singular(many) == noun and plural(many) == many


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("mangos", "mango"), ("volcanos", "volcano"), ("octopi", "octopus"), ("cactuses", "cactus"),
        ("hoofs", "hoof"), ("dwarves", "dwarf"), ("buffalos", "buffalo"),
    ],
)  # fmt: skip
def test_other_plurals_are_understood(many: str, one: str) -> None:
    assert singular(many) == one and plural(many) == many


@pytest.mark.parametrize(
    ("word", "article"),
    [
        ("hour", "an"), ("honest man", "an"), ("university", "a"), ("European", "a"), ("one", "a"),
        ("one-eyed cat", "a"), ("once-white wall", "a"), ("onerous task", "an"), ("MRI", "an"),
        ("x-ray", "an"), ("X-ray machine", "an"), ("umbrella", "an"), ("unicorn", "a"), ("heir", "an"),
        ("8-year-old", "an"), ("8", "an"), ("80s", "an"), ("11th", "an"), ("11,000", "an"),
        ("1880s house", "an"), ("180", "a"), ("118", "a"), ("110", "a"), ("18", "an"), ("100", "a"),
        ("uniform", "a"), ("SUV", "an"),
        ("NFL player", "an"), ("UFO", "a"), ("UN flag", "a"), ("US flag", "a"), ("usual day", "a"),
        ("unusual day", "an"), ("unidentified man", "an"), ("uninteresting", "an"), ("unopened box", "an"),
        ("unripe banana", "an"), ("unanimous vote", "a"), ("ugly duckling", "an"), ("urban street", "an"),
        ("uranium", "a"), ("Ugandan", "a"), ("Utah road", "a"), ("utter mess", "an"), ("LED", "an"),
        ("L-shaped sofa", "an"), ("S-bend", "an"), ("F", "an"), ("U-shaped bench", "a"), ("T-shirt", "a"),
        ("historic house", "a"), ("Honolulu hotel", "a"), ("honorary degree", "an"), ("euphonium", "a"),
        ("ewer", "a"), ("eye", "an"), ("iPhone", "an"), ("e-bike", "an"), ("'old' man", "an"), ("Mr", "a"),
        ("yellow hat", "a"), ("ATV", "an"), ("HDMI cable", "an"), ("PhD", "a"), ("o'clock", "an"),
        ("upside", "an"), ("uk flag", "a"), ("ivory tusk", "an"), ("one", "a"), ("oak", "an"),
    ],
)  # fmt: skip
def test_articles_go_by_the_sound(word: str, article: str) -> None:
    assert indefinite(word) == article


@pytest.mark.parametrize(
    "word", ["glass", "bus", "tennis", "is", "this", "his", "was", "news", "chess", "gas", "canvas", "us", ""]
)
def test_what_only_ends_in_s_is_no_plural(word: str) -> None:
    assert not is_plural_noun(word) and singular(word) == word


def test_tables_do_not_contradict_each_other() -> None:
    assert set(noun_table.PLURALS).isdisjoint(noun_table.SAME_IN_PLURAL | noun_table.PLURAL_ONLY)
    assert noun_table.SINGULARS_IN_S.isdisjoint(noun_table.PLURALS_IN_IS_OR_US | noun_table.PLURAL_ONLY)
    assert not [one for one in noun_table.PLURALS if is_plural_noun(one)]


OWN_SINGULAR = noun_table.SINGULARS_IN_S | noun_table.PLURAL_ONLY | noun_table.SAME_IN_PLURAL
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9)


@example(word="oman")
@given(word=LETTERS.filter(lambda word: len(word) > 2 and word[-1] not in "iu"))  # "skis", but "axis"
def test_any_word_has_a_plural_that_stays_one(word: str) -> None:
    many = plural(word)
    if many in noun_table.SINGULARS_IN_S:  # "innings" is what an inning is elsewhere
        return
    assert plural(many) == many
    assert many == word or is_plural_noun(many)


@example(stem="i", ending="t")
@example(stem="jea", ending="n")
@given(
    stem=LETTERS,
    ending=st.sampled_from(["b", "ck", "d", "g", "l", "m", "n", "p", "r", "t", "w", "ay", "ey", "ry"]),
)
def test_regular_words_come_back(stem: str, ending: str) -> None:
    word = stem + ending
    if word in noun_table.PLURALS or plural(word) not in (f"{word}s", f"{word[:-1]}ies"):
        return
    if plural(word)[:-1] in noun_table.IN_IE:  # "bries" is more than one brie, whatever a bry may be
        return
    if plural(word) in OWN_SINGULAR:  # "its" is no more than one it, nor "jeans" than one jean
        return
    assert singular(plural(word)) == word
