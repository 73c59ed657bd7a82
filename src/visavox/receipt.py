"""A receipt as a file: what was erased, where, and the proof, signed; checked by anybody, offline.

    {"document": {…}, "signature": base64url}

The signature is Ed25519 over a prefix and the document as canonical JSON. The document names the key
in full; that it is the service's, GET /v1/tickets/keys says, or a copy of its answer kept before.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from visavox.audit import canonical
from visavox.errors import ConfigError, DataError
from visavox.tickets import ALGORITHM, PublicKey, Signer, is_signed

FORMAT = 1
_PURPOSE = "erasure receipt"


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt whose signature is right."""

    document: Mapping[str, Any]
    kid: str
    known: bool | None
    """Whether its key is among those that were given; None where none were."""


def signed(document: Mapping[str, Any], signer: Signer) -> tuple[str, str]:
    """The document as canonical JSON with its key in it, and the signature, base64url."""
    key = signer.public_keys[0]
    text = canonical({"format": FORMAT, **document, "key": key.to_json()})
    return text, _encoded(signer.sign(_PURPOSE, text.encode()))


def file(document: str, signature: str) -> str:
    """As it is handed out, to be read by people as well."""
    said = {"document": json.loads(document), "signature": signature}
    return json.dumps(said, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def told(document: str) -> Mapping[str, Any]:
    """A document that was kept as canonical JSON."""
    said: Mapping[str, Any] = json.loads(document)
    return said


def verify(content: bytes, keys: Iterable[PublicKey] | None = None) -> Verified:
    """DataError unless it is a receipt, complete and unaltered. With `keys`, also say whether it is
    signed by one of them."""
    try:
        said = json.loads(content)
        document, signature = said["document"], _decoded(said["signature"])
        told = document["key"]
        key = PublicKey(_decoded(told["public_key"]))
        right = told["algorithm"] == ALGORITHM and document["format"] == FORMAT
        text = canonical(document).encode()
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, ConfigError) as error:
        _refuse(f"it is no receipt of this format ({type(error).__name__})")
    if not right or told["kid"] != key.kid:
        _refuse("it names its key or its format wrongly")
    if not is_signed(key, _PURPOSE, text, signature):
        _refuse("it was altered after it was signed")
    known = None if keys is None else key.raw in {k.raw for k in keys}
    return Verified(document, key.kid, known)


def _refuse(why: str) -> NoReturn:
    raise DataError(
        f"The receipt is not valid: {why}.",
        next_step="Take it again: `visavox receipt show`, or GET /v1/receipts/{id}.",
    )


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
