"""Pictures of Florence-VL: prepared without tokenising prompts, and projected once for all questions."""

from __future__ import annotations

from typing import Any

from bench.benchmark import Benchmark, Goal, Side
from bench.florence_tower import BASE_ENCODER, BASE_TOWER, SIDE_OF_PICTURES
from bench.timing import digest, repeated

KEPT, ANEW = "projected features kept", "encoded for each question"
PIXELS, WORDS_TOO = "pixels alone", "prompts tokenised for each picture"
QUESTIONS = ("what is it ?", "where is the dog ?", "what is red ?", "is it big ?")
FEATURES = Benchmark(
    name="florence_features",
    what=f"{len(QUESTIONS)} questions, Florence-2-base at {SIDE_OF_PICTURES} pixels, a small decoder",
    given={"tokens": 8, "seed": 0},
    sides=(
        Side(KEPT, "bench.florence_pictures:kept", threads=None),
        Side(ANEW, "bench.florence_pictures:anew", threads=None),
    ),
    goals=(Goal("time", KEPT, 0.6, over=ANEW),),
)
PREPARATION = Benchmark(
    name="florence_preparation",
    what="8 pictures of 640 x 480 made squares of 768; three prompts by a tokenizer of single bytes",
    given={"pictures": 8, "seed": 0},
    sides=(
        Side(PIXELS, "bench.florence_pictures:pixels_alone", threads=None),
        Side(WORDS_TOO, "bench.florence_pictures:words_too", threads=None),
    ),
    goals=(Goal("time", PIXELS, 1.05, over=WORDS_TOO),),
)


def kept(given: dict[str, Any]) -> dict[str, Any]:
    """Time questions one after another; the picture is encoded for the first."""
    return asked(given, forget=False)


def anew(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same, with nothing remembered of the picture."""
    return asked(given, forget=True)


def asked(given: dict[str, Any], *, forget: bool) -> dict[str, Any]:
    """Return the times of all questions about a picture that is new each time, and the answers' tokens."""
    import numpy as np

    from deixis.engine.prefixes import PrefixCache
    from deixis.systems.encoded import EncodedCache

    system = small_system(given["seed"])
    picture = np.random.default_rng(given["seed"]).integers(0, 256, (240, 320, 3), dtype=np.uint8)

    def work() -> list[list[int]]:
        system.encoded_pictures, system.prefixes = EncodedCache(), PrefixCache()
        tokens = []
        for question in QUESTIONS:
            if forget:
                system.encoded_pictures, system.prefixes = EncodedCache(), PrefixCache()
            answer = system.ask(picture, question, max_new_tokens=given["tokens"])
            tokens.append(list(answer.raw.ids) if answer.raw else [])
        return tokens

    tokens, times = repeated(given, work)
    return {**times, "values": tokens}


def small_system(seed: int) -> Any:
    """Return a random system with a small decoder."""
    import torch

    from deixis.layers.language.small_decoders import small_language
    from deixis.systems.florence_vl.answering import florence_vl_system
    from deixis.systems.florence_vl.config import FlorenceVlConfig
    from deixis.systems.florence_vl.model import FlorenceVlNetwork
    from deixis.text.tokenizers.codecs.opening import WordCodec
    from deixis.text.tokenizers.word_pieces.vocabulary import build_vocabulary

    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = ["[UNK]", "what", "is", "it", "the", *characters, *(f"##{one}" for one in characters)]
    codec = WordCodec(
        build_vocabulary(pieces[1:], {one: i for i, one in enumerate(dict.fromkeys(pieces))}, at_least=1)
    )
    torch.manual_seed(seed)
    config = FlorenceVlConfig(
        language=small_language("small", words=len(codec), positions=2048),
        tower={"kind": "davit", **BASE_TOWER},
        encoder=BASE_ENCODER,
        side=SIDE_OF_PICTURES,
        template="vicuna_v1",
        codec="words",
        bos_token_id=codec.bos,
        eos_token_id=codec.eos,
        pad_token_id=codec.pad,
    )
    return florence_vl_system(FlorenceVlNetwork(config), codec)


def pixels_alone(given: dict[str, Any]) -> dict[str, Any]:
    """Time what this project does with pictures."""
    return prepared(given, tokenise=lambda: None)


def words_too(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same, and the prompts' ids that the published program makes for each picture and drops."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    from deixis.layers.towers.florence_prompts import PROMPTS, PUBLISHED

    alphabet = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    texts = [PROMPTS[name].text for name in PUBLISHED]
    return prepared(given, tokenise=lambda: tokenizer.encode_batch(texts))


def prepared(given: dict[str, Any], *, tokenise: Any) -> dict[str, Any]:
    """Return the times of making pictures ready, and a digest of their pixels."""
    import numpy as np

    from deixis.layers.towers.dinov2 import IMAGENET_PIXELS
    from deixis.pictures import open_picture
    from deixis.systems.spliced.preparation import SquareView

    chance = np.random.default_rng(given["seed"])
    pictures = [
        open_picture(chance.integers(0, 256, (480, 640, 3), dtype=np.uint8)) for _ in range(given["pictures"])
    ]
    view = SquareView(768, IMAGENET_PIXELS)

    def work() -> list[Any]:
        made = []
        for picture in pictures:
            made.append(view.view(picture)[1])
            tokenise()
        return made

    made, times = repeated(given, work)
    return {**times, "digest": digest(view.stack(made).numpy())}
