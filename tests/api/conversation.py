"""Requests to the app below HTTP: limits of the test's own, bodies that come piece by piece."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Scope

from api.main import create_app
from api.settings import Limits, Settings
from tests.api.conftest import Caller
from visavox.service.house import House


def limited(house: House, folder: Path, **limits: Any) -> FastAPI:
    return create_app(
        Settings(
            state=folder,
            limits=Limits(**{"rate": 1e6, "burst": 10**6, "wrong_keys": 10**6, **limits}),
        ),
        house=house,
    )


class Conversation:
    """One request to an ASGI app, with the body in pieces that come when the test says."""

    def __init__(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        self.scope: Scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        self.pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.received = 0
        self.sent: list[Message] = []

    def say(self, body: bytes, *, more: bool = True) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.pieces.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        message = await self.pieces.get()
        self.received += 1
        return message

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def held(self, app: ASGIApp) -> None:
        await app(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return int(next(m["status"] for m in self.sent if m["type"] == "http.response.start"))

    @property
    def problem(self) -> Any:
        return json.loads(b"".join(m.get("body", b"") for m in self.sent))


def json_headers(who: Caller, **more: str) -> dict[str, str]:
    shown = {"Authorization": f"Bearer {who.secret}", "Content-Type": "application/json"}
    return shown | {k.replace("_", "-"): v for k, v in more.items()}
