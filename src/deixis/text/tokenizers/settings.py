"""What a model's folder says about its tokens: which were added, and how they treat white space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.errors import BadWeights
from deixis.text.tokenizers.llama_tokenizer import AddedToken, AddedTokens

SETTINGS_FILE = "tokenizer_config.json"


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what ``tokenizer_config.json`` of a folder says; empty where there is none."""
    return read_json(folder / SETTINGS_FILE)


def read_json(path: Path) -> dict[str, Any]:
    """Return an object from a file; empty where there is no file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise BadWeights(f"{path} is not JSON: {fault}") from fault
    if not isinstance(content, dict):
        raise BadWeights(f"{path} holds {type(content).__name__}; expected an object")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object to a file."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BadWeights(
                f"{folder / SETTINGS_FILE}: added_tokens_decoder cannot be read: {fault!r}"
            ) from fault
    numbers = read_json(folder / "added_tokens.json")
    if not numbers:
        return None
    texts = sorted(numbers, key=numbers.__getitem__)
    return AddedTokens.plain(*texts, special=texts)
