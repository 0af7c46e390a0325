"""The published texts of region instructions, to the letter; in the order in which they are drawn from."""

# Strings of a format stay whole.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LETTERS = (
    "A",
    "B",
    "C",
    "D",
)
WHY = (
    "why?",
    "why",
    "What's the rationale for your decision?",
    "What led you to that conclusion?",
    "What's the reasoning behind your opinion?",
    "Why do you believe that to be true?",
    "Can you explain the basis for your thinking?",
    "What factors influenced your perspective?",
    "How did you arrive at that perspective?",
    "What evidence supports your viewpoint?",
    "What makes you think that way?",
    "What's the logic behind your argument?",
    "Can you provide some context for your opinion?",
    "What's the basis for your assertion?",
    "Why do you hold that belief?",
    "What experiences have shaped your perspective?",
    "What assumptions underlie your reasoning?",
    "What's the foundation of your assertion?",
    "What's the source of your reasoning?",
    "What's the motivation behind your decision?",
    "What's the impetus for your belief?",
    "What's the driving force behind your conclusion?",
    "Why do you think that?",
    "What's your reasoning?",
    "What makes you say that?",
    "Why do you feel that way?",
    "What's the story behind that?",
    "What's your thought process?",
    "What's the deal with that?",
    "What's the logic behind it?",
    "Why do you believe that?",
    "What's the real deal here?",
    "What's the reason behind it?",
    "What's the thought process behind your decision?",
    "What's the rationale for your opinion?",
    "Why do you have that impression?",
    "What's the background to that?",
    "What's the evidence that supports your view?",
    "What's the explanation for that?",
)
QUESTION_PREFIXES = (
    "Based on the provided source image, please answer this question: ",
    "In the context of the source image, can you answer: ",
    "With reference to the source image, please respond to the following query: ",
    "Considering the source image, what's your answer to: ",
    "Please provide an answer for the subsequent question, keeping the source image in mind: ",
    "Taking into account the source image, please answer: ",
    "After observing the source image, could you please answer the following: ",
    "Upon examining the source image, what would your answer be to: ",
    "Using the source image as a reference, please respond to: ",
    "In light of the source image, could you please answer: ",
)
OPTIONS_PREFIXES = (
    "Available choices are as follows: ",
    "Select from the options below: ",
    "You may choose from the following: ",
    "Your choices include: ",
    "Here are your options: ",
    "Please pick one from the given possibilities: ",
    "The following options are available: ",
    "You have the following selections: ",
    "Which among these would you choose: ",
    "You can select from these alternatives: ",
)
CAPTION_QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "semantic": (
            "Please describe the image with the object referred to by the visual prompts; please do not mention the actual visual prompt.",
            "Describe the provided image using the semantic object referred to by the visual prompts. Please produce a sentence in natural language, and do not mention the actual visual prompts.",
        ),
        "visual_prompt": (
            "Please describe the image with the object referred to by the visual prompts; please just mention the actual visual prompt and do not mention the semantic category.",
            "Please describe the image with the object referred to by the visual prompts; please just mention the actual visual prompt, such as a red box, and do not mention the semantic category, such as a dog.",
        ),
        "semantic_visual_prompt": (
            "Please describe the image with the object referred to by the visual prompts; make sure to mention both the actual visual prompt and the semantic category.",
            "Please describe the image with the object referred to by the visual prompts; make sure to mention both the actual visual prompt, such as a red box, and the semantic category, such as a dog.",
        ),
    }
)
HINT_INTROS = (
    " Hint: the visual prompts are:",
    " The visual prompts are:",
)
ANSWER_ADJECTIVES = (
    "The correct",
    "The most accurate",
    "The best",
    "The ultimate",
    "The final",
    "The only",
    "The ideal",
    "The optimal",
    "The most fitting",
    "The definitive",
)
ANSWER_PUNCTUATION = (
    ":",
    "->",
    "→",
    "::",
    "—",
    ";",
    "|",
    "⇒",
)
ANSWER_FORMS = (
    "({letter})",
    "({letter})",
    "{adjective} answer is ({letter})",
    "{adjective} answer is ({letter})",
    "({letter}){mark} {text}",
    "({letter}){mark} {text}",
    "{adjective} answer is ({letter}) — {text}",
    "{adjective} answer is ({letter}) — {text}",
    "({letter}) — {adjective} because {text}",
    "({letter}) — {adjective} because {text}",
    "Answer ({letter}): {text}",
    "Answer ({letter}): {text}",
    "Opt for ({letter}) if {text}",
    "Opt for ({letter}) if {text}",
)
OBJECT_PROMPTS = (
    "Describe the object with the visual prompt.",
    "Describe the pointed region.",
)
OBJECT_PROMPT = "Describe the object ."
OBJECT_SUFFIX = " Please provide a short phrase."
RELATION_PROMPT = "Please describe the relationship between the subject {subject} and the object {object}. Provide a short triplet (subject, relationship, object) to represent this. Here, the subject and object are noun phrases, and the relationship can be verbs or prepositions."
LOOK_TWICE = "<image>\n{question} The exemplary object is within the rectangle.\nAnswer the question using a single word or phrase."
MULTIPLE_CHOICE = "{question}\nA. {a}\nB. {b}\nC. {c}\nD. {d}\nAnswer with the option's letter from the given choices directly."
RATIONALE = '<image>\nI give you a question and its answer, I need you to provide a rationale explaining why the answer is right. "{question}" The answer is "{answer}".What is the rationale for this decision?{choices}'
