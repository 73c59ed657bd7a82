"""A data version: a commit of the ledger, and what it holds of the fridges that it was made for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from visavox.errors import LedgerError

TAGS = "snapshot/"


@dataclass(frozen=True, slots=True)
class FridgeData:
    """What a version holds of one fridge."""

    fridge: str
    dvc: str
    """The MD5 under which DVC has its folder: equal data, equal hash."""
    sha256: str
    """Of its manifest, which names every file's own."""
    risk: str
    members: tuple[str, ...]
    """Those who have captures in it."""
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """Never changes. Its identity is the commit."""

    commit: str
    tag: str
    """Empty for a commit that is no snapshot."""
    as_of: datetime
    fridges: Mapping[str, FridgeData] = field(hash=False)

    def of(self, fridge: str) -> FridgeData:
        """What it holds of a fridge, or LedgerError."""
        if fridge not in self.fridges:
            raise LedgerError(
                f"The data version {self.commit[:12]} holds nothing of {fridge!r}.",
                next_step="Take a snapshot of that fridge, or name another version.",
            )
        return self.fridges[fridge]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for whoever passes it on."""
        return {
            "commit": self.commit,
            "tag": self.tag,
            "as_of": self.as_of.isoformat(),
            "fridges": {
                name: {
                    "dvc": data.dvc,
                    "sha256": data.sha256,
                    "risk": data.risk,
                    "members": list(data.members),
                    "captures": list(data.captures),
                }
                for name, data in self.fridges.items()
            },
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Version":
        """The inverse of `to_json`."""
        return cls(
            given["commit"],
            given["tag"],
            datetime.fromisoformat(given["as_of"]),
            {
                name: FridgeData(
                    name,
                    data["dvc"],
                    data["sha256"],
                    data["risk"],
                    tuple(data["members"]),
                    tuple(data["captures"]),
                )
                for name, data in given["fridges"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to one fridge."""

    fridge: str
    members: int
    captures: int
    added: int
    removed: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What a commit's message says, to people first and then to `parsed`."""

    subject: str
    lines: tuple[str, ...]
    as_of: datetime
    fridges: tuple[str, ...]
    run: str = ""

    def text(self) -> str:
        trailers = [f"Run: {self.run}"] if self.run else []
        trailers += [f"As-Of: {self.as_of.isoformat()}"]
        trailers += [f"Fridge: {name}" for name in self.fridges]
        return "\n".join([self.subject, "", *self.lines, "", *trailers, ""])


def parsed(message: str) -> Record:
    """The record that a commit's message was made of; LedgerError for any other message."""
    subject, _, rest = message.strip().partition("\n")
    trailers = rest.rsplit("\n\n", 1)[-1].splitlines()
    said = [(key, value) for key, _, value in (line.partition(": ") for line in trailers)]
    found = dict(said)
    if "As-Of" not in found:
        raise LedgerError(
            "That commit is no data version.",
            next_step="See which are: `git log --oneline` in the ledger.",
        )
    return Record(
        subject,
        tuple(line for line in rest.rsplit("\n\n", 1)[0].splitlines() if line),
        datetime.fromisoformat(found["As-Of"]),
        tuple(value for key, value in said if key == "Fridge"),
        found.get("Run", ""),
    )


def of_snapshot(run: str, at: datetime, changes: Sequence[Change], gone: Sequence[str]) -> Record:
    """The record of a snapshot."""
    added, removed = sum(c.added for c in changes), sum(c.removed for c in changes)
    what = changes[0].fridge if len(changes) == 1 else f"{len(changes)} fridges"
    news = f"+{added} -{removed} captures" if any(c.changed for c in changes) else "nothing new"
    lines = [
        f"{c.fridge}: {c.members} members, {c.captures} captures"
        + (f" (+{c.added} -{c.removed})" if c.changed else " (as before)")
        for c in changes
    ]
    lines += [f"{name}: no more" for name in gone]
    fridges = tuple(c.fridge for c in changes)
    return Record(f"Snapshot of {what}: {news}", tuple(lines), at, fridges, run)


def of_erasure(at: datetime, change: Change) -> Record:
    """The record of an erasure. It names nobody: the history outlives them."""
    line = f"{change.fridge}: {change.members} members, {change.captures} captures are left"
    subject = f"Forget a member of {change.fridge}: -{change.removed} captures"
    return Record(subject, (line,), at, (change.fridge,))
