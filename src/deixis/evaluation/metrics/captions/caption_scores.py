"""All scores of a set of captions, from texts as they were said and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deixis.errors import RecordError
from deixis.evaluation.metrics.captions.bleu import bleu
from deixis.evaluation.metrics.captions.cider import cider
from deixis.evaluation.metrics.captions.meteor import MeteorScores, meteor, why_no_meteor
from deixis.evaluation.metrics.captions.ptb_words import caption_words
from deixis.evaluation.metrics.captions.rouge import rouge_l


@dataclass(frozen=True)
class CaptionScores:
    """Scores of n captions. BLEU, ROUGE-L and METEOR are 0..1, CIDEr 0..10; papers print them times 100.

    bleu: BLEU-1 to BLEU-4. meteor: None where it was not computed, and ``no_meteor`` says why.
    rouge_each, cider_each: of every caption, in their order.
    """

    n: int
    bleu: tuple[float, ...]
    rouge_l: float
    cider: float
    rouge_each: tuple[float, ...]
    cider_each: tuple[float, ...]
    meteor: MeteorScores | None = None
    no_meteor: str = ""

    def to_dict(self) -> dict[str, float | None]:
        """Return the scores under their published names; METEOR is None where it was not computed."""
        return {
            **{f"Bleu_{place}": value for place, value in enumerate(self.bleu, start=1)},
            "METEOR": None if self.meteor is None else self.meteor.value,
            "ROUGE_L": self.rouge_l,
            "CIDEr": self.cider,
        }


def score_captions(
    captions: Mapping[str, str], references: Mapping[str, Sequence[str]], *, with_meteor: bool = True
) -> CaptionScores:
    """Return the scores of captions, by the same ids as their references.

    Captions count in the order of their ids, so that they may be given in any. with_meteor: compute METEOR,
    where it can be.
    RecordError: ids differ, there is no caption, or one has no reference.
    """
    if not captions or set(captions) != set(references) or not all(references.values()):
        raise RecordError(
            f"{len(captions)} captions and references for {len(references)}; expected one caption "
            "or more, and at least one reference for each, by the same ids"
        )
    ids = sorted(captions)
    said = [caption_words(captions[name]) for name in ids]
    true = [[caption_words(text) for text in references[name]] for name in ids]
    rouge = [rouge_l(words, own) for words, own in zip(said, true, strict=True)]
    likeness = cider(said, true)
    reason = why_no_meteor() if with_meteor else "it was not asked for"
    return CaptionScores(
        n=len(ids),
        bleu=bleu(said, true),
        rouge_l=sum(rouge) / len(rouge),
        cider=sum(likeness) / len(likeness),
        rouge_each=tuple(rouge),
        cider_each=tuple(likeness),
        meteor=None if reason else meteor(said, true),
        no_meteor=reason,
    )
