"""The client against a real HTTP server that gives prepared answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from demo.client import Client, Shown, media_type
from demo.problems import ApiAway, ApiProblem


class Script:
    """What the server answers in turn, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def say(self, status: int, body: Any = None, **headers: str) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, text))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def client(script: Script) -> Iterator[Client]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            script.asked.append((self.command, self.path, headers, body))
            status, extra, text = script.answers.pop(0)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815 (http.server's own names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (theirs too)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Client(f"http://127.0.0.1:{server.server_port}", "vx_abc_secret") as made:
        yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_key_goes_with_every_request(client: Client, script: Script) -> None:
    script.say(200, {"key_id": "abc"})
    assert client.me() == {"key_id": "abc"}
    assert script.asked[0][2]["authorization"] == "Bearer vx_abc_secret"


def test_pages_are_followed_to_the_end(client: Client, script: Script) -> None:
    script.say(200, {"items": [{"id": "a"}], "next_cursor": "c1"})
    script.say(200, {"items": [{"id": "b"}], "next_cursor": None})
    assert [m["id"] for m in client.members("demo")] == ["a", "b"]
    assert "cursor=c1" in script.asked[1][1]


def test_an_error_keeps_its_words_its_next_step_and_what_each_field_lacks(
    client: Client, script: Script
) -> None:
    script.say(
        422,
        {
            "title": "Refused",
            "detail": "1 of 2 captures is not good enough.",
            "code": "refused",
            "next_step": "Hold still.",
            "request_id": "r1",
            "errors": [
                {"field": "captures[1].face", "problem": "Blurred.", "next_step": "Hold still."},
                {"field": None, "problem": "Alike.", "next_step": "Look.", "member": "m1"},
            ],
        },
        Retry_After="3",
    )
    with pytest.raises(ApiProblem) as caught:
        client.member("demo", "ada")
    error = caught.value
    assert (error.status, error.code, error.request_id) == (422, "refused", "r1")
    assert error.problem == "1 of 2 captures is not good enough."
    assert (error.next_step, error.retry_after) == ("Hold still.", "3")
    assert [f.field for f in error.fields] == ["captures[1].face", ""]
    assert error.fields[1].member == "m1"


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"[]", b'{"errors": "none"}', b'{"detail": null}']
)
def test_an_error_without_words_gets_some(client: Client, script: Script, body: bytes) -> None:
    script.say(503, body)
    with pytest.raises(ApiProblem) as caught:
        client.me()
    assert caught.value.problem == "The service is busy."
    assert caught.value.next_step == "Wait a moment and try again."


def test_an_answer_that_is_no_object_is_a_problem(client: Client, script: Script) -> None:
    script.say(200, b"hello")
    with pytest.raises(ApiProblem, match="no JSON object"):
        client.me()


def test_nobody_at_the_address_says_how_to_start_it() -> None:
    with Client("http://127.0.0.1:9", "") as client:
        assert not client.ready()
        with pytest.raises(ApiAway, match="make demo"):
            client.me()


def test_captures_travel_as_parts_named_by_what_they_are(
    client: Client, script: Script, tmp_path: Path
) -> None:
    picture, sound = tmp_path / "a.bin", tmp_path / "b.bin"
    picture.write_bytes(b"\xff\xd8\xff\xe0picture")
    sound.write_bytes(b"fLaCsound")
    script.say(201, {"id": "ada"})
    takes = [Shown((picture,), sound), Shown((picture,), sound)]
    client.enrol("demo", takes, name="Ada", compartments=["top", "drawer"], pin="481902")
    body = script.asked[0][3]
    assert body.count(b'name="image"') == body.count(b'name="audio"') == 2
    assert body.count(b'name="compartments"') == 2
    assert b"Content-Type: image/jpeg" in body
    assert b"Content-Type: audio/flac" in body
    assert b'name="id"' not in body  # chosen by the service where none is given


def test_filters_that_are_empty_are_not_sent(client: Client, script: Script) -> None:
    script.say(200, {"items": []})
    client.decisions("demo", outcome="granted", method="")
    assert script.asked[0][1] == "/v1/decisions?fridge=demo&limit=50&outcome=granted"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"OggS", "audio/ogg"),
        (b"", "application/octet-stream"),
    ],
)
def test_bytes_are_named_by_how_they_begin(data: bytes, name: str) -> None:
    assert media_type(data) == name
