"""Who uses the service, all at once: members, strangers and poor captures at kiosks, and an admin.

    python -m tests.load run                                   everything by one command
    python -m locust -f tests/load/locustfile.py --house DIR   against what `prepare` left in DIR

Every answer is checked: a stranger who is granted, a member who is not, or a grant without an
opening ticket is a failure, as an error status is. Limits come from the command line or the
environment, and a run that misses one ends with exit status 1.
"""

import itertools
import json
import random
from argparse import Namespace
from pathlib import Path
from typing import Any

from locust import LoadTestShape, between, constant_pacing, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment
from locust.runners import WorkerRunner

from tests.load.house import Fridge, House, KioskKey, membership
from tests.load.limits import Limits, missed, summary
from tests.load.wire import Body

_EVERY_STATUS = "authenticate"  # what the names of all decisions begin with


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: LocustArgumentParser) -> None:
    own = parser.add_argument_group("visavox")
    own.add_argument(
        "--house", env_var="VISAVOX_LOAD_HOUSE", default="", help="The folder that `prepare` wrote."
    )
    own.add_argument(
        "--summary", env_var="VISAVOX_LOAD_SUMMARY", default="", help="Write figures here, as JSON."
    )
    for name, default, text in Limits.options():
        own.add_argument(
            f"--{name.replace('_', '-')}",
            type=float,
            env_var=f"VISAVOX_LOAD_{name.upper()}",
            default=default,
            help=text,
        )


_houses: dict[str, House] = {}
_turn = itertools.count()


def house_of(options: Namespace) -> House:
    """Read once per process."""
    if options.house not in _houses:
        _houses[options.house] = House.read(Path(options.house))
    return _houses[options.house]


class Kiosk(FastHttpUser):
    """Someone steps up, gets digits to speak, and is judged."""

    abstract = True
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        self.house = house_of(self.environment.parsed_options)
        self.own: KioskKey = self.house.kiosks[next(_turn) % len(self.house.kiosks)]
        self.fridge: Fridge = self.house.fridge(self.own.fridge)
        self.bearer = {"Authorization": f"Bearer {self.own.key}"}

    def visit(self, number: int, *, name: str, outcome: str, member: str | None = None) -> None:
        """One capture shown, the answer checked."""
        challenge = self.challenge()
        if challenge is None:
            return
        body = self.house.shot(number).probe(self.fridge.id, challenge=challenge)
        with self.client.post(
            "/v1/authentications",
            data=body.content,  # type: ignore[arg-type]  # bytes go through
            headers={**self.bearer, "Content-Type": body.media_type},
            name=f"{_EVERY_STATUS}: {name}",
            catch_response=True,
        ) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}")
                return
            answer = response.json()
            if answer["outcome"] == "locked" and outcome != "granted":
                if answer["retry_after_s"] is None:
                    response.failure("locked for ever")
            elif fault := wrong(answer, outcome, member):
                response.failure(fault)
        if answer["outcome"] != "granted":
            self.lift()

    def challenge(self) -> str | None:
        with self.client.post(
            "/v1/challenges",
            json={"fridge": self.fridge.id},
            headers=self.bearer,
            name="challenge",
            catch_response=True,
        ) as response:
            if response.status_code != 201:
                response.failure(f"status {response.status_code}")
                return None
            return str(response.json()["id"])

    def lift(self) -> None:
        """The admin lets the fridge on at once, or strangers would lock the members out."""
        self.client.post(
            f"/v1/fridges/{self.fridge.id}/unlock",
            json={},
            headers={"Authorization": f"Bearer {self.house.admin}"},
            name="unlock",
        )


def wrong(answer: dict[str, Any], outcome: str, member: str | None) -> str | None:
    """What is wrong with a decision, if anything."""
    if answer["outcome"] != outcome:
        return f"{answer['outcome']}, not {outcome}: {', '.join(answer['reasons'])}"
    if outcome == "granted":
        if answer["member"]["id"] != member:
            return "granted to another member"
        if not answer["ticket"]:
            return "granted without a ticket"
    elif answer["ticket"]:
        return f"{outcome} with a ticket"
    return None


class MemberKiosk(Kiosk):
    weight = 6

    @task
    def open(self) -> None:
        number, member = random.choice(list(self.fridge.members.items()))
        self.visit(number, name="member", outcome="granted", member=member)


class StrangerKiosk(Kiosk):
    weight = 2

    @task
    def try_it(self) -> None:
        self.visit(random.choice(self.fridge.strangers), name="stranger", outcome="refused")


class PoorKiosk(Kiosk):
    weight = 1

    @task
    def fumble(self) -> None:
        self.visit(random.choice(self.fridge.poor), name="poor capture", outcome="retry")


class Admin(FastHttpUser):
    """Enrols someone, looks, renames and deletes them, again and again."""

    fixed_count = 1
    wait_time = constant_pacing(3)

    def on_start(self) -> None:
        self.house = house_of(self.environment.parsed_options)
        self.bearer = {"Authorization": f"Bearer {self.house.admin}"}

    @task
    def come_and_go(self) -> None:
        fridge = random.choice(self.house.fridges).id
        shots = [self.house.shot(n) for n in random.choice(self.house.newcomers)]
        body: Body = membership("Newcomer", shots)
        with self.client.post(
            f"/v1/fridges/{fridge}/members",
            data=body.content,  # type: ignore[arg-type]  # bytes go through
            headers={**self.bearer, "Content-Type": body.media_type},
            name="enrol",
            catch_response=True,
        ) as response:
            if response.status_code != 201:
                response.failure(f"status {response.status_code}")
                return
            member = response.json()["id"]
        path = f"/v1/fridges/{fridge}/members/{member}"
        read = self.client.get(path, headers=self.bearer, name="read a member")
        self.client.patch(
            path,
            json={"name": "Renamed"},
            headers={**self.bearer, "If-Match": read.headers["ETag"] if read.headers else "*"},
            name="rename a member",
        )
        self.client.get(
            f"/v1/fridges/{fridge}/members", headers=self.bearer, name="list the members"
        )
        self.client.get(
            f"/v1/decisions?fridge={fridge}&limit=20", headers=self.bearer, name="list decisions"
        )
        self.client.delete(path, headers=self.bearer, name="delete a member")
        with self.client.get(
            path, headers=self.bearer, name="read a deleted member", catch_response=True
        ) as response:
            if response.status_code == 404:
                response.success()
            else:
                response.failure(f"status {response.status_code}, not 404")


class Ramp(LoadTestShape):
    """Up over a quarter of --run-time to --users, held, and down again over the last eighth."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        now: float = self.get_run_time()  # type: ignore[no-untyped-call]
        return ramp(now, options.run_time or 60, options.num_users or 12)


def ramp(now: float, whole: float, peak: int) -> tuple[int, float] | None:
    """Users wanted `now`, and how many may come or go in a second; None when all is over."""
    if now >= whole:
        return None
    up, down = now / (whole / 4), (whole - now) / (whole / 8)
    return max(2, round(peak * min(1.0, up, down))), float(peak)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _judge(environment: Environment, **_: object) -> None:
    """Figures out, limits held against them; Locust's workers leave that to their master."""
    if isinstance(environment.runner, WorkerRunner):
        return
    options = environment.parsed_options
    assert options is not None
    figures = summary(environment.stats, users=options.num_users)
    if options.summary:
        Path(options.summary).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    faults = missed(figures, Limits.of(options))
    for fault in faults:
        print(f"MISSED: {fault}")  # noqa: T201 (what the command says to its user)
    environment.process_exit_code = 1 if faults else 0
