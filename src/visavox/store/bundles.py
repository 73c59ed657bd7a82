"""The key that a fridge's trained bundles are sealed with: it is another one after every erasure.

What a bundle holds of an erased member goes with the key that was, at the very commit that deletes
the member, wherever copies of the sealed file are. What is left is sealed with the next key.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from visavox.store.members import touch
from visavox.store.vault import Owner, Vault

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Bundles:
    """Change them while the fridge is locked; every change raises the fridge's revision."""

    _connection: Connection
    _vault: Vault
    _after_commit: Callable[[Step], None]
    _undo: Callable[[Step], None]
    _forget: Step

    def key(self, fridge: str) -> str | None:
        """The id of the key that is in use; None while nothing is sealed."""
        return self._vault.key_of(Owner.models(fridge))

    def seal(self, fridge: str, digest: str, content: bytes) -> bytes:
        """Under the fridge's key, made where there is none; it opens as that digest alone."""
        owner = Owner.models(fridge)
        if self._vault.key_of(owner) is None:
            self._vault.create(owner)
        touch(self._connection, fridge)
        return self._vault.seal(owner, content, _where(fridge, digest))

    def open(self, fridge: str, digest: str, sealed: bytes) -> bytes:
        """The content, or Sealed."""
        return self._vault.open(sealed, _where(fridge, digest))

    def claim(self, fridge: str, member: str) -> None:
        """Before both keys are destroyed: a rotation takes many, and always in one order."""
        self._vault.claim(Owner.models(fridge), Owner(fridge, member))

    def destroy(self, fridge: str) -> None:
        """Nothing that was sealed so far opens again."""
        touch(self._connection, fridge)
        if self._vault.destroy(Owner.models(fridge)):
            self._forget()

    def afterwards(self, step: Step) -> None:
        """Do that once this is committed; it must not raise."""
        self._after_commit(step)

    def undo(self, step: Step) -> None:
        """Do that if this is not committed; it must not raise."""
        self._undo(step)


def _where(fridge: str, digest: str) -> str:
    return f"models|{fridge}|{digest}"
