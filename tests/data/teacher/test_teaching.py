"""Lessons by a teacher that misbehaves: nothing is lost, asked twice, or paid beyond the budget."""

from __future__ import annotations

import base64
import json
import re
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deixis.data.painted.records import read_region_records
from deixis.data.scene import PictureFile, Scene
from deixis.data.sources import read_dataset
from deixis.data.teacher.asking import MOST_FAILURES, Asker, asker_of, estimate
from deixis.data.teacher.kinds import NAMES, find_kind
from deixis.data.teacher.lesson import Lesson
from deixis.data.teacher.picture_files import PictureFiles, picture_files
from deixis.data.teacher.results import Origin, Results
from deixis.data.teacher.seeing import see, shown
from deixis.data.teacher.spending import Budget, Prices, Spending
from deixis.data.teacher.teaching import Result, Teaching, plan, teach
from deixis.endpoints.chat import ChatRequest, Reply, Usage
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.kept_replies import ReplyFolder
from deixis.errors import BadPicture, EndpointError, UsageError
from deixis.pictures.broken import PASS_OVER
from deixis.progress import Progress
from tests.data.teacher.school import (
    GOOD,
    Answer,
    School,
    coco,
    dialogue,
    good,
    kind_asked,
    said,
    scenes,
    school,
)
from tests.endpoints.test_endpoint import Said

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def taught(
    folder: Path,
    running: School,
    *,
    kind: str = "region",
    count: int = 3,
    workers: int = 2,
    spending: Spending | None = None,
    progress: Progress | None = None,
    broken: str = "refuse",
    **settings: Any,
) -> tuple[list[Result], Asker]:
    """Results of lessons about so many scenes, their replies kept in the folder."""
    many = scenes(folder / "pictures", count, plates=kind == "grounded")
    endpoint = Endpoint(
        running.address, **{"key": KEY, "timeout": 2.0, "attempts": 2, "first_wait": 0.01, **settings}
    )
    asker = asker_of(
        endpoint, kept=ReplyFolder(folder / "replies", endpoint.address), spending=spending or Spending()
    )
    teaching = Teaching(find_kind(kind), "m", PictureFiles(folder / "pictures"), broken=broken)
    lessons = plan(teaching.kind, many)
    results = teach(teaching, lessons, asker, workers=workers, progress=progress or Progress())
    return list(results), asker


def states(results: list[Result]) -> list[str]:
    return [result.state for result in results]


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_is_taught(tmp_path: Path, kind: str) -> None:
    with school(good) as running:
        results, asker = taught(tmp_path, running, kind=kind)
    assert states(results) == ["made"] * 3 and all(result.samples for result in results)
    assert [result.lesson.scene.id for result in results] == ["0", "1", "2"]
    assert asker.spending.used == Usage(3000, 300) and asker.asked == 3
    for request in running.requests:
        system, user = request["messages"]
        assert kind_asked(request) == kind and system["role"] == "system"
        parts = user["content"]
        pictures = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
        assert len(set(pictures)) == 2
        for url in pictures:
            head, _, encoded = url.partition(",")
            assert head == "data:image/jpeg;base64" and base64.b64decode(encoded)[:2] == b"\xff\xd8"
        assert "dog" in parts[-1]["text"] or "cup" in parts[-1]["text"]


def test_nothing_is_asked_twice_whatever_the_reply_was(tmp_path: Path) -> None:
    replies = iter([GOOD["region"], "I'm sorry.", "[1]"])
    lock = threading.Lock()

    def answer(request: dict[str, Any]) -> Said:
        with lock:
            return said(next(replies))

    with school(answer) as running:
        first, before = taught(tmp_path, running)
        second, after = taught(tmp_path, running, workers=3)
    assert [one.to_dict() for one in second] == [one.to_dict() for one in first]
    assert Counter(states(first)) == {"made": 1, "rejected": 2}
    assert len(running.requests) == 3 and (before.asked, after.asked) == (3, 0)
    assert after.spending.used == before.spending.used == Usage(3000, 300)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (said("I'm sorry, but I can't help with that."), "refusal"),
        (Said(body=b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}'), "refusal: No."),
        (said("A dog sleeps."), "no JSON"),
        (said(GOOD["region"][:60]), "no JSON|cut off"),
        (said(GOOD["region"], finish="length"), "cut off"),
        (said('{"human": "What?"}'), "schema"),
        (said('[{"human": "a", "gpt": "b"}]'), "schema"),
        (said('[{"human": 7}, {"gpt": "b"}]'), "schema"),
        (said(dialogue("What is the dog <within red mask>?", "A dog.")), "turns"),
        (said(dialogue("The dog <within red mask>?", "A marked dog.", "b?", "c")), "forbidden"),
        (said(dialogue("The dog <within red mask>?", "A dog.", "In the second image?", "c")), "forbidden"),
        (said(dialogue("What is it?", "A dog.", "b?", "c")), "placeholder"),
    ],
)  # fmt: skip
def test_replies_that_are_rejected_with_their_reason(tmp_path: Path, reply: Said, reason: str) -> None:
    with school(lambda request: reply) as running:
        ((result,), asker) = taught(tmp_path, running, count=1)
    assert result.state == "rejected" and result.samples == ()
    assert re.match(reason, result.reasons[0]) and result.reply
    assert asker.fault is None and len(running.requests) == 1


