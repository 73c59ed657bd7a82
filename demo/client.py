"""The API as the demo uses it: one method per call, JSON in and out, every error a DemoProblem."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from demo.problems import ApiAway, ApiProblem

Json = dict[str, Any]

_TIMEOUT = httpx.Timeout(30.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a camera and a microphone took in one go: a clip, or pictures and sound."""

    images: tuple[Path, ...] = ()
    audio: Path | None = None
    clip: Path | None = None

    def parts(self) -> list[tuple[str, tuple[str, bytes, str]]]:
        """As parts of a multipart form."""
        named = [("image", p) for p in self.images]
        named += [("audio", self.audio)] if self.audio else []
        named += [("clip", self.clip)] if self.clip else []
        return [(field, _part(path)) for field, path in named]


class Client:
    """One key's view of the API. Safe to share between threads."""

    def __init__(
        self, base_url: str, key: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Who opens the fridge

    def challenge(self, fridge: str) -> Json:
        return self._object("POST", "/v1/challenges", json={"fridge": fridge})

    def authenticate(self, fridge: str, shown: Shown, *, challenge: str | None = None) -> Json:
        data = {"fridge": fridge} | ({"challenge": challenge} if challenge else {})
        return self._object("POST", "/v1/authentications", data=data, files=shown.parts())

    def authenticate_by_pin(self, fridge: str, number: str, pin: str) -> Json:
        return self._object(
            "POST", "/v1/pin-authentications", json={"fridge": fridge, "number": number, "pin": pin}
        )

    def unlock(self, fridge: str) -> None:
        self._send("POST", f"/v1/fridges/{fridge}/unlock", json={})

    # Who may

    def members(self, fridge: str) -> list[Json]:
        return list(self._all(f"/v1/fridges/{fridge}/members"))

    def member(self, fridge: str, member: str) -> Json:
        return self._object("GET", f"/v1/fridges/{fridge}/members/{member}")

    def enrol(
        self,
        fridge: str,
        takes: Sequence[Shown],
        *,
        name: str,
        member: str = "",
        locale: str = "en",
        pin: str = "",
        compartments: Sequence[str] = (),
        consent: bool = True,
        accept_warnings: bool = False,
    ) -> Json:
        data: dict[str, Any] = {
            "name": name,
            "locale": locale,
            "consent": "true" if consent else "false",
            "accept_warnings": "true" if accept_warnings else "false",
        }
        data |= {"id": member} if member else {}
        data |= {"pin": pin} if pin else {}
        data |= {"compartments": list(compartments)} if compartments else {}
        files = [part for take in takes for part in take.parts()]
        return self._object("POST", f"/v1/fridges/{fridge}/members", data=data, files=files)

    def remove(self, fridge: str, member: str) -> Json:
        return self._object("DELETE", f"/v1/fridges/{fridge}/members/{member}")

    # What there is

    def me(self) -> Json:
        return self._object("GET", "/v1/me")

    def fridge(self, fridge: str) -> Json:
        return self._object("GET", f"/v1/fridges/{fridge}")

    def add_fridge(self, fridge: str, name: str, *, risk: str, locale: str) -> Json:
        body = {"id": fridge, "name": name, "risk": risk, "locale": locale}
        return self._object("POST", "/v1/fridges", json=body)

    def compartments(self, fridge: str) -> list[Json]:
        return list(self._all(f"/v1/fridges/{fridge}/compartments"))

    def add_compartment(self, fridge: str, compartment: str, name: str) -> Json:
        body = {"id": compartment, "name": name}
        return self._object("POST", f"/v1/fridges/{fridge}/compartments", json=body)

    def add_key(self, name: str, role: str, fridges: Sequence[str] | None = None) -> Json:
        body: Json = {"name": name, "role": role}
        body |= {"fridges": list(fridges)} if fridges is not None else {}
        return self._object("POST", "/v1/keys", json=body)

    # What happened, and why

    def decisions(self, fridge: str, *, limit: int = 50, **filters: str) -> list[Json]:
        wanted = {k: v for k, v in filters.items() if v}
        page = self._object(
            "GET", "/v1/decisions", params={"fridge": fridge, "limit": str(limit), **wanted}
        )
        return list(page["items"])

    def decision(self, decision: str) -> Json:
        return self._object("GET", f"/v1/decisions/{decision}")

    def events(self, fridge: str, *, limit: int = 20) -> list[Json]:
        page = self._object("GET", "/v1/events", params={"fridge": fridge, "limit": str(limit)})
        return list(page["items"])

    def model(self, fridge: str) -> Json:
        return self._object("GET", f"/v1/fridges/{fridge}/model")

    # How it learns

    def retrainings(self, fridge: str, *, limit: int = 20) -> list[Json]:
        """Runs over this fridge, the newest first."""
        params = {"fridge": fridge, "limit": str(limit)}
        return list(self._object("GET", "/v1/retrainings", params=params)["items"])

    def changes_waiting(self, fridge: str) -> list[Json]:
        """The changes that no model that serves has learned from yet, oldest first."""
        found = _json(self._send("GET", f"/v1/fridges/{fridge}/retrainings"))
        return list(found) if isinstance(found, list) else []

    def ask_for_retraining(self, fridge: str) -> Json:
        return self._object("POST", f"/v1/fridges/{fridge}/retrainings")

    def retraining_events(self, run: str) -> Iterator[tuple[str, Json]]:
        """What a run tells, as it tells it: the kind of each event, and what it holds."""
        yield from self._events(f"/v1/retrainings/{run}/events")

    def roll_back(self, fridge: str, *, leave: str) -> Json:
        body = {"leave": leave, "why": "asked for in the demo"}
        return self._object("POST", f"/v1/fridges/{fridge}/model/rollback", json=body)

    def experiment(self, fridge: str) -> Json:
        """How the challenger stands against the champion."""
        return self._object("GET", f"/v1/fridges/{fridge}/experiment")

    def receipt(self, receipt: str) -> Json:
        return self._object("GET", f"/v1/receipts/{receipt}")

    def audit(self) -> Json:
        """Whether the chain of audit records is whole."""
        return self._object("GET", "/v1/audit/verification")

    def alive(self) -> bool:
        """Whether anybody is there."""
        return self._answers("/healthz")

    def ready(self) -> bool:
        """Whether the service can decide."""
        return self._answers("/readyz")

    # How

    def _answers(self, path: str) -> bool:
        try:
            return self._http.get(path, timeout=5.0).is_success
        except httpx.HTTPError:
            return False

    def _all(self, path: str) -> Iterator[Json]:
        cursor = ""
        while True:
            params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
            page = self._object("GET", path, params=params)
            yield from page["items"]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return

    def _events(self, path: str) -> Iterator[tuple[str, Json]]:
        """Server-sent events, taken up again where a connection was lost."""
        last = ""
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            try:
                with self._http.stream("GET", path, headers=headers, timeout=_TIMEOUT) as answer:
                    if not answer.is_success:
                        answer.read()
                        told = {k.lower(): v for k, v in answer.headers.items()}
                        raise ApiProblem.of(answer.status_code, told, _json(answer))
                    for number, event, data in _server_sent(answer.iter_lines()):
                        last = number or last
                        yield event, data
                        if event == "end":
                            return
            except (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError):
                continue
            except httpx.HTTPError:
                raise ApiAway(
                    f"The API at {self.base_url} does not answer.",
                    next_step="Start it: `make demo`.",
                ) from None

    def _object(self, method: str, path: str, **request: Any) -> Json:
        answer = self._send(method, path, **request)
        body = _json(answer)
        if not isinstance(body, dict):
            raise ApiProblem(
                "The API answered with something that is no JSON object.",
                next_step="Check that the address is the API's.",
                status=answer.status_code,
            )
        return body

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TimeoutException:
            raise ApiAway(
                f"The API at {self.base_url} took too long to answer.",
                next_step="Try again; if it stays so, look into its log.",
            ) from None
        except httpx.HTTPError:
            raise ApiAway(
                f"The API at {self.base_url} does not answer.",
                next_step="Start it: `make demo`.",
            ) from None
        if answer.is_success:
            return answer
        headers: Mapping[str, str] = {k.lower(): v for k, v in answer.headers.items()}
        raise ApiProblem.of(answer.status_code, headers, _json(answer))


def _server_sent(lines: Iterator[str]) -> Iterator[tuple[str, str, Json]]:
    """(id, kind, data) of each event; comments only keep the line open."""
    number, event, data = "", "message", ""
    for line in lines:
        if not line:
            if data:
                found = json.loads(data)
                yield number, event, found if isinstance(found, dict) else {}
            number, event, data = "", "message", ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            number = value
        elif name == "event":
            event = value
        elif name == "data":
            data = f"{data}\n{value}" if data else value


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _part(path: Path) -> tuple[str, bytes, str]:
    data = path.read_bytes()
    return path.name, data, media_type(data)


def media_type(data: bytes) -> str:
    """What the bytes are, by how they begin: a browser's file names are not to be believed."""
    for start, offset, name in _MAGIC:
        if data[offset : offset + len(start)] == start:
            return name
    return "application/octet-stream"


_MAGIC = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
    (b"WAVE", 8, "audio/wav"),
    (b"fLaC", 0, "audio/flac"),
    (b"OggS", 0, "audio/ogg"),
    (b"ID3", 0, "audio/mpeg"),
    (b"ftyp", 4, "video/mp4"),
    (b"\x1aE\xdf\xa3", 0, "video/webm"),
)
