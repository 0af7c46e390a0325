"""What a model's folder says about its tokens: which were added, and how they treat white space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.errors import BadWeights, RecordError, UsageError
from deixis.files.json_files import read_json as bounded_json
from deixis.files.writing import write_whole
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens

SETTINGS_FILE = "tokenizer_config.json"
LARGEST = 16 << 20  # bytes; Llama-3 lists all its special tokens


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what ``tokenizer_config.json`` of a folder says; empty where there is none."""
    return read_json(folder / SETTINGS_FILE)


def read_json(path: Path) -> dict[str, Any]:
    """Return an object from a file; empty where there is no file."""
    if not path.exists():
        return {}
    try:
        return bounded_json(path, largest=LARGEST).values
    except RecordError as fault:
        raise BadWeights(str(fault)) from fault


def truth(settings: dict[str, Any], name: str, *, where: Path) -> bool:
    """Return whether settings say so; true where they say nothing."""
    stated = settings.get(name)
    if stated is not None and type(stated) is not bool:
        raise BadWeights(f"{where}: field {name!r} is {stated!r:.60}; expected true or false")
    return stated is None or stated


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object to a file, whole; UsageError where that can't be."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def token_text(setting: Any) -> str | None:
    """Return the text of a token as settings name it: bare, or under "content"; None for none.

    >>> token_text({"content": "</s>", "lstrip": False})
    '</s>'
    """
    text = setting.get("content") if isinstance(setting, dict) else setting
    return text if isinstance(text, str) and text else None


def token_texts(setting: Any) -> tuple[str, ...]:
    """Return the texts of tokens as settings list them: one, several or none.

    >>> token_texts(["</s>", {"content": "<|end|>"}]), token_texts("</s>"), token_texts(None)
    (('</s>', '<|end|>'), ('</s>',), ())
    """
    listed = setting if isinstance(setting, list) else [setting]
    return tuple(text for text in map(token_text, listed) if text is not None)


ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "region_token", "additional_special_tokens")


def added_tokens(folder: Path, settings: dict[str, Any]) -> AddedTokens | None:
    """Return the tokens added to a sentencepiece model, in the order of their ids; None where none are named.

    Newer settings say what each does to white space. Older folders have only ``added_tokens.json``: there a
    plain string eats it on both sides. Of the special ones those that have a role take a low bar with them.
    """
    named = {text for role in ROLES for text in token_texts(settings.get(role))}
    manners = settings.get("added_tokens_decoder")
    if isinstance(manners, dict):
        try:
            listed = sorted((int(number), token) for number, token in manners.items())
            return AddedTokens(
                tuple(
                    AddedToken(
                        token["content"],
                        bool(token.get("special", False)),
                        eats_left=bool(token.get("lstrip", False)),
                        eats_right=bool(token.get("rstrip", False)),
                        takes_bar=bool(token.get("special", False)) and token["content"] in named,
                    )
                    for _, token in listed
                )
            )
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as fault:
            raise BadWeights(
                f"{folder / SETTINGS_FILE}: added_tokens_decoder cannot be read: {fault!r}"
            ) from fault
    numbers = read_json(folder / "added_tokens.json")
    if not numbers:
        return None
    where = folder / "added_tokens.json"
    if wrong := [text for text, number in numbers.items() if type(number) is not int]:
        raise BadWeights(f"{where}: {wrong[0]!r:.60} has {numbers[wrong[0]]!r:.60}; expected whole numbers")
    texts = sorted(numbers, key=numbers.__getitem__)
    try:
        return AddedTokens.plain(*texts, special=texts)
    except UsageError as fault:
        raise BadWeights(f"{where} cannot be read: {fault}") from fault
