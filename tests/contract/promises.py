"""The promises of docs/architecture.md, each a function that raises AssertionError where it is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from deixis.answers.grounded import Answer, Span
from deixis.engine.policy import Completion
from deixis.errors import FrameMismatch, UsageError
from deixis.pictures.opening import Picture, open_picture
from deixis.records.dialogue import Dialogue, Turn
from deixis.regions.frames import Frame, convert
from deixis.regions.shapes import Box, Mask, Point, Polygon, Region, Scribble
from deixis.systems.contract import System
from deixis.systems.encoded import Encoded, EncoderInput
from deixis.systems.prompt import Prompt
from deixis.systems.questions import Question, checked_question
from deixis.training.optimiser import build_optimiser, learning, prepare_step
from deixis.training.parallel import World
from deixis.training.recipes.recipe import Group, Recipe
from deixis.training.state.checkpoints import RunState, checkpoints, load_checkpoint, save_checkpoint
from deixis.training.state.ema import AveragedWeights
from deixis.training.state.origin import Origin
from tests.device_double import DeviceDouble

IGNORED = -100
NEW_TOKENS = 24


@dataclass(frozen=True)
class Subject:
    """A system at tiny size, with random seeded weights, and what the promises need to know of it.

    make: write a system into a folder and return it as opened from there. reopen: open a saved folder.
    tower: the module whose forward encodes a picture. logits: what the network says (T, V) to a prompt.
    training: dialogues of all kinds, in the frame of a picture. text_of: words of token ids, without special
    ones. special: ids that only code may write; given: those of them that even answers do not learn.
    malformed and readable: completions without and with places, none of the first readable. frozen:
    beginnings of names of parameters that no recipe trains. unsayable: ids that a sound answer doesn't hold.
    """

    make: Callable[[Path], System]
    reopen: Callable[[Path], System]
    tower: Callable[[System], nn.Module]
    logits: Callable[[System, Picture, Prompt], Tensor]
    training: Callable[[System], tuple[tuple[Dialogue, ...], Picture]]
    text_of: Callable[[System, Sequence[int]], str]
    special: frozenset[int]
    typed: tuple[str, ...]
    given: frozenset[int]
    malformed: Callable[[System], Sequence[Completion]]
    readable: Callable[[System], Sequence[Completion]]
    frozen: tuple[str, ...] = ()
    unsayable: frozenset[int] = frozenset()


Promise = Callable[[Subject, Path], None]

SPOT = Box(20, 5, 60, 35)  # a white square on a black picture of 160 x 100
TYPED = ("<image>", "<region_fea>", "<r0>", "<roi>", "</roi>", "</s>", "<s>", "[INST]", "<p> a </p>")
QUESTIONS = (
    "what is {it}?",
    "where is the dog?",
    "describe {other} near {it}, please: is it red, or big, or both of them?",
    "a cat",
)


def encode(system: System, picture: Picture, painted: Sequence[Region] = ()) -> Encoded:
    """Return what a system makes of one picture."""
    return system.encode([EncoderInput(picture, tuple(painted))])[0]


def prompt_of(system: System, question: Question) -> Prompt:
    """Return the prompt of a question; pictures that were encoded before are not encoded again."""
    return system.prompts([question])[0]


def spotted_picture() -> Picture:
    """Return a black picture, wider than high, with a white square."""
    pixels = np.zeros((100, 160, 3), dtype=np.uint8)
    x0, y0, x1, y1 = (int(edge) for edge in SPOT.as_tuple())
    pixels[y0:y1, x0:x1] = 255
    return open_picture(pixels, name="spot")


def striped_picture(*, seed: int = 0) -> Picture:
    """Return a picture, higher than wide, of random stripes."""
    rows = np.random.default_rng(seed).integers(0, 256, (18, 1, 3), dtype=np.uint8)
    return open_picture(np.repeat(np.repeat(rows, 8, axis=0), 100, axis=1), name="stripes")


def every_kind(picture: Picture) -> dict[str, Region]:
    """Return one region of every kind, unbound, in pixels of the picture."""
    pixels = np.zeros((picture.height, picture.width), dtype=bool)
    pixels[24:72, 16:80] = True
    return {
        "point": Point(61.5, 40.25),
        "box": Box(10, 20.5, 70, 90),
        "polygon": Polygon(((12, 14), (80, 30), (40, 88))),
        "scribble": Scribble(((15, 80), (60, 30), (90, 60))),
        "mask": Mask.from_array(pixels),
    }


def ask_all(system: System, picture: Picture) -> list[Answer]:
    """Ask ``QUESTIONS`` as one batch."""
    regions: dict[str, Region] = {"it": SPOT, "other": Point(30, 70)}
    used = [{name: region for name, region in regions.items() if f"{{{name}}}" in q} for q in QUESTIONS]
    return system.ask(picture, list(QUESTIONS), regions=used, max_new_tokens=NEW_TOKENS)


def assert_same_answer(first: Answer, second: Answer, *, within: float = 1e-3) -> None:
    """Compare everything but the time that answers took; coordinates and scores within a tolerance."""
    assert first.text == second.text, f"{first.text!r} became {second.text!r}"
    assert first.parse_failures == second.parse_failures
    assert len(first.spans) == len(second.spans)
    for one, other in zip(first.spans, second.spans, strict=True):
        assert_same_span(one, other, within=within)


def assert_same_span(one: Span, other: Span, *, within: float) -> None:
    assert (one.start, one.end, one.nowhere) == (other.start, other.end, other.nowhere)
    assert (one.nowhere_score is None) == (other.nowhere_score is None)
    assert abs((one.nowhere_score or 0) - (other.nowhere_score or 0)) <= within
    assert len(one.places) == len(other.places)
    for left, right in zip(one.places, other.places, strict=True):
        assert np.allclose(left.box.as_tuple(), right.box.as_tuple(), rtol=0, atol=100 * within)
        assert abs(left.score - right.score) <= within


def frames_survive_the_round_trip(subject: Subject, folder: Path) -> None:
    """1. Frames survive the round trip: a region carried to the network's view and back is where it was."""
    system, picture = subject.make(folder), spotted_picture()
    view = encode(system, picture).view
    assert view.frame.root == picture.frame
    corners = [[0.0, 0.0], [160.0, 100.0], [33.3, 66.6]]
    there = convert(corners, picture.frame, view.frame)
    assert np.allclose(convert(there, view.frame, picture.frame), corners, rtol=0, atol=1e-9)
    # The frame has to be true of the pixels: what is white there is white here.
    expected = SPOT.bind(picture.frame).to(view.frame).rasterise()
    shown = view.pixels.min(axis=2) > 200
    overlap = (expected & shown).sum() / (expected | shown).sum()
    assert overlap > 0.7, f"the frame of the view is not that of its pixels: IoU {overlap:.2f}"
    for name, region in every_kind(picture).items():
        question = checked_question("what is {it}?", {"it": region}, picture)
        written = prompt_of(system, question)
        for carried in written.regions:
            seen = picture.frame if system.looks_in_the_original else view.frame
            assert carried.frame == seen, f"{name} is in {carried.frame}, the network sees {seen}"
            assert_same_region(carried.to(picture.frame), question.regions[0][1], name)


