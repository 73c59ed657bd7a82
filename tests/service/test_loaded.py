"""What a process holds of a place while others change it."""

from dataclasses import replace
from pathlib import Path

import pytest

from visavox import bundle
from visavox.bundle import Bundle
from visavox.errors import BundleError
from visavox.service.loaded import Held, Loaded, renewed
from visavox.service.shelf import Slot
from visavox.service.standing import Standing

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(scope="session")
def some(base_bundle: Path) -> Bundle:
    return bundle.load(base_bundle, characterizer_digest=None)


class Shelf:
    """Bundles that can be read, and how often each was."""

    def __init__(self, some: Bundle, *digests: str) -> None:
        self.bundles = {digest: replace(some, digest=digest) for digest in digests}
        self.read: list[str] = []

    def __call__(self, digest: str) -> Loaded:
        self.read.append(digest)
        if digest not in self.bundles:
            raise BundleError("It is not kept here any more.", next_step="Install it again.")
        return Loaded(self.bundles[digest])


def digests(held: Held) -> tuple[str | None, ...]:
    three = (held.champion, held.challenger, held.previous)
    return tuple(None if one.bundle is None else one.bundle.digest for one in three)


def test_what_is_in_memory_is_not_read_again(some: Bundle, tmp_path: Path) -> None:
    slot, shelf = Slot(tmp_path), Shelf(some, A, B)
    slot.stand(Standing(A, None, B))
    held = renewed(Held(), "kitchen", slot, "k1", shelf)
    assert digests(held) == (A, None, B)
    assert renewed(held, "kitchen", slot, "k1", shelf) is held
    slot.stand(slot.standing().rolled_back())
    assert digests(renewed(held, "kitchen", slot, "k1", shelf)) == (B, None, A)
    assert shelf.read == [A, B]


def test_under_another_key_everything_is_read_again(some: Bundle, tmp_path: Path) -> None:
    """There lies what is left of a bundle without somebody."""
    slot, shelf = Slot(tmp_path), Shelf(some, A)
    slot.stand(Standing(A))
    held = renewed(Held(), "kitchen", slot, "k1", shelf)
    assert renewed(held, "kitchen", slot, "k2", shelf) is not held
    assert shelf.read == [A, A]


def test_what_is_changed_while_it_is_read_is_read_as_it_is_then(
    some: Bundle, tmp_path: Path
) -> None:
    slot, shelf = Slot(tmp_path), Shelf(some, B)
    slot.stand(Standing(A))

    def meanwhile(digest: str) -> Loaded:
        slot.stand(Standing(B))  # another process; what it replaced is tidied away
        return shelf(digest)

    held = renewed(Held(), "kitchen", slot, "k1", meanwhile)
    assert (digests(held), held.problem) == ((B, None, None), None)


def test_what_cannot_be_read_is_said_and_the_last_good_one_serves(
    some: Bundle, tmp_path: Path
) -> None:
    slot, shelf = Slot(tmp_path), Shelf(some, A)
    slot.stand(Standing(A))
    held = renewed(Held(), "kitchen", slot, "k1", shelf)
    slot.stand(Standing(B))
    broken = renewed(held, "kitchen", slot, "k1", shelf)
    assert digests(broken) == (A, None, None)
    assert broken.problem == "It is not kept here any more."
    slot.stand(Standing(A))
    assert renewed(broken, "kitchen", slot, "k1", shelf).problem is None


def test_what_may_know_somebody_who_is_erased_is_not_gone_on_with(
    some: Bundle, tmp_path: Path
) -> None:
    slot, shelf = Slot(tmp_path), Shelf(some, A)
    slot.stand(Standing(A))
    held = renewed(Held(), "kitchen", slot, "k1", shelf)
    del shelf.bundles[A]
    assert digests(renewed(held, "kitchen", slot, "k2", shelf)) == (None, None, None)


def test_a_challenger_that_cannot_be_read_stands_in_nobodys_way(
    some: Bundle, tmp_path: Path
) -> None:
    slot, shelf = Slot(tmp_path), Shelf(some, A)
    slot.stand(Standing(A, None, C))
    held = renewed(Held(), "kitchen", slot, "k1", shelf)
    assert digests(held) == (A, None, None)
    assert held.champion.problem is None
    assert held.problem is not None
