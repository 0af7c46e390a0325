"""Several pictures in one dialogue, one, or none: which vectors stand where, and what is learnt of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from deixis.engine.embedded import Embedded
from deixis.engine.policy import Completion
from deixis.errors import BadRegion, FrameMismatch
from deixis.layers.regions.point_draws import DrawnRegions
from deixis.pictures.opening import Picture
from deixis.records.dialogue import Dialogue, Example, Turn
from deixis.regions.shapes import Box, Point, Region
from deixis.systems.prompt import Prompt
from deixis.systems.questions import checked_question
from deixis.systems.spliced.answering import SplicedSystem
from deixis.systems.spliced.training.objective import SplicedObjective
from deixis.text.splicing import IGNORED, PICTURE_MARKER
from deixis.training.batches import Batch
from tests.contract.promises import encode, prompt_of
from tests.systems.ferret.tiny import lesson
from tests.systems.pointer.tiny import noise_picture
from tests.systems.spliced.members import FRESH

ONE, TWO = noise_picture(96, 64), noise_picture(96, 64, seed=1)  # of one size: told apart by content
TALL = noise_picture(40, 80, seed=2)
HERE = Box(10, 5, 60, 50)
NARROW = Box(10, 5, 35, 50)


@pytest.fixture(scope="module", params=FRESH)
def system(request: pytest.FixtureRequest) -> SplicedSystem:
    return FRESH[request.param]()


def prompt(system: SplicedSystem, text: str, pictures: Sequence[Picture], **regions: Region) -> Prompt:
    return prompt_of(system, checked_question(text, regions, pictures))


def embedded(system: SplicedSystem, *prompts: Prompt) -> list[Embedded]:
    return system.embed(prompts)


def stretches(embedded: Embedded, prompt: Prompt) -> list[Tensor]:
    """Return the vectors of each picture of a prompt, by what its positions are said to be."""
    keys = [one.key for one in prompt.encoded]
    return [
        torch.stack(
            [
                vector
                for vector, what in zip(embedded.vectors, embedded.identity, strict=True)
                if isinstance(what, tuple) and len(what) == 2 and what[0] == key
            ]
        )
        for key in keys
    ]


def region_vectors(embedded: Embedded) -> Tensor:
    places = [at for at, what in enumerate(embedded.identity) if isinstance(what, tuple) and len(what) == 3]
    return embedded.vectors[places]


def vector_of(system: SplicedSystem, region: Region, picture: Picture) -> Tensor:
    """Return what a network makes of one region in one picture (D,), nothing else in the batch."""
    pixels = system.dialect.write_region(region.bind(picture.frame)).pixels
    assert pixels is not None
    (seen,) = encode(system, picture).tensors.maps
    with torch.inference_mode():
        return system.network.encode_regions([seen], system.sampling.draw([pixels], [0]))[0]


def test_two_pictures_stand_before_the_first_question(system: SplicedSystem) -> None:
    asked = prompt(system, "what is there?", (ONE, TALL))
    single = prompt(system, "what is there?", (ONE,))
    assert asked.ids.count(PICTURE_MARKER) == 2 and single.ids.count(PICTURE_MARKER) == 1
    first = asked.ids.index(PICTURE_MARKER)
    line = system.text.piece("\n", first=False)
    between = asked.ids[first + 1 : asked.ids.index(PICTURE_MARKER, first + 1)]
    assert list(between) == line or not line
    assert asked.ids[:first] == single.ids[:first]
    assert asked.ids[first + 1 + len(between) :] == single.ids[first:]


def test_each_marker_grows_into_its_own_picture(system: SplicedSystem) -> None:
    for pictures in (ONE, TALL), (TALL, ONE), (ONE, TWO), (TWO, ONE):
        asked = prompt(system, "what is there?", pictures)
        (merged,) = embedded(system, asked)
        own = [encode(system, picture).tensors.tokens[0] for picture in pictures]
        assert len(merged) == len(asked.ids) - 2 + sum(map(len, own))
        start = asked.ids.index(PICTURE_MARKER)
        torch.testing.assert_close(merged.vectors[start : start + len(own[0])], own[0])
        for found, expected in zip(stretches(merged, asked), own, strict=True):
            torch.testing.assert_close(found, expected)


def test_a_region_is_sampled_in_its_own_picture(system: SplicedSystem) -> None:
    for bound, other in ((ONE, TWO), (TWO, ONE)):
        for pictures in (ONE, TWO), (TWO, ONE):
            asked = prompt(system, "what is {it}?", pictures, it=HERE.bind(bound.frame))
            (found,) = region_vectors(embedded(system, asked)[0])
            torch.testing.assert_close(found, vector_of(system, HERE, bound))
            assert not torch.allclose(found, vector_of(system, HERE, other))


def test_regions_of_two_pictures_in_one_question(system: SplicedSystem) -> None:
    places = [(Point(70, 20), TWO), (HERE, ONE), (Box(5, 5, 20, 60), TALL), (HERE, TWO)]
    names = ("a", "b", "c", "d")
    given = {name: region.bind(of.frame) for name, (region, of) in zip(names, places, strict=True)}
    asked = prompt(system, "is {a} like {b}, {c} or {d}?", (ONE, TWO, TALL), **given)
    found = region_vectors(embedded(system, asked)[0])
    assert len(found) == 4
    for vector, (region, of) in zip(found, places, strict=True):
        torch.testing.assert_close(vector, vector_of(system, region, of))


def test_prompts_about_different_pictures_share_a_batch(system: SplicedSystem) -> None:
    prompts = [
        prompt(system, "what is {it}?", (TWO,), it=HERE),
        prompt(system, "what is there?", (TALL,)),
        prompt(system, "what is a dog?", ()),
        prompt(
            system,
            "is {it} like {other}?",
            (ONE, TALL),
            it=NARROW.bind(TALL.frame),
            other=HERE.bind(ONE.frame),
        ),
        prompt(system, "what is {it}?", (ONE,), it=HERE),
    ]
    together = embedded(system, *prompts)
    for asked, own in zip(prompts, together, strict=True):
        (alone,) = embedded(system, asked)
        assert own.identity == alone.identity
        torch.testing.assert_close(own.vectors, alone.vectors)
    torch.testing.assert_close(region_vectors(together[0])[0], vector_of(system, HERE, TWO))
    torch.testing.assert_close(region_vectors(together[4])[0], vector_of(system, HERE, ONE))


def test_a_question_about_no_picture_is_words_only(system: SplicedSystem) -> None:
    asked = prompt(system, "what is a dog?", ())
    assert PICTURE_MARKER not in asked.ids and asked.encoded == () and asked.regions == ()
    (merged,) = embedded(system, asked)
    assert merged.identity == asked.ids
    words = system.network.get_input_embeddings()(torch.tensor(asked.ids))
    torch.testing.assert_close(merged.vectors, words)
    answer = system.ask(None, "what is a dog?", max_new_tokens=4)
    assert answer.pictures == () and answer.raw is not None and len(answer.raw.ids) <= 4
    with pytest.raises(BadRegion, match="the question is about none"):
        system.ask(None, "what is {it}?", it=HERE)


def test_a_region_must_say_which_of_two_pictures_it_is_in(system: SplicedSystem) -> None:
    with pytest.raises(BadRegion, match="doesn't say which of the 2 pictures"):
        system.ask([ONE, TWO], "what is {it}?", it=HERE)
    with pytest.raises(FrameMismatch, match="in none of the 2 pictures"):
        system.ask([ONE, TWO], "what is {it}?", it=Box(5, 5, 20, 20).bind(TALL.frame))


def test_a_picture_stands_before_the_first_question_about_it(system: SplicedSystem) -> None:
    first = system.ask(ONE, "what is {it}?", it=HERE, max_new_tokens=4)
    for pictures in (ONE, TWO), (TWO, ONE):
        asked = prompt_of(
            system,
            checked_question("what is {it}?", {"it": HERE.bind(TWO.frame)}, pictures, before=[first]),
        )
        assert [one.original for one in asked.encoded] == [ONE.frame, TWO.frame]
        texts = spans_between_markers(system, asked)
        assert len(texts) == 3 and "what is" in texts[1] and "what is" in texts[2]
        found = region_vectors(embedded(system, asked)[0])
        torch.testing.assert_close(found[0], vector_of(system, HERE, ONE))
        torch.testing.assert_close(found[1], vector_of(system, HERE, TWO))
    again = system.ask([ONE, TWO], "and now?", before=[first], max_new_tokens=4)
    third = prompt_of(system, checked_question("and then?", {}, (ONE, TWO), before=[first, again]))
    texts = spans_between_markers(system, third)
    assert len(texts) == 3 and "and now" in texts[2].lower() and "and then" in texts[2].lower()


def spans_between_markers(system: SplicedSystem, asked: Prompt) -> list[str]:
    """Return the text around the pictures of a prompt."""
    parts: list[list[int]] = [[]]
    for token in asked.ids:
        if token == PICTURE_MARKER:
            parts.append([])
        else:
            parts[-1].append(token)
    return [system.codec.decode(part).lower() for part in parts]


def test_boxes_about_two_pictures_are_in_the_last_one(system: SplicedSystem) -> None:
    ids = (*system.codec.encode("the dog [0, 0, 500, 500].", begin=False), system.codec.eos)
    written = Completion(ids, (-0.1,) * len(ids))
    for pictures in (ONE, TALL), (TALL, ONE):
        (span,) = system.parse(written, prompt(system, "where?", pictures)).spans
        box = span.places[0].box
        assert box.frame == pictures[-1].frame
        assert box.x1 == pytest.approx(pictures[-1].width / 2)
    first = system.ask(ONE, "what is there?", max_new_tokens=2)
    later = prompt_of(system, checked_question("where?", {}, (TALL, ONE), before=[first]))
    assert system.parse(written, later).spans[0].places[0].box.frame == TALL.frame, "ONE was shown before"


def test_a_box_without_a_picture_is_a_parse_failure(system: SplicedSystem) -> None:
    ids = (*system.codec.encode("the dog [0, 0, 500, 500] is here.", begin=False), system.codec.eos)
    reading = system.parse(Completion(ids, (-0.1,) * len(ids)), prompt(system, "where?", ()))
    assert reading.spans == () and reading.text == "The dog is here."
    assert reading.parse_failures == ("'The dog' has a place, but there is no picture",)


# Training.


def about(picture: Picture, name: str = "one") -> Example:
    return Example(name, (picture,), lesson(picture.frame)[:5])


def about_two() -> Example:
    """Return an example of two pictures with a region and a box in each."""
    regions: tuple[tuple[str, Region], ...] = (
        ("b", NARROW.bind(TALL.frame)),
        ("a", HERE.bind(TWO.frame)),
    )
    turns = (
        Turn("is {a} like {b}, or {a}?", "a dog.", regions=regions),
        Turn("what is {b}?", "a hat.", regions=regions[:1]),
    )
    return Example("two", (TWO, TALL), (Dialogue("pair", turns),))


WORDS_ONLY = Example("none", (), (Dialogue("words", (Turn("what is a cat?", "a cat is not a dog."),)),))
ROWS = {
    "none, one, two": lambda: [WORDS_ONLY, about(ONE), about_two()],
    "two, none, one": lambda: [about_two(), WORDS_ONLY, about(ONE)],
    "two, two": lambda: [about_two(), about_two()],
    "none": lambda: [WORDS_ONLY, WORDS_ONLY],
}


def read(system: SplicedSystem, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the vectors and the mask of a batch."""
    merged = system.network.read(
        batch["input_ids"],
        pixel_values=batch["pixel_values"],
        picture_counts=batch["picture_counts"],
        regions=DrawnRegions(
            points=batch["region_points"], pictures=batch["region_pictures"], starts=batch["region_starts"]
        ),
        attention_mask=batch["attention_mask"],
    )
    return merged.embeds, merged.attention_mask.bool()


