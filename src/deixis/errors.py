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


class TooLarge(UsageError):
    """A question that could never be answered within the limits, however long it waited."""


class UnknownModel(UsageError):
    """A model that the engine doesn't serve."""


class ServingError(DeixisError):
    """A question that the engine took, or would have taken, and did not answer."""

    exit_code = 5


class QueueFull(ServingError):
    """So many questions wait that no further one is taken. retry_after: seconds until it may be worth it."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlinePassed(ServingError):
    """A question whose time was over before its answer was."""


class Cancelled(ServingError):
    """A question that was taken back before any of its answer was written."""


class ModelFailed(ServingError):
    """A model that stopped, or could not be loaded, while questions waited for it."""


class EngineStopped(ServingError):
    """The engine is closed, closing, or has died."""


class RecipeError(UsageError):
    """A training recipe that cannot be run as written."""


class RecordError(UsageError):
    """A sample or dataset file that breaks its documented format."""


class NonFiniteLoss(DeixisError):
    """Training met a loss that is not a number."""


class RegionClipped(UserWarning):
    """A region stuck out of the picture and was cut at its edge."""
