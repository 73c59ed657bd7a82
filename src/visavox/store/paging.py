"""Pages by key: the next page starts after the last row of this one, whatever was added since."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select

from visavox.errors import BadCursor
from visavox.store.records import Page

T = TypeVar("T")
LIMIT = 50
MOST = 200


def page(
    connection: Connection,
    query: Select[Any],
    key: ColumnElement[Any],
    make: Callable[[Any], T],
    *,
    cursor: str | None,
    limit: int,
    newest_first: bool = False,
) -> Page[T]:
    """At most `limit` rows of `query` in the order of `key`, which must be unique in it."""
    limit = min(max(limit, 1), MOST)
    if cursor is not None:
        last = _read(cursor, key.type.python_type)
        query = query.where(key < last if newest_first else key > last)
    query = query.order_by(key.desc() if newest_first else key.asc()).limit(limit + 1)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    rows = rows[:limit]
    name = key.key
    return Page(
        tuple(make(row) for row in rows),
        _written(getattr(rows[-1], str(name))) if more else None,
    )


def _written(value: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value]).encode()).decode().rstrip("=")


def _read(cursor: str, kind: type) -> str | int:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error):
        found = None
    value: Any = found[0] if isinstance(found, list) and len(found) == 1 else None
    fits = (
        isinstance(value, str) and value.isascii() and value.isprintable()
        if kind is str
        else type(value) is int and 0 <= value < 2**31
    )
    if not fits:
        raise BadCursor(
            "This is no cursor that a list gave.", next_step="Use next_cursor as it came."
        )
    return value  # type: ignore[no-any-return]
