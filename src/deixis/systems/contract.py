"""The one contract of all systems: perceive a picture, write a question, complete it, read the answer back.

``ask`` is the same for every system: it opens the picture, ties the regions to it, encodes each picture once
and answers all questions about it as one batch. What differs from system to system are the five methods that
a system must write; docs/architecture.md shows how each published system fills them.
"""

from __future__ import annotations

import hashlib
import re
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor
from transformers import PreTrainedModel

from deixis.answers.grounded import Answer, Span
from deixis.data.dialogue import Dialogue
from deixis.errors import BadRegion, UsageError
from deixis.pictures.opening import Picture, open_picture
from deixis.regions.shapes import Region

REGION_NAME = re.compile(r"\{([^{}]*)\}")
MOST_REGIONS = 64
MOST_CHARACTERS = 4000
MOST_NEW_TOKENS = 1024
REMEMBERED = 4  # pictures whose perception is kept


@dataclass(frozen=True)
class Question:
    """A question with its regions, clipped and in the original frame, and what was said before it."""

    text: str
    regions: tuple[tuple[str, Region], ...] = ()
    before: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Perception:
    """What a system made of one picture; every question about it starts from here.

    picture: as opened. view: what the network was given, with the frame that leads back. tensors: the
    system's own.
    """

    picture: Picture
    view: Picture
    tensors: Any


@dataclass(frozen=True)
class Written:
    """Token ids, their labels (the ignored one where nothing is learnt), the regions behind region tokens.

    presumes: whether the question takes for granted that what it asks for is in the picture. claims: what it
    says that its only region is, or offers to choose from, see ``language.claims``.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    regions: tuple[Region, ...]
    presumes: bool = True
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """The tokens that a network wrote, and what it said about the place at each place token, in order."""

    ids: tuple[int, ...]
    places: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A completion read back: text, spans with places in the original frame, and what was malformed."""

    text: str
    spans: tuple[Span, ...]
    parse_failures: tuple[str, ...] = ()


