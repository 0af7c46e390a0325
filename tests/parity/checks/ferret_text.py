"""Checks of Ferret's text: prompts, tokens and label masks, coordinates, the pixels of regions, parsers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.answers.reading import dialects
from deixis.errors import BadRegion, MalformedAnswer
from deixis.evaluation.benchmarks.ferret_bench import shown_to_judge
from deixis.evaluation.judging.judge import FAILED, read_scores
from deixis.evaluation.metrics.flickr_entities import same_phrase
from deixis.evaluation.metrics.referring_classification import without_denials
from deixis.regions.marked_pixels import region_pixels
from deixis.regions.pixels import RegionPixels
from deixis.regions.rle import decode_runs, decompress
from deixis.text.label_masking import IGNORED, Supervised, supervised
from deixis.text.prompt_tokens import prompt_ids
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.templates import IMAGE, Exchange, Template, find_template, picture_first
from deixis.text.tokenizers.added_tokens import AddedTokens
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec
from tests.parity.case import Case
from tests.parity.planning import Check

EMPTY_MASK = "error: empty mask"


def check_prompts(case: Case) -> None:
    """Dialogues rendered by the templates of a case, and what ends an answer."""
    default = find_template("v1")
    case.expect("default_template", ours=default.name)
    case.expect("stop_string", ours=default.stop)
    for row in case.rows("cases"):
        messages = [message_text(message, first=i == 0) for i, message in enumerate(row.given("messages"))]
        row.expect("prompt", ours=rendered(find_template(row.given("template")), messages))


def message_text(message: str | Sequence[str] | None, *, first: bool) -> str | None:
    """Return a message's text; one sent with its picture, as a list, has it in front if it is the first."""
    if not isinstance(message, list):
        return message
    return picture_first(f"{IMAGE}{message[0]}") if first else message[0]


def rendered(template: Template, messages: Sequence[str | None]) -> str:
    """Return messages in turn as one text; a question that nobody is to answer announces no answer."""
    turns: list[Exchange] = [
        (messages[i] or "", messages[i + 1] if i + 1 < len(messages) else None)
        for i in range(0, len(messages), 2)
    ]
    text = template.render(turns)
    return text.removesuffix(template.assistant) if len(messages) % 2 else text


def check_tokenization(case: Case) -> None:
    """Ids of texts and prompts, and the labels of whole dialogues by both ways of masking."""
    region = case.given("region_token")
    added = AddedTokens.plain(region, special=[region])
    codec = SentencePieceCodec(case.file(case.given("tokenizer_file")), added, region=region)
    numbers = {"bos": codec.bos, "eos": codec.eos, "unk": codec.pieces.unk, "pad": codec.pad}
    numbers |= {"base_vocab": len(codec) - 1, "region_token_id": codec.region}
    numbers |= {"ignore_index": IGNORED, "image_token_index": PICTURE_MARKER}
    for name, ours in numbers.items():
        case.expect(name, ours=ours)
    for row in case.rows("plain"):
        ids = codec.encode(row.given("text"))
        row.expect("ids", ours=ids)
        row.expect("tokens", ours=[codec.pieces.token(i) for i in ids])
    for row in case.rows("image_prompts"):
        row.expect("ids", ours=prompt_ids(row.given("prompt"), codec))
    for row in case.rows("label_masking"):
        check_labels(row, codec)


def check_labels(row: Case, codec: SentencePieceCodec) -> None:
    """One dialogue of a case as ids and labels."""
    said, picture = row.given("conversation"), row.given("has_image")
    texts = [picture_first(one["value"]) if picture else one["value"] for one in said]
    row.expect("text_after_image_handling", ours=texts)
    if said and said[0]["from"] != "human":
        texts = texts[1:]
    turns: list[Exchange] = list(zip(texts[::2], texts[1::2], strict=True))
    masked = both_maskings(turns, find_template("v1"), codec, picture=picture)
    row.expect("input_ids", ours=masked.ids)
    row.expect("labels", ours=masked.labels)
    row.expect("warning", ours=masked.warning)


def both_maskings(
    turns: Sequence[Exchange],
    template: Template,
    codec: Any,
    *,
    picture: bool,
    max_length: int | None = None,
) -> Supervised:
    """Return a dialogue masked the published way, after comparing it with the corrected one.

    They agree wherever the published way drops nothing, unless an answer is empty, which the corrected way
    closes; what is dropped, the corrected way learns.
    """
    published = supervised(
        turns, template, codec, strict_masking="published", picture=picture, max_length=max_length
    )
    corrected = supervised(turns, template, codec, strict_masking="corrected", picture=picture)
    if published.warning is not None:
        assert not published.learnt and corrected.learnt
    elif all(answer != "" for _, answer in turns):
        assert published == corrected, "the corrected labels differ from the published ones"
    return published


def check_coordinates(case: Case) -> None:
    """Boxes to text as in training, and text to pixels as in the scores."""
    for row in case.rows("cases"):
        size = {"width": row.given("image_w"), "height": row.given("image_h")}
        inside = dialects.clamped(row.given("box"), **size)
        text = dialects.coordinate_text(inside, **size)
        row.expect("clamped", ours=inside)
        row.expect("text", ours=text)
        row.expect("decoded_to_pixels", ours=dialects.pixels_of(dialects.whole_numbers(text[1:-1]), **size))


