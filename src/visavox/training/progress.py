"""A bar on the terminal for whatever takes longer than a moment."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Advance(Protocol):
    """Called with the number of things done since the last call."""

    def __call__(self, done: int = 1, /) -> None: ...


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A progress bar over `total` things; where there is no terminal, only its last state."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(file=sys.stderr), disable=total == 0) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done=1: progress.advance(task, done)
