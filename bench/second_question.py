"""The time to the first token of a further question about a picture, against that of a first one (Groma)."""

from __future__ import annotations

import itertools
from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.timing import repeated

AGAIN, ANEW = "a further question", "a first question"
WORDS = "a the what is this where dog car man red big near in on of it there ? ."
BENCHMARK = Benchmark(
    name="second_question",
    what="time to the first token of Groma, DINOv2 384 x 12 at 448 pixels, decoder 1024 x 8, random weights",
    given={"seed": 0, "questions": 64},
    sides=(
        Side(AGAIN, "bench.second_question:again", threads=None),
        Side(ANEW, "bench.second_question:anew", threads=None),
    ),
    goals=(Goal("time", AGAIN, 1 / 3, over=ANEW),),
)


def again(given: dict[str, Any]) -> dict[str, Any]:
    """Time questions about a picture that was asked about before."""
    system, picture = prepared(given)
    system.ask(picture, "what is it ?", max_new_tokens=1)
    return timed(given, system, picture, forget=False)


def anew(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same questions, each as if it were the first."""
    system, picture = prepared(given)
    return timed(given, system, picture, forget=True)


def timed(given: dict[str, Any], system: Any, picture: Any, *, forget: bool) -> dict[str, Any]:
    """Return the times of questions that are all different, and the first tokens of their answers."""
    from deixis.engine.prefixes import PrefixCache
    from deixis.systems.encoded import EncodedCache

    told, tokens = itertools.count(), []

    def work() -> None:
        if forget:
            system.encoded_pictures, system.prefixes = EncodedCache(), PrefixCache()
        words = WORDS.split()
        number = next(told) % given["questions"]
        question = f"what is the {words[number % len(words)]} near {words[number // len(words)]} ?"
        tokens.append(system.ask(picture, question, max_new_tokens=1).raw.ids[0])

    _, times = repeated(given, work)
    return {**times, "values": tokens}


def prepared(given: dict[str, Any]) -> tuple[Any, Any]:
    """Return a system of random weights, and a picture."""
    import numpy as np
    import torch

    from deixis.pictures import open_picture
    from deixis.systems.groma.answering import groma_system
    from deixis.systems.groma.config import GromaConfig
    from deixis.systems.groma.model import GromaNetwork

    codec, base = word_codec()
    torch.manual_seed(given["seed"])
    config = GromaConfig(
        language={
            "model_type": "llama",
            "vocab_size": base,
            "hidden_size": 1024,
            "intermediate_size": 2816,
            "num_hidden_layers": 8,
            "num_attention_heads": 16,
            "num_key_value_heads": 16,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": False,
        },
        tower={
            "kind": "dinov2",
            "hidden_size": 384,
            "num_hidden_layers": 12,
            "num_attention_heads": 6,
        },
        region_encoder={"hidden": 384},
        box_score_thres=0.0,
        codec="words",
        bos_token_id=codec.bos,
        eos_token_id=codec.eos,
    )
    network = GromaNetwork(config)
    pixels = np.random.default_rng(given["seed"]).integers(0, 256, (360, 480, 3), dtype=np.uint8)
    return groma_system(network, codec), open_picture(pixels)


def word_codec() -> tuple[Any, int]:
    """Return a codec of a few words with Groma's tokens behind them, and how many words there are."""
    from deixis.systems.groma.dialect import GromaTokens, added_texts
    from deixis.text.region_marks import PAD, REFER_FEAT
    from deixis.text.tokenizers.codecs.word_codec import WordCodec
    from deixis.text.tokenizers.word_pieces.vocabulary import SPECIAL, UNKNOWN, Vocabulary, piece_tokenizer

    letters = [chr(code) for code in range(33, 127)]
    pieces = [*(token.text for token in SPECIAL), *WORDS.split(), *letters, *(f"##{one}" for one in letters)]
    known = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    vocabulary = Vocabulary(piece_tokenizer(known, unknown=UNKNOWN.text))
    codec = WordCodec(vocabulary, added_texts(), pad=PAD, region=REFER_FEAT)
    return codec, GromaTokens.of(codec).pad
