"""Many questions at a time: the engine's running batch, against `generate` of transformers, one by one.

A random model like LLaVA: CLIP-B/14 at 224 pixels, a linear projector, a Llama of 8 layers 1,024 wide with
32,000 words; 257 picture tokens, 30 tokens a question, float32.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.benchmark import Benchmark, Goal, Side

OURS, SINGLY = "running batch", "one by one"
SIDES = {OURS: "ours", SINGLY: "singly", "generate as a batch": "batched"}
# Of the running batch, writing has in it what steps cost while other prompts are read; a token is one of each
# answer while all are written and nothing is read.
PARTS = ("total", "reading", "writing")
TOKEN = "a token"
MODULE = "bench.continuous_batching"
QUESTIONS, WORDS, PICTURE = 8, 30, 257
WHAT = "random LLaVA-like model, Llama 1024 x 8, 257 picture tokens, 30-token questions: "


def benchmark(
    name: str, what: str, *, tokens: int, pictures: int, goals: dict[str, float], together: bool = True
) -> Benchmark:
    """Return a benchmark of eight questions, reading and writing told apart.

    together: some of the time, all eight are written.
    """
    parts = (*PARTS, TOKEN) if together else PARTS
    return Benchmark(
        name=name,
        what=WHAT + what,
        given={"tokens": tokens, "pictures": pictures, "seed": 0, "parts": list(parts)},
        sides=tuple(
            Side(side, f"{MODULE}:{function}", threads=None, parts=parts) for side, function in SIDES.items()
        ),
        goals=tuple(
            Goal(f"{part}, over one by one", f"{OURS}, {part}", most, over=f"{SINGLY}, {part}")
            for part, most in goals.items()
        ),
    )


ONE_PICTURE = tuple(
    benchmark(
        f"continuous_batching_{tokens}",
        f"8 questions about one picture, {tokens} tokens each",
        tokens=tokens,
        pictures=1,
        goals=goals,
    )
    for tokens, goals in ((16, {"total": 1 / 4.5}), (64, {"total": 1 / 5}), (128, {}))
)
DIFFERENT = tuple(
    benchmark(
        f"continuous_batching_pictures_{tokens}",
        f"8 questions about 8 pictures, {tokens} tokens each",
        tokens=tokens,
        pictures=QUESTIONS,
        goals=goals,
        together=bool(goals),  # of shorter answers, the first ones end before the last ones begin
    )
    for tokens, goals in ((16, {}), (64, {}), (128, {"total": 1 / 2, "writing": 1 / 4}))
)
JOINING = Benchmark(
    name="continuous_batching_joining",
    what=WHAT + "a ninth question, about another picture, while 8 are answered",
    given={"seed": 0},
    sides=(
        Side("the ninth", f"{MODULE}:ninth", threads=None, parts=("first token", "longest pause", "step")),
        Side("alone", f"{MODULE}:alone", threads=None, parts=("first token",)),
    ),
    goals=(
        Goal("first token, over alone", "the ninth, first token", 2, over="alone, first token"),
        Goal("longest pause of the 8, over a step", "the ninth, longest pause", 3, over="the ninth, step"),
    ),
)
STEP = Benchmark(
    name="continuous_batching_step",
    what=WHAT + "one token of one answer behind 287 positions",
    given={"seed": 0, "steps": 20},
    sides=(
        Side("a step", f"{MODULE}:one_step", threads=None, given={"part": "ours"}),
        Side("the library's step", f"{MODULE}:one_step", threads=None, given={"part": "library"}),
        Side("its matrices alone", f"{MODULE}:one_step", threads=None, given={"part": "matrices"}),
    ),
    goals=(Goal("a step, over its matrices", "a step", 1.25, over="its matrices alone"),),
)
BENCHMARKS = (*ONE_PICTURE, *DIFFERENT, JOINING, STEP)


class Model:
    """The random model, its pictures and its questions."""

    def __init__(self, given: dict[str, Any]) -> None:
        import torch
        from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

        self.eyes = CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
                image_size=224,
                patch_size=14,
            )
        ).eval()
        self.projector = torch.nn.Linear(768, 1024, bias=False)
        self.language = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=32000,
                hidden_size=1024,
                intermediate_size=2816,
                num_hidden_layers=8,
                num_attention_heads=16,
                num_key_value_heads=16,
                max_position_embeddings=2048,
            )
        ).eval()
        self.language.generation_config.eos_token_id = None
        # Building the first model of a process draws numbers of its own.
        chance = torch.Generator().manual_seed(given["seed"])
        for part in (self.eyes, self.projector, self.language):
            for name, weight in part.named_parameters():
                if weight.ndim > 1 or name.endswith("class_embedding"):
                    weight.data.normal_(std=0.02, generator=chance)
        self.pictures = torch.randn(QUESTIONS + 1, 3, 224, 224, generator=chance)
        self.ids = torch.randint(3, 32000, (QUESTIONS + 1, WORDS), generator=chance)

    def seen(self, numbers: Sequence[int]) -> Any:
        """Return the picture tokens (N, 257, D) of pictures, encoded as one batch."""
        return self.projector(self.eyes(self.pictures[list(numbers)]).last_hidden_state)

    def embeds(self, question: int, seen: Any) -> Any:
        """Return the vectors (L, D) of a question behind a picture's tokens (257, D)."""
        import torch

        return torch.cat([seen, self.language.get_input_embeddings()(self.ids[question])])

    def language_decoder(self) -> Any:
        """Return the language model as the engine takes it."""
        from deixis.engine.decoders.causal import CausalDecoder

        return CausalDecoder(self.language)

    def generate(self, embeds: Any, tokens: int) -> Any:
        """Return what the library writes (B, tokens) to prompts (B, L, D)."""
        import torch

        return self.language.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long),
            max_new_tokens=tokens,
            do_sample=False,
            pad_token_id=0,
        )


