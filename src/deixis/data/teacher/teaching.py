"""From scenes to samples that a teacher wrote: many lessons at once, results in the order of lessons."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from deixis.data.opening import upright_scene
from deixis.data.scene import Scene
from deixis.data.teacher.asking import Asker, Unasked
from deixis.data.teacher.lesson import Kind, Lesson, Made, Rejected, Stored
from deixis.data.teacher.picture_files import PictureFiles
from deixis.data.teacher.replies import content_of
from deixis.data.teacher.schema import check_schema
from deixis.data.teacher.seeing import see, shown
from deixis.endpoints.chat import ChatRequest, ShownPicture
from deixis.errors import BadPicture, BadRegion, EndpointError, RecordError
from deixis.pictures.broken import REFUSE
from deixis.progress import SILENT, Progress

State = Literal["made", "rejected", "failed", "unasked"]
LONGEST_KEPT = 4000  # letters of a rejected reply, for people; all of it is in the folder of replies
ORIGINAL, MARKED = "The photo as it is:", "The same photo, with marks for you alone:"


@dataclass(frozen=True)
class Result:
    """What became of a lesson. state: "failed" has had no reply, "unasked" wasn't asked for any."""

    lesson: Lesson
    state: State
    samples: tuple[dict[str, Any], ...] = ()
    reasons: tuple[str, ...] = ()
    reply: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result for a line of the file of rejects."""
        return {
            "id": self.lesson.id,
            "scene": self.lesson.scene.id,
            "picture": self.lesson.scene.picture.name,
            "state": self.state,
            "reasons": list(self.reasons),
            "reply": self.reply[:LONGEST_KEPT],
        }


@dataclass(frozen=True)
class Teaching:
    """How lessons of a kind are given.

    model: the teacher's name at its endpoint. files: how samples name pictures. broken: "pass_over" rejects
    what is about pictures that can't be opened, "refuse" ends with an error.
    """

    kind: Kind
    model: str
    files: PictureFiles
    temperature: float = 0.7
    broken: str = REFUSE

    def give(self, lesson: Lesson, asker: Asker) -> Result:
        """Return what comes of one lesson."""
        reply = ""
        try:
            seen = see(lesson.scene)
            request = self.request(lesson, shown(lesson, seen, self.kind))
            answer = asker.ask(request)
            reply = answer.text or answer.refusal
            content = content_of(answer)
            check_schema(content, self.kind.schema)
            made: Made = self.kind.read(lesson, content, Stored(self.files.name(lesson.scene), seen.stored))
        except Unasked as fault:
            return Result(lesson, "unasked", reasons=(str(fault),))
        except EndpointError as fault:
            return Result(lesson, "failed", reasons=(f"no reply: {fault}",))
        except (Rejected, BadRegion) as fault:
            return Result(lesson, "rejected", reasons=(str(fault),), reply=reply)
        except (BadPicture, RecordError) as fault:
            if self.broken == REFUSE:
                raise
            return Result(lesson, "rejected", reasons=(f"picture: {fault}",))
        return Result(lesson, "made", made.samples, made.faults, reply if made.faults else "")

    def request(self, lesson: Lesson, pictures: tuple[ShownPicture, ShownPicture]) -> ChatRequest:
        """Return what the teacher is asked."""
        told = (ORIGINAL, pictures[0], MARKED, pictures[1], lesson.given)
        messages = (("system", self.kind.instruction), ("user", told))
        return ChatRequest(
            self.model, messages, temperature=self.temperature, max_tokens=self.kind.max_tokens
        )


def plan(
    kind: Kind, scenes: Sequence[Scene], *, each: int = 1, seed: int = 0, limit: int | None = None
) -> list[Lesson]:
    """Return at most ``limit`` lessons, up to ``each`` about a scene, in the order of scenes.

    What is drawn for a scene depends on the seed and the scene's name alone, so that a longer run repeats a
    shorter one.
    """
    lessons: list[Lesson] = []
    for scene in scenes:
        if limit is not None and len(lessons) >= limit:
            break
        own = int.from_bytes(hashlib.sha256(scene.id.encode("utf-8", "surrogatepass")).digest()[:8], "big")
        # Upright, as the teacher sees it, for what it is told has edges of boxes.
        lessons += kind.choose(upright_scene(scene), np.random.default_rng([seed, own]), each)
    return lessons if limit is None else lessons[:limit]


def teach(
    teaching: Teaching,
    lessons: Sequence[Lesson],
    asker: Asker,
    *,
    workers: int = 4,
    progress: Progress = SILENT,
) -> Iterator[Result]:
    """Yield what comes of each lesson, in their order, ``workers`` of them at a time.

    If it is left early, nothing further is asked; what is under way is waited for, and kept.
    """
    pool = ThreadPoolExecutor(max_workers=workers)
    waiting: deque[Future[Result]] = deque()
    remaining = iter(lessons)
    try:
        for _ in progress.track(range(len(lessons)), "asking the teacher", unit="lesson"):
            while len(waiting) < 2 * workers and (lesson := next(remaining, None)) is not None:
                waiting.append(pool.submit(teaching.give, lesson, asker))
            result = waiting.popleft().result()
            progress.note(str(asker.spending))
            yield result
    except BaseException:
        asker.stop("it was interrupted")
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
