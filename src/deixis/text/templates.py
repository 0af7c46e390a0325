"""Chat templates: how questions and answers become the one text that a language model continues.

The texts are the published ones to the letter (ferret.md section 5, ferret_v2.md section 10, vip_llava.md
section 5, florence_vl.md section 5.1), their oddities included: two spaces before the first "USER:" of
``ferret_v1``, nothing between Gemma's system text and its first tag, a begin token spelt out that the Llama-3
tokenizer adds once more. Names are the published ones too: ``llava_v1``, ``llava_llama_3``, ``llava_phi_3``
are ViP-LLaVA's, ``llama3`` and ``phi3`` Florence-VL's, ``plain`` is for captions in the first stage of both.
Groma's (groma.md section 9) are ``vicuna_v1``, "llava" there, ``groma_default`` and ``groma_simple``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deixis.errors import UsageError
from deixis.text.published_masking import (
    BEGUN_ROUNDS,
    PHI_3_CLOSED,
    PHI_3_UNBEGUN,
    UNBEGUN_ROUNDS,
    VICUNA,
    MaskingRule,
)

IMAGE = "<image>"
Exchange = tuple[str, str | None]
"""A question and its answer; None where the answer is still to come."""


@dataclass(frozen=True)
class Segment:
    """A part of a rendered dialogue. learnt: it is an answer with what closes it."""

    text: str
    learnt: bool


@dataclass(frozen=True)
class Template:
    """The fixed texts of a dialogue, in the order in which they stand.

    opening: before everything, the system text in it. user, assistant: what announces a question and an
    answer. gap: between that and the words; answer_gap: before an answer, if that is another. question_end,
    answer_end: behind them; the latter is learnt. between: before every question but the first. stop: the
    text at which generation is over. marks: texts that only a template may write; in a user's words they have
    to be neutralised. masking: how the published program found answers again; None if it knew where they are.
    further_stops: other texts that end an answer. picture_only: of a question nothing is written but its
    picture.
    """

    name: str
    opening: str
    user: str
    assistant: str
    gap: str
    question_end: str
    answer_end: str
    stop: str
    marks: tuple[str, ...]
    between: str = ""
    masking: MaskingRule | None = None
    further_stops: tuple[str, ...] = ()
    picture_only: bool = False
    answer_gap: str | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """All texts at which generation is over."""
        return (self.stop, *self.further_stops)

    def segments(self, turns: Sequence[Exchange], *, close_empty: bool = False) -> list[Segment]:
        """Return a dialogue in parts, learnt and not; put together they are what ``render`` returns.

        An empty answer counts as one that is still to come, as in the published programs; with
        ``close_empty`` it is closed and learnt: saying nothing is then an answer too.
        """
        parts: list[Segment] = []
        head = self.opening
        for asked, answer in turns:
            question = IMAGE * (IMAGE in asked) if self.picture_only else asked
            head += self.user + (self.gap + question + self.question_end if question else "") + self.assistant
            if answer:
                gap = self.gap if self.answer_gap is None else self.answer_gap
                parts += [Segment(head, False), Segment(gap + answer + self.answer_end, True)]
            elif answer is not None and close_empty:
                parts += [Segment(head, False), Segment(self.answer_end, True)]
            else:
                parts.append(Segment(head, False))
            head = self.between
        return parts or [Segment(self.opening, False)]

    def render(self, turns: Sequence[Exchange]) -> str:
        """Return a dialogue as one text, ready to be answered if the last answer is None.

        >>> TEMPLATES["ferret_v1"].render([("Hello", "Hi.")])[-40:]
        'uctions.  USER: Hello ASSISTANT: Hi.</s>'
        """
        return "".join(segment.text for segment in self.segments(turns))


FERRET_SYSTEM = (
    "A chat between a human and an AI that understands visuals. In images, [x, y] denotes points: top-left "
    "[0, 0], bottom-right [width-1, height-1]. Increasing x moves right; y moves down. Bounding box: "
    "[x1, y1, x2, y2]. Image size: 1000x1000. Follow instructions."
)
ORIGINAL_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. Assistant is able to "
    "understand the visual content that the user provides, and assist the user with a variety of tasks using "
    "natural language. In images, points are represented by coordinates [x, y]. The top-left corner is "
    "[0, 0]. The bottom-right corner is [width-1, height-1]. Increasing x moves right across the image while "
    "increasing y moves down. A bounding box is marked by [x1, y1, x2, y2] with the top-left and "
    "bottom-right points being [x1, y1] and [x2, y2] respectively. The image size is assumed to be "
    "(1000, 1000), i.e., width=1000, height=1000. Follow the instructions carefully."
)
LLAVA_SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the "
    "user provides, and assist the user with a variety of tasks using natural language."
)
VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions."
)
HUMAN_SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the human's questions."
)
PHI_SYSTEM = "You are a helpful AI assistant."
MPT_SYSTEM = (
    "A conversation between a user and an LLM-based AI assistant. The assistant gives helpful and honest "
    "answers."
)
TAGGED_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant is able to "
    "understand the visual content that the user provides, and assist the user with a variety of tasks using "
    "natural language.The visual content will be provided with the following format: <Image>visual "
    "content</Image>."
)


def vicuna(name: str, system: str) -> Template:
    """Return the template of the Vicuna models: roles as words, each answer closed by ``</s>``."""
    return Template(
        name=name,
        opening=f"{system} ",
        user="USER:",
        assistant="ASSISTANT:",
        gap=" ",
        question_end=" ",
        answer_end="</s>",
        stop="</s>",
        marks=("<s>", "</s>", "<unk>"),
        masking=VICUNA,
    )


def hashed(name: str, system: str) -> Template:
    """Return the template of the first Vicuna models: three hashes between all parts."""
    return Template(
        name=name,
        opening=f"{system}###",
        user="Human:",
        assistant="Assistant:",
        gap=" ",
        question_end="###",
        answer_end="###",
        stop="###",
        marks=("<s>", "</s>", "<unk>", "###"),
        further_stops=("</s>",),
    )


def llama_3(name: str, system: str, *, masking: MaskingRule) -> Template:
    """Return the template of Llama-3-Instruct, which spells its begin token out."""
    user, assistant = (f"<|start_header_id|>{role}<|end_header_id|>\n\n" for role in ("user", "assistant"))
    return Template(
        name=name,
        opening=f"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>",
        user=user,
        assistant=assistant,
        gap="",
        question_end="<|eot_id|>",
        answer_end="<|eot_id|>",
        stop="<|eot_id|>",
        marks=(
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
        ),
        masking=masking,
        further_stops=("<|end_of_text|>",),
    )


def gemma(name: str, system: str) -> Template:
    """Return the template of Gemma-Instruct; nothing stands between the system text and the first tag."""
    return Template(
        name=name,
        opening=system,
        user="<start_of_turn>user\n",
        assistant="<start_of_turn>model\n",
        gap="",
        question_end="<end_of_turn>\n",
        answer_end="<end_of_turn>\n<eos>",
        stop="<eos>",
        marks=("<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
        masking=BEGUN_ROUNDS,
    )


def phi_3(name: str, system: str, *, masking: MaskingRule, line_after_last: bool = False) -> Template:
    """Return the template of Phi-3-Instruct. line_after_last: a new line ends every answer, the last too."""
    return Template(
        name=name,
        opening=f"<|system|>\n{system}<|end|>\n",
        user="<|user|>\n",
        assistant="<|assistant|>\n",
        gap="",
        question_end="<|end|>\n",
        answer_end="<|end|>\n" if line_after_last else "<|end|>",
        between="" if line_after_last else "\n",
        stop="<|end|>",
        marks=("<s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        masking=masking,
        further_stops=("<|endoftext|>",),
    )


def chatml(name: str, system: str) -> Template:
    """Return a template of the ChatML kind."""
    return Template(
        name=name,
        opening=f"<|im_start|>system\n{system}<|im_end|>",
        user="<|im_start|>user\n",
        assistant="<|im_start|>assistant\n",
        gap="",
        question_end="<|im_end|>",
        answer_end="<|im_end|>",
        stop="<|im_end|>",
        marks=("<|im_start|>", "<|im_end|>"),
    )


def instructed(name: str, system: str, *, between: str) -> Template:
    """Return the template of Llama-2-Chat and Mistral-Instruct: questions in brackets."""
    return Template(
        name=name,
        opening=f"[INST] {system}",
        user="",
        assistant="",
        gap="",
        answer_gap=" ",
        question_end=" [/INST]",
        answer_end=" </s>",
        between=f"{between}[INST] ",
        stop="</s>",
        marks=("<s>", "</s>", "<unk>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),
    )


def plain(name: str) -> Template:
    """Return the template of captions: a picture, what is said of it, and a new line."""
    return Template(
        name=name,
        opening="",
        user="",
        assistant="",
        gap="",
        question_end="",
        answer_end="\n",
        stop="\n",
        marks=(),
        picture_only=True,
    )


def unclosed(name: str, system: str) -> Template:
    """Return the template of Groma's second stage: Vicuna's, but that a space and no mark ends an answer."""
    return replace(vicuna(name, system), answer_end=" ", masking=None)


def concatenated(name: str) -> Template:
    """Return the template that puts questions and answers one behind the other."""
    return Template(
        name=name,
        opening="",
        user="",
        assistant="",
        gap="",
        question_end=" ",
        answer_end="",
        stop="</s>",
        marks=("<s>", "</s>", "<unk>"),
    )


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        vicuna("ferret_v1", f"{FERRET_SYSTEM} "),
        vicuna("original", f"{ORIGINAL_SYSTEM} "),
        vicuna("ferret_vicuna_v1", FERRET_SYSTEM),
        llama_3("ferret_llama_3", FERRET_SYSTEM, masking=BEGUN_ROUNDS),
        gemma("ferret_gemma_instruct", FERRET_SYSTEM),
        gemma("ferret_gemma_plain", ""),
        phi_3("ferret_phi3_instruct", PHI_SYSTEM, masking=BEGUN_ROUNDS),
        vicuna("vicuna_v1", VICUNA_SYSTEM),
        vicuna("llava_v1", HUMAN_SYSTEM),
        hashed("llava_v0", HUMAN_SYSTEM),
        llama_3("llava_llama_3", LLAVA_SYSTEM, masking=UNBEGUN_ROUNDS),
        phi_3("llava_phi_3", LLAVA_SYSTEM, masking=PHI_3_CLOSED, line_after_last=True),
        llama_3("llama3", VICUNA_SYSTEM, masking=UNBEGUN_ROUNDS),
        phi_3("phi3", PHI_SYSTEM, masking=PHI_3_UNBEGUN),
        chatml("chatml_direct", "Answer the questions."),
        chatml("mpt", MPT_SYSTEM),
        vicuna("v1_mmtag", TAGGED_SYSTEM),
        instructed("llava_llama_2", f"<<SYS>>\n{LLAVA_SYSTEM}\n<</SYS>>\n\n", between="<s>"),
        instructed("mistral_instruct", "", between=""),
        plain("plain"),
        unclosed("groma_default", VICUNA_SYSTEM),
        concatenated("groma_simple"),
    )
}
ALIASES = {"v1": "ferret_v1"}


def find_template(name: str) -> Template:
    """Return the template of this name or alias; UsageError names those there are.

    >>> find_template("v1").name
    'ferret_v1'
    """
    found = TEMPLATES.get(ALIASES.get(name, name))
    if found is None:
        raise UsageError(f"there is no template {name!r}; known: {', '.join(TEMPLATES)}")
    return found


def picture_first(text: str) -> str:
    """Return a turn with its picture in front, wherever in the text it stood; other text as it is.

    >>> picture_first("What is this?\\n<image>")
    '<image>\\nWhat is this?'
    """
    if IMAGE not in text:
        return text
    return f"{IMAGE}\n{text.replace(IMAGE, '').strip()}"
