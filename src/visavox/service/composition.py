"""What judged one probe, in so far as the digests of its models do not say it.

    {"risk": "normal", "columns": 20, "kept": [0, 2, …] | null, "newcomers": [["ada", 3]]}

A bundle is less than it was once somebody has been taken out of it, members leave and come, and a
sum over another number of columns may end in another last bit. So a decision notes how many columns
its bundle had, which of them counted, and who was scored by the base, on how many captures. With
that, and the probe, the same numbers come out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Composition:
    """Of a snapshot, as it was used."""

    risk: str
    columns: int
    """How many members the trained bundle held; 0 without one."""
    kept: tuple[int, ...] | None
    """Which of them counted; None: all."""
    newcomers: Mapping[str, int]
    """Who was scored by the base, in order, and on how many of their captures, the oldest first."""

    @property
    def columns_kept(self) -> tuple[int, ...]:
        return tuple(range(self.columns)) if self.kept is None else self.kept

    def to_json(self) -> dict[str, Any]:
        return {
            "risk": self.risk,
            "columns": self.columns,
            "kept": None if self.kept is None else list(self.kept),
            # A list: a database may sort the keys of an object.
            "newcomers": [[member, captures] for member, captures in self.newcomers.items()],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Composition":
        """The inverse of `to_json`."""
        kept = said["kept"]
        return cls(
            str(said["risk"]),
            int(said["columns"]),
            None if kept is None else tuple(int(i) for i in kept),
            {str(member): int(captures) for member, captures in said["newcomers"]},
        )
