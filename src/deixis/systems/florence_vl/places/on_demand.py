"""Florence-2's decoder when it is first asked for: answering in words neither reads it nor calls it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.answers.grounded import Answer
from deixis.checkpoints.convert.florence_folder import DECODER_FILE
from deixis.systems.florence_vl.places.tasks import find_task
from deixis.systems.florence_vl.places.tokens import TOKENS_FILE
from deixis.systems.spliced.preparation import SquareView

if TYPE_CHECKING:
    from deixis.systems.florence_vl.model import FlorenceVlNetwork
    from deixis.systems.florence_vl.places.decoder import PlaceDecoding
    from deixis.systems.florence_vl.places.locating import FlorencePlaces


class PlacesOnDemand:
    """Opens what only places need, once. folder: where the network was opened from; None for a new one."""

    def __init__(self, network: FlorenceVlNetwork, folder: Path | None = None) -> None:
        self.network, self.folder = network, folder
        self.opened: FlorencePlaces | None = None
        self.lock = threading.Lock()

    def get(self) -> FlorencePlaces:
        """Return Florence-2 with its tasks; it sees pictures squashed to a square, as it learnt to."""
        from deixis.systems.florence_vl.places.files import open_places
        from deixis.systems.florence_vl.places.locating import FlorencePlaces

        with self.lock:
            if self.opened is None:
                decoder, tokens = open_places(self.network, self.folder)
                side, normalisation = self.network.config.side, self.network.tower.normalisation
                self.opened = FlorencePlaces(decoder, tokens, SquareView(side, normalisation, "resize"))
            return self.opened

    def locate(
        self,
        picture: Any,
        task: str,
        *,
        text: str | None = None,
        region: Any = None,
        num_beams: int = 3,
        max_new_tokens: int | None = None,
    ) -> Answer:
        """Return what a task finds, see ``System.locate``."""
        find_task(task)  # before weights are read
        decoding = decoding_of(num_beams, max_new_tokens)
        return self.get().locate(picture, task, text=text, region=region, decoding=decoding)

    def ground(self, answer: Answer, *, num_beams: int = 3, max_new_tokens: int | None = None) -> Answer:
        """Return an answer with places of its phrases, see ``System.ground``."""
        return self.get().ground(answer, decoding=decoding_of(num_beams, max_new_tokens))

    def save(self, folder: Path) -> None:
        """Copy the files that only places need, as far as they are there, into another folder."""
        for name in (DECODER_FILE, TOKENS_FILE):
            if self.folder is not None and self.folder.resolve() != folder.resolve():
                source = self.folder / name
                if source.is_file():
                    shutil.copyfile(source, folder / name)


def decoding_of(num_beams: int, max_new_tokens: int | None) -> PlaceDecoding:
    """Return how the decoder writes; UsageError for a number out of range."""
    from deixis.systems.florence_vl.places.decoder import PlaceDecoding

    return PlaceDecoding(num_beams=num_beams, max_new_tokens=max_new_tokens)
