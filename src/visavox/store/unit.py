"""One transaction, and everything that can be done in it."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection

from visavox.errors import BlobError
from visavox.store.access import AttemptCounts, Challenges, Keys
from visavox.store.auditing import Audit
from visavox.store.blobs import Blobs
from visavox.store.bundles import Bundles
from visavox.store.captures import Captures
from visavox.store.figures import Figures
from visavox.store.fridges import Compartments, Fridges
from visavox.store.grants import Grants
from visavox.store.holdings import Holdings
from visavox.store.idempotency import Idempotency
from visavox.store.journal import Decisions, Events
from visavox.store.keyring import Keyring
from visavox.store.labels import Labels
from visavox.store.members import Members
from visavox.store.progress import ProgressLog
from visavox.store.receipts import Receipts
from visavox.store.retraining import Retraining
from visavox.store.runs import Runs
from visavox.store.trials import Trials
from visavox.store.vault import Vault

_AT_ONCE = 8

log = logging.getLogger(__name__)


class Unit:
    """The repositories of one transaction. They are of no use once it has ended.

    Lock in this order, as the methods do by themselves: the fridge, its members, attempts, and
    the audit log last.
    """

    def __init__(self, connection: Connection, keyring: Keyring, blobs: Blobs) -> None:
        self._before: list[Callable[[], None]] = []
        self._afterwards: list[Callable[[], None]] = []
        self._undo: list[Callable[[], None]] = []
        self.erased = False
        """Whether a key was destroyed, so that its row should leave the files too."""
        vault = Vault(connection, keyring)
        self.fridges = Fridges(connection, vault)
        self.compartments = Compartments(connection)
        self.members = Members(connection, vault, blobs, self._afterwards.append, self._forget)
        self.captures = Captures(connection, vault, blobs, self._before.append, self._undo.append)
        self.bundles = Bundles(
            connection, vault, self._afterwards.append, self._undo.append, self._forget
        )
        self.grants = Grants(connection)
        self.keys = Keys(connection)
        self.challenges = Challenges(connection)
        self.attempts = AttemptCounts(connection)
        self.decisions = Decisions(connection, vault)
        self.events = Events(connection)
        self.audit = Audit(connection)
        self.idempotency = Idempotency(connection, vault)
        self.retraining = Retraining(connection)
        self.holdings = Holdings(connection, vault)
        self.receipts = Receipts(connection, vault, self._forget)
        self.trials = Trials(connection)
        self.labels = Labels(connection)
        self.runs = Runs(connection)
        self.progress = ProgressLog(connection)
        self.figures = Figures(connection)

    def flush(self) -> None:
        """What must be done when the rows are committed; side by side, as others may wait.

        At the end it comes by itself. Called before the audit log is written to, it keeps only
        those waiting who change the same fridge: a capture store may be slow, or away.
        """
        if not self._before:
            return
        with ThreadPoolExecutor(min(len(self._before), _AT_ONCE)) as pool:
            # All have ended when this raises, so that `failed` takes back all.
            done = [pool.submit(step) for step in self._before]
        for step in done:
            step.result()
        self._before.clear()

    def committed(self) -> None:
        """What could only be done once the rows were."""
        _try(self._afterwards)

    def failed(self) -> None:
        """Take back what no transaction takes back."""
        _try(self._undo)

    def _forget(self) -> None:
        self.erased = True


def _try(steps: list[Callable[[], None]]) -> None:
    for step in steps:
        try:
            step()
        except BlobError as error:
            # Nobody can open it, and the sweep finds it: no reason to fail what is done.
            log.warning("left for the sweep: %s", error.problem)
