"""Opening tickets: what a granted decision carries, and a lock believes without asking anybody.

    base64url(payload) "." base64url(signature)

The payload is JSON: v, id, fridge, compartments, decision, member (if known), iat and exp in seconds
since 1970, and kid, the key that signed it. The signature is Ed25519 over a prefix and the encoded
payload as it stands, so nothing is parsed that has not been verified.

A ticket opens once, within seconds, one fridge. It proves what the service decided; it does not
prove who carries it: the way from the kiosk to the lock should not leave the fridge.
"""

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from visavox import keyfile
from visavox.errors import (
    ConfigError,
    TicketExpired,
    TicketForeign,
    TicketForged,
    TicketMalformed,
    TicketTooEarly,
    TicketUsed,
)

VERSION = 1
ALGORITHM = "Ed25519"
LONGEST = 8192
"""Characters of a ticket, at the most: a hundred compartments fit."""
LONGEST_LIFE = timedelta(minutes=2)
"""A lock believes no ticket that claims to live longer, whoever signed it."""
SKEW = timedelta(seconds=2)
"""How far the service's clock may be ahead of the lock's."""

_SIGNED = b"visavox opening ticket\0"
_SIZE = 32
_MAKE = "Make one with `python -m api secrets FOLDER`."


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a lock may open, and until when."""

    id: str
    fridge: str
    compartments: tuple[str, ...]
    decision: str
    member: str | None
    issued_at: datetime
    expires_at: datetime
    kid: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a lock needs of a signing key; no secret."""

    raw: bytes
    kid: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.raw) != _SIZE:
            raise ConfigError(
                f"An Ed25519 public key has {_SIZE} bytes, this one {len(self.raw)}.",
                next_step="Take the keys that GET /v1/tickets/keys gives.",
            )
        object.__setattr__(self, "kid", hashlib.sha256(self.raw).hexdigest()[:16])

    def to_json(self) -> dict[str, str]:
        return {"kid": self.kid, "public_key": _encoded(self.raw), "algorithm": ALGORITHM}


class Signer:
    """Signs tickets with its first key; the others stay published until their tickets are old."""

    def __init__(self, keys: Sequence[Ed25519PrivateKey], *, where: str = "given") -> None:
        if not keys:
            raise ConfigError(
                f"There is no ticket key in {where}.",
                next_step=_MAKE,
            )
        self._key = keys[0]
        self.public_keys = tuple(PublicKey(k.public_key().public_bytes_raw()) for k in keys)
        self.kid = self.public_keys[0].kid

    def __repr__(self) -> str:
        return f"Signer({', '.join(k.kid for k in self.public_keys)})"

    @classmethod
    def made(cls) -> "Signer":
        """A signer with a new key, which is forgotten with it."""
        return cls([Ed25519PrivateKey.generate()])

    @classmethod
    def text(cls, text: str, *, where: str = "VISAVOX_TICKET_KEY") -> "Signer":
        """Keys in base64, 32 bytes each, between white space, the newest first."""
        found = keyfile.keys(text, "ticket key", where=where, next_step=_MAKE)
        return cls([Ed25519PrivateKey.from_private_bytes(secret) for secret in found], where=where)

    @classmethod
    def file(cls, path: Path) -> "Signer":
        """The keys of a file that nobody else may read."""
        step = "Check VISAVOX_TICKET_KEY_FILE."
        return cls.text(keyfile.read(path, "ticket key", next_step=step), where=str(path))

    def issue(
        self,
        *,
        fridge: str,
        compartments: Iterable[str],
        decision: str,
        at: datetime,
        expires_at: datetime,
        member: str | None = None,
    ) -> str:
        """A ticket for what `decision` granted, valid from `at` until before `expires_at`."""
        payload: dict[str, Any] = {
            "v": VERSION,
            "id": secrets.token_hex(16),
            "fridge": fridge,
            "compartments": list(compartments),
            "decision": decision,
            "iat": round(at.timestamp(), 3),
            "exp": round(expires_at.timestamp(), 3),
            "kid": self.kid,
        }
        if member is not None:
            payload["member"] = member
        body = _encoded(json.dumps(payload, separators=(",", ":")).encode())
        return f"{body}.{_encoded(self._key.sign(_SIGNED + body.encode()))}"

    def sign(self, purpose: str, content: bytes) -> bytes:
        """Sign something that is no ticket, and can be taken for none: `purpose` says what."""
        return self._key.sign(_prefix(purpose) + content)


def is_signed(key: PublicKey, purpose: str, content: bytes, signature: bytes) -> bool:
    """Whether whoever has that key signed this content for that purpose."""
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, _prefix(purpose) + content)
    except InvalidSignature:
        return False
    return True


class Memory(Protocol):
    """Remembers which tickets were used."""

    def claim(self, ticket: Ticket) -> bool:
        """True for one caller only, ever; it is kept for good before this returns."""


