"""Dialogues as texts, ids and labels, and marks that grow."""

from __future__ import annotations

import pytest

from deixis.data.groma.instructions import INSTRUCTIONS, instruction
from deixis.errors import BadRegion, BadWeights, RecordError, UsageError
from deixis.records.dialogue import Mark, Turn
from deixis.regions.shapes import Box
from deixis.systems.groma.dialect import GromaTokens, added_texts, region_indices
from deixis.systems.groma.labels import supervised
from deixis.systems.groma.placeholders import Chosen, grown, padded_rows
from deixis.systems.groma.prompts import (
    answered,
    asked,
    groma_template,
    locating,
    phrase_asked,
    rendered,
    written,
)
from deixis.text.region_marks import PAD
from deixis.text.token_sequence import IGNORED
from deixis.text.tokenizers.codecs.word_codec import WordCodec
from deixis.text.tokenizers.word_pieces.vocabulary import Vocabulary
from tests.systems.groma.words import groma_tokens, groma_words

CODEC, TOKENS = groma_words(), groma_tokens()
BOX, OTHER = Box(1, 2, 30, 40), Box(5, 5, 9, 9)


def test_the_tokens_are_known_by_their_texts() -> None:
    assert [CODEC.encode(text, begin=False) for text in added_texts()] == [
        [len(CODEC.vocabulary) + number] for number in range(114)
    ]
    assert TOKENS.proxy(99) == len(CODEC) - 1
    assert TOKENS.index(TOKENS.proxy(7)) == 7
    assert TOKENS.index(TOKENS.roi) is None
    with pytest.raises(UsageError, match="no region token for place 100"):
        TOKENS.proxy(100)


def test_a_tokenizer_without_the_tokens_is_refused() -> None:
    bare = WordCodec(CODEC.vocabulary)
    with pytest.raises(BadWeights, match="<r0> as one token"):
        GromaTokens.of(bare)
    mixed = WordCodec(CODEC.vocabulary, [*added_texts()[:-2], "<r99>", "<r98>"], pad=PAD)
    with pytest.raises(BadWeights, match="one behind the other"):
        GromaTokens.of(mixed)


def test_a_saved_vocabulary_keeps_its_tokens(tmp_path) -> None:  # type: ignore[no-untyped-def]
    CODEC.save(tmp_path)
    again = WordCodec.load(tmp_path)
    assert (again.specials, again.pad, again.region, len(again)) == (
        CODEC.specials,
        CODEC.pad,
        CODEC.region,
        len(CODEC),
    )
    (tmp_path / "tokenizer_config.json").write_text('{"added_words": "<r0>"}')
    with pytest.raises(BadWeights, match="expected a list of texts"):
        WordCodec.load(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    assert isinstance(WordCodec.load(tmp_path).vocabulary, Vocabulary)


@pytest.mark.parametrize(
    "typed", ["<r3>", "<roi>", "<refer_feat>", "[grounding]", "</s>", "<image>", "<sep>"]
)
def test_what_a_user_types_never_acts(typed: str) -> None:
    text, _ = asked(f"what is {typed} in {{it}}", {"it": BOX}, specials=CODEC.specials)
    answer, _ = answered(f"a {typed}", [Mark(2, 2 + len(typed), (BOX,))], specials=CODEC.specials)
    token = CODEC.encode(typed, begin=False)[0]
    usual = rendered(
        [("what is in <roi><refer_box></roi><refer_feat>", "a <p>x</p><roi><ground_box></roi>")],
        groma_template("llava"),
    )
    ours = CODEC.encode(rendered([(text, answer)], groma_template("llava")))
    assert ours.count(token) == CODEC.encode(usual).count(token)


def test_regions_and_places_become_marks() -> None:
    turns = [
        Turn(
            "Is {a} near {b} and {a}?", "A dog is.", (Mark(0, 5, (BOX, OTHER)),), (("a", BOX), ("b", OTHER))
        ),
        Turn("Where is the cat?", "a cat", (Mark(0, 5, ()),)),
    ]
    one = written(turns, specials=CODEC.specials)
    region = "<roi><refer_box></roi><refer_feat>"
    assert one.turns[0] == (
        f"Is {region} near {region} and {region}?",
        "<p>A dog</p><roi><ground_box><ground_box></roi> is.",
    )
    assert one.turns[1] == ("[grounding]Where is the cat?", "<p>a cat</p><roi></roi>")
    assert one.refer == (BOX, OTHER, BOX)
    assert one.ground == (BOX, OTHER)
    with pytest.raises(UsageError, match=r"speaks of \{c\}"):
        asked("What is {c}?", {"a": BOX}, specials=[])


@pytest.mark.parametrize("phrase", ["the red car", "e", "in the image", "a {{b}} or {", "Locate"])
@pytest.mark.parametrize("kind", ["rec_refcoco", "detection_coco"])
def test_a_phrase_to_be_located_is_marked(kind: str, phrase: str) -> None:
    for template in INSTRUCTIONS[kind]:
        question = instruction(template, phrase)
        said = phrase.replace("{{b}}", "{b}")
        assert phrase_asked(question) == said
        ours, regions = asked(question, {}, specials=[])
        assert (ours, regions) == (instruction(template, f"<p>{said}</p>"), [])


def test_other_questions_have_no_phrase() -> None:
    for question in ("Where is it?", "Locate  in the image.", "Locate {a} in the image.", ""):
        assert phrase_asked(question) is None
    assert asked("Locate <r1> in the image.", {}, specials=["<r1>"])[0] == "Locate <p>< r1></p> in the image."
    region, _ = asked("Locate {a} in the image.", {"a": BOX}, specials=[])
    assert region == "Locate <roi><refer_box></roi><refer_feat> in the image."


def test_grounding_is_a_choice() -> None:
    assert asked("what?", {}, specials=[], grounding="never")[0] == "what?"
    assert asked("{a}", {"a": BOX}, specials=[], grounding="always")[0].startswith("[grounding]<roi>")
    assert locating("a <r1>", specials=["<r1>"]) == "Locate <p>a < r1></p> in the image."
    with pytest.raises(UsageError, match="llava, default, simple, llama_2"):
        groma_template("vicuna")


def learnt(
    turns: list[tuple[str, str]], template: str = "llava", **more: int | str
) -> tuple[list[int], list[int]]:
    one = supervised(turns, template=groma_template(template), codec=CODEC, tokens=TOKENS, **more)  # type: ignore[arg-type]
    return list(one.ids), list(one.labels)


def test_answers_and_what_closes_them_are_learnt() -> None:
    ids, labels = learnt([("what?", "a dog"), ("where?", "<roi><ground_box></roi>")])
    assert TOKENS.supervised not in ids
    kept = [label for label in labels if label != IGNORED]
    assert kept == [
        *CODEC.encode("a dog", begin=False),
        CODEC.eos,
        TOKENS.roi,
        TOKENS.ground_box,
        TOKENS.roi_end,
        CODEC.eos,
    ]
    assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))
    assert CODEC.eos not in learnt([("what?", "a dog")], "default")[1]


