"""What a question of each task says, several wordings a task.

The first ones of a task are those that Ferret's paper lists (as far as they are known), the others are ours.
`{place}`, `{first}` and `{second}` stand for a location, `{thing}` for words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEMPLATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "object": (
            "What is the class of the object {place} within the image?",
            "Classify object {place} in the image.",
            "Identify the object {place} in the image.",
            "What kind of thing is {place}?",
        ),
        "relation": (
            "What does {thing} {first} do to {other} {second} of the image?",
            "What is the physical relation between {thing} {first} and {other} {second}?",
            "How is {thing} {first} related to {other} {second} in the image?",
        ),
        "region": (
            "Describe the region {place} in a short phrase.",
            "What is in the region {place}? Describe in a phrase.",
            "In a few words, what does {place} show?",
        ),
        "locate": (
            "Where is {thing} in the image?",
            "What are the coordinates for the given {thing} in the image?",
            "What is the location of {thing} in the image?",
            "Show me {thing}.",
        ),
        "locate_many": (
            "What are the locations of {thing}?",
            "Where in the image are {thing}?",
            "Find each of these: {thing}.",
        ),
        "detect": (
            "Detect all objects among {thing} in the image.",
            "Find every {thing} in the image.",
            "Where in the image is there any {thing}?",
        ),
        "caption": (
            "What is this photo about? Use concise language.",
            "Describe the image in one sentence.",
            "What does the image show?",
        ),
        "presence": (
            "Is there {thing} in the image?",
            "Does the image show {thing}?",
            "Can you see {thing} in the image?",
        ),
        "presence_many": (
            "Are there {thing} in the image?",
            "Does the image show {thing}?",
            "Can you see {thing} in the image?",
        ),
    }
)