def in_turn(*replies: Said) -> Answer:
    """Gives the replies one after another, the last for ever."""
    left, lock = list(replies), threading.Lock()

    def answer(request: dict[str, Any]) -> Said:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


def test_what_passes_is_tried_again(tmp_path: Path) -> None:
    bad = [
        Said(429, headers={"Retry-After": "0.2"}),
        Said(503),
        Said(body=b"{", cut=40, headers={"Connection": "close"}),
        said(GOOD["region"], tokens=(1000, 100)),
    ]  # fmt: skip
    with school(in_turn(*bad)) as running:
        began = time.monotonic()
        results, _ = taught(tmp_path, running, count=1, attempts=4)
    assert states(results) == ["made"] and len(running.requests) == 4
    assert time.monotonic() - began >= 0.2


def test_a_server_that_wants_fewer_requests_gets_none_from_anybody(tmp_path: Path) -> None:
    times: list[float] = []
    replies = in_turn(Said(429, headers={"Retry-After": "0.4"}), said(GOOD["region"]))

    def answer(request: dict[str, Any]) -> Said:
        times.append(time.monotonic())
        return replies(request)

    with school(answer) as running:
        results, _ = taught(tmp_path, running, count=4, workers=1)
    assert states(results) == ["made"] * 4
    assert min(later - times[0] for later in times[1:]) >= 0.39


def test_what_stays_broken_fails_and_is_asked_again_another_time(tmp_path: Path) -> None:
    slow = Said(body=said(GOOD["region"]).body, delay=1.0)
    for reply, reason in ((slow, "TimeoutError"), (Said(400, b"too long"), "too long"), (Said(500), "500")):
        with school(lambda request, reply=reply: reply) as running:  # type: ignore[misc]
            ((result,), asker) = taught(tmp_path, running, count=1, timeout=0.5)
        assert result.state == "failed" and reason in result.reasons[0]
        assert asker.spending.used.total == 0 and asker.asked == 0
    with school(good) as running:
        assert states(taught(tmp_path, running, count=1)[0]) == ["made"]


def test_an_endpoint_that_dies_in_the_middle(tmp_path: Path) -> None:
    answered = 0
    lock = threading.Lock()

    def answer(request: dict[str, Any]) -> Said:
        nonlocal answered
        with lock:
            answered += 1
            return good(request) if answered <= 5 else Said(502)

    count = 5 + MOST_FAILURES + 8
    with school(answer) as running:
        results, asker = taught(tmp_path, running, count=count, attempts=1)
        assert len(running.requests) < count
    found = Counter(states(results))
    assert found["made"] == 5 and found["failed"] >= MOST_FAILURES and found["unasked"] >= 4
    assert isinstance(asker.fault, EndpointError) and "in a row had no reply" in str(asker.fault)
    with school(good) as running:
        again, asker = again_at(tmp_path, running, count=count, before=asker.kept.asked)
        assert len(running.requests) == count - 5 and asker.asked == count - 5
    assert states(again) == ["made"] * count


def again_at(folder: Path, running: School, *, count: int, before: str) -> tuple[list[Result], Asker]:
    """The same lessons, whose replies count as those of the address before."""
    endpoint = Endpoint(running.address, key=KEY)
    asker = asker_of(endpoint, kept=ReplyFolder(folder / "replies", before), spending=Spending())
    teaching = Teaching(find_kind("region"), "m", PictureFiles(folder / "pictures"))
    lessons = plan(teaching.kind, scenes(folder / "pictures", count))
    return list(teach(teaching, lessons, asker, workers=3)), asker


