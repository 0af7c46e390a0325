"""Sentences as the parser reads them, written down so that tests need no parser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from deixis.data.scene import Caption, Phrase, PictureFile, Scene, Thing
from deixis.english.sentence_parser import Sentence, Word
from deixis.regions.shapes import Box

# text/tag/role/head, as spaCy's small model has them
READ = {
    "A man in a red hat is sitting on a bench .": (
        "a/DT/det/1 man/NN/nsubj/7 in/IN/prep/1 a/DT/det/5 red/JJ/amod/5 hat/NN/pobj/2 is/VBZ/aux/7 "
        "sitting/VBG/ROOT/7 on/IN/prep/7 a/DT/det/10 bench/NN/pobj/8 |/punct/punct/7"
    ),
    "A black and white dog rides a bike and chases the man .": (
        "a/DT/det/4 black/JJ/amod/4 and/CC/cc/1 white/JJ/conj/1 dog/NN/nsubj/5 rides/VBZ/ROOT/5 a/DT/det/7 "
        "bike/NN/dobj/5 and/CC/cc/5 chases/VBZ/conj/5 the/DT/det/11 man/NN/dobj/9 |/punct/punct/5"
    ),
    "A woman who is holding a cup is not walking .": (
        "a/DT/det/1 woman/NN/nsubj/9 who/WP/nsubj/4 is/VBZ/aux/4 holding/VBG/relcl/1 a/DT/det/6 "
        "cup/NN/dobj/4 is/VBZ/aux/9 not/RB/neg/9 walking/VBG/ROOT/9 |/punct/punct/9"
    ),
    "A girl in a blue dress is swimming .": (
        "a/DT/det/1 girl/NN/nsubj/7 in/IN/prep/1 a/DT/det/5 blue/JJ/amod/5 dress/NN/pobj/2 is/VBZ/aux/7 "
        "swimming/VBG/ROOT/7 |/punct/punct/7"
    ),
}


def sentence(text: str) -> Sentence:
    """Return a sentence of the table, its words where they stand in the text."""
    words, at = [], 0
    for read in READ[text].split():
        word, tag, role, head = read.replace("|", ".").split("/")
        at = text.lower().index(word, at)
        words.append(Word(word, at, word, tag, role, int(head)))
        at += len(word)
    return tuple(words)


class WrittenParser:
    """Reads the sentences of the table."""

    def parse(self, sentences: Iterable[str]) -> Iterator[Sentence]:
        return map(sentence, sentences)


def caption(text: str, **things: tuple[str, tuple[int, ...]]) -> Caption:
    """Return a caption; things: by a phrase (underscores for spaces), its type and the ids of its things."""
    phrases = []
    for words, (sort, ids) in things.items():
        phrase = words.replace("_", " ")
        start = text.lower().index(phrase.lower())
        phrases.append(Phrase(start, start + len(phrase), text[start : start + len(phrase)], ids, (sort,)))
    return Caption(text, tuple(phrases))


def scene(name: str, *captions: Caption) -> Scene:
    """Return a scene of four things in a picture of 64 x 64 pixels."""
    boxes = (Box(2, 2, 30, 30), Box(34, 30, 60, 60), Box(4, 36, 28, 62), Box(40, 4, 60, 24))
    sorts = ("people", "animals", "other", "clothing")
    things = tuple(
        Thing(number, box, "", supercategory=sort)
        for number, (box, sort) in enumerate(zip(boxes, sorts, strict=True), start=1)
    )
    return Scene(name, PictureFile(Path(f"{name}.jpg")), 64, 64, things, captions, ())


def park() -> Scene:
    """Return a man in a red hat on a bench, and a black and white dog on a bike."""
    return scene(
        "park",
        caption(
            "A man in a red hat is sitting on a bench .",
            a_man=("people", (1,)),
            a_red_hat=("clothing", (4,)),
            a_bench=("other", (3,)),
        ),
        caption(
            "A black and white dog rides a bike and chases the man .",
            a_black_and_white_dog=("animals", (2,)),
            a_bike=("vehicles", ()),
            the_man=("people", (1,)),
        ),
    )


def pool() -> Scene:
    """Return a girl in a blue dress who swims."""
    return scene(
        "pool",
        caption(
            "A girl in a blue dress is swimming .", a_girl=("people", (1,)), a_blue_dress=("clothing", (4,))
        ),
    )