class Verifier:
    """What one fridge's lock believes. Works offline; safe to share between threads."""

    def __init__(
        self,
        public_keys: Iterable[PublicKey],
        *,
        fridge: str,
        seen: Memory,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = {k.kid: Ed25519PublicKey.from_public_bytes(k.raw) for k in public_keys}
        self._fridge, self._seen, self._clock = fridge, seen, clock

    def redeem(self, text: str) -> Ticket:
        """The ticket, used up by this call; TicketError says why it opens nothing."""
        ticket = self._parsed(text)
        now = self._clock()
        if ticket.fridge != self._fridge:
            raise TicketForeign(
                f"The ticket is for another fridge than {self._fridge!r}.",
                next_step="Take it to the fridge where it was asked for.",
            )
        if ticket.issued_at - now > SKEW:
            raise TicketTooEarly(
                f"The ticket begins {(ticket.issued_at - now).total_seconds():.1f} s from now.",
                next_step="Set the clocks of lock and service by the same time server.",
            )
        if ticket.expires_at <= now:
            raise TicketExpired(
                f"The ticket ended {(now - ticket.expires_at).total_seconds():.1f} s ago.",
                next_step="Ask the kiosk again.",
            )
        if ticket.expires_at - ticket.issued_at > LONGEST_LIFE:
            raise TicketMalformed(
                "The ticket lives longer than any ticket may.",
                next_step="Lower the service's ticket_life.",
            )
        if not self._seen.claim(ticket):
            raise TicketUsed("The ticket was used before.", next_step="Ask the kiosk again.")
        return ticket

    def _parsed(self, text: str) -> Ticket:
        if len(text) > LONGEST or not text.isascii():
            _malformed("it is too long or no plain text")
        body, dot, signature = text.strip().partition(".")
        if not dot:
            _malformed("it has no signature")
        payload = _payload(_decoded(body))
        key = self._keys.get(payload["kid"])
        if key is None:
            raise TicketForged(
                "The ticket is signed by a key that this lock does not know.",
                next_step="Give the lock the keys of GET /v1/tickets/keys, if the key was changed.",
            )
        try:
            key.verify(_decoded(signature), _SIGNED + body.encode())
        except InvalidSignature:
            raise TicketForged(
                "The ticket was altered, or not signed by the service.",
                next_step="Ask the kiosk again; if it stays so, see who speaks to the lock.",
            ) from None
        return _ticket(payload)


def public_keys(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The keys in an answer of GET /v1/tickets/keys; ConfigError where it is none."""
    try:
        return tuple(
            PublicKey(_decoded(k["public_key"]))
            for k in document["keys"]
            if k["algorithm"] == ALGORITHM
        )
    except (KeyError, TypeError, AttributeError, TicketMalformed):
        raise ConfigError(
            "These are no ticket keys.",
            next_step="Take the whole answer of GET /v1/tickets/keys.",
        ) from None


def _prefix(purpose: str) -> bytes:
    if purpose == "opening ticket":
        raise ValueError("tickets are made by `issue` alone")
    return f"visavox {purpose}\0".encode()


def write_key(path: Path, text: str | None = None) -> None:
    """Write a new signing key into a file that must not exist yet, for its owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = text or base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{path} is there already.", next_step="Name another file, or add a line to this one."
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def _payload(raw: bytes) -> dict[str, Any]:
    """The payload as far as needed to find its key; the rest is looked at once it is believed."""
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict) or not isinstance(payload.get("kid"), str):
        _malformed("its payload names no key")
    return payload


def _ticket(payload: dict[str, Any]) -> Ticket:
    if payload.get("v") != VERSION:
        _malformed(f"it has version {payload.get('v')!r}, this lock reads {VERSION}")
    compartments = payload.get("compartments")
    if not isinstance(compartments, list) or not all(isinstance(c, str) for c in compartments):
        _malformed("it names no compartments")
    for name in ("id", "fridge", "decision"):
        if not isinstance(payload.get(name), str):
            _malformed(f"it has no {name}")
    member = payload.get("member")
    if member is not None and not isinstance(member, str):
        _malformed("its member is no id")
    return Ticket(
        payload["id"],
        payload["fridge"],
        tuple(compartments),
        payload["decision"],
        member,
        _moment(payload, "iat"),
        _moment(payload, "exp"),
        payload["kid"],
    )


def _moment(payload: Mapping[str, Any], name: str) -> datetime:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _malformed(f"its {name} is no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        _malformed(f"its {name} is no time")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """Strictly: one text for one value, so that a ticket cannot be written in two ways."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        _malformed("it is not base64url")
    if _encoded(data) != text:
        _malformed("it is not base64url")
    return data


def _malformed(what: str) -> NoReturn:
    raise TicketMalformed(f"This is no opening ticket: {what}.", next_step="Ask the kiosk again.")
