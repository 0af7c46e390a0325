"""Sentencepiece tokenisation: each rule on a vocabulary of characters, then golden texts if there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import BadWeights, MissingWeights, UsageError
from deixis.text.tokenizers import sentencepiece_file
from deixis.text.tokenizers.added_tokens import AddedToken, AddedTokens
from deixis.text.tokenizers.llama_tokenizer import SentencePieces

sentencepiece = pytest.importorskip("sentencepiece")

GOLDEN = Path(__file__).parents[3] / "shared" / "parity"
BAR = "\u2581"
# Every character below is one piece, but for two longer ones that reach over the end of "<unk>".
LETTERS = "< u n k > a b c . :"
SWALLOWING, ENGULFING = ">.", "nk>:"
ADDED = AddedTokens.plain("[PAD]", "<p>", "<p>>", special=["[PAD]"])


def train(**changes: Any) -> bytes:
    """Return a tiny model in which text, apart from the two long pieces, is spelt character by character."""
    model = io.BytesIO()
    settings: dict[str, Any] = {
        "model_type": "char",
        "vocab_size": 30,
        "hard_vocab_limit": False,
        "character_coverage": 1.0,
        "user_defined_symbols": [SWALLOWING, ENGULFING],
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "minloglevel": 2,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([LETTERS] * 4), model_writer=model, **(settings | changes)
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    path.write_bytes(train())
    return path


def tokens_of(tokenizer: SentencePieces, ids: list[int]) -> str:
    """Return the tokens, one space between two, so that a whole expectation is readable."""
    return " ".join(tokenizer.token(i).replace(BAR, "_") for i in ids)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab", "<s> _ a b"),
        (" ab ", "<s> _ _ a b _"),
        ("a  b", "<s> _ a _ _ b"),
        # An added token eats the white space beside it; what follows begins with a space of its own.
        ("a <p> b", "<s> _ a <p> _ b"),
        ("a<p>b", "<s> _ a <p> _ b"),
        ("a \n<p>\t <p> b", "<s> _ a <p> <p> _ b"),
        ("<p>.", "<s> <p> _ ."),
        # Control tokens eat nothing.
        ("a </s> b", "<s> _ a _ </s> _ _ b"),
        ("</s>a<unk><s>", "<s> </s> _ a <unk> <s>"),
        # The longer of two tokens that begin alike.
        ("<p>>a", "<s> <p>> _ a"),
        ("<p", "<s> _ < <unk>"),
        ("[PAD] a", "<s> [PAD] _ a"),
        ("", "<s>"),
        (" ", "<s> _ _"),
    ],
)
def test_legacy_true(model_file: Path, text: str, expected: str) -> None:
    tokenizer = SentencePieces(model_file, ADDED, legacy=True)
    assert tokens_of(tokenizer, tokenizer.encode(text)) == expected
    assert tokenizer.encode(text, bos=False) == tokenizer.encode(text)[1:]


@pytest.mark.parametrize(
    ("text", "every_piece", "spaced_pieces"),
    [
        # The whole text gets one space in front, the pieces after a token none.
        ("ab", "<s> _ a b", "<s> _ a b"),
        (" ab", "<s> _ _ a b", "<s> _ _ a b"),
        (f"a{BAR}b", "<s> _ a _ b", "<s> _ a _ b"),
        ("a <p> b", "<s> _ a <p> b", "<s> _ a <p> b"),
        ("a</s> b", "<s> _ a </s> _ b", "<s> _ a </s> _ b"),
        # The guard "<unk>" and a full stop make the piece ">.": five tokens are dropped, the stop with them.
        ("a<p>.b", "<s> _ a <p> b", "<s> _ a <p> . b"),
        ("a</s>.", "<s> _ a </s>", "<s> _ a </s> ."),
        ("a</s> .", "<s> _ a </s> _ .", "<s> _ a </s> _ ."),
        # "<unk>:" is "<", "u", "nk>:", fewer than the guard alone: all three stay.
        ("a<p>:", "<s> _ a <p> < u nk>:", "<s> _ a <p> :"),
        # A lone space goes before a special token and stays before any other.
        ("</s>a", "<s> </s> a", "<s> </s> a"),
        ("[PAD]a", "<s> [PAD] a", "<s> [PAD] a"),
        ("<p>a", "<s> _ <p> a", "<s> _ <p> a"),
        (" </s>", "<s> _ _ </s>", "<s> _ _ </s>"),
        (" ", "<s> _ _", "<s> _ _"),
    ],
)
def test_legacy_false(model_file: Path, text: str, every_piece: str, spaced_pieces: str) -> None:
    early = SentencePieces(model_file, ADDED, legacy=False)
    late = SentencePieces(model_file, ADDED, legacy=False, guard="spaced pieces")
    assert tokens_of(early, early.encode(text)) == every_piece
    assert tokens_of(late, late.encode(text)) == spaced_pieces


def test_empty_text_without_legacy(model_file: Path) -> None:
    early = SentencePieces(model_file, legacy=False)
    with pytest.raises(UsageError, match="empty text has no ids with legacy=False"):
        early.encode("")
    late = SentencePieces(model_file, legacy=False, guard="spaced pieces")
    assert late.encode("") == [late.bos] and late.encode("", bos=False) == []


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (True, True, "_ a <p> _ b"),
        (True, False, "_ a <p> _ _ b"),
        (False, True, "_ a _ <p> _ b"),
        (False, False, "_ a _ <p> _ _ b"),
    ],
)
def test_a_token_eats_the_sides_it_says(model_file: Path, left: bool, right: bool, expected: str) -> None:
    added = AddedTokens((AddedToken("<p>", eats_left=left, eats_right=right),))
    tokenizer = SentencePieces(model_file, added, legacy=True)
    assert tokens_of(tokenizer, tokenizer.encode("a <p> b", bos=False)) == expected


def test_ids_follow_the_model_and_known_tokens_keep_theirs(model_file: Path) -> None:
    plain = SentencePieces(model_file, legacy=True)
    added = AddedTokens((AddedToken("<x>"), AddedToken("</s>", eats_left=False), AddedToken("<y>")))
    tokenizer = SentencePieces(model_file, added, legacy=True)
    assert len(tokenizer) == len(plain) + 2
    assert tokenizer.encode("<y><x></s>", bos=False) == [len(plain) + 1, len(plain), 2]
    # Added again, "</s>" has the manners given there, and isn't special any more.
    assert tokens_of(tokenizer, tokenizer.encode("a </s> b")) == "<s> _ a _ </s> _ b"
    assert tokenizer.decode([2]) == "</s>" and plain.decode([2]) == ""


@pytest.mark.parametrize(
    ("text", "bos", "expected"),
    [
        ("a<m>b", True, "<s> _ a * _ b"),
        # Pieces are encoded each on its own: the marker eats nothing, the spaces stay.
        ("a <m> b", True, "<s> _ a _ * _ _ b"),
        ("<m>a", True, "<s> * _ a"),
        ("<m><m>", True, "<s> * *"),
        ("a", True, "<s> _ a"),
        ("", True, "<s>"),
        ("a<m>b", False, "_ a * _ b"),
        # The rule looks at the first id only, so a spelt-out beginning costs the later piece its first token.
        ("<s>a<m>b", False, "<s> _ a * b"),
        ("<s>a<m>b", True, "<s> <s> _ a * _ b"),
    ],
)
def test_encode_around_a_marker(model_file: Path, text: str, bos: bool, expected: str) -> None:
    tokenizer = SentencePieces(model_file, legacy=True)
    ids = tokenizer.encode_around(text, "<m>", -200, bos=bos)
    assert " ".join("*" if i == -200 else tokens_of(tokenizer, [i]) for i in ids) == expected


def test_encode_around_allows_empty_pieces_where_empty_text_is_an_error(model_file: Path) -> None:
    tokenizer = SentencePieces(model_file, legacy=False)
    assert tokenizer.encode_around("<m>", "<m>", -200) == [tokenizer.bos, -200]
    with pytest.raises(UsageError, match="the marker is empty"):
        tokenizer.encode_around("a", "", -200)


@pytest.mark.parametrize(
    ("text", "legacy", "whole", "without_special"),
    [
        ("ab c", True, "<s>ab c", "ab c"),
        ("ab c", False, "<s> ab c", "ab c"),
        # Added tokens stand between spaces, and aren't special.
        ("a<p>b", True, "<s>a <p> b", "a <p> b"),
        ("<p><p>", True, "<s> <p> <p>", "<p> <p>"),
        # With legacy, text between two control tokens has a space in front; what ends the text has none.
        ("a</s></s>b", True, "<s> a</s></s>b", "a b"),
        ("a</s>b", False, "<s> a</s>b", "ab"),
        ("a[PAD]", True, "<s>a [PAD]", "a"),
    ],
)
def test_decode(model_file: Path, text: str, legacy: bool, whole: str, without_special: str) -> None:
    tokenizer = SentencePieces(model_file, ADDED, legacy=legacy)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids, skip_special=False) == whole
    assert tokenizer.decode(ids) == without_special
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("wrong", [-200, 1000])
def test_decode_refuses_ids_of_nothing(model_file: Path, wrong: int) -> None:
    with pytest.raises(UsageError, match=f"id {wrong} is not of this vocabulary"):
        SentencePieces(model_file, legacy=True).decode([1, wrong])


def test_half_a_character_is_refused(model_file: Path) -> None:
    with pytest.raises(UsageError, match="half a character at 1"):
        SentencePieces(model_file, legacy=True).encode("a\ud800")


@pytest.mark.parametrize("text", ["", " ", " <p>", "<p>\n"])
def test_an_added_token_has_no_white_space_at_its_ends(text: str) -> None:
    with pytest.raises(UsageError, match="an added token cannot be"):
        AddedToken(text)


def test_added_tokens_are_checked() -> None:
    with pytest.raises(UsageError, match="given twice: <p>"):
        AddedTokens.plain("<p>", "<q>", "<p>")
    with pytest.raises(UsageError, match="are not among the added"):
        AddedTokens.plain("<p>", special=["[PAD]"])


def test_an_unknown_guard_is_refused(model_file: Path) -> None:
    with pytest.raises(UsageError, match='expected "every piece" or "spaced pieces"'):
        SentencePieces(model_file, legacy=False, guard="none")  # type: ignore[arg-type]


def test_a_missing_model_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.model", tmp_path):
        with pytest.raises(MissingWeights, match="there is no tokenizer file"):
            SentencePieces(path, legacy=True)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_damaged_model_file(tmp_path: Path, model_file: Path, legacy: bool) -> None:
    content = model_file.read_bytes()
    for damaged in (b"", b"not a model", content[: len(content) // 2], b"\0" * 100):
        (tmp_path / "bad.model").write_bytes(damaged)
        with pytest.raises(BadWeights, match="is not a sentencepiece model, or it is damaged"):
            SentencePieces(tmp_path / "bad.model", legacy=legacy)


def test_a_model_without_control_tokens(tmp_path: Path) -> None:
    (tmp_path / "other.model").write_bytes(train(bos_id=-1))
    with pytest.raises(BadWeights, match="lacks a token for begin, end or unknown"):
        SentencePieces(tmp_path / "other.model", legacy=True)


def test_a_model_file_is_read_only_up_to_a_size(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentencepiece_file, "LARGEST_MODEL", 10)
    with pytest.raises(BadWeights, match="more than 10 bytes"):
        SentencePieces(model_file, legacy=True)


@cache
def golden(name: str) -> dict[str, Any]:
    """Return a case of golden texts; the test is skipped if they aren't beside the checkout."""
    if not (GOLDEN / name).is_file():
        pytest.skip(f"the golden texts {name} are not beside the checkout")
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("legacy", [True, False])
def test_golden_texts_of_groma(legacy: bool) -> None:
    case = golden("groma/tokenizer.json")
    given = case["special_and_added_token_ids"]
    texts = sorted((text for text in given if given[text] > 2), key=given.__getitem__)
    added = AddedTokens.plain(*texts, special=[case["pad_token"]])
    tokenizer = SentencePieces(GOLDEN / "groma" / case["base_model"], added, legacy=legacy)
    assert {text: tokenizer.ids[text] for text in given} == given
    texts_of_this = [one for one in case["cases"] if one["legacy"] == legacy]
    assert len(texts_of_this) == 14
    for one in texts_of_this:
        if "error" in one:
            with pytest.raises(UsageError):
                tokenizer.encode(one["text"])
            continue
        ids = tokenizer.encode(one["text"])
        assert ids == one["ids"], one["text"]
        assert [tokenizer.token(i) for i in ids] == one["tokens"]
        assert tokenizer.decode(ids, skip_special=False) == one["decoded"]
        assert tokenizer.decode(ids) == one["decoded_skip_special"]


