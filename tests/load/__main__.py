"""`python -m tests.load run`: Locust against a real API, with limits.

run        start an API in a temporary folder, prepare it, put it under load, end it: `make load`
prepare    make any running API ready for load, for a Locust of your own: docs/load.md
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.bench.report import LOAD, ROOT, record
from tests.load.house import Size, prepare
from tests.load.server import api
from tests.load.swarm import Swarm

HTML = ROOT / "reports" / "load"
USERS, SECONDS = 12, 120


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    ways = asked.add_subparsers(required=True, dest="way")
    run_ = ways.add_parser("run", help="everything by one command; more options go to Locust")
    run_.add_argument("--users", type=int, default=USERS)
    run_.add_argument("--seconds", type=int, default=SECONDS)
    run_.add_argument("--workers", type=int, default=0, help="Locust's own; 0: one process")
    run_.add_argument("--base", type=Path, help="base bundle; the cohort's, if none is named")
    run_.add_argument("--html", type=Path, default=HTML / "locust.html")
    run_.add_argument("--summary", type=Path, help="figures go here, not into reports/load.json")
    for way in (run_, ways.add_parser("prepare", help="make a running API ready for load")):
        for name, default in asdict(Size()).items():
            way.add_argument(f"--{name}", type=int, default=default)
    other = ways.choices["prepare"]
    other.add_argument("--host", required=True)
    other.add_argument("--admin-key", default=os.environ.get("VISAVOX_LOAD_ADMIN_KEY"))
    other.add_argument("--prefix", default="load", help="what the fridges' names begin with")
    other.add_argument("folder", type=Path)
    given, more = asked.parse_known_args()
    size = Size(**{name: getattr(given, name) for name in asdict(Size())})
    if given.way == "run":
        return run(given, size, more)
    if more:
        asked.error(f"unknown: {' '.join(more)}")
    if not given.admin_key:
        asked.error("an admin's key is needed: --admin-key or VISAVOX_LOAD_ADMIN_KEY")
    house = prepare(given.host, given.admin_key, given.folder, size, prefix=given.prefix)
    say(f"{len(house.fridges)} fridges and {len(house.kiosks)} kiosks in {given.folder}/house.json")
    return 0


def run(given: argparse.Namespace, size: Size, more: list[str]) -> int:
    """Locust's exit status: 1 where a limit was missed."""
    with tempfile.TemporaryDirectory(prefix="visavox-load-") as name:
        folder = Path(name)
        with api(folder, given.base or _cohort_base()) as (served, admin):
            say(f"The API is ready at {served.host} after {served.ready_s:.1f} s; people enrol")
            house = prepare(served.host, admin, folder / "house", size)
            given.html.parent.mkdir(parents=True, exist_ok=True)
            summary = given.summary or folder / "summary.json"
            swarm = Swarm(given.users, given.seconds, given.workers)
            status = swarm.run(house, html=given.html, summary=summary, more=more)
            rss = served.rss_mb()
        if not summary.is_file():  # Locust did not start; it has said why
            return status or 1
        figures = json.loads(summary.read_text("utf-8"))
        if given.summary is None:
            trials = {"users": given.users, "seconds": given.seconds, "workers": given.workers}
            record("locust", {"locust": {**figures, "rss_mb": rss}}, trials=trials, path=LOAD)
    say(f"{figures['requests']} requests, {figures['failures']} failures,", figures["kinds"])
    say(f"report: {given.html}")
    return status


def _cohort_base() -> Path:
    from tests.load.base import cohort_base  # brings torch along

    return cohort_base()


def say(text: str, kinds: dict[str, dict[str, float]] | None = None) -> None:
    print(text)  # noqa: T201 (a command says what it does)
    for name, kind in (kinds or {}).items():
        told = ", ".join(f"{k} {v:.1f}" for k, v in kind.items())
        print(f"    {name:28} {told}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
