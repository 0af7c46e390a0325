"""Small folders of every benchmark in its official layout, written by hand: a few questions each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image


def picture_bytes(shade: int = 90) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (12, 8), (shade, 20, 30)).save(stream, "PNG")
    return stream.getvalue()


def put(path: Path, content: Any) -> Path:
    """Write bytes, text, or JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
    return path


def pictures(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        put(folder / name, picture_bytes(40 + number))


def lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows: Sequence[Sequence[str]], mark: str = "\t") -> str:
    return "".join(mark.join(row) + "\n" for row in rows)


def people(*texts: str) -> list[dict[str, Any]]:
    return [{"answer": text, "answer_confidence": "yes", "answer_id": n + 1} for n, text in enumerate(texts)]


def vqav2(folder: Path) -> None:
    questions = [
        {"image_id": 42, "question": "What colour is it?", "question_id": 420},
        {"image_id": 42, "question": "Is {it} there?", "question_id": 421},
    ]
    put(folder / "v2_OpenEnded_mscoco_val2014_questions.json", {"info": {}, "questions": questions})
    red, yes = people(*["red"] * 3, *["dark red"] * 7), people(*["yes"] * 10)
    answers = [
        {"question_id": 421, "image_id": 42, "answer_type": "yes/no", "question_type": "is", "answers": yes},
        {"question_id": 420, "image_id": 42, "answer_type": "other", "question_type": "what", "answers": red},
    ]
    put(folder / "v2_mscoco_val2014_annotations.json", {"annotations": answers})
    pictures(folder, "val2014/COCO_val2014_000000000042.jpg")


def gqa(folder: Path) -> None:
    types = {"structural": "query", "semantic": "attr", "detailed": "x"}
    question = {"imageId": "n1", "question": "Which side?", "answer": "left", "types": types}
    put(folder / "testdev_balanced_questions.json", {"201": question})
    pictures(folder, "images/n1.jpg")


def vizwiz(folder: Path) -> None:
    row = {"image": "VizWiz_val_0.jpg", "question": "What is this?", "answer_type": "other", "answerable": 1}
    put(folder / "val.json", [row | {"answers": people(*["unanswerable"] * 6, *["tea"] * 4)}])
    pictures(folder, "val/VizWiz_val_0.jpg")


def textvqa(folder: Path) -> None:
    row = {"question_id": 34602, "image_id": "003a8ae2", "question": "what brand is it?"}
    put(folder / "TextVQA_0.5.1_val.json", {"data": [row | {"answers": ["joe's"] * 9 + ["joes"]}]})
    pictures(folder, "train_images/003a8ae2.jpg")


def chartqa(folder: Path) -> None:
    put(folder / "test_human.json", [{"imgname": "1.png", "query": "How many?", "label": "100"}])
    put(folder / "test_augmented.json", [{"imgname": "1.png", "query": "Which?", "label": "France"}])
    pictures(folder, "png/1.png")


def docvqa(folder: Path) -> None:
    row = {"questionId": 49153, "question": "What is the date?", "image": "documents/a_1.png", "docId": 1}
    put(folder / "val_v1.0_withQT.json", {"data": [row | {"answers": ["January 7", "1/7"]}]})
    pictures(folder, "documents/a_1.png")


def infovqa(folder: Path) -> None:
    row = {"questionId": 98313, "question": "How many?", "image_local_name": "70471.jpeg", "answers": ["two"]}
    row = row | {"answer_type": ["single span"]}
    put(folder / "infographicsVQA_val_v1.0_withQT.json", {"data": [row]})
    pictures(folder, "infographicsvqa_images/70471.jpeg")


def ocrbench(folder: Path) -> None:
    first = {"image_path": "IIIT5K/1.png", "question": "what is written?", "answers": ["CENTRE"], "id": 0}
    formula = {"image_path": "HME/1.png", "question": "Write it.", "answers": r"\frac { a } b", "id": 1}
    rows = [
        first | {"dataset_name": "IIIT5K", "type": "Regular Text Recognition"},
        formula | {"dataset_name": "HME100k", "type": "Handwritten Mathematical Expression Recognition"},
    ]
    put(folder / "OCRBench.json", rows)
    pictures(folder, "OCRBench_Images/IIIT5K/1.png", "OCRBench_Images/HME/1.png")


def cv_bench(folder: Path) -> None:
    def row(number: int, half: str, source: str, answer: str) -> dict[str, Any]:
        prompt = "How many?\n(A) 1\n(B) 2"
        own = {
            "idx": number,
            "type": half,
            "task": "Count",
            "filename": f"img/{number}.png",
            "source": source,
        }
        return own | {"question": "How many?", "choices": ["1", "2"], "answer": answer, "prompt": prompt}

    flat = [row(0, "2D", "ADE20K", "(A)"), row(1, "2D", "COCO", "(B)"), row(2, "2D", "COCO", "(B)")]
    put(folder / "test_2d.jsonl", lines(flat))
    put(folder / "test_3d.jsonl", lines([row(3, "3D", "Omni3D", "(A)")]))
    pictures(folder, *(f"img/{number}.png" for number in range(4)))