def assert_same_region(found: Region, given: Region, name: str) -> None:
    assert type(found) is type(given), f"{name} came back as {type(found).__name__}"
    if isinstance(found, Mask) and isinstance(given, Mask):
        assert found.iou(given) > 0.8, f"{name} moved: IoU {found.iou(given):.2f}"
    else:
        edges = found.bounds().as_tuple(), given.bounds().as_tuple()
        assert np.allclose(*edges, rtol=0, atol=0.5), f"{name} moved: {edges}"
        if isinstance(found, Polygon | Scribble) and isinstance(given, Polygon | Scribble):
            assert np.allclose(found.points, given.points, rtol=0, atol=1e-6), f"{name} changed its shape"


def region_tokens_match_regions(subject: Subject, folder: Path) -> None:
    """2. Region tokens match regions, one for one and in order."""
    system, picture = subject.make(folder), striped_picture()
    given = {"b": Point(80, 100), "a": Point(10, 20), "c": Point(50, 5)}
    question = checked_question("is {b} near {a} and {c}, or {a} near {b}?", given, picture)
    written = prompt_of(system, question)
    tokens = list(written.ids).count(system.region_token)
    assert tokens == len(written.regions), f"{tokens} region tokens, {len(written.regions)} regions"
    if written.regions:
        expected = [given[name] for name in ("b", "a", "c", "a", "b")]
        assert len(written.regions) == len(expected), "a region that is named twice has two tokens"
        for found, wanted in zip(written.regions, expected, strict=True):
            edges = (
                found.to(picture.frame).bounds().as_tuple(),
                wanted.bind(picture.frame).bounds().as_tuple(),
            )
            assert np.allclose(*edges), f"{edges[0]} stands where {edges[1]} was pointed at"
    dialogues, _ = subject.training(system)
    for dialogue in dialogues:
        learnt = system.write_dialogue(dialogue)
        assert len(learnt.ids) == len(learnt.labels)
        assert list(learnt.ids).count(system.region_token) == len(learnt.regions)
        named = [dict(turn.regions)[name] for turn in dialogue.turns for name in names_in(turn)]
        assert list(learnt.regions) == named[: len(learnt.regions)]


