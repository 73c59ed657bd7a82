"""Every decision of a busy fridge made again, though members came and went and models with them.

Kiosks ask over HTTP while people are enrolled, erased and rolled back, and the worker retrains. Then
`visavox replay` makes all decisions again whose probe is still there, in a process of its own.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.report import ROOT
from tests.load.people import enrolment, shot, who
from tests.load.wire import Line, as_json

if TYPE_CHECKING:
    from tests.bench.retraining import House

FRIDGE = "kitchen"
FILLED, PEOPLE, JOIN = 12, 10, 6
"""Members from before; people at the kiosk; who of them is a member at first."""
SHOTS, ROUND = 3, 100
WANTED = 1000
_FIRST = 300


def figures(
    house: "Callable[[], AbstractContextManager[House]]",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures, and what they were measured with."""
    with house() as home:
        home.fill(FRIDGE, FILLED)
        home.settled()
        with Line(home.host, home.admin) as admin:
            day = _Day(home, admin)
            for i, change in enumerate(day.changes()):
                change()
                day.ask(ROUND // 2)
                if i % 2:  # else the next change comes while the worker is at this one
                    home.settled()
                    day.ask(ROUND // 2)
            home.settled()
            day.ask(ROUND)
            said = _replayed(home)
            while said["total"] < WANTED:
                day.ask(WANTED - said["total"])
                said = _replayed(home)
            trained = len(day.bundles)
    measured = {"replay_exact": said["exact"], "replay_total": said["total"]}
    how = {
        "decisions": day.asked,
        "outcomes": dict(sorted(day.outcomes.items())),
        "bundles": trained,
        "not_replayable": said["skipped"],
        "enrolled": day.enrolled,
        "erased": day.erased,
    }
    return measured, how


class _Day:
    """What happens at one fridge."""

    def __init__(self, home: "House", admin: Line) -> None:
        self._home, self._admin = home, admin
        self.asked = self.enrolled = self.erased = 0
        self.bundles: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        made = [("id", "top"), ("name", "Top")]
        self._told("POST", f"/v1/fridges/{FRIDGE}/compartments", as_json(dict(made)))
        wish = {"role": "kiosk", "name": "Door", "fridges": [FRIDGE]}
        self._kiosk = self._told("POST", "/v1/keys", as_json(wish))["secret"]
        self._probes = [
            shot(who(_FIRST + i), k, session=1 + k).probe(FRIDGE)
            for k in range(SHOTS)
            for i in range(PEOPLE)
        ]

    def changes(self) -> "Iterator[Callable[[], object]]":
        """One at a time; nobody waits until the model that comes of it serves."""
        for i in range(JOIN):
            yield partial(self._enrol, i)
        yield partial(self._erase, "p0")
        yield partial(self._enrol, JOIN)
        yield self._rolled_back
        yield partial(self._erase, "m3")
        yield partial(self._enrol, JOIN + 1)

    def ask(self, times: int) -> None:
        with Line(self._home.host, self._kiosk) as kiosk:
            for _ in range(times):
                body = self._probes[self.asked % len(self._probes)]
                answer = kiosk.ask("POST", "/v1/authentications", body)
                assert answer.status == 200, answer.content
                said = answer.json()
                self.asked += 1
                self.outcomes[said["outcome"]] += 1
                if (used := said["models"]["bundle"]) is not None:
                    self.bundles.add(used)
                if said["outcome"] == "refused":  # this is not about too many failures
                    self._told("POST", f"/v1/fridges/{FRIDGE}/unlock", as_json({}))

    def _enrol(self, index: int) -> None:
        someone = who(_FIRST + index)
        fields = [
            ("id", f"p{index}"), ("name", f"Person {index}"), ("consent", "true"),
            ("accept_warnings", "true"), ("compartments", "top"),
        ]  # fmt: skip
        shots = [shot(someone, i) for i in range(2)]
        answer = self._admin.ask("POST", f"/v1/fridges/{FRIDGE}/members", enrolment(shots, fields))
        assert answer.status == 201, answer.content
        self.enrolled += 1

    def _erase(self, member: str) -> None:
        self._told("DELETE", f"/v1/fridges/{FRIDGE}/members/{member}")
        self.erased += 1

    def _rolled_back(self) -> None:
        # There may be none to go back to: whoever it learned from may be gone.
        self._admin.ask("POST", f"/v1/fridges/{FRIDGE}/model/rollback", as_json({}))

    def _told(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._admin.ask(method, path, body)
        assert answer.status < 300, answer.content
        return answer.json()


def _replayed(home: "House") -> dict[str, Any]:
    done = subprocess.run(
        [Path(sys.executable).with_name("visavox"), "replay", "--last", "5000", "--json"],
        cwd=ROOT,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
