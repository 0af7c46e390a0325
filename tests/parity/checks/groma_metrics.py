"""Checks of Groma's evaluation: expressions, LVIS-Ground, captions, and what is asked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.data.groma.instructions import INSTRUCTIONS
from deixis.evaluation.benchmarks.benchmark import BenchmarkItem
from deixis.evaluation.benchmarks.grounding.lvis_ground import Sought, by_protocol
from deixis.evaluation.benchmarks.grounding.lvis_ground import prompt as lvis_question
from deixis.evaluation.benchmarks.grounding.referring_expressions import Referred, corners, published_overlap
from deixis.evaluation.benchmarks.grounding.referring_expressions import prompt as rec_question
from deixis.evaluation.benchmarks.grounding.region_captions import REFCOCOG, VISUAL_GENOME, cleaned
from deixis.evaluation.metrics.captions.caption_scores import score_captions
from deixis.evaluation.metrics.captions.meteor import meteor, why_no_meteor
from deixis.evaluation.metrics.captions.ptb_words import caption_words
from deixis.evaluation.metrics.detection.average_precision import FREQUENCIES, CategoryFound, summary
from deixis.systems.groma.prompts import groma_template, rendered
from deixis.text.region_marks import USER_REGION
from tests.parity.case import Case
from tests.parity.golden import Bound
from tests.parity.planning import Check

ADDED = re.compile(r"\s*(</?p>|</?roi>|<image>|<region>|<refer_box>|<refer_feat>|</s>)\s*")
EATEN = re.compile(r"(?<=>)[.,:;'\")]")
MOST_TOKENS = {"rec": 3, "lvis_ground": 10, "captions": 100}  # as section 9.2 of the paper's program has it
MOST_CATEGORIES = 16  # whose frequencies are tried out


def check_metrics(case: Case) -> None:
    """All numbers that the published evaluations printed, from the places and words that they were given."""
    for row in case.rows("rec"):
        check_expressions(row)
    for row in case.rows("lvis_ground"):
        check_lvis_ground(row)
    check_clean_up(case)
    for row in case.rows("caption_scores"):
        check_caption_scores(row)


def check_expressions(row: Case) -> None:
    """Accuracy, mean overlap and what is missing, of the first index that has a box."""
    records, threshold = row.given("records"), row.given("threshold")
    overlaps: list[float] = []
    for record in records:
        places = emitted(record)
        if len(places):
            boxes = tuple((x, y, x + wide, y + high) for x, y, wide, high in record["gt_xywh"])
            truth = Referred(boxes, record["width"], record["height"])
            overlaps.append(published_overlap(places[0], truth))
    n = len(records)
    ours = {
        "accuracy": sum(value > threshold for value in overlaps) / n,
        "mean_iou": sum(overlaps) / n,
        "missing": (n - len(overlaps)) / n,
    }
    row.expect("result", ours=ours, under="values")
    marked = f"<p>{records[0]['expression'].strip()}</p>"
    check_asked(row, "rec_refcoco", marked, ours=rec_question(item(marked)))
    check_decoding(row, MOST_TOKENS["rec"])


def emitted(record: Mapping[str, Any]) -> NDArray[np.float32]:
    """The boxes of the emitted indices that have one (n, 4), cx cy w h in fractions, in order."""
    boxes = np.array(record["region_boxes_cxcywh"], dtype=np.float32).reshape(-1, 4)
    return boxes[[index for index in record["emitted_region_indices"] if 0 <= index < len(boxes)]]


def item(question: str, truth: Any = None, **rest: Any) -> BenchmarkItem[Any]:
    """A question without a picture."""
    return BenchmarkItem("0", (), question, truth, **rest)


def check_lvis_ground(row: Case) -> None:
    """The boxes that are handed to the evaluator, and its numbers."""
    pairs = list[tuple[Sought, Any]]()
    results = list[dict[str, Any]]()
    for picture, record in enumerate(row.given("records"), start=1):
        found = in_pixels(emitted(record), width=record["width"], height=record["height"])
        category, true = record["category_id"], [tuple(map(float, box)) for box in record["gt_xywh"]]
        name = row.given("category_names")[str(category)]
        sought = Sought(picture, category, name, tuple(true), tuple(box[2] * box[3] for box in true))
        if true:  # LVIS asks for nothing where a picture isn't known to have the category
            pairs.append((sought, found))
        results += [
            as_result(box, picture, category, len(results) + n) for n, box in enumerate(found, start=1)
        ]
    row.expect("detections", ours=results, under="values")
    table = by_protocol(pairs)["reference"]
    for name, value in table.items():
        if name not in FREQUENCIES.values():
            row.expect("metrics", name, ours=-1.0 if value is None else value, under="values")
    check_frequencies(row, pairs)
    name = row.given("category_names")[str(row.given("records")[0]["category_id"])]
    marked = f"<p>{name.replace('_', ' ').lower()}</p>"
    check_asked(row, "detection_lvis", marked, ours=lvis_question(item(marked)))
    check_decoding(row, MOST_TOKENS["lvis_ground"])


def in_pixels(boxes: NDArray[np.float32], *, width: int, height: int) -> list[list[float]]:
    """Boxes cx cy w h in fractions as x y width height in pixels, computed in single precision."""
    x0, y0, x1, y1 = corners(boxes).T if len(boxes) else np.zeros((4, 0), dtype=np.float32)
    wide, high = np.float32(width), np.float32(height)
    return np.stack([x0 * wide, y0 * high, (x1 - x0) * wide, (y1 - y0) * high], axis=1).astype(float).tolist()


def as_result(box: list[float], picture: int, category: int, number: int) -> dict[str, Any]:
    """A box as LVIS's evaluator keeps it, with the outline and the area that it adds."""
    x, y, wide, high = box
    outline = [x, y, x, y + high, x + wide, y + high, x + wide, y]
    own = {"image_id": picture, "category_id": category, "bbox": box, "score": 1.0}
    return {**own, "segmentation": [outline], "area": wide * high, "id": number}


