"""`Idempotency-Key`: the same POST again gives the same answer, and changes nothing (24 h).

Answers are kept sealed, with the member's own key where they tell of a member. Only what succeeded
is kept: what was refused has changed nothing, and is judged anew. The secret of a new API key is
kept nowhere, so the answer to `POST /v1/keys` is told again without it.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.message import Message as Header
from typing import Final

from anyio import CancelScope, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.schemas.keys import Issued
from visavox.errors import Finding, Invalid
from visavox.service.house import House
from visavox.store.records import Replay

_TOKEN = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT: Final = ("content-type", "location", "etag")
_KEYS: Final = "/v1/keys"
_MEMBERS = re.compile(r"/v1/fridges/([^/]+)/members(?:/([^/]+)/captures)?")


class Idempotency:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _token(scope)
        if token is None:
            await self._app(scope, receive, send)
            return
        house: House = scope["app"].state.house
        key = scope["state"]["actor"].key_id
        first = await receive()
        if first["type"] == "http.disconnect":
            return
        print_ = fingerprint(scope, first.get("body", b""))
        at = scope["state"]["arrived"]
        known = await to_thread.run_sync(_begin, house, key, token, print_, at)
        if known is not None:
            headers = {**known.headers, "Idempotency-Replayed": "true"}
            await Response(known.body, known.status, headers)(scope, receive, send)
            return
        again = _again(first, receive)
        del first
        kept: list[Message] = []
        done = False
        try:
            await self._app(scope, again, _collecting(kept))
            answer = _whole(kept, secret=scope["path"] == _KEYS)
            if answer is not None and 200 <= answer.status < 300:
                # Before it is acknowledged: whoever was told so finds it so.
                await to_thread.run_sync(
                    _finish, house, key, token, answer, _about(scope, answer.body)
                )
                done = True
        finally:
            if not done:
                with CancelScope(shield=True):
                    await to_thread.run_sync(_abandon, house, key, token)
        for message in kept:
            await send(message)


def fingerprint(scope: Scope, body: bytes) -> str:
    """A digest of what is asked. The boundary of a form is chosen anew each time, and left out.

    A PIN is among what is asked, and a plain digest of it is soon guessed from a copy of the
    database: so the digest is keyed, by the API key's secret, which is kept nowhere.
    """
    asking = Headers(scope=scope)
    header = Header()
    header["content-type"] = asking.get("content-type", "")
    boundary = header.get_boundary()
    if boundary:
        body = body.replace(boundary.encode("latin-1", "replace"), b"")
    asked = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    secret = asking.get("authorization", "").partition(" ")[2].strip()
    digest = hmac.new(secret.encode(), asked, hashlib.sha256)
    digest.update(b"\0" + (header.get_content_type()).encode() + b"\0")
    digest.update(body)
    return digest.hexdigest()


def _token(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST" or "actor" not in scope["state"]:
        return None
    token = Headers(scope=scope).get("idempotency-key")
    if token is not None and not _TOKEN.fullmatch(token):
        finding = Finding("invalid", "This is no key.", "Send a UUID.", "Idempotency-Key")
        raise Invalid(
            "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            next_step="Send a UUID.",
            findings=[finding],
        )
    return token


def _begin(house: House, key: str, token: str, print_: str, at: datetime) -> Replay | None:
    with house.store.begin() as unit:
        return unit.idempotency.begin(key, token, print_, at=at)


def _finish(
    house: House, key: str, token: str, answer: Replay, member: tuple[str, str] | None
) -> None:
    with house.store.begin() as unit:
        unit.idempotency.finish(
            key,
            token,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            member=member,
        )


def _abandon(house: House, key: str, token: str) -> None:
    with house.store.begin() as unit:
        unit.idempotency.abandon(key, token)


def _again(first: Message, receive: Receive) -> Receive:
    left = [first]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


def _collecting(kept: list[Message]) -> Send:
    async def send(message: Message) -> None:
        kept.append(message)

    return send


def _whole(kept: list[Message], *, secret: bool) -> Replay | None:
    """The answer as it may be told again; of one that is `secret`, what is none."""
    start = next((m for m in kept if m["type"] == "http.response.start"), None)
    if start is None:
        return None
    headers = MutableHeaders(scope=start)
    body = b"".join(m.get("body", b"") for m in kept if m["type"] == "http.response.body")
    if secret and start["status"] < 300:
        body = Issued.model_validate_json(body).withheld().model_dump_json().encode()
    return Replay(start["status"], {n: headers[n] for n in _KEPT if n in headers}, body)


def _about(scope: Scope, body: bytes) -> tuple[str, str] | None:
    """The member of whom an answer tells, so that it is erased with them."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    if not isinstance(said, Mapping):
        return None
    found = _MEMBERS.fullmatch(scope["path"])
    if found is not None:
        member = found[2] or said.get("id")
        return (found[1], member) if isinstance(member, str) else None
    about = said.get("member")
    if isinstance(about, Mapping) and isinstance(said.get("fridge"), str):
        return (said["fridge"], str(about.get("id")))
    return None
