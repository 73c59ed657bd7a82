"""Many at once, over HTTP, against a real server: nobody twice, nobody half, nobody after the end.

On SQLite and on PostgreSQL: what keeps callers apart is not the same on both.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.main import create_app
from api.settings import Settings
from tests import cohort
from tests.api.conftest import OPERATOR, files, housed
from tests.load.people import Shot
from tests.load.process import free_port
from visavox.perception import Perception
from visavox.service import attempts, compartments, fridges, keys, models
from visavox.service.house import House
from visavox.store import Store
from visavox.store.records import Role

FRIDGE = "/v1/fridges/kitchen"


class Server:
    """The app on a port of loopback, and what callers with its keys ask at the same moment."""

    def __init__(self, host: str, house: House) -> None:
        self.host, self.house = host, house
        self._admin = keys.create(house, OPERATOR, role=Role.ADMIN, name="admin").secret

    def admin(self) -> httpx.Client:
        return self.caller(self._admin)

    def kiosk(self) -> httpx.Client:
        made = keys.create(self.house, OPERATOR, role=Role.KIOSK, name="door", fridges=["kitchen"])
        return self.caller(made.secret)

    def caller(self, secret: str) -> httpx.Client:
        shown = {"Authorization": f"Bearer {secret}"}
        return httpx.Client(base_url=self.host, headers=shown, timeout=60, trust_env=False)


@pytest.fixture
def server(
    store: Store, perception: Perception, base_bundle: Path, tmp_path: Path, api_settings: Settings
) -> Iterator[Server]:
    house = housed(store, perception, base_bundle, tmp_path)
    fridges.create(house, OPERATOR, id="kitchen", name="Kitchen", risk="low")
    compartments.create(house, OPERATOR, "kitchen", id="top", name="Top")
    port = free_port()
    running = uvicorn.Server(
        uvicorn.Config(
            create_app(api_settings, house=house), port=port, log_config=None, access_log=False
        )
    )
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started and thread.is_alive():
        thread.join(0.01)
    try:
        yield Server(f"http://127.0.0.1:{port}", house)
    finally:
        running.should_exit = True
        thread.join()


def at_once(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """All of them, begun as close together as threads can."""
    line = threading.Barrier(len(calls))

    def begin(call: Callable[[], httpx.Response]) -> httpx.Response:
        line.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def form(member: str, **more: str) -> dict[str, str]:
    return {
        "id": member, "name": member.title(), "consent": "true", "compartments": "top", **more,
    }  # fmt: skip


def enrolled(server: Server, member: str, *shots: Shot) -> None:
    with server.admin() as admin:
        made = admin.post(f"{FRIDGE}/members", data=form(member), files=files(*shots))
        assert made.status_code == 201, made.text


def test_of_two_enrolments_of_one_member_one_is_made(server: Server, ada: tuple[Shot, ...]) -> None:
    with server.admin() as one, server.admin() as other:
        answers = at_once(
            lambda: one.post(f"{FRIDGE}/members", data=form("ada"), files=files(ada[0])),
            lambda: other.post(f"{FRIDGE}/members", data=form("ada"), files=files(ada[1])),
        )
        assert sorted(a.status_code for a in answers) == [201, 409]
        assert one.get(f"{FRIDGE}/members/ada").json()["captures"] == 1
    # Of the one that lost nothing is left, on the disk neither.
    assert len(list(server.house.store.blobs.names())) == 2


def test_one_person_is_not_enrolled_under_two_names_at_once(
    server: Server, ada: tuple[Shot, ...]
) -> None:
    with server.admin() as one, server.admin() as other:
        answers = at_once(
            lambda: one.post(f"{FRIDGE}/members", data=form("ada"), files=files(*ada[:2])),
            lambda: other.post(f"{FRIDGE}/members", data=form("eve"), files=files(ada[2])),
        )
    assert sorted(a.status_code for a in answers) == [201, 409]
    (lost,) = (a.json()["code"] for a in answers if a.status_code == 409)
    assert lost == "already_enrolled"


def test_a_creation_sent_twice_at_once_with_one_key_is_made_once(server: Server) -> None:
    once = {"Idempotency-Key": "one"}
    with server.admin() as one, server.admin() as other:

        def sent(who: httpx.Client) -> httpx.Response:
            return who.post(f"{FRIDGE}/compartments", json={"name": "Door"}, headers=once)

        answers = at_once(lambda: sent(one), lambda: sent(other))
        made = [a for a in answers if a.status_code == 201]
        waiting = [a for a in answers if a.status_code != 201]
        assert {a.json()["id"] for a in made} == {made[0].json()["id"]}
        for answer in waiting:
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
            assert int(answer.headers["Retry-After"]) >= 1
        again = sent(other)
        assert (again.status_code, again.json()) == (201, made[0].json())
        assert again.headers["Idempotency-Replayed"] == "true"
        assert len(one.get(f"{FRIDGE}/compartments").json()["items"]) == 2


def test_of_changes_meant_for_one_version_one_is_made(server: Server) -> None:
    with server.admin() as admin:
        read = {"If-Match": admin.get(FRIDGE).headers["ETag"]}
        answers = at_once(
            *(
                lambda i=i: admin.patch(FRIDGE, json={"name": f"Name {i}"}, headers=read)
                for i in range(6)
            )
        )
        assert sorted(a.status_code for a in answers) == [200, *[412] * 5]
        (made,) = (a.json() for a in answers if a.status_code == 200)
        assert admin.get(FRIDGE).json() == made


def test_changes_of_different_things_do_not_undo_each_other(server: Server) -> None:
    with server.admin() as admin:
        for i in range(4):
            to = {"name": f"Name {i}"}, {"risk": ("low", "high")[i % 2]}
            at_once(*(lambda t=t: admin.patch(FRIDGE, json=t) for t in to))
            now = admin.get(FRIDGE).json()
            assert (now["name"], now["risk"]) == (to[0]["name"], to[1]["risk"])


def test_failures_at_once_are_each_counted(server: Server) -> None:
    wrong = {"fridge": "kitchen", "number": "1", "pin": "000000"}
    kiosks = [server.kiosk() for _ in range(8)]
    answers = at_once(*(lambda k=k: k.post("/v1/pin-authentications", json=wrong) for k in kiosks))
    outcomes = sorted(a.json()["outcome"] for a in answers)
    assert outcomes == ["locked"] * 3 + ["refused"] * 5
    for kiosk in kiosks:
        kiosk.close()
    standing = fridges.standing(server.house, OPERATOR, "kitchen")
    assert standing.lock.failures == 5


def test_a_challenge_is_good_for_one_of_those_who_send_it_at_once(
    server: Server, ada: tuple[Shot, ...]
) -> None:
    enrolled(server, "ada", *ada[:2])
    with server.kiosk() as kiosk:
        challenge = kiosk.post("/v1/challenges", json={"fridge": "kitchen"}).json()["id"]
        asked = {"fridge": "kitchen", "challenge": challenge}
        answers = at_once(
            *[lambda: kiosk.post("/v1/authentications", data=asked, files=files(ada[2]))] * 3
        )
    assert sorted(a.status_code for a in answers) == [200, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"challenge_refused"}
    (answer,) = (a.json() for a in answers if a.status_code == 200)
    assert answer["outcome"] == "granted"


def asking(
    server: Server, shown: Shot, enough: threading.Event, seen: list[tuple[bool, dict[str, Any]]],
    over: threading.Event,
) -> None:  # fmt: skip
    """Authenticate again and again; of each answer, whether it was asked for after `over`."""
    with server.kiosk() as kiosk:
        while not enough.is_set():
            late = over.is_set()
            answer = kiosk.post(
                "/v1/authentications", data={"fridge": "kitchen"}, files=files(shown)
            )
            assert answer.status_code == 200, answer.text
            seen.append((late, answer.json()))
            if answer.json()["outcome"] != "granted":
                attempts.unlock(server.house, OPERATOR, "kitchen")


def test_nobody_is_let_in_who_was_erased_before_they_asked(
    server: Server, ada: tuple[Shot, ...], bob: tuple[Shot, ...]
) -> None:
    enrolled(server, "ada", *ada[:2])
    enrolled(server, "bob", *bob[:2])
    enough, over = threading.Event(), threading.Event()
    seen: list[tuple[bool, dict[str, Any]]] = []
    with ThreadPoolExecutor(2) as pool, server.admin() as admin:
        doors = [pool.submit(asking, server, ada[2], enough, seen, over) for _ in range(2)]
        while len(seen) < 3 and not any(d.done() for d in doors):
            enough.wait(0.01)
        assert admin.delete(f"{FRIDGE}/members/ada").status_code == 200
        over.set()
        while sum(late for late, _ in seen) < 3 and not any(d.done() for d in doors):
            enough.wait(0.01)
        enough.set()
        for door in doors:
            door.result()
    assert seen[0][1]["outcome"] == "granted"
    for late, answer in seen:
        if late:
            assert (answer["outcome"], answer["member"], answer["ticket"]) == (
                "refused", None, None,
            )  # fmt: skip
    with server.admin() as admin, server.kiosk() as kiosk:
        assert admin.get("/v1/audit/verification").json()["valid"]
        fresh = kiosk.post("/v1/authentications", data={"fridge": "kitchen"}, files=files(bob[2]))
        assert fresh.json()["member"]["id"] == "bob"


def test_a_model_takes_over_while_people_ask(
    server: Server, ada: tuple[Shot, ...], bob: tuple[Shot, ...], tmp_path: Path
) -> None:
    """A trained bundle is put live, taken out and put live again; every answer is of one of them."""
    enrolled(server, "ada", *ada[:2])
    enrolled(server, "bob", *bob[:2])
    trained = _trained(server.house, tmp_path / "trained")
    digest = trained.name
    enough, over = threading.Event(), threading.Event()
    seen: list[tuple[bool, dict[str, Any]]] = []
    with ThreadPoolExecutor(2) as pool:
        doors = [pool.submit(asking, server, ada[2], enough, seen, over) for _ in range(2)]
        for _ in range(3):
            models.install(server.house, OPERATOR, "kitchen", trained)
            _wait(seen, doors)
            models.remove(server.house, OPERATOR, "kitchen")
            _wait(seen, doors)
        models.install(server.house, OPERATOR, "kitchen", trained)
        over.set()
        _wait(seen, doors, more=4)
        enough.set()
        for door in doors:
            door.result()
    assert {answer["member"]["id"] for _, answer in seen} == {"ada"}
    for late, answer in seen:
        bundle = answer["models"]["bundle"]
        assert bundle in {None, digest}
        assert answer["provisional"] is (bundle is None)  # never one's scores, the other's name
        if late:
            assert bundle == digest


def _wait(seen: list[Any], doors: list[Any], *, more: int = 2) -> None:
    enough = len(seen) + more
    while len(seen) < enough and not any(door.done() for door in doors):
        threading.Event().wait(0.01)


def _trained(house: House, folder: Path) -> Path:
    """A bundle of the kitchen's members as they are enrolled now."""
    with house.store.read() as unit:
        seen = {
            member: [c.embeddings for c in captures]
            for member, captures in unit.captures.of_fridge("kitchen").items()
        }
    return cohort.trained_bundle(folder, house.perception.characterizer, "kitchen", seen)