def check_frequencies(row: Case, pairs: Sequence[tuple[Sought, Any]]) -> None:
    """APr, APc and APf: the case doesn't say how frequent categories are, so all ways are tried out."""
    pictures: dict[int, dict[int, Any]] = {}
    for sought, found in pairs:
        pictures.setdefault(sought.category, {})[sought.picture] = sought.found(found)
    alone = [summary([CategoryFound(own)])["AP"] for own in pictures.values()]
    assert len(alone) <= MOST_CATEGORIES, f"{len(alone)} categories are too many to try out"
    rest = frozenset(range(len(alone)))
    golden = [row.lookup(row.full(("metrics", name))) for name in FREQUENCIES.values()]
    agrees = parts_with_means(alone, golden, rest, bound=row.bound("values"))
    for name in FREQUENCIES.values():
        row.settle("metrics", name, agrees=agrees, how="the mean of some categories")


def parts_with_means(
    values: Sequence[float], means: Sequence[float], rest: frozenset[int], *, bound: Bound
) -> bool:
    """Tell whether the places in ``rest`` fall into parts whose values have these means; -1 is of none."""
    (mean, *further) = means
    sizes = range(len(rest) + 1) if further else (len(rest),)
    for part in itertools.chain.from_iterable(itertools.combinations(sorted(rest), size) for size in sizes):
        own = sum(values[place] for place in part) / len(part) if part else -1.0
        if abs(own - mean) <= bound.atol + bound.rtol * abs(mean) and (
            not further or parts_with_means(values, further, rest - set(part), bound=bound)
        ):
            return True
    return False


def check_clean_up(case: Case) -> None:
    """Captions from decoded texts, and the questions that they answer."""
    decoded = case.given("caption_postprocess", "decoded")
    for row in case.rows("caption_postprocess", "result"):
        name = row.at[-1]
        benchmark = {"visual_genome": VISUAL_GENOME, "refcocog": REFCOCOG}[name]
        row.expect("captions", ours=[cleaned(text) for text in decoded])
        kind = {"visual_genome": "region_caption_vg", "refcocog": "region_caption_refcocog"}[name]
        own = benchmark.prompt(item("{region}")).replace("{region}", USER_REGION)
        check_asked(row, kind, USER_REGION, ours=own, field="prompt")
        check_decoding(row, benchmark.max_new_tokens)


def check_caption_scores(row: Case) -> None:
    """The words that count, and all scores; METEOR only where its Java program is there."""
    references, captions = row.given("references"), row.given("hypotheses")
    words = [caption_words(text) for text in captions]
    true = [[caption_words(text) for text in own] for own in references]
    row.expect("tokenized_hypotheses", ours=[[" ".join(own)] for own in words])
    row.expect("tokenized_references", ours=[[" ".join(one) for one in own] for own in true])
    ids = [f"{place:06d}" for place in range(len(captions))]
    scores = score_captions(
        dict(zip(ids, captions, strict=True)), dict(zip(ids, references, strict=True)), with_meteor=False
    )
    assert scores.meteor is None
    ours: dict[str, Any] = {name: value for name, value in scores.to_dict().items() if name != "METEOR"}
    ours |= {"ROUGE_L_per_item": list(scores.rouge_each), "CIDEr_per_item": list(scores.cider_each)}
    for name, value in ours.items():
        row.expect("scores", name, ours=value, under="values")
    if reason := why_no_meteor():
        # Never stood in for: what can't be computed here is said to be missing.
        for name in ("METEOR", "METEOR_per_item"):
            row.settle(
                "scores", name, agrees=scores.to_dict()["METEOR"] is None, how=f"no METEOR, for {reason}"
            )
        return
    theirs = meteor(words, true)
    row.expect("scores", "METEOR", ours=theirs.value, under="values")
    row.expect("scores", "METEOR_per_item", ours=list(theirs.each), under="values")


def check_asked(row: Case, kind: str, words: str, *, ours: str, field: str = "first_prompt") -> None:
    """The first prompt, decoded from its ids: one of the published questions, of which ours is one.

    The published program draws the question, and its tokenizer sets tokens apart and eats the punctuation
    behind them.
    """
    asked = [template.replace("{}", words) for template in INSTRUCTIONS[kind]]
    assert ours in asked, f"we ask {ours!r}, which is none of {asked}"
    template = groma_template("llava")
    decoded = [as_decoded(rendered([(question, None)], template)) for question in asked]
    row.settle(
        field, agrees=row.lookup(row.full((field,))) in decoded, how="the prompt of a published question"
    )


def as_decoded(prompt: str) -> str:
    """A prompt as the published tokenizer gives it back."""
    spaced = ADDED.sub(lambda match: f" {match[1]} ", EATEN.sub("", prompt))
    return f"<s> {' '.join(spaced.split())}".replace(" </s> ", "</s>")


def check_decoding(row: Case, most: int) -> None:
    """Greedy decoding, up to a number of tokens."""
    row.expect("generate_kwargs", ours={"use_cache": True, "do_sample": False, "max_new_tokens": most})


CHECKS = {
    "metrics": Check(
        check_metrics,
        given=(
            "rec/*/threshold",
            "rec/*/records",
            "lvis_ground/*/records",
            "lvis_ground/*/category_names",
            "caption_postprocess/decoded",
            "caption_scores/*/references",
            "caption_scores/*/hypotheses",
        ),
    )
}
