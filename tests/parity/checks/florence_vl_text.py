"""Checks of Florence-VL's text and names: dialogues in all templates, all keys of Florence-2 at real size."""

from __future__ import annotations

from itertools import zip_longest

import torch
from transformers import BartConfig, Florence2Config, Florence2ForConditionalGeneration, Florence2VisionConfig

from deixis.checkpoints.convert.florence_keys import TABLES, native, original
from deixis.layers.towers.florence_davit import LARGE_768
from deixis.layers.towers.florence_encoder import LARGE
from deixis.systems.florence_vl.config import FlorenceVlConfig
from deixis.text.templates import Exchange, find_template
from tests.parity.case import Case
from tests.parity.planning import Check

WORDS = 51289


def check_prompts(case: Case) -> None:
    """The published texts of each template, and dialogues put into them."""
    case.expect("default_template", ours=FlorenceVlConfig().template)
    for row in case.rows("templates"):
        check_template(row)
    for row in case.rows("prompts"):
        template = find_template(row.given("template"))
        said = row.given("turns")
        turns: list[Exchange] = list(zip_longest(said[::2], said[1::2]))
        if row.has("error"):
            # The published program stops at a second question; ours leaves questions out wherever they stand.
            row.settle("error", agrees=template.picture_only, how="the template of captions")
            continue
        ours = template.render(turns)
        if template.picture_only and said[-1] is None:  # the published program writes any text, and closes it
            ours = f"{said[0]}{template.answer_end}"
        row.expect("prompt", ours=ours)


def check_template(row: Case) -> None:
    """The parts of a template as the published program lists them."""
    template = find_template(row.at[-1])
    style, separator = row.given("sep_style"), row.given("sep")
    user, assistant = template.user, template.assistant
    if style == "TWO":
        row.expect("system", ours=template.opening.removesuffix(separator))
        row.expect("roles", ours=[user.removesuffix(":"), assistant.removesuffix(":")])
        row.expect("sep2", ours=template.answer_end)
        return
    row.settle("sep2", agrees=row.lookup(row.full(("sep2",))) is None, how="one separator")
    line = "\n" if template.between == "\n" else ""  # Phi-3's roles begin with the line that ours ends with
    opening = template.opening.removesuffix(line) if line else template.opening
    row.expect("system", ours=opening.removesuffix(separator) if template.opening else "")
    row.expect("roles", ours=[f"{line}{user}", f"{line}{assistant}"] if user else ["", ""])


def check_native_key_map(case: Case) -> None:
    """Every key of Florence-2-large: its name in ``transformers``, what happens to it, and its shape."""
    case.expect("columns", ours=["reference_key", "native_key", "transform", "reference_shape"])
    shapes = native_shapes()
    rows = case.lookup(("rows",))
    for number, row in enumerate(rows):
        key, shape = row[0], row[3]
        ours = native(key)
        case.expect("rows", number, 1, ours=ours.key)
        case.expect("rows", number, 2, ours=ours.change)
        if ours.key is None:
            made = [1, WORDS]
        else:
            made = shapes.pop(ours.key)[:: -1 if ours.change == "transpose" else 1]
            assert original(ours.key) == key, f"{ours.key} leads back to {original(ours.key)}"
        case.expect("rows", number, 3, ours=made)
        assert shape
    assert not shapes, f"the library's class has more: {sorted(shapes)[:5]}"
    assert {row[0] for row in rows} >= set(TABLES)


def native_shapes() -> dict[str, list[int]]:
    """Return names and shapes of the library's Florence-2 at real size."""
    encoder, tower = dict(LARGE), dict(LARGE_768)
    grid, frames = encoder.pop("grid_embeddings"), encoder.pop("temporal_embeddings")
    tower.pop("side")
    vision = Florence2VisionConfig(
        **tower,
        projection_dim=encoder["d_model"],
        max_position_embeddings=grid,
        max_temporal_embeddings=frames,
    )
    decoder = {key.replace("encoder_", "decoder_"): one for key, one in encoder.items() if "encoder_" in key}
    text = BartConfig(**encoder, **decoder, vocab_size=WORDS)
    with torch.device("meta"):
        network = Florence2ForConditionalGeneration(Florence2Config(vision_config=vision, text_config=text))
    return {key: list(one.shape) for key, one in network.state_dict().items()}


TEXT: dict[str, Check] = {
    "prompts": Check(
        check_prompts,
        given=(
            *("eval_question_rule", "prompts/*/template", "prompts/*/turns"),
            *(f"templates/*/{name}" for name in ("sep", "sep_style", "version", "offset")),
        ),
    ),
    "native_key_map": Check(check_native_key_map, given=("native_tied", "rows/*/0")),
}