def test_a_refused_key_ends_the_asking_and_is_never_shown(tmp_path: Path) -> None:
    with school(lambda request: Said(401, f"bad key {KEY}".encode())) as running:
        results, asker = taught(tmp_path, running, count=4, workers=1)
    assert states(results) == ["unasked"] * 4 and len(running.requests) == 1
    assert isinstance(asker.fault, UsageError) and KEY not in str(asker.fault)
    with school(lambda request: said(f"Your key is {KEY}")) as running:
        results, _ = taught(tmp_path, running, count=1)
    assert states(results) == ["failed"] and KEY not in str([one.to_dict() for one in results])
    assert running.keys == [f"Bearer {KEY}"]
    assert not (tmp_path / "replies").exists()  # nothing was said that is worth keeping


def test_the_budget_holds_and_what_is_kept_is_read_without_it(tmp_path: Path) -> None:
    with school(good) as running:
        cap = Spending(Budget(tokens=8000), Prices(2.0, 10.0))
        results, asker = taught(tmp_path, running, count=12, workers=4, spending=cap)
        made = states(results).count("made")
        assert 2 <= made < 8 and states(results).count("unasked") == 12 - made
        assert cap.used.total == 1100 * made <= 8000 and len(running.requests) == made
        assert "the budget of 8,000 tokens has no room" in asker.why and asker.fault is None
        none, asker = taught(tmp_path, running, count=12, spending=Spending(Budget(tokens=1)))
        assert states(none).count("made") == made and len(running.requests) == made


def test_a_server_that_counts_no_tokens_is_counted_for(tmp_path: Path) -> None:
    with school(lambda request: said(GOOD["region"], tokens=None)) as running:
        _, asker = taught(tmp_path, running, count=2)
        used = asker.spending.used
        assert used.prompt > 1000 and used.completion > 2 * 60
        _, again = taught(tmp_path, running, count=2)
    assert again.spending.used == used and len(running.requests) == 2


def test_estimates_count_text_and_pictures(tmp_path: Path) -> None:
    assert estimate(ChatRequest("m", (("user", "abc" * 100),), max_tokens=7)) == Usage(100, 7)
    lesson = plan(find_kind("region"), scenes(tmp_path, 1))[0]
    pictures = shown(lesson, see(lesson.scene), find_kind("region"))
    assert estimate(ChatRequest("m", (("user", ("abc", *pictures)),))).prompt == 1 + 2 * (85 + 170)


