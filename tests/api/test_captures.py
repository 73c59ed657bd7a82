"""Which parts of a form belong to one capture, and which forms are refused."""

import io
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, UploadFile
from fastapi.testclient import TestClient

from api.captures import FORM_LIMITS, MultipartOf, Probe, Takes, probe, takes
from visavox.errors import Invalid


def parts(*contents: bytes) -> list[UploadFile]:
    return [UploadFile(io.BytesIO(content), filename="../../etc/passwd") for content in contents]


def test_the_nth_picture_goes_with_the_nth_sound_and_clips_come_first() -> None:
    taken = takes(parts(b"clip"), parts(b"i1", b"i2"), parts(b"a1", b"a2"))
    assert [(t.clip, t.images, t.audio) for t in taken] == [
        (b"clip", (), None),
        (None, (b"i1",), b"a1"),
        (None, (b"i2",), b"a2"),
    ]


def test_captures_of_one_modality_stand_alone() -> None:
    assert [t.images for t in takes([], parts(b"1", b"2"), [])] == [(b"1",), (b"2",)]
    assert [t.audio for t in takes([], [], parts(b"1", b"2"))] == [b"1", b"2"]


def test_a_picture_that_lacks_its_sound_is_a_mistake() -> None:
    with pytest.raises(Invalid) as refused:
        takes([], parts(b"1", b"2"), parts(b"1"))
    (finding,) = refused.value.findings
    assert finding.field == "audio"
    assert "2 image and 1 audio" in finding.problem


def test_a_probe_is_one_capture_with_all_its_pictures() -> None:
    one = probe([], parts(b"1", b"2", b"3"), parts(b"a"))
    assert (one.images, one.audio, one.clip) == ((b"1", b"2", b"3"), b"a", None)


@pytest.mark.parametrize(
    ("clip", "image", "audio", "field"),
    [
        (2, 0, 0, "clip"),
        (0, 6, 0, "image"),
        (0, 1, 2, "audio"),
        (1, 1, 0, "clip"),
        (1, 0, 1, "clip"),
        (0, 0, 0, "image"),
    ],
)
def test_a_probe_that_is_not_one_capture_is_refused(
    clip: int, image: int, audio: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        probe(parts(*[b"x"] * clip), parts(*[b"x"] * image), parts(*[b"x"] * audio))
    assert [finding.field for finding in refused.value.findings] == [field]


def test_an_enrolment_without_captures_is_refused() -> None:
    with pytest.raises(Invalid):
        takes([], [], [])


@pytest.fixture
def client() -> TestClient:
    router = APIRouter(form_limits=FORM_LIMITS, dependencies=[Depends(MultipartOf("name"))])

    @router.post("/takes")
    def many(samples: Takes, name: Annotated[str | None, Form()] = None) -> list[str]:
        return [repr(sample) for sample in samples]

    @router.post("/probe")
    def one(sample: Probe) -> str:
        return repr(sample)

    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


def ask(client: TestClient, path: str, **request: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        client.post(path, **request)
    return refused.value


def test_parts_keep_their_order_over_the_wire(client: TestClient) -> None:
    files = [("audio", ("a", b"1")), ("image", ("a", b"22")), ("audio", ("a", b"333"))]
    files += [("image", ("a", b"4444"))]
    answer = client.post("/takes", files=files, data={"name": "Ada"})
    assert answer.json() == [
        "Sample(image-0: 2 bytes, audio: 1 bytes)",
        "Sample(image-0: 4 bytes, audio: 3 bytes)",
    ]


def test_a_field_that_nobody_reads_is_a_mistake_and_named(client: TestClient) -> None:
    error = ask(client, "/takes", files=[("images", ("a.jpg", b"1"))])
    assert [finding.field for finding in error.findings] == ["images"]


def test_a_capture_that_came_as_text_is_told_so(client: TestClient) -> None:
    error = ask(client, "/takes", data={"image": "text"}, files=[("audio", ("a", b"1"))])
    assert [finding.field for finding in error.findings] == ["image"]


@pytest.mark.parametrize("request_", [{"json": {"name": "x"}}, {"data": {"name": "x"}}, {}])
def test_a_body_of_another_kind_is_refused_as_such(
    client: TestClient, request_: dict[str, Any]
) -> None:
    assert client.post("/probe", **request_).status_code == 415


def test_a_flood_of_parts_is_cut_off_while_it_is_read(client: TestClient) -> None:
    many = [("image", ("a.jpg", b"1"))] * (65)
    assert client.post("/takes", files=many).status_code == 400
