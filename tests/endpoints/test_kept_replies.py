"""A judge's replies are kept by what was asked, so that a run that was stopped goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deixis.endpoints.chat import ChatRequest, Reply, ShownPicture, Usage
from deixis.endpoints.endpoint import Endpoint
from deixis.endpoints.kept_replies import KeptReplies, ReplyFolder
from deixis.errors import EndpointError, RecordError, UsageError

REQUEST = ChatRequest("judge", (("system", "Be fair."), ("user", "8 or 7? \ud800 ü")), temperature=0.2)


class Counting:
    """Numbers its replies; the one of number ``fails`` fails instead."""

    def __init__(self, fails: int = 0) -> None:
        self.count, self.fails = 0, fails

    def __call__(self, request: ChatRequest) -> str:
        self.count += 1
        if self.count == self.fails:
            raise EndpointError("it timed out")
        return f"8 {self.count}\nü"


def test_nothing_is_asked_twice_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    questions = [replace(REQUEST, model=f"judge-{number}") for number in range(4)]
    first = Counting(fails=3)
    judge = KeptReplies(first, tmp_path / "replies", asked="https://example.org/v1")
    assert [judge(one) for one in questions[:2]] == ["8 1\nü", "8 2\nü"]
    with pytest.raises(EndpointError):
        judge(questions[2])
    second = Counting()
    again = KeptReplies(second, tmp_path / "replies", asked="https://example.org/v1")
    assert [again(one) for one in questions] == ["8 1\nü", "8 2\nü", "8 1\nü", "8 2\nü"]
    assert (first.count, second.count) == (3, 2)


def test_what_was_asked_of_whom_decides(tmp_path: Path) -> None:
    counting = Counting()
    judge = KeptReplies(counting, tmp_path, asked="here")
    judge(REQUEST)
    for other in (
        replace(REQUEST, model="other"),
        replace(REQUEST, temperature=0.0),
        replace(REQUEST, max_tokens=7),
        replace(REQUEST, messages=REQUEST.messages[:1]),
    ):
        judge(other)
    KeptReplies(counting, tmp_path, asked="there")(REQUEST)
    assert counting.count == 6
    judge(replace(REQUEST))
    assert counting.count == 6


def test_a_damaged_reply_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    judge = KeptReplies(Counting(), tmp_path, asked="here")
    judge(REQUEST)
    (path,) = tmp_path.iterdir()
    whole = path.read_text(encoding="utf-8")
    for text, message in ((whole[:40], "not valid JSON"), (whole.replace("0.2", "0.3"), "something else")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RecordError, match=path.name) as caught:
            judge(REQUEST)
        assert message in str(caught.value)


def test_no_key_is_kept(tmp_path: Path) -> None:
    endpoint = Endpoint("https://example.org/v1", key="sk-very-secret")
    KeptReplies(Counting(), tmp_path, asked=endpoint.address)(REQUEST)
    (path,) = tmp_path.iterdir()
    assert "very-secret" not in path.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="the folder of replies"):
        KeptReplies(Counting(), tmp_path / "file", asked="here")


def test_all_of_a_reply_is_kept_but_pictures_as_digests(tmp_path: Path) -> None:
    picture = ShownPicture(b"not quite a picture" * 100)
    request = ChatRequest("m", (("user", ("What is it?", picture)),))
    kept = ReplyFolder(tmp_path, "here")
    replies = [Reply("a dog", finish="stop", usage=Usage(7, 2)), Reply(None, refusal="No."), Reply("")]
    for reply in replies:
        kept.keep(request, reply)
        assert kept.find(request) == reply
        assert list(kept.replies()) == [reply]
    assert kept.path(request).stat().st_size < 1000
    other = ChatRequest("m", (("user", ("What is it?", ShownPicture(b"other"))),))
    assert kept.find(other) is None


def test_what_a_killed_run_began_to_write_is_no_reply(tmp_path: Path) -> None:
    kept = ReplyFolder(tmp_path, "here")
    kept.keep(REQUEST, Reply("a"))
    (tmp_path / ".0123456789ab.partial.json").write_text('{"asked": "he')
    (tmp_path / ".lock").touch()
    assert [reply.text for reply in kept.replies()] == ["a"]
