"""Where the pointer system looked for each phrase of an answer: the shares of the locations of its map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from deixis.engine.decoder import Decoder
from deixis.engine.embedded import Embedded
from deixis.engine.loop import Decoding
from deixis.engine.policy import Completion, Request
from deixis.engine.settings import Settings
from deixis.systems.looks import Look, corners_of
from deixis.systems.pointer.decoding.place_reading import PlaceReading
from deixis.systems.pointer.decoding.policy import Pointer, PointerPolicy
from deixis.systems.prompt import Prompt, Reading


class Looking(Pointer, Protocol):
    """What is asked of the system whose looks are shown."""

    decoder: Decoder

    def embed(self, prompts: Sequence[Prompt]) -> list[Embedded]:
        """Return prompts as the decoder reads them."""
        ...

    def parse(self, completion: Completion, prompt: Prompt) -> Reading:
        """Turn tokens into text and places."""
        ...


class WatchedPolicy(PointerPolicy):
    """Decodes as ever, and keeps what the place head said of every location. seen: (H, W) and "nowhere"."""

    def __init__(self, system: Pointer, prompt: Prompt, settings: Settings) -> None:
        super().__init__(system, prompt, settings)
        self.seen: list[tuple[Tensor, float]] = []

    def decide(self, hidden: Tensor) -> PlaceReading:
        """Return what the hidden state (W,) at a place token says."""
        places = self.encoded.tensors.places
        scores = self.system.network.place_head(hidden[None, None], places.keys)
        shares = scores.joint()[0, 0].float().softmax(dim=0).cpu()  # (L + 1,)
        self.seen.append((shares[:-1].reshape(places.fine.shape[-2:]), float(shares[-1])))
        return super().decide(hidden)


@torch.inference_mode()
def looks_of(system: Looking, prompt: Prompt) -> list[Look]:
    """Return a look for each phrase of the answer to a prompt, which is written once more."""
    policy = WatchedPolicy(system, prompt, Settings())
    (embedded,) = system.embed([prompt])
    (completion,) = Decoding(system.decoder, [Request(embedded, policy, Settings())]).completions()
    phrases = [span.phrase for span in system.parse(completion, prompt).spans]
    encoded = prompt.encoded[0]
    corners = corners_of(encoded.view.frame, encoded.original)
    return [
        Look(phrase, map=shares.numpy(), corners=corners, nowhere=nowhere)
        for phrase, (shares, nowhere) in zip(phrases, policy.seen, strict=False)
    ]
