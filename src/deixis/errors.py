"""What can go wrong through a user's input, one class per kind, each with the exit code of the command line.

Every message says what was given, what was expected and how to fix it. A failure never becomes an
empty string or a zero box: it is raised, or counted as a parse failure in the answer.
"""

from __future__ import annotations


class DeixisError(Exception):
    """A mistake that the caller can mend; the base of all our own exceptions."""

    exit_code = 70


class UsageError(DeixisError):
    """A call or command line that asks for something that does not exist."""

    exit_code = 2


class BadPicture(DeixisError):
    """Bytes, a file or an array that is not a picture we can open safely."""

    exit_code = 3


class BadRegion(DeixisError):
    """A region whose coordinates are not usable in the picture it is meant for."""

    exit_code = 3


class FrameMismatch(BadRegion):
    """Two coordinates of different frames met without a conversion."""


class MissingWeights(DeixisError):
    """A system that is known but whose weights are not on this machine."""

    exit_code = 4


class BadWeights(DeixisError):
    """A weights file whose names, shapes or checksum are not what the configuration says."""

    exit_code = 4


class MalformedAnswer(DeixisError):
    """Text of a model that breaks the grammar of its own dialect."""


class EndpointError(DeixisError):
    """A server that we asked gave no usable answer."""

    exit_code = 5


class RefusedRequest(EndpointError):
    """A request that a server does not accept, however often it is made."""


class RecipeError(UsageError):
    """A training recipe that cannot be run as written."""


class RecordError(UsageError):
    """A sample or dataset file that breaks its documented format."""


class NonFiniteLoss(DeixisError):
    """Training met a loss that is not a number."""


class RegionClipped(UserWarning):
    """A region stuck out of the picture and was cut at its edge."""
