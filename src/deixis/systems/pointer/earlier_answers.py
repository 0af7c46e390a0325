"""Earlier answers in a prompt: to the letter where they are this system's own, else written anew."""

from __future__ import annotations

from deixis.answers.grounded import Answer
from deixis.records.dialogue import Mark, Turn
from deixis.regions.carrying import carried
from deixis.regions.shapes import Box
from deixis.systems.encoded import Encoded
from deixis.systems.pointer.decoding.place_grammar import IN_OPENING, State, first_state, next_state
from deixis.text.tokenizers.word_pieces.detokenise import joined
from deixis.text.tokenizers.word_pieces.vocabulary import END, SPECIAL, Vocabulary


def own_tokens(answer: Answer, vocabulary: Vocabulary, *, system: str) -> tuple[int, ...] | None:
    """Return what a system said in an earlier answer, ended; None where the answer isn't (quite) its own."""
    if answer.system != system or answer.raw is None:
        return None
    ids, state = answer.raw.ids, first_state(vocabulary.opening)
    pieces = []
    for token in ids:
        following = next_state(state, token, vocabulary.opening) if 0 <= token < len(vocabulary) else None
        if following is None:
            return None
        if token >= len(SPECIAL) and state not in IN_OPENING:
            pieces.append(vocabulary.pieces[token])
        state = following
    if joined(pieces)[0] != answer.raw.text:
        return None
    return ids if state is State.ENDED else (*ids, END.id)


def turn_of(answer: Answer, encoded: Encoded) -> Turn:
    """Return an earlier answer as a turn in the frame of an encoded picture's view."""
    view = encoded.view.frame
    marks = []
    for span in answer.spans:
        boxes: tuple[Box, ...] = tuple(place.box.to(view) for place in span.places)
        marks.append(Mark(span.start, span.end, boxes))
    regions = tuple((name, carried(region, view)) for name, region in answer.regions)
    return Turn(answer.question, answer.text, tuple(marks), regions)
