"""Whatever is sent, the answer is one that the description promises: never a fault, never a hang.

schemathesis asks every operation of the API's own description for things that it allows and things
that it does not; hypothesis sends the multipart bodies that no description covers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from api.main import create_app
from api.settings import Limits, Settings
from tests.api.conftest import OPERATOR, Caller, caller, housed
from tests.load.people import Shot
from tests.load.wire import multipart
from tests.postgres import Server
from visavox import store as stores
from visavox.perception import Perception
from visavox.service import attempts, compartments, enrolment, fridges, grants, keys
from visavox.service.answer import Sample
from visavox.service.house import House
from visavox.store import blobs
from visavox.store.keyring import Keyring
from visavox.store.records import Role

DESCRIBED = schemathesis.openapi.from_dict(
    create_app(Settings(state=Path("nowhere"), limits=Limits(rate=1e6, burst=1_000_000))).openapi()
)
OPERATIONS: list[Any] = [found.ok() for found in cast("Any", DESCRIBED.get_all_operations())]
PROMISED = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
FEW = settings(
    max_examples=5,
    derandomize=True,  # the same on every machine; hours of chance are for whoever has hours
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One house, on PostgreSQL, that all of this file asks, and who may do most in it."""

    house: House
    client: TestClient
    admin: Caller
    kiosk: Caller
    ada: Shot

    def set(self) -> dict[str, str]:
        """Put back what was removed; ids that lead somewhere, by the names of path parameters."""
        kept = Sample(images=(self.ada.image,), audio=self.ada.audio)
        with self.house.store.read() as unit:
            there = [f.id for f in unit.fridges.page(limit=200).items]
            shelves = [c.id for c in unit.compartments.page("kitchen", limit=200).items]
            people = unit.members.ids("kitchen")
        if "kitchen" not in there:
            fridges.create(self.house, OPERATOR, id="kitchen", name="Kitchen")
        fridges.change(self.house, OPERATOR, "kitchen", risk="low", name="Kitchen")
        if "top" not in shelves:
            compartments.create(self.house, OPERATOR, "kitchen", id="top", name="Top")
        if "ada" not in people:
            enrolment.enrol(
                self.house, OPERATOR, "kitchen", id="ada", name="Ada", consent=True, samples=[kept],
                accept_warnings=True,
            )  # fmt: skip
        grants.grant(self.house, OPERATOR, "kitchen", "ada", "top")
        attempts.unlock(self.house, OPERATOR, "kitchen")
        spare = keys.create(self.house, OPERATOR, role=Role.AUDITOR, name="spare").key.id
        return {"fridge": "kitchen", "compartment": "top", "member": "ada", "key": spare}


@pytest.fixture(scope="module")
def stage(
    postgres: Server,
    keyring: Keyring,
    perception: Perception,
    base_bundle: Path,
    ada: tuple[Shot, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("fuzz")
    # The stricter of the two: it minds NUL, long texts and large numbers, which SQLite takes.
    url = postgres.create("fuzz", template="migrated")
    store = stores.open(url, keyring=keyring, blobs=blobs.connect(str(folder / "captures")))
    house = housed(store, perception, base_bundle, folder)
    fridges.create(house, OPERATOR, id="kitchen", name="Kitchen")
    app = create_app(
        Settings(state=folder / "state", limits=Limits(rate=1e6, burst=10**6, wrong_keys=10**6)),
        house=house,
    )
    app.state.listeners.closing = True  # streams end once they have told what there is
    with TestClient(app) as client:
        admin = caller(client, house, Role.ADMIN)
        yield Stage(house, client, admin, caller(client, house, Role.KIOSK), ada[0])
    store.close()
    postgres.drop("fuzz")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.label)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda m: m.value)
def test_every_answer_is_one_that_is_described(
    stage: Stage, operation: Any, mode: GenerationMode
) -> None:
    known = stage.set()
    mine = {p.name: known[p.name] for p in operation.path_parameters if p.name in known}
    kiosk = operation.path in {"/v1/authentications", "/v1/pin-authentications", "/v1/challenges"}
    who = stage.kiosk if kiosk else stage.admin
    shown = {"Authorization": f"Bearer {who.secret}"}
    there = operation.as_strategy(mode, path_parameters=mine) if mine else None
    anywhere = operation.as_strategy(mode)
    app: Any = stage.client.app
    with asgi.get_client(app) as session:

        @FEW
        @given(case=st.one_of(there, anywhere) if there is not None else anywhere)
        def asked(case: Any) -> None:
            case.headers.update(shown)
            answer = case.call(session=session, app=app)
            case.validate_response(answer, checks=PROMISED)

        try:
            asked()
        except Unsatisfiable:  # nothing is asked of it that could be wrong
            assert mode is GenerationMode.NEGATIVE
            assert not operation.body
            assert not [*operation.path_parameters, *operation.query]


# --- multipart bodies