def check_region_masks(case: Case) -> None:
    """The pixels of points and boxes, in the variants of training and of evaluation."""
    for row in case.rows("cases"):
        segment = segment_of(row)
        for variant in ("train", "eval"):
            field = f"{variant}_rows_by_x"
            if not row.has(field):
                continue
            try:
                pixels = region_pixels(
                    row.given("coor"),
                    width=row.given("w"),
                    height=row.given("h"),
                    variant=variant,
                    box=row.given("box") if row.has("box") else None,
                    segment=segment,
                )
            except BadRegion:
                row.expect(field, ours=EMPTY_MASK)
            else:
                row.expect(field, ours=columns(pixels))


def segment_of(row: Case) -> NDArray[np.bool_] | None:
    """Return the object's pixels (H, W) in a row of a case; the run lengths beside them are the same."""
    drawn = runs = None
    if row.has("segment_hw"):
        drawn = np.array([[pixel == "1" for pixel in line] for line in row.given("segment_hw")])
    if row.has("segment_rle"):
        encoded = row.given("segment_rle")
        height, width = encoded["size"]
        runs = decode_runs(decompress(encoded["counts"]), height=height, width=width)
        assert drawn is None or np.array_equal(drawn, runs)
    return runs if drawn is None else drawn


def columns(pixels: RegionPixels) -> list[str]:
    """Return a mask as text, one line for each x."""
    return ["".join("01"[int(pixel)] for pixel in column) for column in pixels.mask().T]


def check_parsing(case: Case) -> None:
    """The published parsers, and the rules of text around them."""
    for row in case.rows("box_decoding"):
        check_box_decoding(row)
    for row in case.rows("phrase_equality"):
        row.expect("equal", ours=same_phrase(row.given("a"), row.given("b")))
    for row in case.rows("review_scores"):
        row.expect("scores", ours=read_scores(row.given("review"), protocol="published") or FAILED)
    for row in case.rows("ferret_bench_answer_postprocess"):
        answer, category = row.given("answer"), row.given("category")
        shown = result_of(lambda a=answer, c=category: shown_to_judge(a, c, protocol="published").text)
        row.expect("result", ours=shown)
    for row in case.rows("negation_removal"):
        row.expect("result", ours=without_denials(row.given("text"), protocol="published"))
    for row in case.rows("web_region_placeholders"):
        named = list(zip(row.given("placeholders"), row.given("coordinates"), strict=True))
        text, order = dialects.fill_placeholders(row.given("prompt"), named)
        row.expect("result", ours=text)
        row.expect("mask_order", ours=order)


def check_box_decoding(row: Case) -> None:
    """One answer through every published parser."""
    text, size = row.given("text"), {"width": row.given("img_w"), "height": row.given("img_h")}

    def in_pixels(boxes: Sequence[dialects.PixelBox]) -> list[dialects.PixelBox]:
        return [dialects.pixel_box(box, **size) for box in boxes]

    scored = result_of(lambda: apart(dialects.scored_phrases(text, **size)))
    row.expect("decode_bbox_from_caption", ours=scored)
    row.expect("flickr_template", ours=result_of(lambda: apart(dialects.lettered_pairs(text, **size))))
    boxes = in_pixels(dialects.exact_boxes(text))
    row.expect("refcoco_template", ours=[dialects.phrases_without_boxes(text), boxes])
    tagged, tags = dialects.tagged(text)
    row.expect("object_tags", ours=[tagged, in_pixels(tags)])


def apart(found: Sequence[dialects.PhraseBox]) -> list[list[Any]]:
    """Return phrases and boxes as two lists."""
    return [[one.phrase for one in found], [one.box for one in found]]


def result_of(run: Callable[[], Any]) -> Any:
    """Return a result, or which built-in error our own stands for, in the words of the cases."""
    try:
        return run()
    except MalformedAnswer as fault:
        builtin = IndexError if isinstance(fault, IndexError) else ValueError
        assert isinstance(fault, builtin)
        return f"raises {builtin.__name__}"


CHECKS: dict[str, Check] = {
    "prompts": Check(check_prompts, given=("cases/*/template", "cases/*/messages")),
    "tokenization": Check(
        check_tokenization,
        given=(
            "tokenizer_file",
            "region_token",
            "plain/*/text",
            "image_prompts/*/prompt",
            "label_masking/*/conversation",
            "label_masking/*/has_image",
        ),
    ),
    "coordinates": Check(check_coordinates, given=("cases/*/image_w", "cases/*/image_h", "cases/*/box")),
    "region_masks": Check(
        check_region_masks, given=tuple(f"cases/*/{name}" for name in ("w", "h", "coor", "box", "segment_*"))
    ),
    "parsing": Check(
        check_parsing,
        given=(
            *(f"box_decoding/*/{name}" for name in ("text", "img_w", "img_h")),
            "phrase_equality/*/a",
            "phrase_equality/*/b",
            "review_scores/*/review",
            "ferret_bench_answer_postprocess/*/answer",
            "ferret_bench_answer_postprocess/*/category",
            "negation_removal/*/text",
            *(f"web_region_placeholders/*/{name}" for name in ("prompt", "placeholders", "coordinates")),
        ),
    ),
}
