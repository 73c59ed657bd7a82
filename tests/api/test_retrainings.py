"""Retrainings over HTTP: what runs, how far it is, one asked for, and streams that tell of it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import listening
from api.listening import Listeners
from tests.api.conftest import OPERATOR, Caller, caller
from visavox.errors import Overloaded
from visavox.service import retrainings
from visavox.service.house import Actor, House
from visavox.service.retrainings import News
from visavox.store.records import Role, RunState


def begin(house: House, *fridges: str) -> str:
    """A run that has taken on these fridges' changes."""
    at = house.clock()
    with house.store.begin() as unit:
        for fridge in fridges:
            unit.retraining.request(fridge, reason="member_enrolled", at=at)
        run = unit.runs.begin("retrain", fridges, reason="member_enrolled", at=at)
        unit.retraining.claim(run.id, fridges, at=at)
        for fridge in fridges:
            unit.progress.add(run.id, fridge, "waiting", "done", at=at)
    return run.id


def tell(house: House, run: str, fridge: str | None, step: str) -> None:
    with house.store.begin() as unit:
        unit.progress.add(run, fridge, step, "done", at=house.clock())


def end(house: House, run: str, *fridges: str) -> None:
    with house.store.begin() as unit:
        for fridge in fridges:
            unit.retraining.done(run, fridge, at=house.clock())
        unit.runs.end(run, RunState.DONE, at=house.clock())
        unit.progress.add(run, None, "end", "done", at=house.clock())


def events(text: str) -> Iterator[dict[str, Any]]:
    """What a browser's EventSource would make of it."""
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "event" in fields:
            yield {**fields, "data": json.loads(fields["data"])}


def test_an_admin_asks_for_a_retraining_and_sees_it_wait(
    admin: Caller, auditor: Caller, kiosk: Caller, kitchen: str
) -> None:
    asked = admin.post(f"/v1/fridges/{kitchen}/retrainings")
    assert asked.status_code == 202
    assert asked.json()["reason"] == "by_hand"
    waiting = auditor.get(f"/v1/fridges/{kitchen}/retrainings").json()
    assert [request["id"] for request in waiting] == [asked.json()["id"]]
    assert admin.get(f"/v1/fridges/{kitchen}/standing").json()["retraining"] == 1
    assert auditor.post(f"/v1/fridges/{kitchen}/retrainings").status_code == 403
    assert kiosk.get("/v1/retrainings").status_code == 403
    assert admin.post("/v1/fridges/attic/retrainings").status_code == 404


def test_a_run_is_listed_and_read_with_what_it_took_on(
    admin: Caller, house: House, kitchen: str
) -> None:
    run = begin(house, kitchen)
    listed = admin.get("/v1/retrainings", params={"state": "running"}).json()["items"]
    assert [item["id"] for item in listed] == [run]
    assert admin.get("/v1/retrainings", params={"state": "done"}).json()["items"] == []
    read = admin.get(f"/v1/retrainings/{run}").json()
    assert read["fridges"] == [kitchen]
    assert [request["attempts"] for request in read["requests"]] == [1]
    assert admin.get("/v1/retrainings/run_none").status_code == 404


def test_a_key_sees_of_a_run_only_the_fridges_that_it_is_for(
    client: TestClient, admin: Caller, house: House, kitchen: str
) -> None:
    admin.post("/v1/fridges", json={"id": "hall", "name": "Hall"})
    both, hall = begin(house, kitchen, "hall"), begin(house, "hall")
    end(house, both, kitchen, "hall")
    end(house, hall, "hall")
    mine = caller(client, house, Role.ADMIN, (kitchen,))
    (seen,) = mine.get("/v1/retrainings").json()["items"]
    assert (seen["id"], seen["fridges"]) == (both, [kitchen])
    read = mine.get(f"/v1/retrainings/{both}").json()
    assert {request["fridge"] for request in read["requests"]} == {kitchen}
    told = list(events(mine.get(f"/v1/retrainings/{both}/events").text))
    assert {event["data"].get("fridge") for event in told[:-1]} == {kitchen, None}
    assert told[-1]["data"]["fridges"] == [kitchen]
    assert mine.get(f"/v1/retrainings/{hall}").status_code == 404
    assert mine.get(f"/v1/retrainings/{hall}/events").status_code == 404
    assert mine.get("/v1/fridges/hall/retrainings/events").status_code == 403


