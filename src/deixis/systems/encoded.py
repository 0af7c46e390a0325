"""What the encoder sees, what it made of it, and the memory of that: each picture is encoded once."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from deixis.pictures.opening import Picture, digest_of
from deixis.regions.frames import Frame

BUDGET = 512 << 20  # bytes


@dataclass(frozen=True)
class EncoderInput:
    """A picture, and what is painted on it before it is encoded (by systems that paint).

    painted: regions, or whatever says with which mark each is painted.
    """

    picture: Picture
    painted: tuple[Hashable, ...] = ()

    @property
    def key(self) -> Hashable:
        """What is equal for the same pixels with the same regions painted on them."""
        content = self.picture.frame.root.content or digest_of(self.picture.pixels)
        return (content, self.picture.frame, self.painted)


@dataclass(frozen=True)
class Encoded:
    """What a system made of one picture; every question about it starts from here.

    key: that of its input. original: the frame of the picture as it was opened. view: what the network was
    given, with the frame that leads back. tensors: the system's own.
    """

    key: Hashable
    original: Frame
    view: Picture
    tensors: Any

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self.view.pixels.nbytes + tensor_bytes(self.tensors)


def tensor_bytes(value: Any) -> int:
    """Return how much memory the tensors and arrays in some nested values take."""
    if isinstance(value, Tensor | np.ndarray):
        return int(value.nbytes)
    if dataclasses.is_dataclass(value):
        return sum(tensor_bytes(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, dict):
        return sum(tensor_bytes(one) for one in value.values())
    if isinstance(value, list | tuple):
        return sum(tensor_bytes(one) for one in value)
    return 0


class EncodedCache:
    """Encoded pictures by content, the latest kept, within a budget of bytes; used by many threads.

    The one used last stays even beyond the budget: the question at hand is about it. hits, misses: pictures
    that were asked for and known, or being encoded for somebody else, and those that had to be encoded.
    """

    def __init__(self, *, budget: int = BUDGET) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Future[Encoded]] = OrderedDict()
        self.hits = self.misses = 0

    def get(
        self,
        inputs: Sequence[EncoderInput],
        encode: Callable[[Sequence[EncoderInput]], list[Encoded]],
    ) -> list[Encoded]:
        """Return what was made of each input; those not known yet are encoded as one batch.

        Who asks for a picture that another thread is encoding waits for it.
        """
        own: dict[Hashable, EncoderInput] = {}
        futures: list[Future[Encoded]] = []
        keys = [one.key for one in inputs]
        with self._lock:
            for key, one in zip(keys, inputs, strict=True):
                if key not in self._known:
                    self._known[key] = Future()
                    own[key] = one
                self._known.move_to_end(key)
                futures.append(self._known[key])
            self.misses += len(own)
            self.hits += len(futures) - len(own)
        if own:
            self._fill(own, encode)
        return [future.result() for future in futures]

    def _fill(
        self,
        own: dict[Hashable, EncoderInput],
        encode: Callable[[Sequence[EncoderInput]], list[Encoded]],
    ) -> None:
        with self._lock:
            futures = [self._known[key] for key in own]
        try:
            made = encode(list(own.values()))
            for future, encoded in zip(futures, made, strict=True):
                future.set_result(encoded)
        except BaseException as fault:
            with self._lock:
                for key in own:  # the next one may have better luck
                    self._known.pop(key, None)
            for future in futures:
                if not future.done():
                    future.set_exception(fault)
            raise
        self._trim()

    def _trim(self) -> None:
        with self._lock:
            done = [(key, future) for key, future in self._known.items() if future.done()]
            total = sum(future.result().nbytes for _, future in done)
            for key, future in done[:-1]:
                if total <= self.budget:
                    break
                total -= future.result().nbytes
                del self._known[key]

    @property
    def nbytes(self) -> int:
        """Return how much memory is held."""
        with self._lock:
            known = list(self._known.values())
        return sum(one.result().nbytes for one in known if one.done() and one.exception() is None)

    def __len__(self) -> int:
        return len(self._known)
