"""What every use case is given: the house, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from visavox.errors import Forbidden
from visavox.perception import Perception
from visavox.service.links import Links
from visavox.service.settings import ServiceSettings
from visavox.store.records import Role

if TYPE_CHECKING:
    from visavox.service.live import Models
    from visavox.store import Store, Unit
    from visavox.store.records import AuditRecord
    from visavox.tickets import Signer

Clock = Callable[[], datetime]
"""The time now, with its zone. Tests bring their own."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """All that the use cases work with. Shared by all threads of a process."""

    store: "Store"
    models: "Models"
    perception: Perception
    signer: "Signer"
    clock: Clock = utc_now
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    links: Links = field(default_factory=Links)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an API key, or the operator at the machine's own command line."""

    key_id: str
    role: Role
    fridges: tuple[str, ...] | None = None  # None: all of them
    request_id: str = ""
    name: str = ""
    expires_at: datetime | None = None  # None: it does not

    @classmethod
    def operator(cls, request_id: str = "") -> "Actor":
        """Whoever can run commands on the machine itself."""
        return cls("operator", Role.ADMIN, None, request_id, "operator")

    def need(self, *roles: Role) -> None:
        """Forbidden unless the actor has one of these roles."""
        if self.role not in roles:
            raise Forbidden(
                f"A key of the role {self.role.value} may not do this.",
                next_step=f"Use a key of the role {' or '.join(r.value for r in roles)}.",
            )

    def reach(self, fridge: str) -> None:
        """Forbidden unless the actor's key is for this fridge."""
        if not self.reaches(fridge):
            raise Forbidden(
                f"This key is not for the fridge {fridge!r}.",
                next_step="Use a key whose scope includes it, or ask an admin for one.",
            )

    def reaches(self, fridge: str) -> bool:
        return self.fridges is None or fridge in self.fridges

    def note(
        self, unit: "Unit", at: datetime, action: str, subject: str, **detail: Any
    ) -> "AuditRecord":
        """Write into the audit log that this actor did this; do it last in a transaction."""
        return unit.audit.append(
            at=at, actor=self.key_id, action=action, subject=subject, detail=self.told(**detail)
        )

    def told(self, **detail: Any) -> dict[str, Any]:
        """The detail of an audit record, with the request that it came of."""
        return {"request": self.request_id, **detail} if self.request_id else detail

    def everywhere(self) -> None:
        """Forbidden unless the actor's key is for all fridges."""
        if self.fridges is not None:
            raise Forbidden(
                "This key is for some fridges, and this concerns all of them.",
                next_step="Use a key without a list of fridges.",
            )
