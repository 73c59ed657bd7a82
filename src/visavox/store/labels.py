"""Labels: who really stood at the kiosk, from somebody who knows."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from visavox.store.records import Label
from visavox.store.tables import labels

la = labels.c


@dataclass(frozen=True, slots=True)
class Labels:
    _connection: Connection

    def get(self, decision: str) -> Label | None:
        row = self._connection.execute(select(labels).where(la.decision == decision)).first()
        return None if row is None else Label(**row._mapping)

    def put(self, label: Label) -> None:
        """Keep it in place of whatever label the decision had."""
        values = asdict(label)
        made = self._insert().values(values)
        mine = {name: value for name, value in values.items() if name != "decision"}
        self._connection.execute(
            made.on_conflict_do_update(index_elements=[la.decision], set_=mine)
        )

    def suggest(self, label: Label) -> None:
        """Keep it unless the decision has a label already."""
        self._connection.execute(self._insert().values(asdict(label)).on_conflict_do_nothing())

    def forget(self, fridge: str, member: str) -> int:
        """Remove those that name a member; how many."""
        asked = delete(labels).where(la.fridge == fridge, la.member == member)
        return self._connection.execute(asked).rowcount

    def _insert(self) -> Any:
        postgres = self._connection.dialect.name == "postgresql"
        return (postgresql if postgres else sqlite).insert(labels)


def label_of(row: Any) -> Label:
    """The label that a trial was joined with."""
    return Label(row.decision, row.fridge, row.member, row.source, row.by, row.labelled_at)
