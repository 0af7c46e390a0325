"""A decoder's cache, by the name that the installed transformers passes it.

Its newest releases call it ``cache`` in ``forward`` and in outputs, earlier ones ``past_key_values``; the new
ones still accept the old name, but warn, and answer ``generate`` under the new one only.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any


@functools.cache
def cache_name() -> str:
    """Return the keyword and output field of the installed transformers."""
    from transformers.modeling_outputs import CausalLMOutputWithPast

    names = {field.name for field in dataclasses.fields(CausalLMOutputWithPast)}
    return "cache" if "cache" in names else "past_key_values"


def named(cache: Any) -> dict[str, Any]:
    """Return a cache as the keyword argument that the installed transformers takes.

    >>> list(named(None).values())
    [None]
    """
    return {cache_name(): cache}


def cache_of(output: Any) -> Any:
    """Return the cache that an output of the installed transformers carries."""
    return getattr(output, cache_name())


def past_length(cache: Any) -> int:
    """Return how many tokens a cache already holds; none is an empty one."""
    return 0 if cache is None else int(cache.get_seq_length())
