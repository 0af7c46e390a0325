"""Templates: what stands between questions and answers, and which parts of it are learnt."""

from __future__ import annotations

import pytest

from deixis.errors import UsageError
from deixis.text.templates import TEMPLATES, Exchange, find_template, picture_first

NAMES = ("ferret_v1", "ferret_vicuna_v1", "ferret_llama_3", "ferret_gemma_instruct", "ferret_phi3_instruct")
TALK: list[Exchange] = [("q one", "a one"), ("q two", "a two")]


@pytest.mark.parametrize(
    ("name", "head", "rest"),
    [
        ("ferret_v1", "instructions.  USER: q", " ASSISTANT: a one</s>USER: q two ASSISTANT: a two</s>"),
        (
            "ferret_vicuna_v1",
            "instructions. USER: q",
            " ASSISTANT: a one</s>USER: q two ASSISTANT: a two</s>",
        ),
        (
            "ferret_gemma_instruct",
            "instructions.<start_of_turn>user\nq",
            "<end_of_turn>\n<start_of_turn>model\na one<end_of_turn>\n<eos><start_of_turn>user\nq two"
            "<end_of_turn>\n<start_of_turn>model\na two<end_of_turn>\n<eos>",
        ),
        (
            "ferret_phi3_instruct",
            "assistant.<|end|>\n<|user|>\nq",
            "<|end|>\n<|assistant|>\na one<|end|>\n<|user|>\nq two<|end|>\n<|assistant|>\na two<|end|>",
        ),
        (
            "llava_v1",
            "the human's questions. USER: q",
            " ASSISTANT: a one</s>USER: q two ASSISTANT: a two</s>",
        ),
        (
            "vicuna_v1",
            "the user's questions. USER: q",
            " ASSISTANT: a one</s>USER: q two ASSISTANT: a two</s>",
        ),
        (
            "llava_v0",
            "the human's questions.###Human: q",
            "###Assistant: a one###Human: q two###Assistant: a two###",
        ),
        (
            "llava_llama_3",
            "using natural language.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nq",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\na one<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nq two"
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\na two<|eot_id|>",
        ),
        (
            "llama3",
            "to the user's questions.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nq",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\na one<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nq two"
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\na two<|eot_id|>",
        ),
        # ViP-LLaVA's ends every part with a new line; Florence-VL's begins every part but the first with one.
        (
            "llava_phi_3",
            "using natural language.<|end|>\n<|user|>\nq",
            "<|end|>\n<|assistant|>\na one<|end|>\n<|user|>\nq two<|end|>\n<|assistant|>\na two<|end|>\n",
        ),
        (
            "phi3",
            "<|system|>\nYou are a helpful AI assistant.<|end|>\n<|user|>\nq",
            "<|end|>\n<|assistant|>\na one<|end|>\n<|user|>\nq two<|end|>\n<|assistant|>\na two<|end|>",
        ),
        (
            "chatml_direct",
            "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\nq",
            "<|im_end|><|im_start|>assistant\na one<|im_end|><|im_start|>user\nq two<|im_end|>"
            "<|im_start|>assistant\na two<|im_end|>",
        ),
    ],
)
def test_dialogues_are_rendered(name: str, head: str, rest: str) -> None:
    text = TEMPLATES[name].render(TALK)
    assert text.endswith(f"{head} one{rest}")


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_segments_are_the_text_and_tell_what_is_learnt(name: str) -> None:
    template = TEMPLATES[name]
    segments = template.segments(TALK)
    assert "".join(segment.text for segment in segments) == template.render(TALK)
    gap = template.gap if template.answer_gap is None else template.answer_gap
    assert [segment.text for segment in segments if segment.learnt] == [
        f"{gap}{answer}{template.answer_end}" for _, answer in TALK
    ]
    assert template.stops[0] == template.stop
    # In two of Groma's nothing closes an answer; what they have learnt to stop at comes from the last stage.
    assert (template.stop in template.answer_end) == (name not in ("groma_default", "groma_simple"))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_missing_or_empty_answer_leaves_the_text_open(name: str, nothing: str | None) -> None:
    template = TEMPLATES[name]
    asked = "" if template.picture_only else "q two"
    open_turns: list[Exchange] = [TALK[0], ("q two", nothing)]
    assert template.render(open_turns).endswith(f"{asked}{template.question_end}{template.assistant}")
    closed = template.segments([("q", "")], close_empty=True)
    assert (closed[-1].text, closed[-1].learnt) == (template.answer_end, True)
    assert not template.segments([("q", None)], close_empty=True)[-1].learnt


def test_captions_are_written_behind_their_picture() -> None:
    turns: list[Exchange] = [("<image>\nDescribe it.", "A cat.")]
    assert TEMPLATES["plain"].render(turns) == "<image>A cat.\n"


def test_some_templates_know_several_ends() -> None:
    assert TEMPLATES["ferret_v1"].stops == ("</s>",)
    assert TEMPLATES["llava_llama_3"].stops == ("<|eot_id|>", "<|end_of_text|>")
    assert TEMPLATES["phi3"].stops == ("<|end|>", "<|endoftext|>")


def test_a_dialogue_without_turns_is_its_opening() -> None:
    assert find_template("ferret_v1").render([]) == find_template("ferret_v1").opening


def test_templates_are_found_by_name() -> None:
    assert set(NAMES) <= set(TEMPLATES)
    assert find_template("v1") is TEMPLATES["ferret_v1"]
    assert all(find_template(name).name == name for name in TEMPLATES)
    with pytest.raises(UsageError, match="no template 'ferret_v9'; known: ferret_v1, "):
        find_template("ferret_v9")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<image>\nWhat?", "<image>\nWhat?"),
        ("What <image> is it? ", "<image>\nWhat  is it?"),
        ("<image><image>", "<image>\n"),
        (" no picture ", " no picture "),
    ],
)
def test_the_picture_moves_to_the_front(text: str, expected: str) -> None:
    assert picture_first(text) == expected