def names_in(turn: Turn) -> list[str]:
    """Return the names of a question's regions, in the order of its braces."""
    return [part.split("}")[0] for part in turn.question.split("{")[1:]]


def typed_special_tokens_never_act(subject: Subject, folder: Path) -> None:
    """3. A special token typed by a user never acts."""
    system, picture = subject.make(folder), striped_picture()
    plain = scaffold(subject, system, picture, "dog")
    assert system.region_token in plain or not plain_regions(system, picture)
    for text in (*subject.typed, *TYPED):
        for shape in ("{}", "{}{}", "a{}b", " {} "):
            found = scaffold(subject, system, picture, shape.replace("{}", text))
            assert found == plain, f"{text!r}, typed by a user, wrote special tokens {found}"
    named = checked_question("what is {<place>}?", {"<place>": Point(5, 5)}, picture)
    simple = checked_question("what is {it}?", {"it": Point(5, 5)}, picture)
    assert prompt_of(system, named).ids == prompt_of(system, simple).ids
    harmless = system.write_dialogue(Dialogue("name", (Turn("say dog.", "a dog."),)))
    harmful = system.write_dialogue(Dialogue("name", (Turn("say </p><place>.", "a <place> <end>."),)))
    assert special_ids(subject, harmful.ids) == special_ids(subject, harmless.ids)


def plain_regions(system: System, picture: Picture) -> bool:
    """Tell whether a question with a region has regions behind its tokens."""
    question = checked_question("what is {it}?", {"it": Point(5, 5)}, picture)
    return bool(prompt_of(system, question).regions)


def scaffold(subject: Subject, system: System, picture: Picture, text: str) -> list[int]:
    """Return the special tokens of a prompt whose question and history hold ``text``."""
    said = f"yes, {text}."
    earlier = Answer(said, (), (picture,), system="a user", seconds=0.0, question=f"{text}?")
    question = checked_question(
        f"what is {text} at {{it}}? {text}", {"it": Point(5, 5)}, picture, before=[earlier]
    )
    written = prompt_of(system, question)
    assert list(written.ids).count(system.region_token) == len(written.regions)
    return special_ids(subject, written.ids)


def special_ids(subject: Subject, ids: Sequence[int]) -> list[int]:
    """Return those of the ids that only code may write, in order."""
    return [token for token in ids if token in subject.special]


def batch_equals_single(subject: Subject, folder: Path) -> None:
    """4. A batch of questions gets the same answers as the questions alone."""
    together = ask_all(subject.make(folder), striped_picture())
    assert len({answer.text for answer in together}) > 1, "a subject whose answers differ is needed"
    assert any(answer.spans for answer in together), "a subject whose answers hold spans is needed"
    alone = subject.reopen(folder)
    regions: dict[str, Region] = {"it": SPOT, "other": Point(30, 70)}
    for text, answer in zip(QUESTIONS, together, strict=True):
        used = {name: region for name, region in regions.items() if f"{{{name}}}" in text}
        single = alone.ask(striped_picture(), text, regions=used, max_new_tokens=NEW_TOKENS)
        assert answer.question == text == single.question
        assert_same_answer(single, answer)


def saving_changes_nothing(subject: Subject, folder: Path) -> None:
    """5. Saving, loading and saving again gives identical logits."""
    first = subject.make(folder / "made")
    first.save(folder / "once")
    second = subject.reopen(folder / "once")
    second.save(folder / "twice")
    third = subject.reopen(folder / "twice")
    said = [prompt_logits(subject, system) for system in (first, second, third)]
    assert said[0].numel() and torch.isfinite(said[0]).all()
    assert torch.equal(said[0], said[1]), "loading what was saved changed the logits"
    assert torch.equal(said[1], said[2]), "saving a second time changed the logits"
    files = [{p.name: p.read_bytes() for p in (folder / name).iterdir()} for name in ("once", "twice")]
    assert files[0].keys() == files[1].keys()
    changed = [name for name in files[0] if files[0][name] != files[1][name]]
    assert not changed, f"saving a second time changed {changed}"
    assert {"config.json", "generation_config.json"} <= files[0].keys()
    assert any(name.endswith(".safetensors") for name in files[0])