def test_a_long_dialogue_is_refused_or_cut() -> None:
    whole, _ = learnt([("what?", "a dog"), ("where?", "in the car")])
    with pytest.raises(RecordError, match=r"photo 7 has \d+ tokens; at most 20"):
        learnt([("what?", "a dog")], longest=20, name="photo 7")
    end = whole.index(CODEC.eos, whole.index(CODEC.eos) + 1)  # the first answer, two marks before its end
    ids, labels = learnt([("what?", "a dog"), ("where?", "in the car")], longest=end + 3, too_long="cut")
    assert ids == whole[: end + 1]
    assert labels[-1] == CODEC.eos
    with pytest.raises(RecordError, match="1 marks around its answers"):
        learnt([("what?", "a dog")], longest=end, too_long="cut")


def test_marks_grow() -> None:
    ids, labels = learnt(
        [("{<roi><refer_box></roi><refer_feat>", "a dog<roi><ground_box><ground_box></roi>")]
    )
    one = grown(ids, Chosen(3, refer=(2,), ground=(0, 2)), tokens=TOKENS, picture_tokens=4, labels=labels)
    assert len(one.ids) == len(one.labels) == len(ids) + 3 + 5
    assert one.ids.count(TOKENS.image) == 4
    start = one.ids.index(TOKENS.proxy(0))
    listed = [token for index in range(3) for token in (TOKENS.proxy(index), TOKENS.region)]
    assert list(one.ids[start : start + 6]) == listed
    assert region_indices(one.labels, TOKENS, count=3) == [0, 2]
    assert region_indices(one.ids, TOKENS, count=3) == [0, 1, 2, 2, 0, 2]
    assert one.features == (2,)
    none = grown([TOKENS.image, TOKENS.region, TOKENS.pad, 5], Chosen(0), tokens=TOKENS, picture_tokens=1)
    assert none.ids == (TOKENS.image,)
    rows = padded_rows([one, none], tokens=TOKENS)
    assert [len(row) for row in (*rows[0], *rows[1])] == [len(one.ids)] * 4
    assert rows[0][1][1:] == [TOKENS.pad] * (len(one.ids) - 1)
    assert rows[1][1][1:] == [IGNORED] * (len(one.ids) - 1)


@pytest.mark.parametrize(
    ("question", "chosen", "message"),
    [
        ("<refer_box><refer_feat>", Chosen(2), "1 marks <refer_box> for 0 boxes"),
        ("<refer_box>", Chosen(2, (0,)), "0 marks <refer_feat> for 1 boxes"),
        ("what", Chosen(2, (0,)), "0 marks <refer_box> for 1 boxes"),
        ("<ground_box>", Chosen(2, (), (0, 1)), "1 marks <ground_box> for 2 boxes"),
        ("<image>", Chosen(2), "2 marks <image>"),
        ("<region>", Chosen(2), "1 marks <image> and 2 marks <region>"),
    ],
)
def test_counts_that_differ_are_errors_with_the_samples_name(
    question: str, chosen: Chosen, message: str
) -> None:
    ids = CODEC.encode(rendered([(question, None)], groma_template("llava")))
    with pytest.raises(BadRegion, match=f"photo 7 has {message}"):
        grown(ids, chosen, tokens=TOKENS, picture_tokens=4, name="photo 7")


def test_the_published_counting_takes_surplus_boxes() -> None:
    ids = CODEC.encode(rendered([("<refer_box><refer_feat>", None)], groma_template("llava")))
    one = grown(ids, Chosen(3, (2, 1)), tokens=TOKENS, picture_tokens=1, counting="published")
    assert one.features == (2, 1)
    with pytest.raises(BadRegion, match="1 marks <refer_box> for 0 boxes"):
        grown(ids, Chosen(3), tokens=TOKENS, picture_tokens=1, counting="published")
    with pytest.raises(BadRegion, match="refer box has place 3; the prompt lists 3"):
        Chosen(3, (3,))
