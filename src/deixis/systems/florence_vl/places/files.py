"""Where a saved folder keeps what only places need, and opening it."""

from __future__ import annotations

import shutil
from pathlib import Path

from deixis.checkpoints.convert.florence_folder import read_decoder
from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.layers.towers.florence_davit import DavitTower
from deixis.systems.florence_vl.model import FlorenceVlNetwork
from deixis.systems.florence_vl.places.decoder import FlorenceDecoder
from deixis.systems.florence_vl.places.tokens import TOKENS_FILE, FlorenceTokens
from deixis.text.tokenizers.tokenizer_file import TOKENIZER_FILE


def keep_tokens(florence: Path, folder: Path) -> None:
    """Copy the tokenizer of Florence-2's own folder, if it has one, into a folder of ours."""
    if (florence / TOKENIZER_FILE).is_file():
        FlorenceTokens(florence / TOKENIZER_FILE)  # refuses another one's
        shutil.copyfile(florence / TOKENIZER_FILE, folder / TOKENS_FILE)


def open_places(network: FlorenceVlNetwork, folder: Path | None) -> tuple[FlorenceDecoder, FlorenceTokens]:
    """Return the decoder around a network, and its tokenizer, from the folder that it was opened from.

    UsageError: the network has no Florence-2, or comes from no folder. MissingWeights: the folder lacks one
    of the two files.
    """
    if not isinstance(network.tower, DavitTower) or network.encoder is None:
        raise UsageError(
            "this network has no Florence-2 inside, so it has none of its tasks; ask it in words"
        )
    if folder is None:
        raise UsageError("this network was not opened from a folder, where Florence-2's decoder would be")
    tensors = read_decoder(folder)
    path = folder / TOKENS_FILE
    if not path.is_file():
        raise MissingWeights(
            f"{path} is missing; copy tokenizer.json of microsoft/Florence-2-large-ft there under this name, "
            "or convert again with --vision-encoder and the folder of Florence-2"
        )
    tokens = FlorenceTokens(path)
    decoder = FlorenceDecoder(network.tower, network.encoder, tensors)
    rows = decoder.words.num_embeddings
    if len(tokens) > rows + 1:  # the library's files have one token more, which stands for the picture
        raise BadWeights(f"{path} has {len(tokens):,} tokens; the decoder's table of words has {rows:,} rows")
    return decoder, tokens