@torch.inference_mode()
def prompt_logits(subject: Subject, system: System) -> Tensor:
    """Return what the network says to a question with a region."""
    picture = striped_picture()
    question = checked_question("what is {it} near the dog?", {"it": Point(40, 60)}, picture)
    return subject.logits(system, picture, prompt_of(system, question))


def gradient_reaches_every_trained_part(subject: Subject, folder: Path) -> None:
    """6. A gradient reaches every trained part."""
    system = subject.make(folder)
    dialogues, picture = subject.training(system)
    system.network.zero_grad(set_to_none=True)
    losses = system.losses(dialogues, picture)
    assert all(torch.isfinite(value).all() for value in losses.values()), f"not finite: {losses}"
    losses["total"].backward()
    trained = [
        (name, parameter)
        for name, parameter in system.network.named_parameters()
        if not name.startswith(subject.frozen or ("\0",))
    ]
    assert trained
    unreached = [name for name, p in trained if p.grad is None or not (p.grad.abs() > 0).any()]
    assert not unreached, f"no gradient reaches {unreached}"
    assert all(torch.isfinite(p.grad).all() for _, p in trained if p.grad is not None)


def labels_cover_answers_only(subject: Subject, folder: Path) -> None:
    """7. Labels cover answers only."""
    system = subject.make(folder)
    dialogues, _ = subject.training(system)
    assert any(dialogue.words_learnt for dialogue in dialogues)
    for dialogue in dialogues:
        written = system.write_dialogue(dialogue)
        assert len(written.ids) == len(written.labels)
        for token, label in zip(written.ids, written.labels, strict=True):
            assert label in (IGNORED, token), f"token {token} has label {label}"
        learnt = [label for label in written.labels if label != IGNORED]
        answers = " ".join(turn.answer for turn in dialogue.turns) if dialogue.words_learnt else ""
        assert bare(subject.text_of(system, learnt)) == bare(answers), f"{dialogue.kind} teaches {learnt}"
        assert system.region_token not in learnt and subject.given.isdisjoint(learnt)
        # Another question leaves what is learnt as it was.
        asked = tuple(
            Turn("is this big? " * bool(t.question) + t.question, t.answer, t.marks, t.regions)
            for t in dialogue.turns
        )
        other = system.write_dialogue(Dialogue(dialogue.kind, asked, dialogue.words_learnt))
        assert [label for label in other.labels if label != IGNORED] == learnt
    prompt = prompt_of(system, checked_question("what is this?", {}, striped_picture()))
    assert set(prompt.labels) <= {IGNORED}, "a question teaches nothing"


def bare(text: str) -> str:
    """Return letters and digits in lower case; how words are spaced is the tokenizer's business."""
    return "".join(character for character in text.lower() if character.isalnum())


def malformed_is_a_parse_failure(subject: Subject, folder: Path) -> None:
    """8. A malformed completion is a parse failure, never a box."""
    system, picture = subject.make(folder), striped_picture()
    prompt = prompt_of(system, checked_question("what is this?", {}, picture))
    malformed, readable = subject.malformed(system), subject.readable(system)
    assert malformed and readable
    for completion in malformed:
        reading = system.parse(completion, prompt)
        places = [place for span in reading.spans for place in span.places]
        assert reading.parse_failures, f"{completion.ids} was read as {reading.text!r}"
        assert all(reading.parse_failures), "a parse failure says what is wrong"
        assert not places, f"{completion.ids} became {places}"
    for completion in readable:
        reading = system.parse(completion, prompt)
        assert not reading.parse_failures, f"{completion.ids}: {reading.parse_failures}"
        places = [place for span in reading.spans for place in span.places]
        assert places, f"{completion.ids} has no place"
        assert all(place.box.frame == picture.frame for place in places)


