"""Which questions an outer engine can answer: those whose words its language model decides alone."""

from __future__ import annotations

from deixis.engine.policy import Request
from deixis.errors import UsageError


def require_fitting(request: Request) -> None:
    """Raise UsageError for a request that needs more than likelihoods of words.

    An outer engine is given vectors and returns tokens; hidden states, forks of what it has read and what it
    is about to choose stay with it.
    """
    policy, settings, embedded = request.policy, request.settings, request.embedded
    lacking = ""
    if not getattr(policy, "words_decide", False):
        lacking = (
            "this system looks at the decoder's hidden states, tries out beginnings, or rules tokens out "
            f"while it writes ({type(policy).__name__})"
        )
    elif settings.grammar:
        lacking = "a grammar of places rules tokens out while an answer is written (grammar)"
    elif embedded.prefix:
        lacking = f"the first {embedded.prefix} positions of the prompt see each other in both directions"
    elif embedded.key_bias is not None:
        lacking = "some positions of the prompt are attended to more or less than others"
    if lacking:
        raise UsageError(
            f"an outer engine can't answer this: {lacking}, and it takes a prompt's vectors and returns "
            "tokens only; ask the system itself"
        )
