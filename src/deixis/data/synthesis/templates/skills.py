"""Prompt templates for what captions tell: colours, deeds, clothes, where someone sits, all of the picture.

The syntax is that of `question_writer`. ``{}`` takes whoever or whatever is asked about, also a region;
``{verb}`` a verb ("riding"), with a preposition where it has one ("sitting on"), ``{said}`` all that is done.
"""

from __future__ import annotations

COLOUR = (
    "what (color|colour) <be> {}?",
    "which (color|colour) <be> {}?",
    "what (color|colour) (does|do) {} have?",
    "(tell me|say|name) the (color|colour) of {}.",
    "(what is|give me) the (color|colour) of {}(, please|)?",
    "{}: what (color|colour) <be> (it|that)?",
    "can you (tell|see|make out) (what|which) (color|colour) {} <be>?",
    "what (color|colour) would you say {} <be>?",
    "i would like to know the (color|colour) of {}.",
    "of (what|which) (color|colour) <be> {}?",
    "{} <be> (what|which) (color|colour)?",
    "(describe|state) the (color|colour) of {}.",
    "the (color|colour) of {}?",
    "(color|colour) of {}?",
)
COLOUR_WORN = (
    "what (color|colour) {item} <be> {} wearing?",
    "what (color|colour) is the {item} of {}?",
    "what (color|colour) {item} (does|do) {} (have on|wear)?",
    "which (color|colour) is the {item} that {} <be> wearing?",
    "{} <be> wearing a {item} of what (color|colour)?",
)
IS_COLOUR = (
    "<be> {} {colour}?",
    "(would you say|do you think) (that |){} <be> {colour}?",
    "<be> {} {colour} or not?",
    "<be> the (color|colour) of {} {colour}?",
    "{} <be> {colour}, (right|yes or no|is that so)?",
)
DOING = (
    "what <be> {} doing?",
    "what <be> {} up to?",
    "(tell me|say|describe) what {} <be> doing.",
    "what <be> {} doing (here|in this picture|in the photo|right now|there|at the moment)?",
    "what (do|can) you see {} doing?",
    "what (activity|action) <be> {} (doing|performing|busy with)?",
    "can you (tell|see|say) what {} <be> doing?",
    "how <be> {} (passing the time|occupied)?",
    "what <be> {} busy (with|doing)?",
    "(in which|in what) activity <be> {} engaged?",
    "{}: doing what?",
    "describe the (action|activity) of {}.",
    "what is going on with {}?",
    "what is happening with {}?",
)
WEARING = (
    "what <be> {} wearing?",
    "what (does|do) {} wear?",
    "what (clothes|clothing|outfit) <be> {} (wearing|in)?",
    "what <be> {} dressed in?",
    "(tell me|say|describe) what {} <be> wearing.",
    "what (does|do) {} have on?",
    "can you (tell|see) what {} <be> wearing?",
    "what kind of clothes <be> {} wearing?",
    "describe the (clothes|clothing|outfit) of {}.",
)
HOLDING = (
    "what <be> {} holding?",
    "what <be> {} carrying?",
    "what (does|do) {} hold?",
    "what (does|do) {} have in (his|her|the|their) (hand|hands)?",
    "(tell me|say) what {} <be> holding.",
    "what is in the (hand|hands) of {}?",
    "what is it that {} <be> holding?",
    "can you (tell|see) what {} <be> holding?",
    "{} <be> holding (something|what)(, what is it|)?",
)
TO_WHAT = (
    "what <be> {} {verb}?",
    "what is it that {} <be> {verb}?",
    "(tell me|say) what {} <be> {verb}.",
    "{} <be> {verb} what?",
    "can you (tell|see) what {} <be> {verb}?",
    "(which|what) thing <be> {} {verb}?",
    "{} <be> {verb} something, what (is it|exactly)?",
)
WHO = (
    "who is {said}?",
    "(which person|who) do you see {said}?",
    "who is it that is {said}?",
    "(tell me|say|name) who is {said}.",
    "(can you tell|do you know|do you see) who is {said}?",
    "who (here|in the picture|in this photo) is {said}?",
)
WHICH_ANIMAL = (
    "(which|what) animal is {said}?",
    "what is {said}?",
    "(tell me|say) (which animal|what) is {said}.",
    "who is {said}?",
)
IS_DOING = (
    "<be> {} {said}?",
    "(would you say|do you think) (that |){} <be> {said}?",
    "<be> {} {said} or not?",
    "{} <be> {said}, (right|yes or no|is that so)?",
    "can you (see|tell|check) (if|whether) {} <be> {said}?",
    "<be> {} {said} (here|in this picture|at the moment)?",
    "is it (true|right|so) that {} <be> {said}?",
    "(check|tell me) (if|whether) {} <be> {said}.",
)
STANDING_ON = (
    "what <be> {} {link}?",
    "{} <be> {link} what?",
    "(tell me|say) what {} <be> {link}.",
    "what is it that {} <be> {link}?",
    "can you (tell|see) what {} <be> {link}?",
)
IN_OR_OUT = (
    "(is|was) this (taken |)(indoors or outdoors|outdoors or indoors|inside or outside|outside or inside)?",
    "(indoors or outdoors|outdoors or indoors|inside or outside|outside or inside)?",
    "is the (picture|photo|scene) (taken |set |)(indoors or outdoors|inside or outside|outdoors or indoors)?",
    "are (we|they) (indoors or outdoors|inside or outside|outside or inside) here?",
    "does this (show|happen) (the inside or the outside|indoors or outdoors)?",
    "was this (photo|picture|shot) taken (inside or outside|indoors or outdoors)?",
    "where does this (happen|take place), (inside or outside|indoors or outdoors)?",
)
IS_IT_OUT = (
    "(is|was) this (taken |){place}?",
    "is (the photo|the picture|this scene|it) (taken |){place}?",
    "are (they|we) {place}( here|)?",
    "does this (happen|take place) {place}?",
    "would you say (that |)this is {place}?",
    "was this (photo|picture|shot) taken {place}?",
)
HOW_MANY_PEOPLE = (
    "how many people (are there|do you see|are in the picture|can you see|are here|are in this photo)?",
    "how many people?",
    "(count|tell me the number of) (the |)people.",
    "how many persons are (there|shown|visible|in the photo)?",
    "what is the number of people (in the picture|here)?",
    "how many (humans|folks) are (there|in this)?",
)
CHOOSE = (
    "is {it} {a} or {b}?",
    "{it}: {a} or {b}?",
    "is (this|that|it) {a} or {b}? {it}",
    "(would you say|do you think) {it} is {a} or {b}?",
    "{a} or {b}? {it}",
    "which is it, {a} or {b}? {it}",
    "(tell me|say) (if|whether) {it} is {a} or {b}.",
    "what is {it}, {a} or {b}?",
    "does {it} (show|look like) {a} or {b}?",
)
IS_LIKE = (
    "is {it} {quality}?",
    "(would you say|do you think) (that |){it} is {quality}?",
    "is (this|that|it) {quality}? {it}",
    "does {it} look {quality}?",
    "{it} is {quality}, (right|yes or no|is that so)?",
    "is (the thing|what you see) (at|in) {it} {quality}?",
)
ALL = (
    *COLOUR, *COLOUR_WORN, *IS_COLOUR, *DOING, *WEARING, *HOLDING, *TO_WHAT, *WHO, *WHICH_ANIMAL, *IS_DOING,
    *STANDING_ON, *IN_OR_OUT, *IS_IT_OUT, *HOW_MANY_PEOPLE, *CHOOSE, *IS_LIKE,
)  # fmt: skip
# What a question is about: not lost where a question is worded loosely.
KEPT = frozenset((
    "color", "colour", "doing", "up", "activity", "action", "busy", "happening", "going", "wearing", "wear",
    "clothes", "clothing", "outfit", "dressed", "on", "holding", "carrying", "hold", "hand", "hands", "who",
    "person", "animal", "indoors", "outdoors", "inside", "outside", "people", "persons", "humans", "folks",
    "many", "number", "or", "occupied", "engaged", "passing", "time",
))  # fmt: skip
