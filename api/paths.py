"""Which requests carry captures, and which need no key: known before any body is read."""

import re
from typing import Final

_CAPTURES: Final = re.compile(
    r"/v1/(?:(?P<probe>authentications)|fridges/[^/]+/members(?:/[^/]+/captures)?)"
)
_PINS: Final = "/v1/pin-authentications"
_OPEN: Final = frozenset({"/v1/tickets/keys"})


def takes_captures(method: str, path: str) -> bool:
    """Whether this is an authentication or an enrolment: large, and costly to answer."""
    return method == "POST" and _CAPTURES.fullmatch(path) is not None


def takes_probe(method: str, path: str) -> bool:
    """Whether this is an authentication: one capture, and somebody waits at the door."""
    found = _CAPTURES.fullmatch(path)
    return method == "POST" and found is not None and found["probe"] is not None


def is_costly(method: str, path: str) -> bool:
    """Whether it keeps a core busy: captures, and PINs, whose hash is slow on purpose."""
    return takes_captures(method, path) or (method == "POST" and path == _PINS)


def needs_key(path: str) -> bool:
    return (path == "/v1" or path.startswith("/v1/")) and path not in _OPEN
