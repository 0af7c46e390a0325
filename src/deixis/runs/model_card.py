"""The card of a trained model: on which data it was trained, and under what terms these may be used.

Terms come from a recipe's sources (``licence``), from cards beside files of samples that a language model
wrote (``deixis teach``), and from the model that a run started from: they follow the data through all stages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deixis.errors import RecordError
from deixis.files.json_files import read_json
from deixis.files.writing import write_whole
from deixis.training.recipes.data_paths import below
from deixis.training.recipes.recipe import Recipe
from deixis.training.recipes.source_choice import SourceChoice

CARD, TERMS = "README.md", "data_terms.json"
CARD_ENDING = ".card.json"  # of what ``deixis teach`` says of a file of samples
UNKNOWN = "not stated: read the terms at the source"
LICENCE_NAME = re.compile(r"^license_name: *(.{1,200})$", re.MULTILINE)
LONGEST = 400  # characters of a field in the card
MOST_ENTRIES = 1000


@dataclass(frozen=True)
class DataTerms:
    """Under what terms some data may be used. recipe: which one learnt from them."""

    recipe: str
    data: str
    terms: str


def terms_of(recipe: Recipe, *, data: Path, start: Path | None) -> list[DataTerms]:
    """Return the terms of all that a recipe learns from, each once.

    RecordError: a card of samples, or the terms of the model that the run starts from, are damaged.
    """
    entries = [] if start is None else terms_of_start(start, name=str(recipe.starts_from))
    entries += [one for choice in recipe.sources for one in terms_of_source(choice, recipe, data)]
    return list(dict.fromkeys(entries))


def write_card(model: Path, recipe: Recipe, entries: Sequence[DataTerms]) -> None:
    """Write the card of the model that a recipe has trained, and the terms for stages to come."""
    content = {"data": [asdict(one) for one in entries]}
    write_whole(model / TERMS, json.dumps(content, indent=1) + "\n")
    write_whole(model / CARD, card_text(recipe, entries))


def terms_of_source(choice: SourceChoice, recipe: Recipe, data: Path) -> list[DataTerms]:
    """Return the terms of one source: those of the recipe, of its card, or that none are stated."""
    file = choice.samples or choice.grit or choice.painted
    card = (
        None
        if file is None
        else below(data, f"{choice.folder}/{file}", where="file of samples").with_suffix(CARD_ENDING)
    )
    found = []
    if choice.licence is not None:
        found.append(DataTerms(recipe.name, choice.what, choice.licence))
    if card is not None and card.is_file():
        found += [DataTerms(recipe.name, f"{choice.what}: {name}", terms) for name, terms in told_by(card)]
    return found or [DataTerms(recipe.name, choice.what, UNKNOWN)]


def told_by(card: Path) -> list[tuple[str, str]]:
    """Return names and terms that the card of taught samples tells: those of the data, and the teacher's."""
    licence = read_json(card).inside("licence")
    told = [(row.text("name"), row.text("terms")) for row in licence.rows("sources")]
    teacher = licence.inside("teacher")
    return [*told, (f"written by {teacher.text('model')}", teacher.text("terms"))]


def terms_of_start(start: Path, *, name: str) -> list[DataTerms]:
    """Return the terms that come with the model that a run starts from."""
    if (start / TERMS).is_file():
        rows = list(read_json(start / TERMS).rows("data"))
        if len(rows) > MOST_ENTRIES:
            raise RecordError(f"{start / TERMS} has {len(rows)} entries; expected at most {MOST_ENTRIES}")
        return [DataTerms(row.text("recipe"), row.text("data"), row.text("terms")) for row in rows]
    stated = None
    if (start / CARD).is_file():
        stated = LICENCE_NAME.search((start / CARD).read_text(encoding="utf-8", errors="replace")[:10_000])
    terms = "see the card of that model" if stated is None else stated[1].strip()
    return [DataTerms(name, f"what {name!r} was trained on", terms)]


def card_text(recipe: Recipe, entries: Sequence[DataTerms]) -> str:
    """Return the card as Markdown."""
    rows = "".join(f"| {cell(one.data)} | {cell(one.recipe)} | {cell(one.terms)} |\n" for one in entries)
    started = "" if recipe.starts_from is None else f" It started from `{cell(recipe.starts_from)}`."
    return (
        "---\nlibrary_name: deixis\nlicense: other\nlicense_name: terms-of-its-data\n---\n\n"
        f"# {cell(recipe.name)}\n\n"
        f"A model of system `{recipe.system}`, trained with Deixis by the recipe `{cell(recipe.name)}`: "
        f"{recipe.steps} steps of {recipe.batch} samples.{started} Open it with `deixis.load(FOLDER)`.\n\n"
        "## Data, and their terms\n\n"
        "| data | learnt from in | terms |\n| --- | --- | --- |\n"
        f"{rows}\n"
        "What may be done with a model depends on the terms of all data that it was trained on, and of the "
        "weights that it started from.\n"
    )


def cell(text: str) -> str:
    """Return a text for one cell of a table: one line, of bounded length.

    >>> cell("a | b\\nc")
    'a / b c'
    """
    line = " ".join(text.replace("|", "/").split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
