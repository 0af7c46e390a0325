"""Facts of captions, by how a parser reads them: who does what to what, and which colour is whose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deixis.data.scene import Caption, Phrase
from deixis.data.synthesis.skills.facts import DOERS, ON, PEOPLE, Colour, Deed, Part, Standing
from deixis.english.colours import COLOURS, SHADES
from deixis.english.sentence_parser import Sentence, Word, dependents
from deixis.english.verb_forms import first_person, ing_form

SAYING = frozenset(("VBG", "VBZ", "VBP"))  # tags of verbs that say what is going on
# Say little of what is to be seen, or are no verbs of somebody who does something.
NO_DEEDS = frozenset((
    "sticking", "putting", "raising", "turning",
    "being", "having", "seeming", "appearing", "trying", "attempting", "preparing", "beginning",
    "starting", "stopping", "getting", "going", "letting", "looking", "showing", "depicting", "featuring",
    "including", "wanting", "liking", "belonging", "involving", "continuing", "following", "finishing",
    "containing", "surrounding", "doing", "performing", "making", "taking", "giving", "coming",
    "enjoying", "keeping", "learning", "seeing", "using", "participating", "displaying", "training",
    "competing", "working", "practicing", "ending", "backing", "bearing", "heading", "leading",
    "concerning", "according", "consisting", "resembling", "needing", "helping", "saying", "reading",
    "advertising", "sporting",
))  # fmt: skip
ALONE = frozenset((
    "running", "walking", "jumping", "swimming", "sitting", "standing", "sleeping", "smiling", "dancing",
    "singing", "skateboarding", "surfing", "skiing", "snowboarding", "laughing", "lying", "climbing",
    "playing", "eating", "drinking", "crawling", "kneeling", "barking", "wrestling", "jogging", "cooking",
    "fishing", "talking", "leaping", "riding", "diving", "flying", "posing", "yawning", "crying",
    "skating", "rowing", "kayakking", "hiking", "painting", "reading", "driving", "kissing", "hugging",
    "relaxing", "resting", "biking", "rappeling", "golfing", "juggling", "swinging", "sliding", "falling",
    "wading", "splashing", "waving", "clapping", "marching", "racing", "paddling", "pointing",
    "crouching", "squatting", "bending", "fighting", "shopping", "waiting", "rolling", "flipping",
    "sledding",
))  # fmt: skip
AUXILIARIES = frozenset(("be", "have", "do"))
# Say in what manner or when, not with respect to what.
NO_LINKS = frozenset((
    "as", "for", "during", "while", "of", "after", "before", "like", "without", "about", "until", "by",
    "than", "to", "towards", "toward",
))  # fmt: skip


@dataclass(frozen=True)
class ReadCaption:
    """A caption with its sentence, and the phrase that each of its words is in (None: in none)."""

    caption: Caption
    sentence: Sentence
    phrases: tuple[Phrase | None, ...]

    @classmethod
    def of(cls, caption: Caption, sentence: Sentence) -> ReadCaption:
        """Return a caption with its sentence."""
        within = tuple(
            next((p for p in caption.phrases if p.start <= word.start and word.end <= p.end), None)
            for word in sentence
        )
        return cls(caption, sentence, within)

    def part(self, number: int | None) -> Part | None:
        """Return the phrase whose noun is the word of a number; None where that word heads no phrase."""
        phrase = None if number is None else self.phrases[number]
        if phrase is None or number is None:
            return None
        word = self.sentence[number]
        inside = [n for n, other in enumerate(self.phrases) if other is phrase]
        if word.head in inside and word.head != number:
            return None
        if not word.tag.startswith("NN") or len(phrase.text.split()) > LONGEST_PHRASE:
            return None
        noun = word.text
        return Part(phrase.text.lower(), noun, phrase.things, phrase.types)

    def same_role(self, number: int) -> list[int]:
        """Return a word and those that "and" ties to it."""
        return [number, *(n for n in dependents(self.sentence, number, "conj"))]


LONGEST_PHRASE = 6  # words


def colours_of(read: ReadCaption) -> Iterator[Colour]:
    """Yield what captions say of colours: of things, never of people."""
    for number, word in enumerate(read.sentence):
        part = read.part(number)
        if part is None or not part.things or not word.tag.startswith("NN") or PEOPLE in part.types:
            continue
        own = sorted(
            n for n in range(number) if read.phrases[n] is read.phrases[number] and depends(read, n, number)
        )
        named = [n for n in own if read.sentence[n].text in COLOURS and read.sentence[n].role != "compound"]
        if not named:
            continue
        first, last = named[0], named[-1]
        while first - 1 in own and read.sentence[first - 1].text in SHADES:
            first -= 1
        words = [read.sentence[n].text for n in range(first, last + 1)]
        if all(word in COLOURS or word in SHADES or word in ("and", ",", "-") for word in words):
            told = " ".join(word for word in words if word != "-").replace(" ,", ",")
            yield Colour(part, told)


def depends(read: ReadCaption, number: int, noun: int) -> bool:
    """Tell whether a word says something of a noun, with no other noun between."""
    seen: set[int] = set()
    at = number
    while at != noun:
        if at in seen or (read.sentence[at].tag.startswith("NN") and read.sentence[at].text not in COLOURS):
            return False
        seen.add(at)
        at = read.sentence[at].head
    return True


def deeds_of(read: ReadCaption) -> Iterator[Deed]:
    """Yield what people and animals do, by a caption."""
    for number, word in enumerate(read.sentence):
        if word.tag not in SAYING or dependents(read.sentence, number, "neg", "auxpass"):
            continue
        if doing_form(word) in NO_DEEDS or not word.text.isalpha():
            continue
        who = read.part(doer(read.sentence, number))
        if who is not None and who.things and not DOERS.isdisjoint(who.types):
            yield from done(read, number, who)
    yield from worn(read)


def doer(sentence: Sentence, verb: int) -> int | None:
    """Return the number of the word that does what a verb says; None where none does."""
    for _ in range(len(sentence)):
        word = sentence[verb]
        subjects = dependents(sentence, verb, "nsubj")
        if subjects:
            subject = subjects[0]
            return word.head if word.role == "relcl" and sentence[subject].tag in ("WP", "WDT") else subject
        if word.role == "acl" and word.tag == "VBG":
            return word.head
        if word.role not in ("conj", "advcl", "xcomp") or word.head == verb:
            return None
        if not sentence[word.head].tag.startswith("VB") or (word.role != "conj" and word.tag != "VBG"):
            return None
        verb = word.head
    return None


def done(read: ReadCaption, verb: int, who: Part) -> Iterator[Deed]:
    """Yield what someone does by one verb: to each of its objects, or where it is done."""
    sentence, word = read.sentence, read.sentence[verb]
    verb_form = doing_form(word)
    particles = [sentence[n].text for n in dependents(sentence, verb, "prt")]
    doing = " ".join([verb_form, *particles])
    objects = dependents(sentence, verb, "dobj")
    if objects:
        for number in read.same_role(objects[0]):
            what = read.part(number)
            if what is not None and what.things != who.things:
                yield Deed(who, verb_form, doing, "", what)
        return
    if dependents(sentence, verb, "ccomp", "acomp", "dative", "oprd"):
        return
    linked = [
        made for number in dependents(sentence, verb, "prep") if (made := placed(read, number)) is not None
    ]
    if linked:
        link, what = linked[0]
        if what.things != who.things:
            yield Deed(who, verb_form, doing, link, what)
    elif verb_form in ALONE and not particles:
        yield Deed(who, verb_form, doing)


def doing_form(word: Word) -> str:
    """Return the "-ing" form of a verb, by which verbs are told apart."""
    if word.tag == "VBG":
        return word.text
    if word.lemma in AUXILIARIES:
        return ing_form(word.lemma)
    return ing_form(first_person(word.text) if word.tag == "VBZ" else word.text)


def placed(read: ReadCaption, preposition: int) -> tuple[str, Part] | None:
    """Return the words of a preposition, "in front of" as one, and the phrase that it stands before."""
    sentence = read.sentence
    link = sentence[preposition].text
    if link in NO_LINKS:
        return None
    for number in dependents(sentence, preposition, "pobj"):
        inner = dependents(sentence, number, "prep")
        if sentence[number].text in ("front", "top") and inner and sentence[inner[0]].text == "of":
            further = placed_of(read, inner[0])
            return None if further is None else (f"{link} {sentence[number].text} of", further)
        part = read.part(number)
        if part is not None:
            return link, part
    inner = dependents(sentence, preposition, "prep")
    if len(inner) == 1 and inner[0] == preposition + 1:  # "out of", "down into"
        further = placed_of(read, inner[0])
        return None if further is None else (f"{link} {sentence[inner[0]].text}", further)
    return None


def placed_of(read: ReadCaption, preposition: int) -> Part | None:
    """Return the phrase that a preposition stands before."""
    for number in dependents(read.sentence, preposition, "pobj"):
        return read.part(number)
    return None


def worn(read: ReadCaption) -> Iterator[Deed]:
    """Yield what someone wears where a caption says "a man in a hat" or "dressed in a suit"."""
    sentence = read.sentence
    for number, word in enumerate(sentence):
        if word.text != "in" or word.role != "prep":
            continue
        above = sentence[word.head]
        who = read.part(word.head if above.tag.startswith("NN") else None)
        if above.text in ("dressed", "clad") and above.role == "acl":
            who = read.part(above.head)
        elif above.text in ("dressed", "clad"):
            who = read.part(next(iter(dependents(sentence, word.head, "nsubj", "nsubjpass")), None))
        if who is None or not who.things or PEOPLE not in who.types:
            continue
        for first in dependents(sentence, number, "pobj"):
            for other in read.same_role(first):
                what = read.part(other)
                if what is not None and "clothing" in what.types:
                    yield Deed(who, "wearing", "wearing", "", what)


def standings_of(read: ReadCaption) -> Iterator[Standing]:
    """Yield who is on, behind or in front of what, where a caption says so or says who sits there."""
    for number, word in enumerate(read.sentence):
        if word.role != "prep":
            continue
        found = placed(read, number)
        if found is None or found[0] not in ON:
            continue
        link, where = found
        above = word.head
        what = read.part(above)
        if (
            what is None
            and read.sentence[above].tag in SAYING
            and doing_form(read.sentence[above]) in POSTURES
        ):
            what = read.part(doer(read.sentence, above))
        if what is None or not what.things or DOERS.isdisjoint(what.types) or "bodyparts" in where.types:
            continue
        if where.things and where.things != what.things:
            yield Standing(what, link, where)


POSTURES = frozenset((
    "sitting", "standing", "lying", "laying", "sleeping", "resting", "relaxing", "kneeling", "perching",
    "waiting", "posing",
))  # fmt: skip
