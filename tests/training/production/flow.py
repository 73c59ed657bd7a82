"""Stands in for Metaflow in the tests of what starts it: a program with the same command line.

It tells of itself in the folder of its run, and does as the file `orders` there says: `end`, `fail`,
`wait` until it is killed; the last order holds. It ends its run in the database, as the flow does.
"""

import os
import sys
import time
from pathlib import Path


def main(words: list[str]) -> None:
    given = {words[i]: words[i + 1] for i in range(len(words) - 1) if words[i].startswith("--")}
    file = Path(given["--run-id-file"])
    folder = file.parent
    file.write_text(str(time.time_ns()))
    parameters = Path(os.environ["METAFLOW_DATASTORE_SYSROOT_LOCAL"], ".metaflow", "Flow")
    kept = parameters / file.read_text() / "_parameters" / "0"
    kept.mkdir(parents=True)
    (kept / "0.DONE.lock").touch()
    kind = "resume" if "resume" in words else "run"
    with (folder / "told").open("a") as told:  # last: now it can be resumed
        told.write(f"{kind} {given.get('--origin-run-id', '')}\n")
    orders = folder / "orders"
    while (order := orders.read_text() if orders.exists() else "wait") == "wait":
        time.sleep(0.02)
    sys.exit(1 if order == "fail" else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
