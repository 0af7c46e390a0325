"""Pictures come in data URLs and as uploads, within bounds; nothing else is opened unless it is allowed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from deixis.pictures.opening import open_picture
from deixis.server.limits import ServerLimits
from deixis.server.pictures.uploads import Uploads, memory_of
from tests.server.asking import Client, chat, data_url, error_of, png, shown, user

UPLOAD = "/v1/pictures"
PNG = {"Content-Type": "image/png"}


def ask_about(client: Client, url: str) -> dict[str, Any]:
    return client.refused({"messages": [user(shown(url), "What?")]})


def test_a_picture_is_uploaded_once_and_asked_about_by_its_id() -> None:
    client = Client()
    encoded = png()
    reply = client.post(UPLOAD, content=encoded, headers=PNG)
    assert reply.status_code == 200
    kept = reply.json()
    assert (kept["width"], kept["height"]) == (80, 60)
    assert kept["digest"] == open_picture(encoded).frame.content
    assert client.post(UPLOAD, content=encoded, headers=PNG).json() == kept
    asked = client.asked({"messages": [user(shown(f"picture:{kept['id']}"), "What?")]})
    assert asked.pictures[0].frame.content == kept["digest"]


def test_an_unknown_upload_is_said() -> None:
    client = Client()
    error = client.refused({"messages": [user(shown("picture:0000"), "What?")]}, 404)
    assert "no picture of this id" in error["message"] and error["code"] == "UsageError"


def test_uploads_are_dropped_within_bounds_the_longest_unused_first() -> None:
    pictures = [open_picture(png(8, 8, seed=seed)) for seed in range(4)]
    size = memory_of(pictures[0])
    for uploads in (Uploads(most=2, most_bytes=1 << 20), Uploads(most=9, most_bytes=2 * size)):
        ids = [uploads.put(bytes([n]), one) for n, one in enumerate(pictures[:2])]
        assert uploads.get(ids[0]) is pictures[0]
        third = uploads.put(b"third", pictures[2])
        assert uploads.get(ids[1]) is None
        assert uploads.get(ids[0]) is pictures[0] and uploads.get(third) is pictures[2]
        assert uploads.count == 2 and uploads.bytes == 2 * size


def test_a_picture_larger_than_all_room_is_refused() -> None:
    client = Client(limits=ServerLimits(upload_bytes=1000))
    reply = client.post(UPLOAD, content=png(), headers=PNG)
    assert "33,600 bytes of memory, and there are 1,000" in error_of(reply, 400)["message"]


def test_what_is_no_picture_is_not_kept() -> None:
    client = Client()
    for body, code in ((b"", "BadPicture"), (b"GIF89a", "BadPicture"), (png()[:200], "BadPicture")):
        assert error_of(client.post(UPLOAD, content=body, headers=PNG), 400)["code"] == code
    assert client.app.state.service.uploads.count == 0


@pytest.mark.parametrize("media", ["image/png", "IMAGE/JPEG", "application/octet-stream", "image/x-odd; a=b"])
def test_types_of_uploads(media: str) -> None:
    reply = Client().post(UPLOAD, content=png(), headers={"Content-Type": media})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("media", [None, "text/plain", "multipart/form-data; boundary=a", "imagex/png"])
def test_types_that_a_browser_sends_unasked_are_refused(media: str | None) -> None:
    headers = {} if media is None else {"Content-Type": media}
    error = error_of(Client().post(UPLOAD, content=png(), headers=headers), 415)
    assert error["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "messages[0].content[0] is no address that is known here"),
        ("photo.png", "is no address that is known"),
        ("/etc/passwd", "is no address that is known"),
        ("ftp://example.org/a.png", "is no address that is known"),
        ("javascript:alert(1)", "is no address that is known"),
        ("file:///etc/passwd", "is no file that may be read here"),
        ("FILE:///etc/passwd", "is no file that may be read here"),
        ("http://example.org/a.png", "which this server may not fetch from"),
        ("HTTPS://127.0.0.1/a.png", "which this server may not fetch from"),
        ("http:", "is no address of http or https"),
        ("data:,abc", "begins with 'data:'; expected data:image/png;base64,"),
        ("data:image/png,abc", "begins with 'data:image/png'"),
        ("data:text/html;base64,QUJD", "holds 'text/html'"),
        ("data:image/png;base64,", "holds no bytes"),
        ("data:image/png;base64,QUJ", "is not base64 throughout"),
        ("data:image/png;base64,Q*JD", "is not base64 throughout"),
        ("data:image/png;base64,QUJDé", "is not base64 throughout"),
        ("data:image/png;base64,QUJD", "is not a picture in a known format"),
    ],
)
def test_addresses_that_lead_nowhere(url: str, message: str) -> None:
    error = ask_about(Client(), url)
    assert message in error["message"] and error["code"] == "BadPicture", error


def test_pixels_are_bounded_for_all_pictures_of_a_request() -> None:
    client = Client(limits=ServerLimits(pixels=9000))
    two = [shown(data_url(png(80, 60, seed=seed))) for seed in range(2)]
    assert client.ask({"messages": [user(two[0], "What?")]}).status_code == 200
    error = client.refused({"messages": [user(*two, "What?")]})
    assert "at most 4,200 are decoded" in error["message"] and "max_pixels" not in error["message"]
    bomb = Image.new("1", (4000, 4000))
    packed = io.BytesIO()
    bomb.save(packed, "PNG")
    assert "16,000,000 pixels" in ask_about(client, data_url(packed.getvalue()))["message"]
    kept = Client(limits=ServerLimits(pixels=9000)).post(UPLOAD, content=packed.getvalue(), headers=PNG)
    assert "16,000,000 pixels" in error_of(kept, 400)["message"]


def test_uploads_count_for_the_pixels_of_a_request() -> None:
    client = Client(limits=ServerLimits(pixels=9000))
    urls = [
        f"picture:{client.post(UPLOAD, content=png(seed=seed), headers=PNG).json()['id']}" for seed in (0, 1)
    ]
    assert client.ask({"messages": [user(shown(urls[0]), "What?")]}).status_code == 200
    error = client.refused({"messages": [user(*map(shown, urls), "What?")]})
    assert "together have at most 9,000 pixels" in error["message"]


def test_the_bytes_of_a_data_url_are_bounded() -> None:
    client = Client(limits=ServerLimits(body_bytes=3000))
    assert error_of(client.ask(chat("What?")), 413)["code"] == "content_too_large"


def test_a_picture_has_no_name_that_the_server_gave_it() -> None:
    answer = Client().ask(chat("What?")).json()["choices"][0]["message"]["answer"]
    assert set(answer["picture"]) == {"width", "height", "digest"}
