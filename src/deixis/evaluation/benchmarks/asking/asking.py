"""Any system asked the items of any benchmark; its replies are kept in a file, so that a run goes on.

A killed run that is started again asks nothing twice. What was asked is kept as a digest beside each reply:
of the prompt, the regions, the bytes of the pictures and the bound of tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deixis.errors import RecordError, UsageError
from deixis.evaluation.benchmarks.asking.kept_replies import ReplyFile
from deixis.evaluation.benchmarks.benchmark import Benchmark, BenchmarkItem, Reply, ReplyPlace, Shown
from deixis.evaluation.keeping.in_order import in_order
from deixis.evaluation.refusals import reason_of
from deixis.pictures.opening import LARGEST_PIXELS
from deixis.progress import SILENT, Progress

if TYPE_CHECKING:
    from deixis.answers.grounded import Answer

T = TypeVar("T")
LARGEST_BATCH = 16  # questions about the same pictures that are asked as one batch
Questions = list[tuple[BenchmarkItem[Any], str]]
Replied = list[tuple[BenchmarkItem[Any], Reply]]
Elsewhere = Callable[[list[Questions]], Iterable[Replied]]
"""Has questions answered that are about the same pictures each, such as by other processes; in any order."""


def ask(
    benchmark: Benchmark[T],
    items: Sequence[BenchmarkItem[T]],
    system: Any,
    *,
    kept: Path,
    max_new_tokens: int | None = None,
    max_pixels: int = LARGEST_PIXELS,
    progress: Progress = SILENT,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Reply]:
    """Return a system's replies by the items' ids.

    kept: a file of JSON lines to which each reply is added at once, and whose replies aren't asked for again.
    max_new_tokens: None for the benchmark's own. max_pixels: how large pictures may be. A question that the
    system refuses has a reply that says so, which isn't kept: refusing takes no time. Items that are left out
    have an empty one. elsewhere: who answers in the place of ``system``, which then only names itself.
    UsageError: ``kept`` can't be written, or every question is refused. RecordError: it holds replies of
    other weights, of another benchmark or to something else; or two items have one id, or a picture is
    missing. BadPicture: one is damaged.
    """
    tokens = max_new_tokens or benchmark.max_new_tokens
    check_items(benchmark, items)
    askable = [item for item in items if not item.left_out]
    pictures: dict[Shown, str] = {}
    digests = {
        item.id: digest_of(
            item, benchmark.prompt(item), tokens, pictures=pictures, words_only=benchmark.words_only
        )
        for item in askable
    }
    file = ReplyFile(kept, benchmark=benchmark.name, system=system.name, weights=fingerprint_of(system))
    replies = file.open(digests)
    pieces = pieces_of([(item, benchmark.prompt(item)) for item in askable if item.id not in replies])
    if elsewhere is None:
        work = partial(
            replies_about, asked_for(benchmark, system), max_new_tokens=tokens, max_pixels=max_pixels
        )
        found: Iterable[Replied] = in_order(work, pieces, workers=getattr(system, "workers", 1))
    else:
        found = elsewhere(pieces)
    told = progress.track(
        (pair for replied in found for pair in replied),
        "asking",
        total=len(askable),
        first=len(replies),
        unit="question",
    )
    with file.adding() as add:
        for item, reply in told:
            replies[item.id] = reply
            if not reply.refused:
                add(item.id, digests[item.id], reply)
    if all(reply.refused for reply in replies.values()):
        raise UsageError(
            f"all {len(askable)} questions are refused; the first: {replies[askable[0].id].refused}"
        )
    return {item.id: Reply("") if item.left_out else replies[item.id] for item in items}


def asked_for(benchmark: Benchmark[T], system: Any) -> Any:
    """Return a system as a benchmark wants it: that answers in words alone, or is told to give places."""
    in_words = getattr(system, "in_words", None)
    for_places = getattr(system, "for_places", None)
    if benchmark.words_only and in_words is not None:
        return in_words()
    return for_places() if benchmark.places and for_places is not None else system


def fingerprint_of(system: Any) -> str:
    """Return the fingerprint of a system's weights; "" if it has none."""
    fingerprint = getattr(system, "fingerprint", None)
    return "" if fingerprint is None else str(fingerprint())


