"""Checks of Ferret-v2's and Ferret-UI's text: prompts, ids and labels by tokenizer, pixels of regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deixis.regions.marked_pixels import region_pixels
from deixis.text.prompt_tokens import TextCodec, prompt_ids
from deixis.text.templates import Exchange, Template, find_template
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec, TokenizerCodec
from tests.parity.case import Case
from tests.parity.checks.ferret_text import both_maskings
from tests.parity.planning import Check

TOKENIZERS = "tokenizers"


def check_prompts(case: Case) -> None:
    """Every dialogue in every template, whole and up to its last answer."""
    for mode in case.rows("modes"):
        template = find_template(mode.at[-1])
        for row in mode.rows():
            turns: list[Exchange] = [(question, answer) for question, answer in row.given("turns")]
            row.expect("training_text", ours=template.render(turns))
            row.expect("inference_prompt", ours=template.render(unanswered(turns)))


def unanswered(turns: list[Exchange]) -> list[Exchange]:
    """Return a dialogue whose last answer is still to come."""
    return [*turns[:-1], (turns[-1][0], None)]


def check_label_masks(case: Case) -> None:
    """Dialogues as ids and labels, with the tokenizer that belongs to each template."""
    codecs: dict[str, TextCodec] = {}
    for row in case.rows("cases"):
        mode = row.given("mode")
        template = find_template(mode)
        if mode not in codecs:
            path = case.file(f"{TOKENIZERS}/{case.given('tokenizer_files', mode)}")
            codecs[mode] = codec_of(path, case.given("added_tokens", mode), template)
        codec = codecs[mode]
        turns: list[Exchange] = [(question, answer) for question, answer in row.given("turns")]
        picture = row.given("has_image") if row.has("has_image") else True
        masked = both_maskings(turns, template, codec, picture=picture)
        row.expect("input_ids", ours=masked.ids)
        row.expect("labels", ours=masked.labels)
        prompt = template.render(unanswered(turns))
        row.expect("inference_ids", ours=prompt_ids(prompt, codec) if picture else codec.encode(prompt))
        row.expect("warning", ours=masked.warning or "")


def codec_of(path: Path, added: list[str], template: Template) -> TextCodec:
    """Return the codec of a file, with the tokens that were added to it: the region's last."""
    region = added[-1]
    if path.suffix == ".model":
        # This system's transformers (4.39) no longer made a plain string eat white space.
        tokens = (AddedToken(text, special=True, eats_left=False, eats_right=False) for text in added)
        return SentencePieceCodec(path, AddedTokens(tuple(tokens)), region=region)
    pad = added[0] if len(added) > 1 else template.stop
    return TokenizerCodec(path, eos=template.stop, pad=pad, region=region)


def check_region_masks(case: Case) -> None:
    """The pixels of points and boxes, by their bounds (the last column and row included) and their number."""
    for row in case.rows("cases"):
        pixels = region_pixels(row.given("coor"), width=row.given("width"), height=row.given("height"))
        places = pixels.take(np.arange(pixels.count))  # (n, 2)
        row.expect("bounds", ours=[*places.min(axis=0).tolist(), *places.max(axis=0).tolist()])
        row.expect("count", ours=pixels.count)


CHECKS: dict[str, Check] = {
    "prompts": Check(check_prompts, given=("modes/*/*/turns",)),
    "label_masks": Check(
        check_label_masks,
        given=("tokenizer_files", "added_tokens", "cases/*/mode", "cases/*/turns", "cases/*/has_image"),
    ),
    "region_masks": Check(check_region_masks, given=("cases/*/coor", "cases/*/width", "cases/*/height")),
}
