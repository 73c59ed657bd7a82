"""A fridge's trained bundles on disk: sealed files, which hold nobody who is no member.

    fridges/<fridge>/<digest>.<key>.sealed      a `Parcel`, under the fridge's key of that id
    fridges/<fridge>/live.json                  which is live, which challenges it, which was live

Which key is in use, the database says. An erasure writes what is left of each under a new key, and destroys the old key as it destroys the member's: before the commit the old file is
the one that counts, after it the new one, and the old one opens never again. So there is nothing
to finish where a process is killed in between; what lies about is only removed later.
"""

import contextlib
import logging
import re
import shutil
from datetime import datetime
from functools import partial
from pathlib import Path

from visavox.errors import BundleError, NotFound, Sealed
from visavox.service.parcel import AGAIN, Parcel
from visavox.service.shelf import LIVE, Slot, replace
from visavox.service.standing import Standing
from visavox.store import Store, Unit, nets

log = logging.getLogger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")

FORMER = 16
"""How many are kept besides those that are needed, for decisions to be replayed with."""


class SealedSlot(Slot):
    """The place of one fridge's bundles. Change it while the fridge is locked."""

    def __init__(self, root: Path, fridge: str) -> None:
        super().__init__(root / "fridges" / fridge)
        self.fridge = fridge

    def digest_of(self, path: Path) -> str | None:
        """Which of the bundles kept here a path names, if it does: one to go back to."""
        digest = path.name.split(".")[0]
        here = path.absolute().parent.resolve() == self.folder.resolve()
        return digest if here and not path.is_dir() and _DIGEST.fullmatch(digest) else None

    def open(self, unit: Unit, digest: str) -> Parcel:
        """The bundle of that digest, or what is left of it, verified."""
        key = unit.bundles.key(self.fridge)
        try:
            sealed = self._path(digest, key or "none").read_bytes()
        except OSError as error:
            if (self.folder / digest).is_dir():
                raise BundleError(
                    f"The bundle {digest[:12]}… of {self.fridge!r} was kept unsealed, by a former"
                    " version.",
                    next_step=f"Install it again, which removes that copy:"
                    f" `python -m api model install {self.folder / digest}`.",
                ) from None
            raise BundleError(
                f"The bundle {digest[:12]}… of {self.fridge!r} is not kept here any more:"
                f" {error.strerror}.",
                next_step=AGAIN,
            ) from None
        try:
            packed = unit.bundles.open(self.fridge, digest, sealed)
        except Sealed as error:
            raise BundleError(
                f"The bundle {digest[:12]}… of {self.fridge!r} does not open. {error.problem}",
                next_step=AGAIN,
            ) from None
        return Parcel.unpack(digest, packed)

    def keeps(self, unit: Unit, digest: str) -> bool:
        """Whether it lies here, under the key that is in use."""
        return self._path(digest, str(unit.bundles.key(self.fridge))).is_file()

    def read(self, unit: Unit, digest: str) -> bytes | None:
        """The file of that digest as it lies there; None where there is none."""
        try:
            return self._path(digest, str(unit.bundles.key(self.fridge))).read_bytes()
        except OSError:
            return None

    def keep(self, unit: Unit, parcel: Parcel) -> None:
        """Seal it, and write it down; it is not live by that."""
        sealed = unit.bundles.seal(self.fridge, parcel.digest, parcel.pack())
        path = self._path(parcel.digest, str(unit.bundles.key(self.fridge)))
        if not path.exists():
            unit.bundles.undo(partial(_discard, [path]))
        self.folder.mkdir(parents=True, exist_ok=True)
        replace(path, sealed)

    def change(self, unit: Unit, standing: Standing) -> None:
        """Stand so; the last thing before the commit, without which it is as before.

        What is not needed any more goes once it is committed: others may be reading it.
        """
        unit.bundles.undo(partial(self._restore, self.now()))
        key = str(unit.bundles.key(self.fridge))
        needed = {self._path(digest, key) for digest in standing.digests}
        left = [path for path in self._kept() if path not in needed]
        unit.bundles.afterwards(partial(self._leave, left, key))
        self.stand(standing)

    def now(self) -> Standing | None:
        """How it stands; None where nothing is live, or nobody knows what."""
        try:
            return self.standing()
        except BundleError:
            return None

    def forget(self, unit: Unit, member: str, at: datetime) -> None:
        """Take a member out of what is kept; before they are deleted, in the same transaction.

        All bundles that are kept stay, without them. This never fails: what cannot be opened or
        written loses its key all the same, and the base serves until the next training.
        """
        unit.fridges.lock(self.fridge)
        slots = self._of_all_nets()
        old = [path for slot in slots for path in slot._kept()]
        if not old and unit.bundles.key(self.fridge) is None:
            return
        unit.bundles.claim(self.fridge, member)
        left = [
            (slot, parcel)
            for slot in slots
            for digest in slot.digests(unit)
            if (parcel := slot._without(unit, digest, member, at)) is not None
        ]
        unit.bundles.destroy(self.fridge)
        unit.bundles.afterwards(partial(_discard, old))
        for slot, parcel in left:
            try:
                slot.keep(unit, parcel)
            except (OSError, Sealed) as error:
                log.warning("a bundle of %r is let go of: %s", self.fridge, error)

    def _of_all_nets(self) -> "list[SealedSlot]":
        """The same fridge's places under every Characterizer that is kept: all lose the key."""
        root = self.folder.parents[1]
        return [SealedSlot(other, self.fridge) for other in nets.roots(nets.home_of(root))]

    def withdraw(self, unit: Unit) -> None:
        """Nothing is live any more, and nothing that was kept opens again."""
        unit.bundles.afterwards(partial(_discard, self._kept()))
        unit.bundles.destroy(self.fridge)
        (self.folder / LIVE).unlink(missing_ok=True)

    def sweep(self, unit: Unit) -> None:
        """Remove what a killed process left: what the key that is in use does not open.

        A folder is of a former version; it stays to be installed from.
        """
        try:
            unit.fridges.lock(self.fridge)
        except NotFound:
            self.clear()
            return
        mine = f".{unit.bundles.key(self.fridge)}.sealed"
        left = [p for p in self._kept() if not p.name.endswith(mine) and not p.is_dir()]
        _discard(left)

    def _without(self, unit: Unit, digest: str, member: str, at: datetime) -> Parcel | None:
        try:
            parcel = self.open(unit, digest)
            return parcel.only(set(parcel.joined) - {member}, at)
        except BundleError as error:
            log.warning("a bundle of %r is let go of: %s", self.fridge, error.problem)
            return None

    def digests(self, unit: Unit) -> tuple[str, ...]:
        """Of all bundles that are kept here, those that were written first first."""
        key = str(unit.bundles.key(self.fridge))
        return tuple(path.name.split(".")[0] for path in self._under(key))

    def _leave(self, paths: list[Path], key: str) -> None:
        # The fridge is not locked any more: somebody may have gone back to one of them.
        now = self.now()
        needed = set() if now is None else {self._path(digest, key) for digest in now.digests}
        former = [path for path in self._under(key) if path not in needed]
        needed |= set(former[-FORMER:])
        _discard([path for path in paths if path not in needed])

    def _under(self, key: str) -> list[Path]:
        """The bundles that this key has sealed, by their age."""
        aged: list[tuple[int, str, Path]] = []
        for path in self._kept():
            digest, _, rest = path.name.partition(".")
            if rest == f"{key}.sealed" and _DIGEST.fullmatch(digest):
                with contextlib.suppress(FileNotFoundError):
                    aged.append((path.stat().st_mtime_ns, path.name, path))
        return [path for _, _, path in sorted(aged)]

    def _restore(self, former: Standing | None) -> None:
        try:
            if former is None:
                (self.folder / LIVE).unlink(missing_ok=True)
            else:
                self.stand(former)
        except OSError as error:
            log.warning("what is live at %r could not be restored: %s", self.fridge, error)

    def _path(self, digest: str, key: str) -> Path:
        return self.folder / f"{digest}.{key}.sealed"

    def _kept(self) -> list[Path]:
        """All that is here but the name of what is live."""
        with contextlib.suppress(FileNotFoundError):
            return [path for path in self.folder.iterdir() if path.name != LIVE]
        return []


def sweep(store: Store, root: Path) -> None:
    """Remove what killed processes left among the bundles of all fridges."""
    with contextlib.suppress(FileNotFoundError):
        for folder in sorted((root / "fridges").iterdir()):
            with store.begin() as unit:
                SealedSlot(root, folder.name).sweep(unit)


def _discard(paths: list[Path]) -> None:
    for path in paths:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:  # the sweep finds it; without its key it is of no use to anybody
            log.warning("%s stays for the sweep: %s", path.name, error.strerror)