def test_workers_ask_at_once_and_results_stay_in_order(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> Said:
        reply = good(request)
        reply.delay = 0.1
        return reply

    notes: list[str] = []

    class Noted(Progress):
        def note(self, text: str) -> None:
            notes.append(text)

    with school(answer) as running:
        results, _ = taught(
            tmp_path, running, count=8, workers=4, progress=Noted(), spending=Spending(None, Prices(2.5, 10))
        )
    assert 2 <= running.most_at_once <= 4
    assert [result.lesson.scene.id for result in results] == [str(number) for number in range(8)]
    assert len(notes) == 8 and notes[-1] == "8,800 tokens, 0.03 USD"


def test_the_rate_is_kept(tmp_path: Path) -> None:
    times: list[float] = []

    def answer(request: dict[str, Any]) -> Said:
        times.append(time.monotonic())
        return good(request)

    with school(answer) as running:
        endpoint = Endpoint(running.address, key=KEY)
        kept = ReplyFolder(tmp_path / "replies", "here")
        asker = asker_of(endpoint, kept=kept, spending=Spending(), rate=20.0)
        teaching = Teaching(find_kind("region"), "m", PictureFiles(tmp_path / "pictures"))
        lessons = plan(teaching.kind, scenes(tmp_path / "pictures", 6))
        assert len(list(teach(teaching, lessons, asker, workers=6))) == 6
    assert max(times) - min(times) >= 0.2


def test_the_same_request_by_two_threads_is_made_once(tmp_path: Path) -> None:
    asked = []

    def teacher(request: ChatRequest) -> Reply:
        asked.append(request)
        time.sleep(0.1)
        return Reply("[1]", usage=Usage(1, 1))

    asker = Asker(teacher, ReplyFolder(tmp_path, "here"), Spending())
    request = ChatRequest("m", (("user", "hello"),))
    threads = [threading.Thread(target=asker.ask, args=(request,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1 and asker.spending.used == Usage(1, 1)


def test_left_early_it_keeps_what_it_paid_for(tmp_path: Path) -> None:
    with school(good) as running:
        endpoint = Endpoint(running.address, key=KEY)
        asker = asker_of(endpoint, kept=ReplyFolder(tmp_path / "replies", "here"), spending=Spending())
        teaching = Teaching(find_kind("region"), "m", PictureFiles(tmp_path / "pictures"))
        lessons = plan(teaching.kind, scenes(tmp_path / "pictures", 12))
        results: Iterator[Result] = teach(teaching, lessons, asker, workers=2)
        next(results)
        results.close()  # type: ignore[attr-defined]
        paid = len(running.requests)
        assert paid < 12 and len(list((tmp_path / "replies").glob("*.json"))) == paid
        with pytest.raises(EndpointError, match="given up: it was interrupted"):
            asker.sleep(60.0)


def test_broken_pictures(tmp_path: Path) -> None:
    scenes(tmp_path / "pictures", 3)
    (tmp_path / "pictures" / "1.png").write_bytes(b"not a picture")
    with school(good) as running:
        with pytest.raises(BadPicture):
            taught(tmp_path, running)
        results, _ = taught(tmp_path, running, broken=PASS_OVER)
    assert states(results) == ["made", "rejected", "made"] and results[1].reasons[0].startswith("picture: ")


def origin(**changes: Any) -> Origin:
    fields = {"data": "d", "split": "train", "layout": "coco", "teacher": "m", "address": "http://x/v1"}
    return Origin(**{**fields, **changes})


def test_the_files(tmp_path: Path) -> None:
    replies = in_turn(said(GOOD["region"]), said("I'm sorry."), said(GOOD["region"]))
    with school(replies) as running:
        found, asker = taught(tmp_path, running, workers=1, spending=Spending(None, Prices(1.0, 1.0)))
    results = Results(find_kind("region"), tmp_path / "out" / "regions.json", origin())
    for one in found:
        results.add(one)
    many = [one.lesson.scene for one in found]
    results.write(many, spending=asker.spending, images=tmp_path / "pictures")
    records = read_region_records(tmp_path / "out" / "regions.json", root=tmp_path / "pictures")
    assert [record.image for record in records] == ["0.png", "2.png"]
    (reject,) = (tmp_path / "out" / "regions.rejects.jsonl").read_text().splitlines()
    assert json.loads(reject)["reasons"] == ["refusal: I'm sorry."]
    assert json.loads(reject)["scene"] == "1" and json.loads(reject)["reply"] == "I'm sorry."
    card = json.loads((tmp_path / "out" / "regions.card.json").read_text())
    assert card["licence"]["sources"] == [
        {
            "name": "made up",
            "terms": "annotations CC BY 4.0; pictures under the licences of their Flickr owners",
        }
    ]
    assert card["licence"]["teacher"]["terms"].startswith("not stated")
    assert card["samples"] == 2 and card["reasons"] == {"refusal": 1} and card["cost_usd"] == 0.0033
    assert card["lessons"] == {"made": 2, "rejected": 1, "failed": 0, "unasked": 0}


def test_licences_of_cards() -> None:
    card = origin(address="https://api.openai.com/v1", licence="CC0", terms=None).to_dict(["a", "b"])
    assert [one["terms"] for one in card["sources"]] == ["CC0", "CC0"]
    assert "OpenAI's terms of use" in card["teacher"]["terms"]
    assert origin(terms="mine").to_dict([])["teacher"]["terms"] == "mine"
    assert origin(layout="pack").to_dict(["a"])["sources"][0]["terms"].startswith("not stated")


def test_pictures_of_shards_are_unpacked_beside_the_samples(tmp_path: Path) -> None:
    (ordinary,) = scenes(tmp_path / "pictures", 1)
    shard = tmp_path / "pictures" / "a.tar"
    with tarfile.open(shard, "w") as tar:
        tar.add(ordinary.picture.path, arcname="sub/0 ä.PNG")
        info = tar.getmembers()[0]
    with tarfile.open(shard) as tar:
        info = tar.getmembers()[0]
    inside = PictureFile(shard, "sub/0 ä.PNG", info.offset_data, info.size)
    packed: Scene = replace(ordinary, picture=inside)
    out = tmp_path / "regions.json"
    files = picture_files([ordinary, packed], images=tmp_path / "pictures", out=out)
    name = files.name(packed)
    assert files.root == tmp_path and name.startswith("regions.pictures/0__-") and name.endswith(".png")
    assert (
        (tmp_path / name).read_bytes()
        == ordinary.picture.read()
        == (tmp_path / files.name(ordinary)).read_bytes()
    )
    plain = picture_files([ordinary], images=tmp_path / "pictures", out=out)
    assert plain.name(ordinary) == "0.png" and plain.root == tmp_path / "pictures"


def test_lessons_of_a_folder(tmp_path: Path) -> None:
    dataset = read_dataset(coco(tmp_path), "train", masks=True)
    lessons: list[Lesson] = plan(find_kind("region"), dataset.scenes)
    assert len(lessons) == 3 and all(lesson.scene.thing(lesson.things[0]).mask for lesson in lessons)