@pytest.mark.parametrize("rows", ROWS)
def test_a_batch_of_rows_with_none_one_and_two_pictures(system: SplicedSystem, rows: str) -> None:
    examples = ROWS[rows]()
    batch = system.collate()(examples)
    counts = [len(example.pictures) for example in examples]
    assert batch["picture_counts"] == counts
    assert (batch["input_ids"] == PICTURE_MARKER).sum(dim=1).tolist() == counts
    assert (batch["pixel_values"] is None) == (sum(counts) == 0)
    objective = SplicedObjective(system.network).train()
    try:
        losses = objective(batch)
        losses["total"].backward()
    finally:
        objective.eval()
        system.network.zero_grad()
    assert losses["total"].isfinite() and losses["total"] > 0
    assert (batch["labels"] != IGNORED).any(dim=1).all(), "a row teaches nothing"


@pytest.mark.parametrize("rows", ROWS)
@torch.no_grad()
def test_no_row_sees_a_picture_that_is_not_its_own(system: SplicedSystem, rows: str) -> None:
    examples = ROWS[rows]()
    together, masks = read(system, system.collate()(examples))
    for example, own, mask in zip(examples, together, masks, strict=True):
        alone, every = read(system, system.collate()([example]))
        assert every.all()
        torch.testing.assert_close(own[mask], alone[0])


