"""What of a person could be found in a file, in whatever form; and where it is."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LENGTH = 24
"""Bytes that are searched for: long enough to be nothing else."""


def forms(secret: bytes) -> Iterator[bytes]:
    """A secret as it is, and as text would carry it, from whichever byte that begins."""
    yield secret[:LENGTH]
    yield secret[:LENGTH].hex().encode()
    yield secret[:LENGTH].hex().upper().encode()
    for skipped in range(3):
        whole = len(secret[skipped : skipped + LENGTH]) // 3 * 3
        yield base64.b64encode(secret[skipped : skipped + whole])
        yield base64.urlsafe_b64encode(secret[skipped : skipped + whole])


def of_text(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield text.encode(encoding)
    yield from forms(text.encode())
    yield text.encode("unicode_escape")


def of_vector(vector: NDArray[np.floating]) -> Iterator[bytes]:
    """An embedding as floats of any kind, and as numbers in text."""
    for kind in ("<f2", "<f4", "<f8", ">f4", ">f8"):
        yield from forms(np.ascontiguousarray(vector, dtype=kind).tobytes())
    for value in vector[:4]:
        yield repr(float(value)).encode()[:12]
    yield b", ".join(repr(float(v)).encode() for v in vector[:2])


def files(*roots: Path) -> dict[str, bytes]:
    """Every byte that is kept below them."""
    return {
        f"{root.name}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def found(secrets: Mapping[str, list[bytes]], kept: Mapping[str, bytes]) -> list[str]:
    """Where something is that should be nowhere."""
    return [
        f"{what} in {name}"
        for name, content in kept.items()
        for what, looks in secrets.items()
        if any(look in content for look in looks)
    ]