def ferret() -> tuple[dict[str, Any], SentencePieces]:
    """Return Ferret's case and its tokenizer."""
    case = golden("ferret/tokenization.json")
    added = AddedTokens.plain(case["region_token"])
    return case, SentencePieces(GOLDEN / "ferret" / case["tokenizer_file"], added, legacy=True)


def test_golden_texts_of_ferret() -> None:
    case, tokenizer = ferret()
    assert tokenizer.ids[case["region_token"]] == case["region_token_id"]
    assert (tokenizer.bos, tokenizer.eos, tokenizer.unk) == (case["bos"], case["eos"], case["unk"])
    for one in case["plain"]:
        ids = tokenizer.encode(one["text"])
        assert ids == one["ids"], one["text"]
        assert [tokenizer.token(i) for i in ids] == one["tokens"]


def test_golden_prompts_of_ferret() -> None:
    case, tokenizer = ferret()
    for one in case["image_prompts"]:
        ids = tokenizer.encode_around(one["prompt"], "<image>", case["image_token_index"])
        assert ids == one["ids"], one["prompt"]


@pytest.mark.parametrize("legacy", [True, False])
def test_golden_prompts_of_vip_llava(legacy: bool) -> None:
    case = golden("vip_llava/prompts.json")
    model = GOLDEN / "vip_llava" / "toy_llama_sentencepiece.model"
    tokenizer = SentencePieces(model, legacy=legacy, guard="spaced pieces")
    named = [
        one
        for one in case["tokenizer_image_token"]
        if one["tokenizer"] == f"toy_llama_legacy_{str(legacy).lower()}"
    ]
    assert named
    for one in named:
        assert tokenizer.encode_around(one["prompt"], "<image>", -200) == one["ids"], one["prompt"]


