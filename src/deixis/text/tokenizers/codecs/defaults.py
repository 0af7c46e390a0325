"""What is known of a tokenizer where its folder doesn't say it, and how tokens are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from deixis.answers.reading.dialects import REGION_TOKEN
from deixis.errors import BadWeights
from deixis.text.tokenizers.llama_tokenizer import Guard
from deixis.text.tokenizers.settings import token_texts

PAD_TOKEN = "<pad>"


@dataclass(frozen=True)
class CodecDefaults:
    """What a system knows of its tokenizer and a folder as it was published doesn't say; saved ones say all.

    region: its region token. guard: see ``sentencepieces``. ends: tokens that end an answer besides the
    folder's own. leading: see ``TokenizerCodec``.
    """

    region: str | None = REGION_TOKEN
    guard: Guard = "every piece"
    ends: tuple[str, ...] = ()
    leading: str | None = None

    def ends_of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the texts of the tokens that end an answer; empty where settings name none themselves."""
        own = token_texts(settings.get("eos_token"))
        further = (
            token_texts(settings["further_eos_tokens"]) if "further_eos_tokens" in settings else self.ends
        )
        return tuple(dict.fromkeys((*own, *further))) if own else ()


FERRET = CodecDefaults()


def region_of(settings: Mapping[str, Any], defaults: CodecDefaults, where: Path) -> str | None:
    """Return the region token that settings name, or the one known by default."""
    text = settings.get("region_token", defaults.region)
    if text is not None and (not isinstance(text, str) or not text):
        raise BadWeights(f"{where}: field 'region_token' is {text!r:.60}; expected a text, or null for none")
    return text


def guard_of(settings: Mapping[str, Any], defaults: CodecDefaults, where: Path) -> Guard:
    """Return the guard that settings name, or the one known by default."""
    stated = settings.get("guard", defaults.guard)
    for known in get_args(Guard):
        if stated == known:
            return cast(Guard, known)
    raise BadWeights(
        f"{where}: field 'guard' is {stated!r:.60}; expected one of {', '.join(get_args(Guard))}"
    )


def listed(texts: str | Sequence[str]) -> tuple[str, ...]:
    """Return texts as a tuple, one of them too.

    >>> listed("</s>"), listed(["</s>", "<|end|>"])
    (('</s>',), ('</s>', '<|end|>'))
    """
    return (texts,) if isinstance(texts, str) else tuple(texts)
