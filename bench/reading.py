"""Reading an answer while it is written: ids to text, text to words and phrases with boxes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from deixis.answers.reading.boxed_phrases import BoxedPhrase
from deixis.answers.reading.phrase_reader import BoxedPhraseReader
from deixis.text.prompt_tokens import TextCodec

KINDS = ("sentencepieces", "tokenizer", "words")
BENCHMARK = Benchmark(
    name="reading",
    what="an answer of 1,024 tokens with boxes, read token by token",
    given={"tokens": 1024},
    sides=tuple(Side(kind, f"bench.reading:{kind}", given={"codec": kind}) for kind in KINDS),
    goals=tuple(Goal(f"reading, {kind}", side=kind, at_most=0.02) for kind in KINDS),
)
SENTENCE = (
    "There is a man [100, 200, 300, 400] with two dogs [12, 345, 67, 890][5, 6, 77, 888], in the park. "
)


def sentencepieces(given: dict[str, Any]) -> dict[str, Any]:
    """Read with a sentencepiece model, as Vicuna has one."""
    from tests.text.tokenizers.made_codecs import piece_codec

    with TemporaryDirectory(prefix="bench-reading-") as folder:
        return timed(piece_codec(Path(folder)), given)


def tokenizer(given: dict[str, Any]) -> dict[str, Any]:
    """Read with a tokenizer.json over bytes, as Llama-3 has one."""
    from tests.text.tokenizers.made_codecs import header_codec

    with TemporaryDirectory(prefix="bench-reading-") as folder:
        return timed(header_codec(Path(folder)), given)


def words(given: dict[str, Any]) -> dict[str, Any]:
    """Read with word pieces, as small models have them."""
    from tests.text.tokenizers.made_codecs import word_codec

    return timed(word_codec(), given)


def timed(codec: TextCodec, given: dict[str, Any]) -> dict[str, Any]:
    """Return the times of reading, after one run that doesn't count, and what was read."""
    ids = list(islice(cycle(codec.encode(SENTENCE, begin=False)), given["tokens"]))
    text, phrases = read(ids, codec)
    seconds = []
    for _ in range(given["repeats"]):
        started = time.perf_counter()
        read(ids, codec)
        seconds.append(time.perf_counter() - started)
    values = [text, *(phrase.phrase for phrase in phrases)]
    return {"seconds": seconds, "values": values, "items": len(ids)}


def read(ids: Sequence[int], codec: TextCodec) -> tuple[str, list[BoxedPhrase]]:
    """Return the words and phrases of an answer whose tokens come one by one."""
    letters, answer = codec.reader(), BoxedPhraseReader()
    deltas = [answer.add(letters.add(token)) for token in ids]
    deltas += [answer.add(letters.close()), answer.close()]
    return "".join(delta.text for delta in deltas), [one for delta in deltas for one in delta.phrases]