def phi_tokens(settings: dict[str, Any]) -> Iterator[AddedToken]:
    """Yield the added tokens of a configuration file in the order of their ids."""
    special = {settings[f"{role}_token"] for role in ("bos", "eos", "unk", "pad")}
    for _, token in sorted(settings["added_tokens_decoder"].items(), key=lambda item: int(item[0])):
        text = token["content"]
        yield AddedToken(text, text in special, eats_left=token["lstrip"], eats_right=token["rstrip"])


def test_golden_prompts_of_florence_vl() -> None:
    case = golden("florence_vl/train_masks.json")
    settings = golden("florence_vl/toy_phi3_tokenizer/tokenizer_config.json")
    model = GOLDEN / "florence_vl" / "toy_phi3_tokenizer" / "tokenizer.model"
    added = AddedTokens(tuple(phi_tokens(settings)))
    tokenizer = SentencePieces(model, added, legacy=settings["legacy"], guard="spaced pieces")
    prompts = [one for one in case["inference"] if one["template"] == "phi3"]
    assert prompts
    for one in prompts:
        ids = tokenizer.encode_around(one["prompt"], "<image>", case["image_token_index"], bos=False)
        assert ids == one["input_ids"], one["prompt"]


def test_golden_prompts_of_ferret_v2() -> None:
    masks, prompts = golden("ferret_v2/label_masks.json"), golden("ferret_v2/prompts.json")
    compared = 0
    for one in masks["cases"]:
        file = masks["tokenizer_files"][one["mode"]]
        if not file.endswith(".model"):
            continue
        # This system's transformers (4.39) no longer made a plain string eat white space.
        texts = masks["added_tokens"][one["mode"]]
        added = AddedTokens(tuple(AddedToken(text, eats_left=False, eats_right=False) for text in texts))
        tokenizer = SentencePieces(GOLDEN / "ferret_v2" / "tokenizers" / file, added, legacy=True)
        for prompt in prompts["modes"][one["mode"]]:
            if prompt["turns"] == one["turns"]:
                ids = tokenizer.encode_around(prompt["inference_prompt"], "<image>", -200)
                assert ids == one["inference_ids"], prompt["inference_prompt"]
                compared += 1
    assert compared
