"""Checks of ViP-LLaVA's text: prompts, ids around pictures, labels, and the ratings of its benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.evaluation.benchmarks.vip_bench import (
    LONGEST_REPLY,
    MOST_RETRIES,
    PAPER_RUNS,
    WARMER,
    Grade,
    VipQuestion,
    by_capability,
    by_combination,
    grade,
    items_of,
    judge_prefix,
)
from deixis.files.json_files import Fields
from deixis.text.label_masking import IGNORED
from deixis.text.prompt_tokens import TextCodec, prompt_ids
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.templates import Exchange, find_template, picture_first
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec, TokenizerCodec
from deixis.text.tokenizers.llama_tokenizer import AddedToken, AddedTokens
from tests.parity.case import Case
from tests.parity.checks.ferret_text import both_maskings
from tests.parity.planning import Check

MODEL = "toy_llama_sentencepiece.model"
PHI_MARKS = ("<|assistant|>", "<|system|>", "<|end|>", "<|user|>")
OTHER_NAMES = {"v1": "vicuna_v1"}  # "v1" is Ferret's elsewhere
RENDERED_BY_TWO = "TWO"


def check_prompts(case: Case) -> None:
    """Dialogues rendered by every template, and prompts as ids around their pictures."""
    for row in case.rows("prompts"):
        name = row.given("template")
        template = find_template(OTHER_NAMES.get(name, name))
        texts = [text for _, text in row.given("messages")]
        if row.has("error"):
            # The published program stops at a second question; ours leaves questions out wherever they stand.
            row.settle("error", agrees=template.picture_only, how="the template of captions")
            continue
        turns: list[Exchange] = list(zip(texts[::2], texts[1::2], strict=True))
        ours = template.render(turns)
        if template.picture_only:
            picture, _, caption = texts[0].partition("\n")
            ours = template.render([(picture, f"\n{caption}")])
        row.expect("prompt", ours=ours)
        if row.given("sep_style") == RENDERED_BY_TWO:
            row.expect("stop_string", ours=template.stop)
        else:
            row.settle("stop_string", agrees=template.stop != "", how="what ends an answer")
    codecs: dict[str, TextCodec] = {}
    for row in case.rows("tokenizer_image_token"):
        codec = toy_codec(case, row.given("tokenizer"), codecs)
        row.expect("ids", ours=prompt_ids(row.given("prompt"), codec))


def check_label_masking(case: Case) -> None:
    """Whole dialogues as ids and labels, by every toy tokenizer."""
    case.expect("image_token_index", ours=PICTURE_MARKER)
    case.expect("ignore_index", ours=IGNORED)
    codecs: dict[str, TextCodec] = {}
    for row in case.rows("tokenizers"):
        codec = toy_codec(case, row.at[-1], codecs)
        row.expect("size", ours=len(codec))
        row.expect("eos", ours=codec.eos)
        row.expect("pad", ours=codec.pad)
    for row in case.rows("cases"):
        codec = toy_codec(case, row.given("tokenizer"), codecs)
        template = find_template(row.given("template"))
        turns = exchanges(row.given("conversation"))
        if row.has("after_preprocess_multimodal"):
            row.expect(
                "after_preprocess_multimodal", ours=rewritten(row.given("conversation"), row.given("kind"))
            )
        masked = both_maskings(turns, template, codec, picture=row.given("kind") == "image")
        row.expect("input_ids", ours=masked.ids)
        row.expect("labels", ours=masked.labels)
        row.expect("supervised_tokens", ours=sum(label != IGNORED for label in masked.labels))


def exchanges(conversation: list[dict[str, str]]) -> list[Exchange]:
    """Return a record's turns; an answer without a question is passed over, pictures come first."""
    said = [turn["value"] for turn in conversation]
    if conversation[0]["from"] == "gpt":
        said = said[1:]
    return [(picture_first(question), answer) for question, answer in zip(said[::2], said[1::2], strict=True)]