class Words:
    """A policy that leaves everything to the words and never ends."""

    places: tuple[Any, ...] = ()

    def start(self, logits: Any) -> Any:
        """Leave the beginning to the words."""
        from deixis.engine.policy import unguided

        return unguided()

    def forced(self, hidden: Any) -> tuple[int, ...]:
        """Force nothing."""
        return ()

    def constrain(self, logits: Any) -> Any:
        """Allow everything."""
        return logits

    def accept(self, token: int, logprob: float) -> Any:
        """Go on."""
        from deixis.engine.policy import Delta

        return Delta(str(token))

    def close(self, finish: str) -> Any:
        """Leave nothing."""
        from deixis.engine.policy import Delta

        return Delta()


def request_of(model: Model, question: int, picture: int, seen: Any, tokens: int) -> Any:
    """Return a question about an encoded picture as the engine takes it."""
    from deixis.engine.embedded import Embedded
    from deixis.engine.policy import Request
    from deixis.engine.settings import Settings

    identity = (*((picture, cell) for cell in range(PICTURE)), *model.ids[question].tolist())
    return Request(Embedded(model.embeds(question, seen), identity), Words(), Settings(max_new_tokens=tokens))


def timed(
    given: dict[str, Any],
    answer: Callable[[int], list[list[int]]],
    step: Callable[[], float] | None = None,
) -> dict[str, Any]:
    """Time answers of one token (reading), of so many (total), the difference (writing), and a token of each.

    step: returns what that took in the last answer; without it, all of writing is such steps.
    """
    import torch

    reading, total, token = [], [], []
    with torch.inference_mode():
        answer(2)
        for _ in range(given["repeats"]):
            reading.append(clocked(lambda: answer(1)))
            began = time.perf_counter()
            values = answer(given["tokens"])
            total.append(time.perf_counter() - began)
            if TOKEN in given["parts"]:
                token.append((total[-1] - reading[-1]) / (given["tokens"] - 1) if step is None else step())
    writing = [whole - read for whole, read in zip(total, reading, strict=True)]
    count = sum(map(len, values))
    seconds = {"total": total, "reading": reading, "writing": writing, TOKEN: token}
    items = {"total": count, "reading": len(values), "writing": count - len(values), TOKEN: len(values)}
    return {
        "seconds": {part: seconds[part] for part in given["parts"]},
        "items": {part: items[part] for part in given["parts"]},
        "values": values,
    }


def ours(given: dict[str, Any]) -> dict[str, Any]:
    """Time the running batch; each picture is encoded once."""
    from deixis.engine.continuous import BatchLimits, ContinuousDecoding, Event

    model = Model(given)
    steps: list[float] = []

    def answer(tokens: int) -> list[list[int]]:
        seen = model.seen(range(given["pictures"]))
        batch = ContinuousDecoding(model.language_decoder(), limits=BatchLimits(rows=QUESTIONS))
        for question in range(QUESTIONS):
            picture = question % given["pictures"]
            batch.submit(request_of(model, question, picture, seen[picture], tokens))
        done: dict[int, list[int]] = {}
        steps.clear()
        while not batch.idle:
            together, before = batch.writing == QUESTIONS, time.perf_counter()
            for event in batch.advance():
                if isinstance(event, Event) and event.completion is not None:
                    done[event.number] = list(event.completion.ids)
            if together and batch.writing == QUESTIONS:
                steps.append(time.perf_counter() - before)
        return [done[question] for question in range(QUESTIONS)]

    return timed(given, answer, lambda: statistics.mean(steps))


