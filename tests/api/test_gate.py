"""Turns at the gate: as many captures at once as help, a short line, and then 503."""

import asyncio
from pathlib import Path

from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.metrics import Metrics
from api.middleware.gate import Gate, Turns
from tests.api.conftest import caller
from tests.api.conversation import Conversation, json_headers, limited
from visavox.errors import Overloaded
from visavox.service.house import House
from visavox.store.records import Role


def test_as_many_at_once_as_allowed_the_rest_in_order_and_no_longer_line_than_allowed() -> None:
    async def story() -> list[str]:
        turns, said = Turns(at_once=1, waiting=2), []
        release = asyncio.Event()

        async def visit(name: str) -> None:
            try:
                async with turns.turn():
                    said.append(f"{name} in")
                    await release.wait()
            except Overloaded as refused:
                said.append(f"{name} refused, {refused.retry_after_s:g} s")

        visits = [asyncio.create_task(visit(name)) for name in "abcd"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*visits)
        assert not turns.full
        return said

    assert asyncio.run(story()) == ["a in", "d refused, 1 s", "b in", "c in"]


class Inner:
    """An app that takes its time, and notes whom it saw."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.seen = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self.seen += 1
        await receive()
        await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def test_whoever_leaves_the_line_is_not_looked_at() -> None:
    async def story() -> None:
        inner, metrics = Inner(), Metrics()
        gate = Gate(inner, turns=Turns(at_once=1, waiting=2), metrics=metrics)
        visits = [Conversation("POST", "/v1/authentications", {}) for _ in range(3)]
        for visit in visits:
            visit.say(b"", more=False)
        tasks = [asyncio.create_task(visit.held(gate)) for visit in visits]
        await asyncio.sleep(0.01)
        visits[1].leave()
        await asyncio.sleep(0.01)
        inner.release.set()
        await asyncio.gather(*tasks)
        assert inner.seen == 2
        assert [bool(v.sent) for v in visits] == [True, False, True]
        assert metrics.registry.get_sample_value("visavox_requests_abandoned_total") == 1

    asyncio.run(story())


def test_what_costs_little_needs_no_turn() -> None:
    async def story() -> None:
        inner = Inner()
        inner.release.set()
        gate = Gate(inner, turns=Turns(at_once=1, waiting=0), metrics=Metrics())
        async with gate._turns.turn():
            asked = Conversation("GET", "/v1/fridges", {})
            asked.say(b"", more=False)
            await asked.held(gate)
        assert asked.status == 200

    asyncio.run(story())


def test_overload_is_answered_before_the_body_is_read_and_ends_with_the_load(
    house: House, tmp_path: Path
) -> None:
    app = limited(house, tmp_path, at_once=1, waiting=0)
    with TestClient(app) as client:
        who = caller(client, house, Role.KIOSK)
        turns = next(
            t for m in app.user_middleware if isinstance(t := m.kwargs.get("turns"), Turns)
        )

        async def story() -> Conversation:
            asked = Conversation(
                "POST", "/v1/authentications", json_headers(who, Content_Length="9")
            )
            async with turns.turn():
                await asked.held(app)
            return asked

        asked = asyncio.run(story())
        assert (asked.status, asked.problem["code"], asked.received) == (503, "overloaded", 0)
        headers = dict(asked.sent[0]["headers"])
        assert headers[b"retry-after"] == b"1"
        metrics: Metrics = app.state.metrics
        assert metrics.registry.get_sample_value("visavox_overload_refusals_total") == 1
        form = {"fridge": "nowhere"}
        image = {"image": ("a.jpg", b"x")}
        assert who.post("/v1/authentications", data=form, files=image).status_code == 404