def rewritten(conversation: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    """Return a record's turns with pictures in front, where it has pictures at all."""
    if kind != "image":
        return conversation
    return [{**turn, "value": picture_first(turn["value"])} for turn in conversation]


def toy_codec(case: Case, name: str, known: dict[str, TextCodec]) -> TextCodec:
    """Return one of the toy tokenizers by the name that cases use."""
    if name not in known:
        known[name] = made_codec(case, name)
    return known[name]


def made_codec(case: Case, name: str) -> TextCodec:
    if name.startswith("toy_llama3"):
        file: Path = case.file(f"{name}_tokenizer.json")
        leading = "<|begin_of_text|>" if name.endswith("nobos") else None
        return TokenizerCodec(file, eos="<|end_of_text|>", pad="<pad>", region=None, leading=leading)
    if name.startswith("toy_phi3"):
        eats = name == "toy_phi3_rstrip"
        marks = [AddedToken("<|endoftext|>", special=True, eats_left=False, eats_right=False)]
        marks += [
            AddedToken(text, special=True, eats_left=False, eats_right=eats, takes_bar=False)
            for text in PHI_MARKS
        ]
        return SentencePieceCodec(
            case.file(MODEL),
            AddedTokens(tuple(marks)),
            legacy=False,
            guard="spaced pieces",
            eos=("<|endoftext|>", "<|end|>"),
            region=None,
        )
    legacy = name == "toy_llama_legacy_true"
    return SentencePieceCodec(case.file(MODEL), legacy=legacy, guard="spaced pieces", region=None)


def check_vip_bench(case: Case) -> None:
    """The benchmark's ratings by a judge that follows a script: calls, grades and both tables."""
    settings = {"max_tokens": LONGEST_REPLY, "temperature": 0.0, "retry_temperature_step": WARMER}
    settings |= {"max_tries": MOST_RETRIES, "runs_in_paper": PAPER_RUNS}
    for name, ours in settings.items():
        case.expect("judge_settings", name, ours=ours)
    case.expect("judge_prompt_prefix", ours=judge_prefix())
    for row in case.rows("cases"):
        check_ratings(row)


def check_ratings(row: Case) -> None:
    """One run of the evaluator, or several."""
    questions = [Fields(one, "questions") for one in row.given("questions")]
    items = items_of(questions, Fields(row.given("metadata"), "metadata"))
    replies = {number: list(said) for number, said in row.given("judge_replies").items()}
    calls: list[dict[str, Any]] = []
    messages: list[tuple[bool, str]] = []
    taken: dict[str, int] = {}

    def asked(item: VipQuestion, message: str, temperature: float) -> str:
        number = item.key.removeprefix("v1_")
        reply = replies[number][taken.get(number, 0)]
        calls.append(
            {"item": int(number), "call": taken.get(number, 0), "temperature": temperature, "reply": reply}
        )
        messages.append((message.endswith("(digit): "), message))
        taken[number] = taken.get(number, 0) + 1
        return reply

    grades: dict[str, list[Grade]] = {item.key: [] for item in items}
    for _ in range(row.given("num_run")):
        for item in items:
            prediction = row.given("predictions", item.key)
            grades[item.key].append(
                grade(item, prediction, lambda text, warm, item=item: asked(item, text, warm))
            )
    for number, call in enumerate(row.rows("judge_calls")):
        for name, ours in calls[number].items():
            call.expect(name, ours=ours)
        call.expect("max_tokens", ours=LONGEST_REPLY)
    assert len(calls) == len(row.rows("judge_calls"))
    for item in items:
        row.expect("grades", item.key, "content", ours=[one.content for one in grades[item.key]])
        row.expect("grades", item.key, "score", ours=[one.score for one in grades[item.key]])
    row.expect("capability_scores", ours=by_capability(items, grades).rounded())
    row.expect("capability_integration_scores", ours=by_combination(items, grades).rounded())
    row.expect("first_judge_message", ours=messages[0][1])
    if row.has("retry_judge_message"):
        retried = [text for again, text in messages if again]
        row.expect("retry_judge_message", ours=retried[0])


TEXT: dict[str, Check] = {
    "prompts": Check(
        check_prompts,
        given=(
            *(
                "prompts/*/template",
                "prompts/*/messages",
                "prompts/*/roles",
                "prompts/*/sep",
                "prompts/*/sep2",
            ),
            *("prompts/*/sep_style", "prompts/*/version"),
            *("tokenizer_image_token/*/tokenizer", "tokenizer_image_token/*/prompt"),
        ),
    ),
    "label_masking": Check(
        check_label_masking,
        given=(
            *(
                "tokenizers/*/bos",
                "tokenizers/*/unk",
                "cases/*/template",
                "cases/*/tokenizer",
                "cases/*/kind",
            ),
            *("cases/*/conversation", "cases/*/supervised_text"),
        ),
    ),
    "vip_bench_aggregation": Check(
        check_vip_bench,
        given=(
            *("judge_settings/model", "cases/*/num_run", "cases/*/metadata", "cases/*/questions"),
            *("cases/*/predictions", "cases/*/judge_replies", "cases/*/judge_calls/*/model"),
            "cases/*/grades/*/model",
        ),
    ),
}
