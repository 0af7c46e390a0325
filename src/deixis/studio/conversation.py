"""Conversations of the studio as files: a picture by its digest, regions, and answers as they were given.

{"format": "deixis conversation", "version": 1,
 "picture": {"name": "cat.jpg", "width": 451, "height": 300, "digest": "…"},
 "regions": {"a": {"box": [80, 20, 430, 290]}},
 "turns": [{"all": false, "answers": [{"model": "pointer", "checked": false, "answer": {…}}]}]}

An answer is as ``deixis.answers`` writes it, with its question and regions; "text" and "spans" beside it are
what it was corrected to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deixis.answers.from_json import picture_from
from deixis.answers.grounded import Answer
from deixis.errors import MalformedAnswer, UsageError
from deixis.regions.as_objects import region_of_object
from deixis.regions.frames import PIXELS
from deixis.regions.names import REGION_NAME, split_names
from deixis.regions.shapes import Mask

FORMAT, VERSION = "deixis conversation", 1
MOST_TURNS, MOST_ANSWERS = 2_000, 500


def check_conversation(content: Any) -> dict[str, Any]:
    """Return the plain values of a conversation if it is one; UsageError says what is wrong where."""
    whole = fields(content, "a conversation", ("format", "version", "picture", "regions", "turns"))
    if whole["format"] != FORMAT or whole["version"] != VERSION:
        raise UsageError(
            f"this is {whole['format']!r:.60} of version {whole['version']!r:.20}; expected {FORMAT!r} of "
            f"version {VERSION}"
        )
    digest = whole["picture"].get("digest") if isinstance(whole["picture"], dict) else None
    if not isinstance(digest, str) or not digest:
        raise UsageError(
            "the conversation doesn't say which picture it is about: field picture.digest is missing"
        )
    check_regions(whole)
    turns = listed(whole["turns"], "turns", most=MOST_TURNS)
    for number, turn in enumerate(turns):
        own = fields(turn, f"turns[{number}]", ("all", "answers"))
        answers = listed(own["answers"], f"turns[{number}].answers", most=MOST_ANSWERS)
        if not answers:
            raise UsageError(f"turns[{number}] has no answer; expected one or more")
        for place, kept in enumerate(answers):
            check_kept(kept, f"turns[{number}].answers[{place}]", digest=digest)
    return dict(whole)


def for_the_page(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked conversation as the page takes it: questions in parts, runs of masks as numbers."""
    regions = {name: region_of_object(value, PIXELS) for name, value in whole["regions"].items()}
    turns = [
        {**turn, "answers": [{**kept, "parts": question_parts(kept["answer"])} for kept in turn["answers"]]}
        for turn in whole["turns"]
    ]
    return {
        **whole,
        "regions": {
            name: {"mask": {"size": [region.height, region.width], "counts": list(region.runs)}}
            if isinstance(region, Mask)
            else whole["regions"][name]
            for name, region in regions.items()
        },
        "turns": turns,
    }


def question_parts(answer: Mapping[str, Any]) -> list[str | dict[str, Any]]:
    """Return the question of an answer in parts: words, and regions with their names and shapes.

    >>> question_parts({"question": "Is {a} {{so}}?", "regions": {"a": {"point": [1, 2]}}})
    ['Is ', {'name': 'a', 'shape': {'point': [1, 2]}}, ' {so}?']
    """
    parts: list[str | dict[str, Any]] = []
    for part in split_names(answer.get("question", "")):
        if part.words:
            parts.append(part.words)
        if part.name is not None:
            parts.append({"name": part.name, "shape": answer.get("regions", {}).get(part.name)})
    return parts


def check_regions(whole: Mapping[str, Any]) -> None:
    """Check the picture and the regions that are drawn on it."""
    try:
        frame = picture_from(whole["picture"], None).frame
    except MalformedAnswer as fault:
        raise UsageError(f"the conversation's picture: {fault}") from fault
    if not isinstance(whole["regions"], dict):
        raise UsageError("regions is an object of regions by name")
    for name, value in whole["regions"].items():
        if REGION_NAME.fullmatch(name) is None:
            raise UsageError(
                f"region {name!r:.60}: a name has letters, digits and _, and begins with no digit"
            )
        region_of_object(value, PIXELS).clipped(frame)


def check_kept(kept: Any, where: str, *, digest: str) -> None:
    """Check one answer with what it was corrected to; it has to be about the conversation's picture."""
    own = fields(kept, where, ("model", "answer", "checked"), optional=("text", "spans"))
    if not isinstance(own["model"], str) or not isinstance(own["checked"], bool):
        raise UsageError(f"{where}: model is a string, checked true or false")
    if not isinstance(own["answer"], dict):
        raise UsageError(f"{where}: answer is an object; got {type(own['answer']).__name__}")
    if ("text" in own) != ("spans" in own):
        raise UsageError(f"{where}: a corrected answer has text and spans; got only one of them")
    try:
        answer = Answer.from_json(json.dumps(own["answer"]))
        if "text" in own:
            Answer.from_json(json.dumps(as_it_stands(own)))
    except MalformedAnswer as fault:
        raise UsageError(f"{where}: {fault}") from fault
    if not answer.pictures or answer.picture.frame.content != digest:
        raise UsageError(f"{where} is about another picture than the conversation")


def as_it_stands(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer of an entry of a conversation, corrected if it was."""
    answer: Mapping[str, Any] = kept["answer"]
    return corrected(answer, kept["text"], kept["spans"]) if "text" in kept else answer


def corrected(answer: Mapping[str, Any], text: Any, spans: Any) -> dict[str, Any]:
    """Return an answer with other words and places; what a network wrote to the letter goes."""
    kept = {name: value for name, value in answer.items() if name not in ("raw", "parse_failures")}
    places = spans if isinstance(spans, list) and all(isinstance(one, dict) for one in spans) else []
    scores = [one.get("nowhere_score") for one in places]
    nowhere = bool(places) and all(one.get("nowhere") is True for one in places)
    known = [one for one in scores if isinstance(one, int | float)]
    score = min(known) if known and len(known) == len(scores) else None
    return kept | {"text": text, "spans": spans, "nowhere": nowhere, "nowhere_score": score}


def fields(
    content: Any, where: str, names: Sequence[str], *, optional: Sequence[str] = ()
) -> Mapping[str, Any]:
    """Return an object that has just these names."""
    if not isinstance(content, dict):
        raise UsageError(f"{where} is an object with {', '.join(names)}; got {type(content).__name__}")
    missing = [name for name in names if name not in content]
    unknown = [f"{name:.40}" for name in content if name not in (*names, *optional)]
    if missing or unknown:
        raise UsageError(
            f"{where} has the fields {', '.join(names)}; missing: {', '.join(missing) or 'none'}, unknown: "
            f"{', '.join(unknown) or 'none'}"
        )
    return content


def listed(content: Any, where: str, *, most: int) -> list[Any]:
    """Return a list that isn't too long."""
    if not isinstance(content, list) or len(content) > most:
        raise UsageError(f"{where} is a list of at most {most:,}")
    return content
