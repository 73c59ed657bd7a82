"""Rotate one data key at a time, slowly: to be killed half way.

python -m tests.store.rotating DATABASE-URL KEY-FILE
"""

import sys
import time
from pathlib import Path

from tests.store.people import NOW
from visavox import store as stores
from visavox.store import blobs, rotation
from visavox.store.keyring import Keyring


def main(url: str, key_file: str) -> None:
    store = stores.open(url, keyring=Keyring.file(Path(key_file)), blobs=blobs.connect("unused"))
    rotation.STEP = 1

    def progress(done: int) -> None:
        if done == 5:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            time.sleep(60)

    store.rotate(at=NOW, progress=progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
