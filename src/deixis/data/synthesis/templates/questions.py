"""Prompt templates of training questions: many ways to ask for the same thing.

`question_writer` tells how a template is written and makes questions of it. Whether a phrase is in the
picture never shows in the template.
"""

from __future__ import annotations

from collections.abc import Iterator

from deixis.data.synthesis.question_writer import CHOICE
from deixis.data.synthesis.templates import everyday
from deixis.data.synthesis.templates.follow_ups import (
    FURTHER,
    FURTHER_COUNT,
    FURTHER_NAME,
    FURTHER_PHRASE,
    FURTHER_WHERE,
)

WHERE = (
    *everyday.WHERE,
    "where <be> {}?",
    "where <be> {}( in the picture| in the photo| in this image| here| exactly|)?",
    "(please |can you |could you |)(find|locate|point at|point to|show me) {}( for me| please|).",
    "(find|locate|point out|indicate|show) {}( in the picture| in this photo| here|).",
    "where (can|could|do|would) (i|you|we) (see|find|spot) {}?",
    "(tell me|show me|do you know|can you tell me) where {} <be>?",
    "(i am|we are) looking for {}.",
    "i (want|would like|need) to (see|find|know the place of) {}.",
    "which (part|region|area) of the (picture|photo|image) (is|shows) {}?",
    "(draw|put|make) a (box|frame) (around|on|over) {}.",
    "what is the (place|position|location) of {}?",
    "give me (a box|the box|the place|the location) (of|for) {}.",
    "{} <be> where?",
    "{}.",
    "(any idea|do you see) where {} <be>?",
    "i need (some |)help to (find|see|spot) {}.",
    "(circle|outline|frame|tag) {}( for me| with a box|).",
    "in (which|what) (corner|part|spot|place) <be> {}?",
    "where (should|must|do) i look (for|to see) {}?",
    "where in (this|the) (photo|picture|shot|scene) <be> {}?",
    "(guide|take|direct) me to {}.",
    "(look|search) for {}( here| in this photo|).",
    "where (might|would|will) {} be( found| standing|)?",
    "give the coordinates of {}.",
)
WHERE_MANY = (
    *WHERE,
    "(find|show me|mark|point at|locate) (all|every one) of {}.",
    "where are all {}?",
)
NAME = (
    *everyday.NAME,
    "what is {it}?",
    "what is (this|that|it|there)? {it}",
    "name {it}.",
    "what (do|can) you see (at|in|inside) {it}?",
    "who or what is {it}?",
    "who is (this|that|)? {it}",
    "what is (in|at|inside) {it}?",
    "what (thing|object) is {it}?",
    "(can you |could you |please |)(tell me|say) what {it} is.",
    "do you know what {it} is?",
    "what (would|do) you call {it}?",
    "(identify|recognise) {it}( for me| please|).",
    "what am i (pointing at|looking at)? {it}",
    "what (have|did) i (marked|mark|point at)? {it}",
    "{it}: what is (it|this|that)?",
    "give me a (name|word|noun) for {it}.",
    "what can be seen (at|in) {it}?",
    "any idea what {it} (is|may be|stands for)?",
    "what (could|may|will) {it} be?",
    "i (can not|do not) make out {it}. what is it?",
    "which (thing|object) is {it}?",
    "what is (shown|visible|to be seen) (at|in|under) {it}?",
    "what has been (marked|chosen|selected)? {it}",
    "what did i (just |)(draw on|touch|select)? {it}",
    "put a name to {it}.",
    "one word for {it}( please|).",
    "{it} is (a|an) what?",
    "what is {it} (called|showing)?",
    "say the name of {it}.",
    "what sort of (thing|object) is {it}?",
)
DESCRIBE = (
    *everyday.DESCRIBE,
    "describe {it}.",
    "(please |can you |could you |)describe {it}( for me| in a few words| in detail| to me|).",
    "what does {it} look like?",
    "(tell me|say) (something |more |a bit |)about {it}.",
    "what is there to (say|tell) about {it}?",
    "a (description|short description) of {it}( please|).",
    "how (would you describe|does|do you find) {it}( look|)?",
    "what do you notice about {it}?",
    "more (detail|details|words) (on|about) {it}.",
    "i (want|would like) to know more about {it}.",
    "what can you tell me about {it}?",
    "(give|write) me (a few|some) (details|words|facts) (on|about) {it}.",
    "find words for {it}.",
    "what is {it} like?",
    "what stands out about {it}?",
    "(go into|give) detail (about|on) {it}.",
    "(explain|elaborate on) {it}.",
    "what (colour|kind|sort) is {it}, and what else do you see of it?",
    "{it}: what does it look like?",
)
CAPTION = (
    "describe the (picture|photo|image|scene).",
    "what is happening( here| in this picture|)?",
    "what do you see?",
    "caption this (picture|photo|image).",
    "what is going on( here| in this photo|)?",
    "what is (this|the) (picture|photo) about?",
    "(tell me|say) what (is happening|you see|this shows).",
    "what does the (picture|photo) show?",
    "write a (caption|sentence) (for|about) (this|the picture).",
)
LIST = (
    "what is in the (picture|photo)?",
    "list (what is there|everything|all things).",
    "name everything (you see|in the picture).",
    "what things are (there|in this picture|visible)?",
    "what can be seen( here| in this photo|)?",
)
PRESENCE = (
    *everyday.PRESENCE,
    "<be> there {}?",
    "<be> there {}( in the picture| in the photo| in this image| here| somewhere|)?",
    "(do|can|could) you see {}( anywhere| in the picture| here|)?",
    "(do|did) you (find|spot|notice) {}( anywhere| in the picture| here|)?",
    "does the (picture|photo|image) (show|have|contain|include) {}?",
    "<be> {} (in the picture|in this photo|there|shown)?",
    "(i wonder|tell me|can you tell me|say) (if|whether) there <be> {}.",
    "would you say there <be> {}?",
    "there <be> {}, (right|correct|true|yes or no)?",
    "have you (seen|spotted|noticed) {}?",
    "can {} be seen?",
    "(can|do) (i|we|people) see {}( here| in this shot| anywhere|)?",
    "yes or no: <be> there {}?",
    "<be> there {}, or not?",
    "is it true that there <be> {}?",
    "<be> {} (around|part of this picture)?",
    "(tell me|say|answer) yes or no: {}?",
    "did the (camera|photographer) (catch|take) {}?",
    "are you able to see {}?",
)
PRESENCE_ANY = (
    *everyday.PRESENCE_ANY,
    "<be> there any {}( in the picture| here| at all|)?",
    "(do|can) you see any {}( anywhere|)?",
    "does the (picture|photo) (have|show) any {}?",
)
COUNT = (
    *everyday.COUNT,
    "how many {} are there( in the picture| here|)?",
    "how many {} (can|do) you see?",
    "how many {} are (in the picture|in this photo|visible|shown)?",
    "(please |)count how many {} there are.",
    "(say|find out|do you know) how many {} there are.",
    "what is the number of {}?",
    "how many {}?",
    "how many {} (did you|have you) (find|found|count|counted)?",
    "(give|tell) me the number of {}.",
    "what number of {} (do you see|are there)?",
    "make a count of {}.",
    "the (total|number) of {}( please|)?",
    "how many of (the|these|those) {} (do you see|are there)?",
    "how many {} does (this|the) (picture|photo) (show|have)?",
)
RELATE = (
    "(where|how) is {a} (compared to|relative to|from|with respect to) {b}?",
    "how (do|are) {a} and {b} (relate|related|placed|positioned)?",
    "what is the (relation|relationship) (between|of) {a} and {b}?",
    "(relate|connect) {a} (to|and|with) {b}.",
    "where is {a} if you look from {b}?",
    "say how {a} stands to {b}.",
)
COMPARE = (
    "compare {a} (and|with|to) {b}.",
    "what is the difference between {a} and {b}?",
    "how is {a} different from {b}?",
    "how does {a} differ from {b}?",
    "(tell me|say) how {a} and {b} differ.",
    "what are {a} and {b}?",
    "what do you see (at|in) {a} and (at|in) {b}?",
)
SAME = (
    "are {a} and {b} the same( kind of thing| thing|)?",
    "is {a} the same (thing|kind of thing) as {b}?",
    "do {a} and {b} show the same( thing|)?",
    "are (these|those) the same? {a} {b}",
)
VERIFY = (
    "is {it} {}?",
    "is (this|that|it) {}? {it}",
    "is {it} (really |maybe |perhaps |by any chance |)(showing |){}?",
    "(do|would) you (say|think) (that |){it} is {}?",
    "(yes or no: |so, |tell me: |)is {it} {}?",
    "(could|might|can) {it} be {}?",
    "{it}: is (it|this|that) {}?",
    "(i think|i believe|i guess|they say) {it} is {}. (right|correct|true|am i right|is that so)?",
    "{it} is {}, (right|correct|true|yes or no|is it not)?",
    "does {it} (show|contain) {}?",
    "is what i (marked|pointed at|drew on) {}? {it}",
    "(is it true|is it right|would it be right) that {it} is {}?",
    "{it}: {}, (yes or no|or not|or something else)?",
    "did i (mark|point at|touch) {}? {it}",
)
SORTS = {
    "people": ("person", "kind of person", "human being"),
    "person": ("person", "kind of person", "human being"),
    "animals": ("animal", "kind of animal", "creature", "pet"),
    "animal": ("animal", "kind of animal", "creature", "pet"),
    "vehicles": ("vehicle", "kind of vehicle", "means of transport", "machine"),
    "vehicle": ("vehicle", "kind of vehicle", "means of transport", "machine"),
    "clothing": ("piece of clothing", "kind of clothing", "garment", "thing to wear"),
    "bodyparts": ("part of the body", "body part"),
    "instruments": ("instrument", "musical instrument"),
    "scene": ("place", "kind of place", "part of the scene"),
    "furniture": ("piece of furniture", "kind of furniture"),
    "food": ("food", "kind of food"),
}  # what sort of thing a name is asked for, by the supercategory of the thing
ANY_SORT = ("thing", "object", "kind of thing", "sort of thing", "item", "type of thing")
ACTION = everyday.ACTION
NAME_KIND = everyday.NAME_KIND
ALL = (
    *WHERE_MANY, *NAME, *DESCRIBE, *FURTHER, *FURTHER_WHERE, *FURTHER_COUNT, *FURTHER_NAME, *FURTHER_PHRASE,
    *NAME_KIND, *CAPTION, *LIST, *PRESENCE, *PRESENCE_ANY, *ACTION, *COUNT, *RELATE, *COMPARE, *SAME, *VERIFY,
)  # fmt: skip


def all_words() -> Iterator[str]:
    """Yield every template with all its alternatives, and words for sorts, for a vocabulary to cover."""
    yield from (sort for sorts in (*SORTS.values(), ANY_SORT) for sort in sorts)
    yield from map(spelt_out, ALL)


def spelt_out(template: str) -> str:
    """Return a template with all its alternatives behind each other."""
    return CHOICE.sub(lambda match: match.group(1).replace("|", " "), template).replace("<be>", "is are")
