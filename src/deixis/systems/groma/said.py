"""A dialogue of Groma as ids: earlier answers to the letter, their links carried to the new places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from deixis.layers.proposals.box_forms import corners
from deixis.systems.groma.detector.selection import Selected, matched
from deixis.systems.groma.dialect import GromaTokens
from deixis.systems.groma.places import place_keys
from deixis.systems.spliced.dialogue_text import WORD, DialogueText
from deixis.text.prompt_tokens import TextCodec
from deixis.text.templates import Template


class GromaText(DialogueText):
    """Turns dialogues into ids; the picture is a token like others, and answers may hold links."""

    def __init__(
        self, codec: TextCodec, template: Template, *, ends: frozenset[int], tokens: GromaTokens
    ) -> None:
        super().__init__(codec, template, ends=ends)
        self.tokens = tokens

    @cached_property
    def acting(self) -> frozenset[int]:
        """The ids of tokens that no answer may hold: all that act, but the marks of links."""
        own = self.tokens
        links = (own.phrase, own.phrase_end, own.roi, own.roi_end, *own.proxies)
        return super().acting - frozenset(links)

    def piece(self, text: str, *, first: bool) -> list[int]:
        """Return the ids of a stretch of a prompt; only the first has what tokenizers put before a text."""
        if first:
            return self.codec.encode(text)
        word, ids = self.codec.encode(WORD), self.codec.encode(WORD + text)
        if ids[: len(word)] == word:
            return ids[len(word) :]
        return self.codec.encode(text, begin=False)


def carried(ids: Sequence[int], before: Selected, now: Selected, *, tokens: GromaTokens) -> tuple[int, ...]:
    """Return an answer's ids with its links carried from one list of places to another.

    A place of the first becomes the same one of the second, where that has it, else the one that overlaps it
    most. Where both are the same, nothing changes; a token that spoke of no place goes on doing so.
    """
    there = {key: number for number, key in reversed(list(enumerate(place_keys(now))))}
    nearest = matched(corners(before.boxes), corners(now.boxes))
    places = [there.get(key, near) for key, near in zip(place_keys(before), nearest, strict=True)]
    carried_ids = []
    for token in ids:
        index = tokens.index(token)
        known = index is not None and index < len(places)
        carried_ids.append(tokens.proxy(places[index]) if known and index is not None else token)
    return tuple(carried_ids)