def same_seed_same_answer(subject: Subject, folder: Path) -> None:
    """9. The same seed gives the same answer."""
    subject.make(folder)
    answers = []
    for _ in range(2):
        torch.manual_seed(0)
        answers.append(ask_all(subject.reopen(folder), striped_picture()))
    for first, second in zip(*answers, strict=True):
        assert_same_answer(first, second, within=0.0)


def picture_is_encoded_once(subject: Subject, folder: Path) -> None:
    """10. A picture is encoded once for several questions."""
    system = subject.make(folder)
    encoded: list[int] = []
    hook = subject.tower(system).register_forward_hook(lambda *_: encoded.append(1))
    texts = ["where is the dog?", "what is there?", "is there a cat?"]
    try:
        system.ask(striped_picture(), texts, max_new_tokens=4)
        assert len(encoded) == 1, f"three questions encoded the picture {len(encoded)} times"
        system.ask(striped_picture(), "where is the hat?", max_new_tokens=4)
        assert len(encoded) == 1, "a further question about the same pixels encoded the picture again"
        if not system.paints:
            system.ask(striped_picture(), "what is {it}?", it=Point(5, 5), max_new_tokens=4)
            assert len(encoded) == 1, "a region encoded the picture again"
        system.ask(striped_picture(seed=1), texts, max_new_tokens=4)
        assert len(encoded) == 2, "another picture has to be encoded"
    finally:
        hook.remove()


def pictures_are_told_apart(subject: Subject, folder: Path) -> None:
    """11. Two pictures in one dialogue are told apart; a system that reads one at a time says so."""
    system = subject.make(folder)
    first, second = striped_picture(), striped_picture(seed=1)
    earlier = system.ask(first, "what is there?", max_new_tokens=4)
    try:
        system.ask(second, "where is the dog?", before=[earlier], max_new_tokens=4)
        raise AssertionError("an earlier answer about another picture of the same size was accepted")
    except FrameMismatch:
        pass
    if system.pictures_taken[1] < 2:
        try:
            system.ask([first, second], "what is there?")
            raise AssertionError("two pictures were taken by a system that reads one")
        except UsageError as mistake:
            assert system.name in str(mistake), mistake
        return
    assert system.ask([first, second], "what is there?", before=[earlier], max_new_tokens=4).pictures == (
        first,
        second,
    )
    for pictures, bound in (((first, second), second), ((second, first), second), ((first, second), first)):
        question = checked_question("what is {it}?", {"it": Point(40, 60).bind(bound.frame)}, pictures)
        prompt = prompt_of(system, question)
        assert [one.original for one in prompt.encoded] == [picture.frame for picture in pictures]
        if system.paints:
            inputs = system.encoder_inputs(question)
            assert [one.picture.frame for one in inputs if one.painted] == [bound.frame]
        else:
            seen = region_seen_in(system, prompt)
            assert seen == bound.frame, "a region is seen in the other picture"


@torch.inference_mode()
def region_seen_in(system: System, prompt: Prompt) -> Frame:
    """Return the frame of the picture that the vector of a prompt's only region comes from."""
    (embedded,) = system.embed([prompt])
    behind = len(prompt.ids) - 1 - list(prompt.ids).index(system.region_token)
    identity = embedded.identity[-1 - behind]
    assert isinstance(identity, tuple)
    return next(one.original for one in prompt.encoded if one.key == identity[0])


def a_question_needs_no_picture(subject: Subject, folder: Path) -> None:
    """12. A question about no picture is answered; a system that needs one says so."""
    system = subject.make(folder)
    if system.pictures_taken[0] == 0:
        answer = system.ask(None, "what is a dog?", max_new_tokens=NEW_TOKENS)
        assert answer.pictures == () and answer.raw is not None and answer.raw.ids
        again = system.ask(None, "and what is this?", before=[answer], max_new_tokens=4)
        assert again.question == "and what is this?"
        return
    try:
        system.ask(None, "what is a dog?")
        raise AssertionError("a question without a picture was taken by a system that needs one")
    except UsageError as mistake:
        assert system.name in str(mistake), mistake


