"""How an answer of Groma is decoded: it speaks of the places of its own prompt only, in sound links."""

from __future__ import annotations

from torch import Tensor

from deixis.systems.groma.dialect import GromaTokens
from deixis.systems.groma.reading import GromaReader
from deixis.systems.spliced.policy import SplicedPolicy


class ListedPlacesPolicy(SplicedPolicy):
    """Decodes one answer.

    Tokens of places come only inside ``<roi>``, each once and only those that the prompt lists; marks only
    where they open or close something, and phrases are closed only behind words; marks of prompts never.
    Trained networks write so by themselves: what is ruled out is what could not be read.
    """

    words_decide = False

    def __init__(self, reader: GromaReader, tokens: GromaTokens, *, count: int) -> None:
        super().__init__(reader)  # type: ignore[arg-type]
        self.tokens, self.links = tokens, reader.links
        self.listed = list(tokens.proxies[:count])
        marks = (tokens.pad, tokens.supervised, tokens.image, tokens.region, tokens.refer_box)
        self.never = [*marks, tokens.ground_box, tokens.refer_feat, tokens.grounding, *tokens.proxies[count:]]
        added = range(reader.codec.words, len(reader.codec))
        self.never += [one for one in added if not reader.sayable(one) and one not in reader.ends]

    def constrain(self, logits: Tensor) -> Tensor:
        """Return logits (V,) without tokens that would break a link."""
        logits = logits.clone()
        own, inside = self.tokens, self.links.state == "places"
        if inside:
            kept = logits[self.open_places()]
            logits.fill_(-float("inf"))
            logits[self.open_places()] = kept
            return logits
        logits[[*self.never, *self.listed, own.roi_end]] = -float("inf")
        if self.links.state == "phrase":
            empty = [own.phrase_end] if self.links.opened.start is None else []
            logits[[own.phrase, own.roi, *empty]] = -float("inf")
        else:
            logits[own.phrase_end] = -float("inf")
        return logits

    def open_places(self) -> list[int]:
        """Return what may stand inside ``<roi>``: places not named yet, and its end.

        Without a phrase there has to be a place before the end.
        """
        opened = self.links.opened
        left = [token for token in self.listed if self.tokens.index(token) not in opened.places]
        can_end = bool(opened.places) or opened.end is not None or not left
        return [*left, self.tokens.roi_end] if can_end else left
