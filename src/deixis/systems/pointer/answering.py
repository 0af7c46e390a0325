"""The pointer system: its network, vocabulary and rules, behind the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from deixis.answers.grounded import Answer, Span
from deixis.data.dialogue import Dialogue, Example, Mark, Turn
from deixis.errors import BadWeights, UsageError
from deixis.language.claims import claimed
from deixis.language.place_grammar import State, next_state
from deixis.language.questions import presumes
from deixis.language.spelling import Spelling
from deixis.language.vocabulary import (
    FOUND,
    NOWHERE,
    PHRASE,
    PHRASE_END,
    PLACE,
    REGION,
    SPECIAL,
    USER,
    Vocabulary,
)
from deixis.language.wording import joined
from deixis.pictures.opening import Picture
from deixis.pictures.padding import letterbox
from deixis.regions.carrying import carried
from deixis.regions.shapes import Box, Region
from deixis.systems.contract import Completion, Perception, Question, Reading, System, Written
from deixis.systems.pointer.claims import SORTS, ClaimRule, VerdictWords, Weighed, judged, weigh
from deixis.systems.pointer.collate import PointerCollate, region_tensors
from deixis.systems.pointer.decoding import Seen, embedded, grow, read_prefix, verdicts
from deixis.systems.pointer.model import PointerNetwork
from deixis.systems.pointer.objective import ObjectiveWeights, PointerObjective
from deixis.systems.pointer.openings import Claims, Opinion
from deixis.systems.pointer.places import (
    SUREST,
    PlaceReading,
    PlaceRule,
    picture_part,
    places_in,
    read_places,
)
from deixis.systems.pointer.prompts import draft_dialogue, draft_prompt
from deixis.systems.pointer.weights import load_network, save_network

ARTICLES = frozenset(("a", "an", "the", "some"))


class PointerSystem(System):
    """The embedded default; see docs/pointer.md."""

    name = "pointer"
    region_token = REGION.id

    def __init__(self, network: PointerNetwork, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.network: PointerNetwork = network.eval()
        self.vocabulary = vocabulary
        self.rule = PlaceRule(**network.config.place_rule)
        stored = network.config.claim_rules
        self.claim_rules = {sort: ClaimRule(**stored[sort]) for sort in SORTS if sort in stored}
        self.verdict_words = VerdictWords.of(vocabulary)
        self.spelling = Spelling(vocabulary.pieces)
        self.articles = tuple(i for i, piece in enumerate(vocabulary.pieces) if piece in ARTICLES)

    @torch.inference_mode()
    def perceive(self, picture: Picture, regions: Sequence[Region] = ()) -> Perception:
        """Letterbox the picture, run the tower once a size, let the decoder read the picture tokens once."""
        view = letterbox(picture, self.network.config.side)
        pixels = torch.from_numpy(view.pixels).permute(2, 0, 1)[None].float() / 255
        return Perception(picture, view, read_prefix(self.network, self.network.perceive(pixels)))

    def write(self, question: Question, perception: Perception) -> Written:
        """Return the prompt, with regions carried into the frame of the view."""
        view = perception.view.frame
        before = [turn_of(answer, perception) for answer in question.before]
        regions = {name: carried(region, view) for name, region in question.regions}
        draft = draft_prompt(
            question.text,
            regions,
            self.vocabulary,
            before=before,
            most_found=self.network.config.most_found,
        )
        if len(draft.ids) > self.network.config.max_text:
            raise UsageError(
                f"the question (with what was said before) has {len(draft.ids)} tokens; at most "
                f"{self.network.config.max_text}"
            )
        return Written(
            tuple(draft.ids),
            tuple(draft.labels),
            tuple(draft.regions),
            presumes=presumes(question.text),
            claims=claimed(question.text),
        )

    @torch.inference_mode()
    def complete(
        self, perception: Perception, prompts: Sequence[Written], *, max_new_tokens: int
    ) -> list[Completion]:
        """Answer all prompts greedily, as one batch."""
        network, seen = self.network, perception.tensors
        embeds = embedded(network, seen, prompts)
        inside = picture_part(perception.view.frame, perception.picture.frame)

        def decide(prompt: int, hidden: Tensor) -> PlaceReading:
            pointed = network.point(hidden[None, None], seen.places)
            return read_places(
                pointed.scores[0, 0],
                pointed.nowhere[0, 0],
                pointed.boxes[0, 0],
                inside=inside,
                rule=self.rule if prompts[prompt].presumes else self.rule.open_minded(),
                quality=None if pointed.quality is None else pointed.quality[0, 0],
            )

        asked = [self.spelling.words(prompt.ids) for prompt in prompts]

        def spell(prompt: int, logits: Tensor, said: Sequence[int]) -> Tensor:
            return self.spelling.kept(logits, asked[prompt], said)

        opinions = self.opinions(prompts, seen)
        return grow(
            network,
            seen,
            embeds,
            decide=decide,
            spell=spell,
            opinions=opinions,
            claims=self.claims(perception, prompts, opinions),
            max_new_tokens=max_new_tokens,
        )

    def opinions(self, prompts: Sequence[Written], seen: Seen) -> dict[int, Opinion]:
        """Return what the namer makes of the regions that prompts are about, by number of prompt."""
        about = {n: prompt.regions[-1] for n, prompt in enumerate(prompts) if asks_about_one(prompt.ids)}
        if not about or not self.network.config.region_namer:
            return {}
        tensors = region_tensors([list(about.values())], self.network.config)
        pieces, likely = self.network.name_regions(
            seen.places, tensors["region_masks"], tensors["region_geometry"]
        )
        qualities = self.network.region_namer.qualities
        return {
            n: Opinion(pieces, own, qualities, self.articles) for n, own in zip(about, likely[0], strict=True)
        }

    def claims(
        self, perception: Perception, prompts: Sequence[Written], opinions: Mapping[int, Opinion]
    ) -> dict[int, Claims]:
        """Return what prompts say that their region is, judged, by number of prompt."""
        words = self.verdict_words
        if words is None or not self.claim_rules:
            return {}
        named = [number for number, opinion in opinions.items() if len(opinion.pieces) > 1]
        weighed = self.weigh_claims(perception, {number: prompts[number] for number in named})
        return {
            number: judged(one, self.claim_rules, opinion=opinions[number], words=words)
            for number, one in weighed.items()
            if one.sort in self.claim_rules
        }

    @torch.inference_mode()
    def weigh_claims(self, perception: Perception, prompts: Mapping[int, Written]) -> dict[int, Weighed]:
        """Return what speaks for what prompts say that their region is, by number of prompt."""
        view = perception.view.frame
        return weigh(
            self.network,
            self.vocabulary,
            perception.tensors,
            {number: prompt for number, prompt in prompts.items() if prompt.claims},
            whole=Box(*picture_part(view, perception.picture.frame), frame=view),
            articles=self.articles,
        )

    def read(self, completion: Completion, perception: Perception) -> Reading:
        """Turn tokens and place readings into text and spans."""
        failures: list[str] = []
        state: State = State.WORDS
        pieces: list[str] = []
        phrases: list[tuple[int, int, PlaceReading]] = []
        readings, start, previous = iter(completion.places), 0, -1
        if verdicts(completion.ids) != len(completion.places):
            failures.append(
                f"{verdicts(completion.ids)} verdicts came with {len(completion.places)} readings of places"
            )
        for token in completion.ids:
            following = next_state(state, token)
            if following is None:
                failures.append(f"token {self.vocabulary.pieces[token]} can't follow {state.value}")
                break
            state = following
            if token == PHRASE.id:
                start = len(pieces)
            elif token == PHRASE_END.id:
                end = len(pieces)
            elif token in (FOUND.id, NOWHERE.id) and previous == PLACE.id and not failures:
                phrases.append((start, end, next(readings)))
            elif token >= len(SPECIAL):
                pieces.append(self.vocabulary.pieces[token])
            previous = token
        if not failures and state is not State.ENDED:
            failures.append(f"the answer stopped in {state.value}; raise max_new_tokens")
        text, places = joined(pieces)
        spans = tuple(self.span(text, places, *phrase, perception) for phrase in phrases)
        return Reading(text, spans, tuple(failures))

    def span(
        self,
        text: str,
        pieces: list[tuple[int, int]],
        first: int,
        last: int,
        reading: PlaceReading,
        perception: Perception,
    ) -> Span:
        """Return the span of the phrase made of pieces ``first`` to ``last`` (not included)."""
        start, end = pieces[first][0], pieces[last - 1][1]
        return Span(
            start=start,
            end=end,
            phrase=text[start:end],
            places=places_in(reading, view=perception.view.frame, original=perception.picture.frame),
            nowhere=reading.nowhere,
            nowhere_score=min(max(reading.nowhere_share, 1 - SUREST), SUREST),
        )

    def write_dialogue(self, dialogue: Dialogue) -> Written:
        """Return a dialogue in the frame of a view, with labels on its answers."""
        draft = draft_dialogue(dialogue, self.vocabulary, most_found=self.network.config.most_found)
        return Written(tuple(draft.ids), tuple(draft.labels), tuple(draft.regions))

    def losses(self, dialogues: Sequence[Dialogue], picture: Picture) -> dict[str, Tensor]:
        """Return the losses of dialogues about a square picture of the network's side."""
        collate = PointerCollate(self.network.config, self.vocabulary, phrase_rows={})
        objective = PointerObjective(self.network, weights=ObjectiveWeights(), phrase_vectors=None)
        return objective(collate([Example(picture.name, picture, tuple(dialogues))]))

    def save(self, folder: str | Path) -> None:
        """Write config.json, safetensors, tokenizer.json and generation_config.json."""
        save_network(self.network, self.vocabulary, Path(folder))


def open_pointer(folder: Path) -> PointerSystem:
    """Return the system saved in ``folder``."""
    network, vocabulary = load_network(folder)
    try:
        return PointerSystem(network, vocabulary)
    except TypeError as fault:
        raise BadWeights(
            f"the place_rule or one of the claim_rules in {folder / 'config.json'} is none: {fault}"
        ) from fault


def asks_about_one(ids: Sequence[int]) -> bool:
    """Tell whether the last question of a prompt is about exactly one region.

    >>> asks_about_one([USER.id, REGION.id, USER.id, 20]), asks_about_one([USER.id, 20, REGION.id])
    (False, True)
    """
    question = ids[len(ids) - ids[::-1].index(USER.id) :]
    return question.count(REGION.id) == 1


def turn_of(answer: Answer, perception: Perception) -> Turn:
    """Return an earlier answer as a turn in the frame of the perception's view."""
    view = perception.view.frame
    marks = []
    for span in answer.spans:
        boxes: tuple[Box, ...] = tuple(place.box.to(view) for place in span.places)
        marks.append(Mark(span.start, span.end, boxes))
    regions = tuple((name, carried(region, view)) for name, region in answer.regions)
    return Turn(answer.question, answer.text, tuple(marks), regions)