def test_a_run_s_stream_tells_all_of_it_and_ends_with_it(
    admin: Caller, house: House, kitchen: str
) -> None:
    run = begin(house, kitchen)
    tell(house, run, kitchen, "train")
    end(house, run, kitchen)
    answer = admin.get(f"/v1/retrainings/{run}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    told = list(events(answer.text))
    assert [event["event"] for event in told] == ["progress"] * 3 + ["end"]
    assert [event["data"]["step"] for event in told[:3]] == ["waiting", "train", "end"]
    assert told[-1]["data"]["state"] == "done"


def test_a_listener_goes_on_where_it_left(admin: Caller, house: House, kitchen: str) -> None:
    run = begin(house, kitchen)
    tell(house, run, kitchen, "train")
    end(house, run, kitchen)
    path = f"/v1/retrainings/{run}/events"
    first = next(events(admin.get(path).text))
    again = list(events(admin.get(path, headers={"Last-Event-ID": first["id"]}).text))
    assert [event["event"] for event in again] == ["progress", "progress", "end"]
    assert [event["data"]["step"] for event in again[:2]] == ["train", "end"]
    for wrong in ("x", "-1", "9" * 20):
        assert admin.get(path, headers={"Last-Event-ID": wrong}).status_code == 422


def test_a_fridge_s_stream_begins_with_the_run_at_work(
    admin: Caller, app: FastAPI, house: House, kitchen: str
) -> None:
    app.state.listeners.closing = True  # else it would go on for ten minutes
    end(house, begin(house, kitchen), kitchen)
    path = f"/v1/fridges/{kitchen}/retrainings/events"
    assert list(events(admin.get(path).text)) == []
    run = begin(house, kitchen)
    tell(house, run, None, "snapshot")
    told = list(events(admin.get(path).text))
    assert [event["data"]["step"] for event in told] == ["waiting", "snapshot"]
    assert {event["data"]["run"] for event in told} == {run}


async def listen(house: House, run: str, listeners: Listeners, who: Actor = OPERATOR) -> list[str]:
    """What a stream says, until it ends."""
    ask = partial(retrainings.of_run, house, who, run)

    def later(seen: int) -> News:
        return ask(after=seen)

    answer = listening.stream(
        listeners,
        house,
        who,
        ask(after=0),
        0,
        later,
        line=lambda line: {"step": line.step},
        end=lambda run: {"state": run.state},
    )
    return [bytes(piece).decode() async for piece in answer.body_iterator]  # type: ignore[arg-type]


def test_listeners_are_told_what_happens_while_they_wait(
    house: House, kitchen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_LOOK_S", 0.05)
    monkeypatch.setattr(listening, "_HEARTBEAT_S", 0.1)
    looks = []
    newest = retrainings.newest
    monkeypatch.setattr(retrainings, "newest", lambda house: looks.append(1) or newest(house))  # type: ignore[func-returns-value]
    run = begin(house, kitchen)

    async def all_of_it() -> list[list[str]]:
        listeners = Listeners()
        waiting = [asyncio.create_task(listen(house, run, listeners)) for _ in range(20)]
        await asyncio.sleep(0.4)
        assert listeners.count == 20
        await asyncio.to_thread(tell, house, run, kitchen, "train")
        await asyncio.to_thread(end, house, run, kitchen)
        heard = await asyncio.gather(*waiting)
        assert listeners.count == 0
        return heard

    for heard in asyncio.run(all_of_it()):
        told = [event["data"] for event in events("".join(heard))]
        assert told == [{"step": "waiting"}, {"step": "train"}, {"step": "end"}, {"state": "done"}]
        assert any(piece.startswith(": ") for piece in heard)
    assert len(looks) < 40  # all of them share one look


def test_a_stream_ends_with_the_service_and_with_its_key(
    house: House, kitchen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_LOOK_S", 0.01)
    run = begin(house, kitchen)
    assert len(asyncio.run(listen(house, run, Listeners(closing=True)))) == 2
    soon = house.clock() + timedelta(seconds=0.05)
    guest = Actor("guest", Role.AUDITOR, expires_at=soon)
    assert len(asyncio.run(listen(house, run, Listeners(), guest))) == 2


def test_no_more_may_listen_than_a_process_can_serve(house: House, kitchen: str) -> None:
    run = begin(house, kitchen)
    with pytest.raises(Overloaded):
        asyncio.run(listen(house, run, Listeners(count=200)))
