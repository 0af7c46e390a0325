"""Captions as words: recorded tokens of the published Java program, and bounds."""

from __future__ import annotations

import time

import pytest

from deixis.errors import RecordError
from deixis.evaluation.metrics.captions.ptb_words import LONGEST, caption_words, ptb_tokens

# What CoreNLP 3.4.1's PTBTokenizer with -lowerCase gives, without the punctuation that the scores drop.
RECORDED = [
    ("It's a man's hat; the dogs' bowls don't match.", "it 's a man 's hat the dogs bowls do n't match"),
    ("I'd've who's let's it'll C'mon ma'am o'clock", "i 'd 've who 's let 's it 'll c'mon ma'am o'clock"),
    ("can't CANNOT gonna gotta 'tis", "ca n't can not gon na got ta 't is"),
    ("rock'n'roll fish 'n' chips somethin' goin' ol'", "rock 'n' roll fish 'n' chips somethin' goin ol'"),
    ("a t-shirt, black/white (with stripes)", "a t-shirt black/white -lrb- with stripes -rrb-"),
    ("[foo] {bar} w/ w/o 24/7 and/or", "-lsb- foo -rsb- -lcb- bar -rcb- w / w/o 24/7 and/or"),
    ("U.S. Army Mr. Smith St. Louis 5 p.m. vs. No. 5", "u.s. army mr. smith st. louis 5 p.m. vs. no. 5"),
    ("the cat is no. 5 o'clock no.", "the cat is no. 5 o'clock no"),
    ("wait... what?! yes -- no --- “smart” – dash—x", "wait what ?! yes no smart dash x"),
    ("$5.00 10% 3rd 10:30 10am #5 50's 1990s", "$ 5.00 10 % 3rd 10:30 10am # 5 50 's 1990s"),
    ("10-year-old -5 5x5 3-4 2.5-inch", "10-year-old -5 5x5 3-4 2.5-inch"),
    ("a & b AT&T b&b black&white C++ C#", "a & b at&t b & b black & white c++ c#"),
    ("end.Next foo.com image.jpg www.a.com/b me@x.org", "end.next foo.com image.jpg www.a.com/b me@x.org"),
    (
        "@home #tag hello_world car_(x) 22 3/4 st.",
        "@home #tag hello_world car _ -lrb- x -rrb- 22\u00a03/4 st.",
    ),
    ("café naïve 日本 5° €5 ½ :) <3", "café naïve 日本 5 ° $ 5 1/2 :-rrb- < 3"),
    ("multi!!! A B C. vitamin i.", "multi !!! a b c. vitamin i"),
    ("Jan. 5 Ave. hwy. Inc", "jan. 5 ave. hwy inc"),
    ("", ""),
    (' . , ; : - -- ... "', ""),
]


@pytest.mark.parametrize(("text", "words"), RECORDED)
def test_words_are_those_of_the_published_program(text: str, words: str) -> None:
    assert caption_words(text) == [word for word in words.split(" ") if word]


def test_punctuation_is_a_token_until_it_is_dropped() -> None:
    assert ptb_tokens("A bus.") == ["a", "bus", "."]


@pytest.mark.parametrize(
    "part", ["a", "a.", "a,", "<a", "1/", "-a", "'", "n't", "a-", "1:", "@", "http://", " ", "&"]
)
def test_any_caption_takes_linear_time(part: str) -> None:
    text = (part * LONGEST)[:LONGEST]
    start = time.perf_counter()
    ptb_tokens(text)
    assert time.perf_counter() - start < 2


def test_longer_captions_are_refused() -> None:
    with pytest.raises(RecordError, match="expected at most 20,000"):
        ptb_tokens("a" * (LONGEST + 1))