def singly(given: dict[str, Any]) -> dict[str, Any]:
    """Time the library, question by question, each with its picture."""
    model = Model(given)

    def answer(tokens: int) -> list[list[int]]:
        written = []
        for question in range(QUESTIONS):
            seen = model.seen([question % given["pictures"]])[0]
            written.append(model.generate(model.embeds(question, seen)[None], tokens)[0].tolist())
        return written

    return timed(given, answer)


def batched(given: dict[str, Any]) -> dict[str, Any]:
    """Time the library with all questions as one batch, each picture encoded once."""
    import torch

    model = Model(given)

    def answer(tokens: int) -> list[list[int]]:
        seen = model.seen(range(given["pictures"]))
        embeds = [model.embeds(question, seen[question % given["pictures"]]) for question in range(QUESTIONS)]
        return [row.tolist() for row in model.generate(torch.stack(embeds), tokens)]

    return timed(given, answer)


def ninth(given: dict[str, Any]) -> dict[str, Any]:
    """Time what happens when a ninth question comes while eight are answered."""
    import torch

    from deixis.engine.continuous import BatchLimits, ContinuousDecoding, Event

    model = Model(given)
    seconds: dict[str, list[float]] = {"first token": [], "longest pause": [], "step": []}
    values = []
    with torch.inference_mode():
        for _ in range(given["repeats"]):
            seen = model.seen(range(QUESTIONS))
            batch = ContinuousDecoding(model.language_decoder(), limits=BatchLimits(rows=QUESTIONS + 1))
            for question in range(QUESTIONS):
                batch.submit(request_of(model, question, question, seen[question], 100))
            while batch.writing < QUESTIONS:
                batch.advance()
            steps = [clocked(batch.advance) for _ in range(12)]
            began = time.perf_counter()
            own = model.seen([QUESTIONS])[0]
            ticket = batch.submit(request_of(model, QUESTIONS, QUESTIONS, own, 4))
            first: Any = None
            pauses = []
            while first is None:
                before = time.perf_counter()
                events = batch.advance()
                pauses.append(time.perf_counter() - before)
                first = next((one for one in events if isinstance(one, Event) and one.number == ticket), None)
            ended = time.perf_counter()
            seconds["first token"].append(ended - began)
            seconds["longest pause"].append(max(pauses))
            seconds["step"].append(statistics.median(steps))
            values = [int(first.delta.text)]
    return {"seconds": seconds, "values": values}


def alone(given: dict[str, Any]) -> dict[str, Any]:
    """Time the same question to an engine that does nothing else."""
    import torch

    from deixis.engine.continuous import ContinuousDecoding

    model = Model(given)
    seconds, values = [], []
    with torch.inference_mode():
        for repeat in range(given["repeats"] + 1):
            batch = ContinuousDecoding(model.language_decoder())
            began = time.perf_counter()
            own = model.seen([QUESTIONS])[0]
            batch.submit(request_of(model, QUESTIONS, QUESTIONS, own, 4))
            events: list[Any] = []
            while not events:
                events = batch.advance()
            if repeat:
                seconds.append(time.perf_counter() - began)
            values = [int(events[0].delta.text)]
    return {"seconds": {"first token": seconds}, "values": values}


def clocked(work: Callable[[], Any]) -> float:
    """Return how many seconds something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def one_step(given: dict[str, Any]) -> dict[str, Any]:
    """Time one step with its logits by the engine or the library, or the products of its matrices alone."""
    import torch

    from deixis.layers.language.cache_argument import cache_of, named

    model = Model(given)
    language = model.language
    with torch.inference_mode():
        embeds = model.embeds(0, model.seen([0])[0])
        one = language.get_input_embeddings()(torch.tensor([5]))
        if given["part"] == "ours":
            decoder = model.language_decoder()
            store = decoder.new_store(1, 512)
            row = list(store.add())
            decoder.read(store, row, [embeds])

            def work() -> Any:
                return decoder.logits(decoder.step(store, row, one))
        elif given["part"] == "library":
            cache = cache_of(language(inputs_embeds=embeds[None], use_cache=True, logits_to_keep=1))

            def work() -> Any:
                return language(inputs_embeds=one[None], use_cache=True, **named(cache)).logits[0]
        else:
            weights = [module.weight for module in language.modules() if isinstance(module, torch.nn.Linear)]
            inputs = {size: torch.randn(1, size) for size in {weight.shape[1] for weight in weights}}

            def work() -> Any:
                return [torch.nn.functional.linear(inputs[weight.shape[1]], weight) for weight in weights]

        work()
        seconds = [min(clocked(work) for _ in range(given["steps"])) for _ in range(given["repeats"])]
    return {"seconds": seconds, "values": []}