def a_seed_is_its_own(subject: Subject, folder: Path) -> None:
    """13. An answer of a seed doesn't depend on its neighbours, and without a temperature it is greedy."""
    system, picture = subject.make(folder), striped_picture()
    drawn = {"temperature": 1.5, "seed": 3, "max_new_tokens": NEW_TOKENS}
    alone = system.ask(picture, QUESTIONS[1], **drawn)
    together = system.ask(picture, [QUESTIONS[3], QUESTIONS[1], "what is there?"], **drawn)
    assert_same_answer(alone, together[1])
    assert_same_answer(alone, system.ask(picture, QUESTIONS[1], **drawn))
    others = {system.ask(picture, QUESTIONS[1], **drawn | {"seed": seed}).text for seed in range(8)}
    assert len(others) > 1, "every seed gives the same answer"
    greedy = system.ask(picture, QUESTIONS[1], max_new_tokens=NEW_TOKENS)
    assert_same_answer(
        greedy, system.ask(picture, QUESTIONS[1], temperature=0.0, seed=5, max_new_tokens=NEW_TOKENS)
    )
    system.save(folder / "sampling")
    file = folder / "sampling" / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"do_sample": True, "temperature": 1.5}))
    sampling = subject.reopen(folder / "sampling")
    assert_same_answer(greedy, sampling.ask(picture, QUESTIONS[1], max_new_tokens=NEW_TOKENS))


def a_stop_is_no_failure(subject: Subject, folder: Path) -> None:
    """14. An answer ends before a text that it shall stop at, and that is no parse failure."""
    system, picture = subject.make(folder), striped_picture()
    stopped = 0
    for question in QUESTIONS[1], QUESTIONS[3], "what is there?":
        whole = system.ask(picture, question, max_new_tokens=NEW_TOKENS)
        assert whole.raw is not None
        for stop in sorted(set(whole.raw.text.split())):
            answer = system.ask(picture, question, stop=stop, max_new_tokens=NEW_TOKENS)
            assert answer.finish == "stop" and answer.raw is not None
            cut = [one for one in answer.parse_failures if "max_new_tokens" in one]
            assert not cut, f"{stop!r} made failures: {cut}"
            assert stop not in answer.text and stop in answer.raw.text
            assert whole.raw.text.startswith(answer.raw.text) and len(answer.raw.ids) <= len(whole.raw.ids)
            stopped += 1
    assert stopped, "a subject whose answers hold words is needed"
    short = system.ask(picture, QUESTIONS[1], max_new_tokens=2)
    assert short.finish == "length" and short.parse_failures


def a_stream_is_the_answer(subject: Subject, folder: Path) -> None:
    """15. All deltas of a stream together are the answer of ``ask``."""
    system, picture = subject.make(folder), striped_picture()
    texts = 0
    for question in (*QUESTIONS, "what is there?"):
        regions: dict[str, Region] = {"it": SPOT, "other": Point(30, 70)}
        used = {name: region for name, region in regions.items() if f"{{{name}}}" in question}
        for settings in ({}, {"temperature": 1.2, "seed": 1}, {"stop": "the"}):
            whole = system.ask(picture, question, regions=used, max_new_tokens=NEW_TOKENS, **settings)
            stream = system.stream(picture, question, regions=used, max_new_tokens=NEW_TOKENS, **settings)
            deltas = list(stream)
            text = "".join(delta.text for delta in deltas)
            spans = tuple(span for delta in deltas for span in delta.spans)
            assert text == whole.text, f"streamed {text!r}, answered {whole.text!r}"
            assert len(spans) == len(whole.spans)
            for one, other in zip(spans, whole.spans, strict=True):
                assert_same_span(one, other, within=1e-3)
            assert_same_answer(stream.answer, whole)
            texts += sum(bool(delta.text) for delta in deltas) > 1
    assert texts, "no answer came in parts"


def what_was_said_comes_back(subject: Subject, folder: Path) -> None:
    """16. What was said stands to the letter in the next prompt."""
    system, picture, count = subject.make(folder), striped_picture(), 0
    for question in (*QUESTIONS[1::2], "what is there?"):
        for seed in range(6):
            answer = system.ask(picture, question, temperature=1.2, seed=seed, max_new_tokens=NEW_TOKENS)
            assert answer.raw is not None
            if not subject.unsayable.isdisjoint(answer.raw.ids):
                continue
            sent = Answer.from_json(answer.to_json(), picture)
            count += 1
            for earlier in (answer, replace(sent, question=question)):
                prompt = prompt_of(system, checked_question("and this?", {}, picture, before=[earlier]))
                assert holds(prompt.ids, answer.raw.ids), f"{answer.raw.text!r} came back otherwise"
    assert count > 6, "a subject that mostly says words is needed"


