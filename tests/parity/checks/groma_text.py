"""Checks of Groma's text: token ids of both kinds of tokenizer, prompt templates, instructions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from deixis.data.groma.instructions import INSTRUCTIONS
from deixis.errors import UsageError
from deixis.systems.groma.dialect import added_texts, groma_codec
from deixis.systems.groma.prompts import FIRST_ANSWER, FIRST_QUESTION, groma_template
from deixis.text.templates import Exchange
from deixis.text.tokenizers.codecs.piece_codec import SentencePieceCodec
from tests.parity.case import Case
from tests.parity.planning import Check

STYLES = {"plain": "groma_simple", "llama2": "llava_llama_2"}


def check_tokenizer(case: Case) -> None:
    """Ids, tokens and decoded text of both values of ``legacy``."""
    check_codecs(case, case.file(case.given("base_model")), ids="special_and_added_token_ids")


def check_real_vocabulary(case: Case) -> None:
    """The same with the vocabulary of the published decoder, where its file lies beside the case."""
    digest = case.given("sentencepiece_sha256")
    files = [
        file
        for file in sorted(case.golden.path.parent.glob("*.model"))
        if hashlib.sha256(file.read_bytes()).hexdigest() == digest
    ]
    assert files, f"there is no sentencepiece file with sha256 {digest} beside the case"
    check_codecs(case, files[0], ids="added_token_ids")


def check_codecs(case: Case, file: Path, *, ids: str) -> None:
    """The added tokens, and every text."""
    codecs = {legacy: groma_codec(file, legacy=legacy) for legacy in (True, False)}
    case.expect("num_added", ours=len(added_texts()))
    for codec in codecs.values():
        own = ["<s>", "</s>", "<unk>", *added_texts()]
        case.expect(ids, ours={text: codec.pieces.ids[text] for text in own})
    pieces = codecs[False].pieces
    if case.has("base_vocab"):
        case.expect("base_vocab", ours=codecs[False].words)
        case.expect("pad_token", ours=codecs[False].pad_text)
        case.settle(
            "all_special_tokens",
            agrees=set(case.lookup(("all_special_tokens",))) == pieces.special,
            how="what decoding leaves out",
        )
    if case.has("pieces_starting_with_gt"):
        words = pieces.pieces[: codecs[False].words]
        ours = {piece: number for number, piece in enumerate(words) if piece.startswith(">")}
        case.expect("pieces_starting_with_gt", ours=ours)
    for row in case.rows("cases"):
        check_text(row, codecs[row.given("legacy")])


def check_text(row: Case, codec: SentencePieceCodec) -> None:
    """One text to ids and back."""
    pieces = codec.pieces
    try:
        ids = pieces.encode(row.given("text"))
    except UsageError:
        row.settle("error", agrees=row.has("error"), how="a text that has no ids")
        return
    row.expect("ids", ours=ids)
    row.expect("decoded", ours=pieces.decode(ids, skip_special=False))
    if row.has("tokens"):
        row.expect("tokens", ours=[pieces.token(i) for i in ids])
        row.expect("decoded_skip_special", ours=codec.decode(ids))


def check_conversation(case: Case) -> None:
    """Prompts of every template, the fixed exchange, and the instructions."""
    case.expect("fixed_first_user_turn", ours=FIRST_QUESTION)
    case.expect("fixed_first_answer", ours=FIRST_ANSWER)
    for row in case.rows("templates"):
        template = groma_template(row.at[-1])
        style = row.given("sep_style")
        if style in STYLES:
            assert template.name == STYLES[style]
        roles = [text.removesuffix(":") for text in (template.user, template.assistant)]
        if style == "llama2":  # its roles are in brackets, or nowhere
            row.settle("roles", agrees=roles == ["", ""], how="a template that names nobody")
            agree = template.between.removesuffix("[INST] ") == row.lookup((*row.at, "sep"))
            row.settle("sep", agrees=agree, how="what stands before a question")
            row.expect("sep2", ours=template.answer_end.strip())
        else:
            row.expect("roles", ours=roles)
            row.expect("sep", ours=template.question_end)
            row.expect("sep2", ours=template.answer_end)
        system = row.lookup((*row.at, "system"))
        spelt = {"llama2": f"[INST] <<SYS>>\n{system}\n<</SYS>>\n\n", "plain": system}
        row.settle(
            "system",
            agrees=template.opening == spelt.get(style, f"{system} "),
            how="what a prompt begins with",
        )
        for one in row.rows("cases"):
            said = [text if isinstance(text, str | None) else text[1] for text in one.given("messages")]
            answered = said if len(said) % 2 == 0 else [*said, None]
            turns: list[Exchange] = [
                (asked or "", answer) for asked, answer in zip(answered[::2], answered[1::2], strict=True)
            ]
            ours = template.render(turns)
            if answered is not said:  # nobody was announced to answer yet
                ours = ours.removesuffix(template.assistant)
            one.expect("prompt", ours=ours)
    case.expect(
        "instruction_lists",
        ours={name: list(INSTRUCTIONS[name]) for name in case.golden.fields["instruction_lists"]},
    )
    assert set(INSTRUCTIONS) == set(case.golden.fields["instruction_lists"])


TEXT: dict[str, Check] = {
    "tokenizer": Check(check_tokenizer, given=("base_model", "rules", "cases/*/text", "cases/*/legacy")),
    "tokenizer_llama2_vocab": Check(
        check_real_vocabulary, given=("sentencepiece_sha256", "cases/*/text", "cases/*/legacy")
    ),
    "conversation": Check(
        check_conversation, given=("templates/*/sep_style", "templates/*/cases/*/messages")
    ),
}
