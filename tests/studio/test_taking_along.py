"""What is taken along: conversations, other tools' files, records that are checked and trained on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch

from deixis.cli.program import run
from deixis.records.record import RecordSource, read_records
from tests.studio.browser import Served
from tests.studio.desk import Desk, picture
from tests.studio.test_asking import exported, last_answer
from tests.systems.pointer.tiny import SIDE, tiny_system

Open = Callable[..., Desk]
# Selects from the first letter of a word to the last one of another.
SELECT = """(answer, [first, last]) => {
  const walk = document.createTreeWalker(answer, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let started = false, node; (node = walk.nextNode()); ) {
    const [from, to] = [node.data.indexOf(first), node.data.indexOf(last)];
    if (!started && from >= 0) started = range.setStart(node, from) ?? true;
    if (started && to >= 0) range.setEnd(node, to + last.length);
  }
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""


def test_a_conversation_goes_on_in_another_window(real: Served, open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.drag([(150, 25), (450, 345)])
    desk.ask()
    desk.answered()
    desk.ask("Where is the cup?")
    desk.answered(2)
    file = exported(desk, "conversation").read_bytes()
    kept = json.loads(file)
    assert kept["regions"] == {"a": {"box": [150, 25, 450, 345]}} and len(kept["turns"]) == 2
    other = open_desk(real, lenient=True)  # the browser logs refusals itself
    upload = {"name": "kept.json", "mimeType": "application/json", "buffer": file}
    other.page.set_input_files("#picker", [upload])
    other.page.wait_for_selector("#problem:not([hidden])")
    assert "coffee.jpg (600 × 400). Open that picture" in other.page.inner_text("#problem")
    other.sample()
    other.answered(2)
    assert other.labels() == desk.labels()
    assert other.page.locator(".answer").all_inner_texts() == desk.page.locator(".answer").all_inner_texts()
    assert json.loads(exported(other, "conversation").read_text()) == kept
    other.ask("What is {a}?")
    other.answered(3)
    other.page.set_input_files(
        "#picker", [upload | {"buffer": file.replace(b'"version": 1', b'"version": 7')}]
    )
    other.page.wait_for_selector("#problem:not([hidden])")
    assert "expected 'deixis conversation' of version 1" in other.page.inner_text("#problem")


def test_a_corrected_answer_becomes_a_record_that_is_trained_on(
    real: Served, open_desk: Open, tmp_path: Path
) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.ask()
    desk.answered()
    x0, y0, x1, y1 = last_answer(desk)["spans"][0]["places"][0]["box"]
    desk.page.click("text=Correct")
    desk.drag([(x1, y1), (x1 - 20, y1 - 10)])
    desk.page.dblclick(".fixing .phrase", position={"x": 48, "y": 12})
    desk.page.keyboard.type("espresso cup")
    desk.page.keyboard.press("Enter")
    assert desk.page.inner_text(".answer").startswith("The espresso cup")
    assert "1 checked" in desk.page.text_content("#records-note")
    desk.page.focus("#stage")
    desk.page.keyboard.press("Control+z")
    assert desk.page.inner_text(".answer").startswith("The cup")
    desk.page.keyboard.press("Control+Shift+z")
    with zipfile.ZipFile(exported(desk, "records")) as archive:
        archive.extractall(tmp_path)
    samples = tmp_path / "samples.jsonl"
    assert run(["data", "check", str(samples)]) == 0
    (record,) = read_records(samples)
    assert record.turns[0].answer == "The espresso cup is here."
    ((_, place),) = record.regions
    moved = place.bounds().as_tuple()
    assert max(abs(a - b) for a, b in zip(moved, (x0, y0, x1 - 20, y1 - 10), strict=True)) <= 1
    trained_on(RecordSource([record], side=SIDE))


def test_words_without_a_place_are_given_one(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.sample()
    desk.ask()
    desk.answered()
    desk.page.locator(".answer").evaluate(SELECT, ["here", "here"])
    desk.page.click("text=Mark these words")
    assert "Now draw a box around “here”." in desk.page.inner_text(".fixing .hint")
    desk.drag([(10, 20), (110, 70)])
    desk.page.locator(".answer").evaluate(SELECT, ["cup", "is"])
    desk.page.click("text=Mark these words")
    desk.drag([(200, 100), (400, 300)])
    desk.page.click("text=Done")
    assert phrases(desk) == ["cup is", "here"]
    answer = last_answer(desk)
    assert answer["text"] == "The cup is here."
    assert [(span["start"], span["end"]) for span in answer["spans"]] == [(4, 10), (11, 15)]
    boxes = [[place["box"] for place in span["places"]] for span in answer["spans"]]
    assert boxes == [[[200, 100, 400, 300]], [[10, 20, 110, 70]]], "words replace a phrase that they overlap"
    desk.page.focus("#stage")
    desk.page.keyboard.press("Control+z")
    assert phrases(desk) == ["The cup", "here"]
    desk.page.click(".act:text-is('Correct')")
    desk.page.click(".act:text-is('Done')")
    assert phrases(desk) == ["The cup", "here"], "they are linked again when nothing was changed"


def phrases(desk: Desk) -> list[str]:
    """Return the phrases of the answers that are shown."""
    return list(desk.page.locator("button.phrase").evaluate_all("all => all.map(e => e.firstChild.data)"))


def trained_on(source: RecordSource) -> None:
    """Take one step on the first sample; its loss gets smaller."""
    import numpy as np

    system = tiny_system()
    example = source.example(0, np.random.default_rng(0))
    system.network.requires_grad_(True)
    optimiser = torch.optim.SGD(system.network.parameters(), lr=1e-3)
    before = system.losses(example.dialogues, example.pictures[0])["total"]
    before.backward()
    optimiser.step()
    after = system.losses(example.dialogues, example.pictures[0])["total"]
    assert after.item() < before.item()


def test_places_of_several_pictures_in_other_tools_forms(real: Served, open_desk: Open) -> None:
    desk = open_desk(real)
    desk.open(picture(64, 48), "grid.png")
    desk.page.set_input_files("#picker", [{"name": "cat.png", "mimeType": "image/png", "buffer": cat()}])
    desk.page.wait_for_selector("text=cat.png · 451 × 300")
    desk.ask("Where is the cat?")
    desk.answered()
    box = last_answer(desk)["spans"][0]["places"][0]["box"]
    coco = json.loads(exported(desk, "coco").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["cat.png"]
    assert abs(coco["annotations"][0]["bbox"][0] - box[0]) < 0.01
    (task,) = json.loads(exported(desk, "label_studio").read_text())
    assert task["predictions"][0]["result"][0]["value"]["rectanglelabels"] == ["cat"]
    with desk.page.expect_download() as download:
        desk.page.click("text=Save")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def cat() -> bytes:
    """Return a photo of a cat."""
    import io

    from PIL import Image
    from skimage import data

    packed = io.BytesIO()
    Image.fromarray(data.chelsea()).save(packed, "PNG")
    return packed.getvalue()