def nothing_mixes_devices(subject: Subject, folder: Path) -> None:
    """17. Nothing mixes devices: every tensor of an answer or a training step is where the network is."""
    here = subject.make(folder / "made")
    made, answers, losses = here.fingerprint(), talk(here), lessons(subject, here, folder / "here")
    with DeviceDouble() as double:
        there = subject.reopen(folder / "made").to(double.device)
        assert there.device == double.device, f"the network stayed on {there.device}"
        assert there.fingerprint() == made, "moving the network changed its weights"
        try:
            for answer, expected in zip(talk(there), answers, strict=True):
                assert_same_answer(answer, expected)
            found = lessons(subject, there, folder / "there")
            halved = subject.reopen(folder / "made").to(double.device)
            halved.network.to(torch.bfloat16)  # type: ignore[arg-type]
            talk(halved)
        finally:
            assert not double.mixed, "mixed: " + "; ".join(dict.fromkeys(double.mixed))
        assert double.operations, "nothing was computed on the device"
    assert np.allclose(found, losses, rtol=0.02), f"losses there {found}, here {losses}"
    assert subject.reopen(folder / "there" / "model").fingerprint() != made, "nothing was learnt"


def talk(system: System) -> list[Answer]:
    """Ask with regions of every kind and about an earlier answer; as a batch, streamed, drawn by chance."""
    picture = striped_picture()
    regions = every_kind(picture)
    texts = [f"what is {{{name}}}?" for name in regions]
    answers = ask_all(system, picture)
    answers += system.ask(
        picture,
        texts,
        regions=[{name: region} for name, region in regions.items()],
        max_new_tokens=NEW_TOKENS,
    )
    more = {"regions": {"it": regions["mask"]}, "before": answers[:1], "max_new_tokens": NEW_TOKENS}
    answers.append(system.ask(picture, "is {it} a red dog?", **more))
    stream = system.stream(picture, "is {it} a dog or a cat?", **more)
    assert all(isinstance(delta.text, str) for delta in stream)
    answers.append(stream.answer)
    drawn = {"temperature": 1.2, "seed": 2, "logprobs": True, "max_places": 1, "max_new_tokens": NEW_TOKENS}
    answers.append(system.ask(picture, QUESTIONS[1], **drawn))
    return answers


def lessons(subject: Subject, system: System, out: Path) -> list[float]:
    """Train for two steps, the second one resumed from what the first one left; return the losses."""
    network, world = system.network, World(rank=0, size=1, device=system.device)
    recipe = Recipe("lessons", system.name, steps=2, batch=1, groups=(Group(("",), 1e-3),), ema=0.9)
    origin = Origin(recipe.as_dict(), world.size, {})
    dialogues, picture = subject.training(system)
    said = []
    for step in range(2):
        state = RunState(network, build_optimiser(network, recipe), AveragedWeights(network, decay=0.9))
        if step:
            assert load_checkpoint(checkpoints(out)[-1], state, origin=origin, world=world) == step
        prepare_step(state.optimiser, recipe, step)
        torch.manual_seed(step)  # what training draws by chance is the same on every device
        loss = system.losses(dialogues, picture)["total"]
        loss.backward()
        nn.utils.clip_grad_norm_(learning(state.optimiser), recipe.optimiser.clip)
        state.optimiser.step()
        state.optimiser.zero_grad(set_to_none=True)
        assert state.average is not None
        state.average.update(network, step=step)
        save_checkpoint(out, state, step=step + 1, origin=origin, world=world)
        said.append(float(loss.detach()))
    system.save(out / "model")
    return said


def holds(ids: Sequence[int], part: Sequence[int]) -> bool:
    """Tell whether some ids stand in others, one behind the other."""
    width = len(part)
    return any(tuple(ids[at : at + width]) == tuple(part) for at in range(len(ids) - width + 1))


PROMISES: tuple[Promise, ...] = (
    frames_survive_the_round_trip,
    region_tokens_match_regions,
    typed_special_tokens_never_act,
    batch_equals_single,
    saving_changes_nothing,
    gradient_reaches_every_trained_part,
    labels_cover_answers_only,
    malformed_is_a_parse_failure,
    same_seed_same_answer,
    picture_is_encoded_once,
    pictures_are_told_apart,
    a_question_needs_no_picture,
    a_seed_is_its_own,
    a_stop_is_no_failure,
    a_stream_is_the_answer,
    what_was_said_comes_back,
    nothing_mixes_devices,
)
