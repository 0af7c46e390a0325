"""What a question is meant to get: the first thing that a system which learns it says.

Written by code, never typed: a system gives each intent a token of its own.
"""

from __future__ import annotations

from typing import Literal, get_args

Intent = Literal["where", "whether", "name", "judge", "tell", "refuse"]
"""where: the place of something that is taken to be there. whether: if, or how often, something is there.
name: what something pointed at is called. judge: whether it is what it is said to be, or which of two. tell:
anything else that can be told. refuse: what can't be told from a picture, or not by this system."""

INTENTS: tuple[Intent, ...] = get_args(Intent)
