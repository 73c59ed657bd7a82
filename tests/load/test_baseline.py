"""The service that ours is measured against must do the job, or the comparison is void."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.load.people import Shot, enrolment, shot, who
from tests.load.process import service
from tests.load.wire import Line, multipart


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    log: Path = tmp_path_factory.mktemp("baseline") / "log"
    with (
        service("tests.load.baseline", [], ready="/healthz", log=log) as served,
        Line(served.host) as line,
    ):
        yield line


def ask(line: Line, one: Shot) -> tuple[int, dict[str, object]]:
    answer = line.ask("POST", "/authentications", one.probe("any"))
    return answer.status, answer.json()


def test_the_same_capture_is_its_member_with_a_cosine_of_one(line: Line) -> None:
    captures = {f"m{i}": shot(who(i), 0) for i in range(2)}
    for member, one in captures.items():
        assert line.ask("POST", f"/members/{member}", enrolment([one])).status == 200
    for member, one in captures.items():
        status, told = ask(line, one)
        assert status == 200
        assert told["member"] == member
        assert told["score"] == pytest.approx(1.0, abs=1e-4)


def test_no_face_is_an_error_of_the_asker(line: Line) -> None:
    wall = io.BytesIO()
    Image.new("RGB", (640, 480), "grey").save(wall, "JPEG")
    assert ask(line, Shot(wall.getvalue(), shot(who(0), 0).audio))[0] == 422
    nothing = multipart([], [("image", "a", "image/jpeg", b"no"), ("audio", "b", "audio/wav", b"")])
    assert line.ask("POST", "/authentications", nothing).status == 422
