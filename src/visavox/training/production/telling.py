"""What a step tells of each fridge while it works, and what it keeps of those that fail."""

import logging
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from visavox.errors import BlobError, Busy, NotMigrated, Superseded, VisavoxError
from visavox.training.production import outbox
from visavox.training.production.workshop import Workshop

log = logging.getLogger(__name__)

_OF_ALL = (Busy, BlobError, NotMigrated, Superseded)
"""No fridge's own fault: the whole step is to be tried again."""


@dataclass(slots=True)
class Telling:
    """One step of one run, over some fridges."""

    shop: Workshop
    run: str
    step: str
    errors: dict[str, str] = field(default_factory=dict)
    """Fridges that failed at this step, and why; free of anything personal."""

    @contextmanager
    def of(self, fridge: str) -> Iterator[dict[str, Any]]:
        """Work on one fridge, and say how it went; what is put into the dict is told with it."""
        detail: dict[str, Any] = {}
        try:
            yield detail
        except _OF_ALL:
            raise
        except VisavoxError as error:
            self._failed(fridge, f"{error.problem} {error.next_step}")
        except Exception as error:  # noqa: BLE001 (one fridge's fault must not stop the others)
            # Its words may hold what was worked on; where it happened is enough.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s: %s of %s\n%s", self.step, type(error).__name__, fridge, where)  # noqa: TRY400
            self._failed(fridge, f"{type(error).__name__} in the step {self.step}.")
        else:
            self.tell(fridge, detail.pop("state", "done"), detail)

    def tell(self, fridge: str | None, state: str, detail: dict[str, Any]) -> None:
        at = self.shop.clock()
        with self.shop.store.begin() as unit:
            outbox.check(unit, self.run, step=self.step, at=at)
            unit.progress.add(self.run, fridge, self.step, state, detail, at=at)

    def _failed(self, fridge: str, why: str) -> None:
        self.errors[fridge] = why
        self.tell(fridge, "failed", {"error": why})


@contextmanager
def telling(shop: Workshop, run: str, step: str, fridges: Collection[str]) -> Iterator[Telling]:
    """Say that the step has begun with these fridges; and that it failed, if it does as a whole.

    Superseded where the run is over: it must touch nothing any more.
    """
    at = shop.clock()
    with shop.store.begin() as unit:
        outbox.check(unit, run, step=step, at=at)
        for fridge in fridges:
            unit.progress.add(run, fridge, step, "begun", at=at)
    made = Telling(shop, run, step)
    try:
        yield made
    except Superseded:
        raise
    except VisavoxError as error:
        made.tell(None, "failed", {"error": f"{error.problem} {error.next_step}"})
        raise
    except Exception as error:
        made.tell(None, "failed", {"error": f"{type(error).__name__} in the step {step}."})
        raise
