"""The marks by which Groma's texts speak of regions (Ma et al., arXiv 2404.13013, section 3.3).

USER: What is <roi><refer_box></roi><refer_feat>?      a region that the user points at
ASSISTANT: <p>A man</p><roi><ground_box></roi> …       a phrase with its place, before regions are chosen
ASSISTANT: <p>A man</p><roi><r4></roi> …               the same behind it: place 4 of the prompt's list
"""

from __future__ import annotations

from deixis.text.templates import IMAGE

PAD = "[PAD]"
SUPERVISED = "<sep>"  # around what is learnt; it never reaches the network
ROI, ROI_END = "<roi>", "</roi>"
PHRASE, PHRASE_END = "<p>", "</p>"
REGION = "<region>"  # a place of the list that stands behind the picture
REFER_BOX, GROUND_BOX = "<refer_box>", "<ground_box>"  # become the proxies of regions once these are chosen
REFER_FEAT = "<refer_feat>"  # the vector of a region that the user points at
GROUNDING = "[grounding]"
MARKS: tuple[str, ...] = (PAD, SUPERVISED, "<img>", "</img>", ROI, ROI_END, PHRASE, PHRASE_END, IMAGE, REGION)
MARKS += (REFER_BOX, GROUND_BOX, REFER_FEAT, GROUNDING)
USER_REGION = f"{ROI}{REFER_BOX}{ROI_END}{REFER_FEAT}"


def phrase_marks(phrase: str) -> str:
    """Return a phrase with the marks around it by which a place is asked for or named.

    >>> phrase_marks("the red car")
    '<p>the red car</p>'
    """
    return f"{PHRASE}{phrase}{PHRASE_END}"


def ground_marks(count: int) -> str:
    """Return what stands for the places of a phrase in an answer that is learnt.

    >>> ground_marks(2)
    '<roi><ground_box><ground_box></roi>'
    """
    return f"{ROI}{GROUND_BOX * count}{ROI_END}"
