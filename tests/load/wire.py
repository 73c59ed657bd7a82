"""A client that costs next to nothing: bodies encoded before, one kept connection per kiosk.

It runs on the processor that it measures, so what it spends is taken from the service.
"""

import http.client
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body with its media type."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.content)


def multipart(
    fields: Sequence[tuple[str, str]], files: Sequence[tuple[str, str, str, bytes]] = ()
) -> Body:
    """`fields` are (name, value); `files` are (name, file name, media type, bytes)."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        pieces += [head.encode(), value.encode(), b"\r\n"]
    for name, file, media_type, data in files:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        )
        pieces += [head.encode(), data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Body(b"".join(pieces), f"multipart/form-data; boundary={boundary}")


def as_json(value: Any) -> Body:
    return Body(json.dumps(value).encode(), "application/json")


class Line:
    """One kept connection to a service, as one kiosk has it. Not for several threads."""

    def __init__(self, host: str, key: str | None = None) -> None:
        parts = urlsplit(host)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._authority = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. A connection that the service closed meanwhile is opened again, once."""
        sent = {**self._authority, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = body.media_type
        began = time.perf_counter()
        fresh = self._connection.sock is None
        try:
            response = self._exchange(method, path, body, sent)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
            if fresh:
                raise
            response = self._exchange(method, path, body, sent)
        content = response.read()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, content, time.perf_counter() - began)

    def _exchange(
        self, method: str, path: str, body: Body | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        content = None if body is None else body.content
        self._connection.request(method, path, content, dict(headers))
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