class System(ABC):
    """A network together with its ways of writing and reading.

    perception_depends_on_regions: True for systems that paint regions on the picture or propose places near
    them; they perceive once for each distinct set of regions, the others once for each picture.
    looks_in_the_original: True for systems that find a region's content by its pixels of the original; the
    others carry regions to the frame of what the network is given.
    """

    name: str
    network: PreTrainedModel
    perception_depends_on_regions = False
    looks_in_the_original = False
    region_token: int  # the id that stands for one region in a prompt

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[object, ...], Perception] = OrderedDict()

    @abstractmethod
    def perceive(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        """Run everything that does not depend on the words of a question."""

    @abstractmethod
    def write(self, question: Question, perception: Perception) -> Written:
        """Return the prompt of a question, its regions in the frame that the network looks for them in."""

    @abstractmethod
    def complete(
        self, perception: Perception, prompts: Sequence[Written], *, max_new_tokens: int
    ) -> list[Completion]:
        """Let the network answer all prompts about one picture, as one batch."""

    @abstractmethod
    def read(self, completion: Completion, perception: Perception) -> Reading:
        """Turn tokens into text and places; what breaks the grammar is a parse failure, never a place."""

    @abstractmethod
    def write_dialogue(self, dialogue: Dialogue) -> Written:
        """Return a whole dialogue for training; only answers have labels."""

    @abstractmethod
    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the training losses ("total" among them) of dialogues in the frame of ``picture``."""

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the folder that ``deixis.load`` opens."""

    @overload
    def ask(
        self,
        picture: Any,
        question: str,
        *,
        regions: Mapping[str, Region] | None = None,
        before: Sequence[Answer] = (),
        max_new_tokens: int = 64,
        **named: Region,
    ) -> Answer: ...

    @overload
    def ask(
        self,
        picture: Any,
        question: Sequence[str],
        *,
        regions: Mapping[str, Region] | Sequence[Mapping[str, Region] | None] | None = None,
        before: Sequence[Answer] = (),
        max_new_tokens: int = 64,
        **named: Region,
    ) -> list[Answer]: ...

    def ask(
        self,
        picture: Any,
        question: str | Sequence[str],
        *,
        regions: Mapping[str, Region] | Sequence[Mapping[str, Region] | None] | None = None,
        before: Sequence[Answer] = (),
        max_new_tokens: int = 64,
        **named: Region,
    ) -> Answer | list[Answer]:
        """Answer a question about a picture, or a list of questions as one batch with the same answers.

        picture: whatever ``open_picture`` takes. ``{name}`` in a question stands for the region of that
        name, given by keyword or in ``regions`` (for a list of questions also a list, one mapping each).
        Regions are in pixels of the picture unless their frame says otherwise. before: earlier answers about
        this picture, oldest first.
        """
        started = time.perf_counter()
        opened = open_picture(picture)
        if opened.frame.parent is not None:
            raise UsageError(
                f"this picture is in frame {opened.frame}, made of another one; places are answered in "
                "pixels of "
                "an original. Ask about that, or make this one an original: open_picture(picture.pixels)"
            )
        texts = [question] if isinstance(question, str) else list(question)
        if not isinstance(max_new_tokens, int) or not 1 <= max_new_tokens <= MOST_NEW_TOKENS:
            raise UsageError(
                f"max_new_tokens is {max_new_tokens!r}; expected a whole number from 1 to {MOST_NEW_TOKENS}"
            )
        own = regions_of_each(texts, regions, named)
        questions = [
            checked_question(text, given, opened, before=before)
            for text, given in zip(texts, own, strict=True)
        ]
        readings = self._answer(opened, questions, max_new_tokens=max_new_tokens)
        seconds = (time.perf_counter() - started) / max(len(texts), 1)
        answers = [
            Answer(
                text=reading.text,
                spans=reading.spans,
                picture=opened,
                system=self.name,
                seconds=seconds,
                parse_failures=reading.parse_failures,
                question=asked.text,
                regions=asked.regions,
            )
            for asked, reading in zip(questions, readings, strict=True)
        ]
        return answers[0] if isinstance(question, str) else answers

    def _answer(
        self, picture: Picture, questions: Sequence[Question], *, max_new_tokens: int
    ) -> list[Reading]:
        """Answer all questions; those that share a perception are one batch."""
        groups: dict[tuple[Region, ...], list[int]] = {}
        for index, question in enumerate(questions):
            key = (
                tuple(region for _, region in question.regions) if self.perception_depends_on_regions else ()
            )
            groups.setdefault(key, []).append(index)
        readings: dict[int, Reading] = {}
        for regions, members in groups.items():
            perception = self.perception_of(picture, regions)
            prompts = [self.write(questions[index], perception) for index in members]
            completions = self.complete(perception, prompts, max_new_tokens=max_new_tokens)
            for index, completion in zip(members, completions, strict=True):
                readings[index] = self.read(completion, perception)
        return [readings[index] for index in range(len(questions))]

    def fingerprint(self) -> str:
        """Return a short digest of the network's weights, by which a report says what it measured."""
        digest = hashlib.blake2b(digest_size=8)
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def perception_of(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        """Return the perception of a picture, from memory where the same pixels were seen a moment ago."""
        digest = hashlib.blake2b(picture.pixels.tobytes(), digest_size=16).digest()
        key = (digest, picture.pixels.shape, picture.frame, tuple(regions))
        if key not in self._seen:
            self._seen[key] = self.perceive(picture, regions)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        self._seen.move_to_end(key)
        return self._seen[key]


def regions_of_each(
    texts: Sequence[str],
    regions: Mapping[str, Region] | Sequence[Mapping[str, Region] | None] | None,
    named: Mapping[str, Region],
) -> list[dict[str, Region]]:
    """Return the regions of each question: those of its own mapping, and the shared ones that it speaks of.

    UsageError: not one mapping a question, or a shared region that no question speaks of.
    """
    if regions is None or isinstance(regions, Mapping):
        shared = {**(regions or {}), **named}
        own: list[dict[str, Region]] = [{} for _ in texts]
    else:
        shared = dict(named)
        own = [dict(mapping or {}) for mapping in regions]
    if len(own) != len(texts):
        raise UsageError(
            f"{len(texts)} questions came with {len(own)} mappings of regions; expected one each"
        )
    used = [set(REGION_NAME.findall(text)) if isinstance(text, str) else set() for text in texts]
    for name in shared:
        if not any(name in names for names in used):
            raise UsageError(f"region {name!r} is not used; write {{{name}}} where a question speaks of it")
    return [
        {**{name: region for name, region in shared.items() if name in names}, **mapping}
        for names, mapping in zip(used, own, strict=True)
    ]


def checked_question(
    text: str, regions: Mapping[str, Region], picture: Picture, *, before: Sequence[Answer] = ()
) -> Question:
    """Return a question whose regions are all there and lie in the picture.

    UsageError: no words, too many, or a ``{name}`` without a region. BadRegion: see ``Region.clipped``.
    """
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"a question needs words; got {text!r}")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the question has {len(text)} characters; at most {MOST_CHARACTERS}")
    used = list(dict.fromkeys(REGION_NAME.findall(text)))
    for name, region in regions.items():
        if not isinstance(region, Region):
            raise UsageError(
                f"{name}={region!r:.60} is not a region; expected Point, Box, Polygon, Scribble or Mask, "
                "for instance "
                f"{name}=deixis.Box(10, 20, 110, 220)"
            )
        if name not in used:
            raise UsageError(f"region {name!r} is not used; write {{{name}}} where the question speaks of it")
    missing = [name for name in used if name not in regions]
    if missing:
        given = ", ".join(regions) or "none"
        raise UsageError(f"the question speaks of {{{missing[0]}}}, but the regions given are: {given}")
    if len(REGION_NAME.findall(text)) > MOST_REGIONS:
        raise BadRegion(f"the question points {len(REGION_NAME.findall(text))} times; at most {MOST_REGIONS}")
    clipped = tuple((name, regions[name].clipped(picture.frame)) for name in used)
    return Question(text.strip(), clipped, tuple(before))
