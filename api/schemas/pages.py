"""Lists come in pages. How one is asked for and how it looks is written here alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query

from api.schemas.fields import Shown
from visavox.store.records import Page as Found

T = TypeVar("T")
S = TypeVar("S")


class Page(Shown, Generic[T]):
    """Some of a list, in its order."""

    items: tuple[T, ...]
    next_cursor: str | None
    """Where the next page starts; null when this is the last."""


@dataclass(frozen=True, slots=True)
class Wanted:
    limit: int
    cursor: str | None


async def wanted(
    limit: Annotated[int, Query(ge=1, le=200, description="Items in this page, at the most.")] = 50,
    cursor: Annotated[
        str | None,
        Query(min_length=1, max_length=400, description="`next_cursor` of the page before."),
    ] = None,
) -> Wanted:
    return Wanted(limit, cursor)


Paging = Annotated[Wanted, Depends(wanted)]


def paged(found: Found[S], shown: Callable[[S], T]) -> Page[T]:
    """A page of records as the wire shows it."""
    return Page(items=tuple(shown(item) for item in found.items), next_cursor=found.next_cursor)
