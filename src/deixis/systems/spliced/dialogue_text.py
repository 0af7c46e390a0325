"""A dialogue as token ids: what was said before to the letter, where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from deixis.answers.grounded import Raw
from deixis.text.prompt_tokens import TextCodec, prompt_ids
from deixis.text.templates import Exchange, Template

WORD = "a"  # in front of text that isn't the first, to see what is put before a text


class DialogueText:
    """Turns dialogues into ids, by a codec and a template. ends: the tokens that end an answer."""

    def __init__(self, codec: TextCodec, template: Template, *, ends: frozenset[int]) -> None:
        self.codec, self.template, self.ends = codec, template, ends

    @property
    def specials(self) -> tuple[str, ...]:
        """The texts that act as tokens, in the tokenizer or the template."""
        return (*self.codec.specials, *self.template.marks)

    def said(self, raw: Raw) -> tuple[int, ...] | None:
        """Return what a network wrote, without its end token; None for ids that don't spell its text.

        Neither do ids with tokens that act: no words of an answer hold them.
        """
        ids = raw.ids
        ids = ids[:-1] if ids and ids[-1] in self.ends else ids
        known = all(0 <= token < len(self.codec) for token in ids)
        if not known or self.codec.decode(ids) != raw.text:
            return None
        ids = self.unclosed(ids)
        return None if any(token in self.acting for token in ids) else ids

    def unclosed(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return an answer without the mark that closes it, where that stands before the end token."""
        closing = tuple(self.piece(self.template.answer_end, first=False))
        if not closing or closing[0] not in self.acting:
            return ids
        width = next((n for n in range(len(closing), 0, -1) if ids[-n:] == closing[:n]), 0)
        return ids[: len(ids) - width]

    @cached_property
    def acting(self) -> frozenset[int]:
        """The ids of tokens that no words of an answer may hold."""
        single = [self.piece(text, first=False) for text in self.specials]
        known = [self.codec.bos, self.codec.region, self.codec.pad, *self.ends]
        return frozenset(
            [ids[0] for ids in single if len(ids) == 1] + [token for token in known if token is not None]
        )

    def ids(self, turns: Sequence[Exchange], said: Sequence[tuple[int, ...] | None]) -> list[int]:
        """Return the ids of a dialogue, earlier answers to the letter where they are known (``said``)."""
        ids: list[int] = []
        text = ""
        # A template leaves out an answer without words; one that is known has its place all the same.
        texts = [
            (asked, answer if known is None else "(known)")
            for (asked, answer), known in zip(turns, [*said, None], strict=True)
        ]
        answers = iter([known for (_, answer), known in zip(texts, said, strict=False) if answer])
        for segment in self.template.segments(texts):
            known = next(answers, None) if segment.learnt else None
            if known is None:
                text += segment.text
                continue
            ids += [*self.piece(text, first=not ids), *known]
            text = self.template.answer_end
        return ids + self.piece(text, first=not ids)

    def piece(self, text: str, *, first: bool) -> list[int]:
        """Return the ids of a stretch of a prompt; only the first has what tokenizers put before a text."""
        if first:
            return prompt_ids(text, self.codec)
        word, ids = prompt_ids(WORD, self.codec), prompt_ids(WORD + text, self.codec)
        if ids[: len(word)] == word:
            return ids[len(word) :]
        begun = self.codec.bos is not None  # the text continues the word
        return prompt_ids(text, self.codec)[begun:]
