"""Label masks: answers and what closes them, by both ways of masking, with friendly and hostile dialogues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import UsageError
from deixis.text.label_masking import IGNORED, Supervised, supervised
from deixis.text.prompt_tokens import TextCodec
from deixis.text.published_masking import BEGUN_ROUNDS, VICUNA_NOT_LEGACY
from deixis.text.splicing import PICTURE_MARKER
from deixis.text.templates import TEMPLATES, Exchange
from deixis.text.tokenizers.codecs.opening import SentencePieceCodec
from tests.text.tokenizers.made_codecs import header_codec, phi_codec, piece_codec, unbegun_codec, word_codec

TEMPLATE_OF = {"pieces": "ferret_v1", "headers": "ferret_llama_3", "words": "ferret_v1"}
TALK: list[Exchange] = [
    ("<image>\nWhat is [1, 2] <region_fea>?", "A dog [1, 2, 3, 4]."),
    ("Where? é 🐕", " here, and there "),
]


@pytest.fixture(scope="module")
def codecs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextCodec]:
    folder: Path = tmp_path_factory.mktemp("codecs")
    return {"pieces": piece_codec(folder), "headers": header_codec(folder), "words": word_codec()}


def learnt_text(found: Supervised, codec: TextCodec) -> str:
    """Return the text of the labels."""
    return codec.decode(label for label in found.labels if label != IGNORED)


@pytest.mark.parametrize("name", ["pieces", "headers"])
def test_both_ways_agree(codecs: dict[str, TextCodec], name: str) -> None:
    codec, template = codecs[name], TEMPLATES[TEMPLATE_OF[name]]
    published = supervised(TALK, template, codec, strict_masking="published")
    assert published == supervised(TALK, template, codec, strict_masking="corrected")
    assert published.warning is None
    assert published.ids.count(PICTURE_MARKER) == 1
    assert all(label in (IGNORED, i) for i, label in zip(published.ids, published.labels, strict=True))
    assert [label for label in published.labels if label == codec.eos] == [codec.eos] * 2


@pytest.mark.parametrize("name", TEMPLATE_OF)
def test_answers_are_learnt_and_nothing_else(codecs: dict[str, TextCodec], name: str) -> None:
    codec, template = codecs[name], TEMPLATES[TEMPLATE_OF[name]]
    found = supervised(TALK, template, codec)
    text = " ".join(learnt_text(found, codec).lower().split())
    assert text.replace(". here", ".here") == "a dog [1, 2, 3, 4].here, and there"
    assert found.learnt == sum(label != IGNORED for label in found.labels)
    assert codec.region in found.ids and codec.region not in found.labels
    # The last answer is still to come: nothing of it can be learnt.
    prompt = supervised([TALK[0], ("Where?", None)], template, codec)
    assert learnt_text(prompt, codec).strip().lower() == "a dog [1, 2, 3, 4]."


DROPPED: list[list[Exchange]] = [
    [("<image>\nSay ASSISTANT: now", "yes")],
    [("<image>\nWhat?", "the ASSISTANT: word")],
    [("<image>\nWhat?", "it</s>ends")],
    [("<image>\nWhat?</s>", "it")],
    [("<image>\nWhat?", "")],
    [("<image>\nWhat?", "a dog"), ("Where?", "")],
]


@pytest.mark.parametrize("turns", DROPPED)
def test_published_drops_what_corrected_learns(codecs: dict[str, TextCodec], turns: list[Exchange]) -> None:
    codec, template = codecs["pieces"], TEMPLATES["ferret_v1"]
    published = supervised(turns, template, codec, strict_masking="published")
    assert published.warning is not None and published.warning.startswith("WARNING: tokenization mismatch: ")
    assert f"vs. {sum(i != codec.pad for i in published.ids)}. (ignored)" in published.warning
    assert set(published.labels) == {IGNORED}
    corrected = supervised(turns, template, codec)
    assert corrected.warning is None
    assert [label for label in corrected.labels if label == codec.eos][: len(turns)] == [codec.eos] * len(
        turns
    )
    answers = " ".join(answer or "" for _, answer in turns).replace("</s>", " ")
    assert learnt_text(corrected, codec).split() == answers.split()


def test_an_empty_answer_within_a_dialogue(codecs: dict[str, TextCodec]) -> None:
    codec, template = codecs["pieces"], TEMPLATES["ferret_v1"]
    turns: list[Exchange] = [("What?", ""), ("Where?", "here")]
    published = supervised(turns, template, codec, strict_masking="published")
    assert published.warning is None
    assert published.labels.count(codec.eos) == 1
    corrected = supervised(turns, template, codec)
    assert corrected.labels.count(codec.eos) == 2
    for found in (published, corrected):
        assert learnt_text(found, codec).strip() == "here"


def test_an_unfinished_count_is_no_mismatch_for_what_was_cut_off(codecs: dict[str, TextCodec]) -> None:
    codec, template = codecs["pieces"], TEMPLATES["ferret_v1"]
    # Two answers, the second unreadable: the count stops behind the first.
    turns: list[Exchange] = [("a", "b"), ("c", "d ASSISTANT: e")]
    whole = supervised(turns, template, codec, strict_masking="published", picture=False)
    assert whole.warning is not None
    counted = int(whole.warning.split()[3])
    cut = supervised(turns, template, codec, strict_masking="published", picture=False, max_length=counted)
    assert cut.warning is None
    assert learnt_text(cut, codec).strip() == "b"


@pytest.mark.parametrize("strict_masking", ["published", "corrected"])
def test_without_a_picture_its_mark_is_text(codecs: dict[str, TextCodec], strict_masking) -> None:
    codec, template = codecs["pieces"], TEMPLATES["ferret_v1"]
    found = supervised([("a <image> b", "c")], template, codec, strict_masking=strict_masking, picture=False)
    assert PICTURE_MARKER not in found.ids
    assert learnt_text(found, codec) == "c"


def test_an_unknown_masking_is_refused(codecs: dict[str, TextCodec]) -> None:
    with pytest.raises(UsageError, match='expected "published" or "corrected"'):
        supervised(TALK, TEMPLATES["ferret_v1"], codecs["pieces"], strict_masking="none")  # type: ignore[arg-type]


def not_legacy_codec(folder: Path) -> SentencePieceCodec:
    """Return a codec of pieces that isn't legacy, as Vicuna 1.5's."""
    piece_codec(folder)
    return SentencePieceCodec(
        folder / "tokenizer.model", legacy=False, guard="spaced pieces", region=None, pad="<unk>"
    )


PUBLISHED: list[tuple[str, Callable[[Path], TextCodec], bool]] = [
    ("llava_v1", piece_codec, True),
    ("llava_v1", not_legacy_codec, False),
    ("llava_llama_3", unbegun_codec, True),
    ("llava_llama_3", header_codec, False),
    ("llama3", unbegun_codec, True),
    ("llama3", header_codec, False),
    ("ferret_llama_3", header_codec, True),
    ("llava_phi_3", lambda folder: phi_codec(folder, begins=True), True),
    ("phi3", phi_codec, True),
    ("plain", phi_codec, True),
]
LONG: list[Exchange] = [("<image>\nWhat?", "a dog"), ("Where? é", "here, there"), ("Why?", "3")]


@pytest.mark.parametrize("picture", [True, False])
@pytest.mark.parametrize(("name", "make", "right"), PUBLISHED)
def test_published_rules_fit_some_tokenizers_only(
    name: str, make: Callable[[Path], TextCodec], right: bool, picture: bool, tmp_path: Path
) -> None:
    codec, template = make(tmp_path), TEMPLATES[name]
    turns = LONG[:1] if template.picture_only else LONG
    corrected = supervised(turns, template, codec, picture=picture)
    published = supervised(turns, template, codec, strict_masking="published", picture=picture)
    assert corrected.learnt
    # A single round is learnt by all of them; where a rule doesn't fit, several rounds are not.
    one = supervised(turns[:1], template, codec, strict_masking="published", picture=picture)
    assert one == supervised(turns[:1], template, codec, picture=picture)
    if right:
        assert published == corrected
    else:
        assert published.ids == corrected.ids and set(published.labels) == {IGNORED}
        assert published.warning is not None and published.warning.endswith("(ignored)")


def test_the_fault_with_llama_3_counts_a_token_too_many_for_each_later_round(tmp_path: Path) -> None:
    codec = header_codec(tmp_path)
    found = supervised(LONG, TEMPLATES["llama3"], codec, strict_masking="published")
    total = len(found.ids)
    assert found.warning == f"WARNING: tokenization mismatch: {total + 2} vs. {total}. (ignored)"
    # The rule for tokenizers that begin every text learns it.
    ours = supervised(LONG, TEMPLATES["llama3"], codec, strict_masking="published", rule=BEGUN_ROUNDS)
    assert ours == supervised(LONG, TEMPLATES["llama3"], codec)


def test_vicuna_s_rule_made_right_for_newer_tokenizers(tmp_path: Path) -> None:
    template = TEMPLATES["llava_v1"]
    rule = VICUNA_NOT_LEGACY
    newer = not_legacy_codec(tmp_path)
    fitting = supervised(LONG, template, newer, strict_masking="published", rule=rule)
    assert fitting == supervised(LONG, template, newer)
    older = supervised(LONG, template, piece_codec(tmp_path), strict_masking="published", rule=rule)
    assert older.warning is not None


def test_captions_are_learnt_with_their_line(tmp_path: Path) -> None:
    codec = phi_codec(tmp_path)
    found = supervised([("<image>\nDescribe it.", "A cat.")], TEMPLATES["plain"], codec)
    assert found.ids[0] == PICTURE_MARKER and found.labels[0] == IGNORED
    assert found.labels[1:] == found.ids[1:] and codec.decode(found.ids[1:]) == "A cat.\n"


WORDS = st.text("ab .,[]:é🐕\n1", max_size=12)


@given(
    st.lists(st.tuples(WORDS, WORDS.filter(str.strip)), min_size=1, max_size=3),
    st.sampled_from(["pieces", "headers"]),
)
def test_corrected_masks_equal_published_ones_for_any_plain_words(
    codecs: dict[str, TextCodec], turns: list[Exchange], name: str
) -> None:
    codec, template = codecs[name], TEMPLATES[TEMPLATE_OF[name]]
    published = supervised(turns, template, codec, strict_masking="published")
    corrected = supervised(turns, template, codec, strict_masking="corrected")
    assert corrected.learnt
    if published.warning is None:
        assert corrected == published