TEXT = st.text(max_size=40) | st.sampled_from(
    ["", "\x00", "a\x00b", "../../../etc/passwd", "C:\\CON", "a" * 5_000, "\r\nX-Evil: 1", '";x="',
     "\u202egpj.exe", "%00", "🦆", "true", "kitchen", "ada", "481902"]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["image", "audio", "clip", "name", "consent", "id", "locale", "pin", "compartments", "fridge",
     "challenge", "accept_warnings", "image[]", "", "_charset_"]
)  # fmt: skip
LABELS = st.sampled_from(
    ["image/jpeg", "audio/wav", "video/mp4", "text/html", "application/json", "multipart/mixed",
     "multipart/form-data; boundary=x", "", "image/jpeg; charset=utf-16", "x" * 3_000]
)  # fmt: skip
HEADS = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"OggS", b"fLaC",
         b"\x00\x00\x00\x18ftypisom", b"\x1aE\xdf\xa3", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b""]  # fmt: skip
CONTENT = st.tuples(st.sampled_from(HEADS), st.binary(max_size=200)).map(b"".join)


def _part(name: str, value: bytes, file: str | None, label: str | None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    head += "" if file is None else f'; filename="{file}"'
    head += "" if label is None else f"\r\nContent-Type: {label}"
    return head.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + value


PARTS = st.builds(
    _part, FIELDS, CONTENT | TEXT.map(str.encode), st.none() | TEXT, st.none() | LABELS
)
BODIES = st.builds(
    lambda parts, before, end: before + b"".join(b"\r\n--b\r\n" + p for p in parts) + end,
    st.lists(PARTS | st.binary(max_size=60), max_size=8),
    st.sampled_from([b"", b"preamble", b"--b--\r\n", b"\x00" * 100]),
    st.sampled_from([b"\r\n--b--\r\n", b"\r\n--b", b"", b"\r\n--b--\r\nepilogue", b"\r\n--b-"]),
)
KINDS = st.sampled_from(
    ["multipart/form-data; boundary=b"] * 6
    + ["multipart/form-data; boundary=b; charset=utf-7", 'multipart/form-data; boundary="b"',
       "multipart/form-data; boundary=", "multipart/form-data", "multipart/mixed; boundary=b",
       "application/x-www-form-urlencoded", "multipart/form-data; boundary=" + "b" * 300]
)  # fmt: skip
PATHS = [
    "/v1/authentications",
    "/v1/fridges/kitchen/members",
    "/v1/fridges/kitchen/members/ada/captures",
]


# A part that never ends is dropped by the parser, and its buffer in memory closed by nobody.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("path", PATHS)
def test_a_form_of_any_kind_is_judged_and_none_of_it_is_kept(stage: Stage, path: str) -> None:
    stage.set()
    who = stage.kiosk if path == PATHS[0] else stage.admin
    before = sorted(name for name, _ in stage.house.store.blobs.names())

    @settings(FEW, max_examples=60)
    @given(body=BODIES, kind=KINDS)
    def sent(body: bytes, kind: str) -> None:
        answer = who.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in {400, 404, 415, 422}, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["next_step"]

    sent()
    assert sorted(name for name, _ in stage.house.store.blobs.names()) == before


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("fields", "files"),
    [
        (0, 10_000), (10_000, 0), (0, 65), (129, 0), (64, 64),
    ],
)  # fmt: skip
def test_a_flood_of_parts_is_refused_without_being_looked_at(
    stage: Stage, path: str, fields: int, files: int
) -> None:
    stage.set()
    who = stage.kiosk if path == PATHS[0] else stage.admin
    body = multipart(
        [("name", "x")] * fields, [("image", f"{i}.jpg", "image/jpeg", b"x") for i in range(files)]
    )
    answer = who.post(path, content=body.content, headers={"Content-Type": body.media_type})
    assert answer.status_code in {400, 422}, answer.text


@pytest.mark.parametrize(
    "name",
    ["../../../../tmp/visavox-was-here", "/etc/passwd", "nul\x00.jpg", "a" * 4_000, "🦆"],
)
def test_what_a_file_is_called_and_labelled_as_changes_nothing(
    stage: Stage, ada: tuple[Shot, ...], name: str
) -> None:
    stage.set()
    files = [
        ("image", (name, ada[1].image, "text/html")),
        ("audio", (name, ada[1].audio, "application/x-sh")),
    ]
    answer = stage.kiosk.post("/v1/authentications", data={"fridge": "kitchen"}, files=files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["modalities"] == {"face": "accepted", "voice": "accepted"}
    assert answer.json()["outcome"] == "granted"
    assert not Path("/tmp/visavox-was-here").exists()


def test_pictures_sent_as_sound_and_sound_as_pictures_are_told_apart(
    stage: Stage, ada: tuple[Shot, ...]
) -> None:
    stage.set()
    swapped = [("image", ("a.jpg", ada[0].audio)), ("audio", ("a.wav", ada[0].image))]
    answer = stage.kiosk.post("/v1/authentications", data={"fridge": "kitchen"}, files=swapped)
    assert (answer.status_code, answer.json()["code"]) == (422, "capture_unreadable")
    data = {"name": "Eve", "consent": "true"}
    answer = stage.admin.post("/v1/fridges/kitchen/members", data=data, files=swapped)
    assert (answer.status_code, answer.json()["code"]) == (422, "captures_refused")