def check_items(benchmark: Benchmark[T], items: Sequence[BenchmarkItem[T]]) -> None:
    """Raise RecordError if there are none, an id stands twice or a picture's file is missing."""
    if all(item.left_out for item in items):
        why = f": {items[0].left_out}" if items else ""
        raise RecordError(f"there is nothing to ask of {benchmark.name}{why}")
    ids: set[str] = set()
    for item in items:
        if item.id in ids:
            raise RecordError(f"item {item.id!r} of {benchmark.name} stands twice")
        ids.add(item.id)
        for shown in item.pictures:
            if shown.file is not None and not shown.file.is_file():
                raise RecordError(f"item {item.id!r} of {benchmark.name}: there is no picture {shown.file}")


def digest_of(
    item: BenchmarkItem[Any],
    prompt: str,
    max_new_tokens: int,
    *,
    pictures: dict[Shown, str],
    words_only: bool = False,
) -> str:
    """Return what stands for all that is asked: equal for equal prompts, pictures, regions and bounds.

    pictures: digests that are known already; new ones are added. words_only: see ``Benchmark``.
    """
    for shown in item.pictures:
        if shown not in pictures:
            pictures[shown] = shown.digest()
    regions = [(name, repr(region)) for name, region in item.regions]
    own = [prompt, [pictures[shown] for shown in item.pictures], regions, max_new_tokens]
    asked = json.dumps([*own, "words only"] if words_only else own)
    return hashlib.sha256(asked.encode("ascii")).hexdigest()


def pieces_of(questions: Questions) -> list[Questions]:
    """Return the questions in pieces: those about the same pictures in a row, that want places alike."""
    same = groupby(questions, key=lambda pair: ([shown.source for shown in pair[0].pictures], pair[0].places))
    return [list(about) for _, about in same]


def replies_about(system: Any, about: Questions, *, max_new_tokens: int, max_pixels: int) -> Replied:
    """Return a reply to each question of a piece; those about the same pictures are one batch."""
    shown = [one.opened(max_pixels=max_pixels) for one in about[0][0].pictures]
    if about[0][0].places and (for_places := getattr(system, "for_places", None)) is not None:
        system = for_places()
    picture: Any = shown[0] if len(shown) == 1 else shown or None
    found: Replied = []
    for start in range(0, len(about), LARGEST_BATCH):
        batch = about[start : start + LARGEST_BATCH]
        replies = replies_to(system, picture, batch, max_new_tokens=max_new_tokens)
        found += zip((item for item, _ in batch), replies, strict=True)
    return found


def replies_to(system: Any, picture: Any, batch: Questions, *, max_new_tokens: int) -> list[Reply]:
    """Return the replies to a batch; where it is refused, its questions are asked one by one."""
    try:
        answers = system.ask(
            picture,
            [written(item, prompt) for item, prompt in batch],
            regions=[dict(item.regions) for item, _ in batch],
            max_new_tokens=max_new_tokens,
        )
    except UsageError as fault:
        if len(batch) == 1:
            return [Reply("", refused=str(fault) or type(fault).__name__)]
        alone = (replies_to(system, picture, [one], max_new_tokens=max_new_tokens) for one in batch)
        return [reply for replies in alone for reply in replies]
    return [reply_of(answer) for answer in answers]


def written(item: BenchmarkItem[Any], prompt: str) -> str:
    """Return a prompt for ``System.ask``: where an item has no regions, braces are the question's own."""
    return prompt if item.regions else prompt.replace("{", "{{").replace("}", "}}")


def reply_of(answer: Answer) -> Reply:
    """Return what is kept of an answer."""
    if reason := reason_of(answer):
        return Reply("", refused=reason)
    places = tuple(
        ReplyPlace(
            tuple(place["box"]), place["score"], span["phrase"], place.get("picture", 0), named=own.named
        )
        for span, said in zip(answer.to_dict()["spans"], answer.spans, strict=True)
        for place, own in zip(span["places"], said.places, strict=True)
    )
    return Reply(answer.text, places, tuple(answer.parse_failures))
