"""The questions that Groma was trained to be asked, by what is wanted; ``{}`` is the phrase or the region.

They are the published ones to the letter. Two pairs of data sets share theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SLOT = "{}"

DETECTION = (
    "Locate all {} in this image.",
    "Identify all instances of {} in the photo.",
    "Find all instances of {} in the image.",
    "Point out all the {} visible in this picture.",
    "Detect and list each {} that appears in this photo.",
    "What is the position of each {} in the image?",
)
REC = (
    "Locate {} in the image.",
    "Can you spot {} in the photograph?",
    "Identify where {} is located in the picture.",
    "Please detect {} in the picture.",
    "Which region matches the description {}?",
    "Please identify the object that corresponds to {}.",
)
GROUNDED_CAPTION = (
    "Give me a concise description of the image.",
    "Please briefly summarize the content of this image.",
    "What does this picture show? Please summarize briefly.",
    "Can you give me a quick overview of what's depicted in this image?",
    "Could you describe the key elements in this photograph?",
    "Offer a brief explanation of what this image represents.",
    "Sum up the contents of this picture in one or two sentences.",
)
REGION_CAPTION = (
    "What is {}?",
    "Please briefly describe {}.",
    "Provide a short description for {}.",
    "Please give a concise description of region {}.",
)
REGION_DETAIL = (
    "Can you provide me with a detailed description of {}?",
    "Please describe {} in details.",
    "I'm curious about {} in the photo. Can you describe it in detail?",
    "Please give a comprehensive description of the object {}.",
    "What does the object {} in the picture look like? Could you give me a detailed description?",
)

INSTRUCTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "detection_coco": DETECTION,
        "detection_lvis": DETECTION,
        "rec_refcoco": REC,
        "rec_grit": REC,
        "grounded_caption_flickr": GROUNDED_CAPTION,
        "region_caption_vg": REGION_CAPTION,
        "region_caption_refcocog": REGION_DETAIL,
    }
)


def instruction(template: str, words: str) -> str:
    """Return an instruction about a phrase or a region; one without a slot stays as it is.

    >>> instruction("Locate {} in the image.", "<p>a dog</p>")
    'Locate <p>a dog</p> in the image.'
    """
    return template.replace(SLOT, words)
