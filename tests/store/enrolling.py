"""Enrol and erase members for ever, and say each when it is done: to be killed at any moment.

python -m tests.store.enrolling DATABASE-URL KEY-FILE CAPTURES
"""

import itertools
import sys
from pathlib import Path

from tests.store.people import NAME, NOW, embeddings, later, raw
from visavox import store as stores
from visavox.store import blobs
from visavox.store.keyring import Keyring

CAPTURES = 3


def main(url: str, key_file: str, captures: str) -> None:
    store = stores.open(url, keyring=Keyring.file(Path(key_file)), blobs=blobs.connect(captures))
    for i in itertools.count():
        with store.begin() as unit:
            member = unit.members.add(
                "kitchen", None, name=NAME, locale="en", consent_at=NOW, at=later(i)
            )
            for k in range(CAPTURES):
                unit.captures.add(
                    "kitchen", member.id, embeddings=embeddings(k), raw=raw(k), at=later(k)
                )
            unit.audit.append(at=NOW, actor="test", action="member.added", subject=member.id)
        sys.stdout.write(f"+{member.id}\n")
        if i % 3 == 2:
            with store.begin() as unit:
                unit.members.delete("kitchen", member.id)
                unit.audit.append(at=NOW, actor="test", action="member.erased", subject=member.id)
            sys.stdout.write(f"-{member.id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