def mmvp(folder: Path) -> None:
    head = ["lndex", "Question", "Options", "Correct Answer"]
    rows = [
        ["1", "Open or closed?", "(a) Open (b) Closed", "(a)"],
        ["2", "Open or closed?", "(a) Open (b) Closed", "(b)"],
    ]
    put(folder / "Questions.csv", table([head, *rows], ","))
    pictures(folder, "MMVP Images/1.jpg", "MMVP Images/2.jpg")


def ai2d(folder: Path) -> None:
    def question(name: str, letters: bool) -> dict[str, Any]:
        own = {"questionId": name, "answerTexts": ["frog", "hawk"], "correctAnswer": 1, "abcLabel": letters}
        return {"What eats it?": own}

    for name in ("0.png", "7.png"):
        content = {"imageName": name, "questions": question(f"{name}-0", letters=name == "7.png")}
        put(folder / f"questions/{name}.json", content)
    put(folder / "ai2d_test_ids.csv", "7\n12\n")
    pictures(folder, "images/0.png", "images/7.png")


def scienceqa(folder: Path) -> None:
    own = {"question": "Which is it?", "choices": ["north", "south"], "answer": 0, "hint": "A map."}
    own |= {"image": "image.png", "subject": "social science", "split": "test"}
    put(folder / "problems.json", {"4": own, "5": own | {"image": None}, "6": own | {"split": "val"}})
    put(folder / "pid_splits.json", {"test": ["4", "5"], "val": ["6"]})
    pictures(folder, "images/test/4/image.png")


MMBENCH_HEAD = ["index", "question", "hint", "A", "B", "C", "D", "answer", "category", "image", "l2-category"]


def mmbench_rows(rows: Sequence[Sequence[str]]) -> str:
    return table([MMBENCH_HEAD, *rows])


def mmbench(folder: Path, name: str = "mmbench_dev_en_20231003.tsv") -> None:
    encoded = base64.b64encode(picture_bytes()).decode()
    first = ["7", "Which one?", "Look.", "red", "blue", "", "", "B", "colour", encoded, "perception"]
    other = ["9", "What is it?", "nan", "dog", "cat", "cow", "nan", "A", "animal", "7", "perception"]
    put(folder / name, mmbench_rows([first, other]))


def mmbench_cn(folder: Path) -> None:
    mmbench(folder, "mmbench_dev_cn_20231003.tsv")


def seed_bench(folder: Path) -> None:
    own = {"choice_a": "one", "choice_b": "two", "choice_c": "three", "choice_d": "four", "answer": "C"}
    own |= {"question": "How many?", "question_type_id": 5, "question_id": "101", "data_type": "image"}
    video = own | {"data_type": "video", "question_id": "102", "data_id": "v.mp4"}
    content = {"question_type": {"Instances Counting": 5}, "questions": [own | {"data_id": "1_2"}, video]}
    put(folder / "SEED-Bench.json", content)
    pictures(folder, "SEED-Bench-image/1_2")


def real_world_qa(folder: Path) -> None:
    letter = (
        "Which way?\nA. Left\nB. Right\nPlease answer directly with only the letter of the correct option."
    )
    rows = [
        {"image": "0.webp", "question": letter, "answer": "B"},
        {
            "image": "1.webp",
            "question": "How many cars?\nPlease answer directly with a number.",
            "answer": "2",
        },
    ]
    put(folder / "annotations.json", rows)
    pictures(folder, "0.webp", "1.webp")


def mmstar(folder: Path) -> None:
    head = ["index", "question", "A", "B", "C", "D", "answer", "category", "l2_category", "image"]
    encoded = base64.b64encode(picture_bytes()).decode()
    within = '"Which one?\nOptions: A: red, B: dark, blue, C: cat, D: none"'
    rows = [
        ["0", "What?", "dog", "cat", "", "", "B", "coarse perception", "image topic", encoded],
        ["1", within, "", "", "", "", "C", "math", "geometry", encoded],
    ]
    put(folder / "MMStar.tsv", table([head, *rows]))


def mmmu(folder: Path) -> None:
    choice = {"id": "validation_Math_1", "question": "What is <image 1>?", "options": "['$6', '$7']"}
    choice |= {"question_type": "multiple-choice", "answer": "B", "image_1": "images/1.png", "image_2": None}
    opened = {"id": "validation_Music_2", "question": "Name <image 1>, <image 2>.", "options": "[]"}
    opened |= {"question_type": "open", "answer": "['minor third', 'm3']", "image_1": "images/1.png"}
    put(folder / "validation.jsonl", lines([choice, opened | {"image_2": "images/2.png"}]))
    pictures(folder, "images/1.png", "images/2.png")


