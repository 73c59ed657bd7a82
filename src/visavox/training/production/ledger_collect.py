"""What no key opens any more is removed from the ledger's older versions, too.

An erased member is erased already: their key is. This makes room, and leaves nothing to guess at.
"""

import hashlib

from visavox.store import Store
from visavox.training.production.ledger import Ledger, Removed
from visavox.training.production.ledger_folder import MANIFEST


def collect(store: Store, ledger: Ledger, fridge: str) -> tuple[Removed, ...]:
    """Remove from cache and remote the ciphertext of a fridge's erased members; in all versions.

    Those versions keep their lists of captures, with ids and hashes of ciphertext. `dvc pull` of one
    says from then on that files are missing; `sightings` reads it as before.
    """
    newest = ledger.current([fridge])
    here = set(newest[fridge].captures) if newest else set()
    files: dict[str, str] = {}
    for data in ledger.history(fridge):
        if set(data.captures) <= here:
            continue
        for name, md5 in ledger.data.files(data.dvc).items():
            if name != MANIFEST and name.split("/")[1] not in here:
                files[md5] = f"fridges/{fridge}/{name}"
    removed = []
    with store.read() as unit:
        for md5, name in files.items():
            sealed = ledger.data.find(md5)
            if sealed is not None and not unit.captures.can_open(sealed):
                ledger.data.drop(md5)
                removed.append(Removed(name, hashlib.sha256(sealed).hexdigest()))
    return tuple(sorted(removed, key=lambda r: r.name))