@torch.no_grad()
def test_a_region_of_a_batch_is_sampled_in_its_own_picture(system: SplicedSystem) -> None:
    batch = system.collate()([WORDS_ONLY, about(ONE), about_two()])
    assert batch["region_pictures"].tolist()[-4:] == [1, 2, 1, 2]
    embeds, masks = read(system, batch)
    ids, own = batch["input_ids"][2], embeds[2][masks[2]]
    behind = [
        int(at) for at in (ids == system.codec.region).nonzero()[:, 0] - (ids != system.codec.pad).sum()
    ]
    expected = [vector_of(system, HERE, TWO), vector_of(system, NARROW, TALL)] * 2
    for place, vector in zip(behind, expected, strict=True):
        torch.testing.assert_close(own[place], vector)


def test_a_picture_that_comes_with_a_later_turn(system: SplicedSystem) -> None:
    turns = (
        Turn("what is {it}?", "a dog.", regions=(("it", HERE.bind(ONE.frame)),)),
        Turn("and {it}?", "a hat.", regions=(("it", NARROW.bind(TALL.frame)),), pictures=(TALL,)),
    )
    example = Example("later", (ONE,), (Dialogue("any", turns),))
    kept = system.collate().conversation(example)
    assert kept.pictures == (ONE, TALL) and [picture for _, picture in kept.regions] == [0, 1]
    texts = spans_between_markers(system, Prompt(kept.ids, kept.labels))
    assert "what is" in texts[1] and "a dog" in texts[1] and "and [" in texts[2] and "a hat" in texts[2]
    batch = system.collate()([example, WORDS_ONLY])
    assert batch["picture_counts"] == [2, 0]
    assert SplicedObjective(system.network)(batch)["total"].isfinite()


def test_what_is_learnt_is_what_is_asked(system: SplicedSystem) -> None:
    """A dialogue of two pictures has the same tokens in training as in a question."""
    turn = Turn("what is there?", "a dog.")
    kept = system.collate().conversation(Example("p", (ONE, TALL), (Dialogue("any", (turn,)),)))
    asked = prompt(system, "what is there?", (ONE, TALL))
    assert kept.ids[: len(asked.ids)] == asked.ids
    words = system.collate().conversation(Example("p", (), (Dialogue("any", (turn,)),)))
    asked = prompt(system, "what is there?", ())
    assert words.ids[: len(asked.ids)] == asked.ids


def test_a_region_in_no_picture_of_its_example(system: SplicedSystem) -> None:
    turn = Turn("what is {it}?", "a dog.", regions=(("it", Box(5, 5, 20, 20).bind(TALL.frame)),))
    for pictures in (ONE, TWO), ():
        with pytest.raises(FrameMismatch, match="a region is in frame"):
            system.collate().conversation(Example("p", pictures, (Dialogue("any", (turn,)),)))
