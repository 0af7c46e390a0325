"""What Florence-2 can be asked to do: its tasks, their sentences, and the form of what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from deixis.errors import UsageError

INPUT = "{input}"
Takes = Literal["nothing", "text", "region"]
Form = Literal["words", "described", "phrases", "boxes", "quads", "outlines", "phrases or outlines"]
"""What a task writes.

words: text only. described: text, and maybe the box that it was asked about. phrases: each with one or more
boxes. boxes: boxes without words. quads: lines of text, each with the four corners around it. outlines:
polygons without words. "phrases or outlines": phrases, each with boxes or polygons.
"""


@dataclass(frozen=True)
class FlorenceTask:
    """One task.

    token: what its authors' program calls it. sentence: what the network reads; ``{input}`` in it is the text
    or the region that the task takes.
    """

    name: str
    token: str
    sentence: str
    writes: Form
    takes: Takes = "nothing"


TASKS: Mapping[str, FlorenceTask] = MappingProxyType(
    {
        task.name: task
        for task in (
            FlorenceTask("caption", "<CAPTION>", "What does the image describe?", "words"),
            FlorenceTask(
                "detailed-caption",
                "<DETAILED_CAPTION>",
                "Describe in detail what is shown in the image.",
                "words",
            ),
            FlorenceTask(
                "more-detailed-caption",
                "<MORE_DETAILED_CAPTION>",
                "Describe with a paragraph what is shown in the image.",
                "words",
            ),
            FlorenceTask("ocr", "<OCR>", "What is the text in the image?", "words"),
            FlorenceTask(
                "ocr-with-region",
                "<OCR_WITH_REGION>",
                "What is the text in the image, with regions?",
                "quads",
            ),
            FlorenceTask(
                "object-detection", "<OD>", "Locate the objects with category name in the image.", "phrases"
            ),
            FlorenceTask(
                "dense-region-caption",
                "<DENSE_REGION_CAPTION>",
                "Locate the objects in the image, with their descriptions.",
                "phrases",
            ),
            FlorenceTask(
                "region-proposal", "<REGION_PROPOSAL>", "Locate the region proposals in the image.", "boxes"
            ),
            FlorenceTask(
                "caption-to-phrase-grounding",
                "<CAPTION_TO_PHRASE_GROUNDING>",
                "Locate the phrases in the caption: {input}",
                "phrases",
                "text",
            ),
            FlorenceTask(
                "open-vocabulary-detection",
                "<OPEN_VOCABULARY_DETECTION>",
                "Locate {input} in the image.",
                "phrases or outlines",
                "text",
            ),
            FlorenceTask(
                "referring-expression-segmentation",
                "<REFERRING_EXPRESSION_SEGMENTATION>",
                "Locate {input} in the image with mask",
                "outlines",
                "text",
            ),
            FlorenceTask(
                "region-to-segmentation",
                "<REGION_TO_SEGMENTATION>",
                "What is the polygon mask of region {input}",
                "outlines",
                "region",
            ),
            FlorenceTask(
                "region-to-category",
                "<REGION_TO_CATEGORY>",
                "What is the region {input}?",
                "described",
                "region",
            ),
            FlorenceTask(
                "region-to-description",
                "<REGION_TO_DESCRIPTION>",
                "What does the region {input} describe?",
                "described",
                "region",
            ),
            FlorenceTask(
                "region-to-ocr",
                "<REGION_TO_OCR>",
                "What text is in the region {input}?",
                "described",
                "region",
            ),
        )
    }
)
GROUNDING = TASKS["caption-to-phrase-grounding"]


def find_task(name: str) -> FlorenceTask:
    """Return a task by its name or its authors' token; UsageError lists the names.

    >>> find_task("<OD>").name, find_task("REGION_TO_CATEGORY").takes
    ('object-detection', 'region')
    """
    plain = name.strip().strip("<>").lower().replace("_", "-") if isinstance(name, str) else ""
    tokens = {task.token.strip("<>").lower().replace("_", "-"): task for task in TASKS.values()}
    if (found := TASKS.get(plain) or tokens.get(plain)) is None:
        raise UsageError(f"there is no task {name!r:.60}; known tasks: {', '.join(TASKS)}")
    return found