def pope(folder: Path) -> None:
    def rows(labels: Sequence[str]) -> str:
        own = {"image": "COCO_val2014_1.jpg", "text": "Is there a dog in the image?"}
        return lines([own | {"question_id": n, "label": label} for n, label in enumerate(labels, start=1)])

    put(folder / "coco_pope_random.json", rows(["yes", "no"]))
    put(folder / "coco_pope_popular.json", rows(["no", "yes"]))
    pictures(folder, "val2014/COCO_val2014_1.jpg")


def mme(folder: Path) -> None:
    from deixis.evaluation.benchmarks.yes_or_no.mme import COGNITION, PERCEPTION

    text = "Is there a dog? Please answer yes or no.\tYes\nIs there a cat? Please answer yes or no.\tNo\n"
    for task in (*PERCEPTION, *COGNITION):
        apart = task == "posters"
        put(folder / task / ("questions_answers_YN/1.txt" if apart else "1.txt"), text)
        pictures(folder / task, "images/1.jpg" if apart else "1.jpg")


def hallusion_bench(folder: Path) -> None:
    own = {"category": "VD", "subcategory": "illusion", "visual_input": "1", "set_id": "0"}
    own |= {"question": "Same size?", "gt_answer_details": "", "sample_note": "circle"}

    def row(figure: str, question: str, answer: str, visual: str = "1") -> dict[str, Any]:
        name = f"./hallusion_bench/VD/illusion/0_{figure}.png" if visual != "0" else None
        more = {"figure_id": figure, "question_id": question, "gt_answer": answer, "filename": name}
        return own | more | {"visual_input": visual}

    rows = [row("0", "0", "1"), row("0", "1", "0"), row("1", "0", "0", "2"), row("2", "0", "2", "0")]
    put(folder / "HallusionBench.json", rows)
    pictures(folder, "hallusion_bench/VD/illusion/0_0.png", "hallusion_bench/VD/illusion/0_1.png")


def mathvista(folder: Path) -> None:
    def row(name: str, **more: Any) -> dict[str, Any]:
        own = {"pid": name, "image": "images/1.jpg", "question": "How long?", "unit": None, "precision": None}
        own |= {"choices": None, "metadata": {"task": "geometry problem solving", "source": "Geo"}}
        return own | more

    free = {"question_type": "free_form"}
    content = {
        "1": row(
            "1",
            **free,
            answer_type="float",
            precision=1.0,
            answer="1.2",
            query="Hint: X\nQuestion: How long?",
        ),
        "2": row(
            "2", question_type="multi_choice", answer_type="text", choices=["145°", "65°"], answer="65°"
        ),
        "3": row("3", **free, answer_type="integer", answer="14", unit="cm"),
        "4": row("4", **free, answer_type="list", answer="[1, 2]"),
    }
    put(folder / "testmini.json", content)
    pictures(folder, "images/1.jpg")


def mm_vet(folder: Path) -> None:
    first = {"imagename": "v1_0.png", "question": "What is x?", "answer": "-1<AND>-5", "imagesource": "a"}
    second = first | {"question": "Where is it?", "answer": "left<OR>right", "capability": ["rec", "spat"]}
    put(folder / "mm-vet.json", {"v1_0": first | {"capability": ["ocr", "math"]}, "v1_1": second})
    pictures(folder, "images/v1_0.png")


def llava_bench(folder: Path) -> None:
    row = {"image": "001.jpg", "text": "What is famous here?", "category": "conv"}
    put(
        folder / "questions.jsonl",
        lines([row | {"question_id": 0}, row | {"question_id": 1, "category": "detail"}]),
    )
    put(folder / "context.jsonl", lines([{"id": "001", "image": "001.jpg", "caption": "Diamond Head."}]))
    answers = [{"question_id": n, "text": "It is Diamond Head.", "answer_id": "x"} for n in (0, 1)]
    put(folder / "answers_gpt4.jsonl", lines(answers))
    pictures(folder, "images/001.jpg")


WRITERS: dict[str, Callable[[Path], None]] = {
    writer.__name__: writer
    for writer in (
        vqav2, gqa, vizwiz, textvqa, chartqa, docvqa, infovqa, ocrbench, cv_bench, mmvp, ai2d,
        scienceqa, mmbench, mmbench_cn, seed_bench, real_world_qa, mmstar, mmmu, pope, mme,
        hallusion_bench, mathvista, mm_vet, llava_bench,
    )
}  # fmt: skip
