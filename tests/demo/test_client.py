"""The client against a real HTTP server that gives prepared answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.client import Client, Shown, media_type
from demo.problems import ApiAway, ApiProblem
from tests.demo.script import Script, scripted


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def client(script: Script) -> Iterator[Client]:
    with scripted(script) as made:
        yield made


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


def test_events_are_told_apart_and_comments_left_out(client: Client, script: Script) -> None:
    script.say(
        200,
        b': still here\n\nid: 7\nevent: progress\ndata: {"step":\ndata: "train"}\n\n'
        b'id: 8\nevent: end\ndata: {"state":"done"}\n\n',
    )
    assert list(client.retraining_events("run_1")) == [
        ("progress", {"step": "train"}),
        ("end", {"state": "done"}),
    ]


def test_a_stream_that_ends_too_early_is_taken_up_where_it_was(
    client: Client, script: Script
) -> None:
    script.say(200, b'id: 7\nevent: progress\ndata: {"step":"train"}\n\n')
    script.say(200, b"id: 8\nevent: end\ndata: {}\n\n")
    assert [kind for kind, _ in client.retraining_events("run_1")] == ["progress", "end"]
    assert "last-event-id" not in script.asked[0][2]
    assert script.asked[1][2]["last-event-id"] == "7"


def test_a_stream_that_is_refused_is_an_error_in_words(client: Client, script: Script) -> None:
    script.say(404, {"detail": "There is no run 'x'.", "next_step": "Check the id."})
    with pytest.raises(ApiProblem, match="no run"):
        next(client.retraining_events("x"))
