"""The service over HTTP, alone and in turns with the straightforward one: reports/load.json.

A kiosk sends one 640×480 JPEG and 3 s of 16-bit sound. Clients run on the same machine, so what
they spend is the service's loss, and the straightforward service's (tests/load/baseline.py) too.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from tests.bench.report import LOAD, record
from tests.bench.service_kiosks import Probe, Seen, Target, hammer
from tests.load.base import cohort_base, granting_base
from tests.load.house import House, Size, done, kiosk_key, membership, prepare
from tests.load.people import Shot, enrolment
from tests.load.process import Served, service
from tests.load.server import api
from tests.load.wire import Answer, Line, as_json
from visavox import characterizer
from visavox.training.pretrained import random_pretrained

AUTHENTICATIONS = "/v1/authentications"
KIOSKS = 8
SINGLE = 300
"""Requests of the lone kiosk."""
EIGHT_S = 120.0
CROWD, CROWD_S = 64, 8.0
"""Kiosks and seconds of the overload."""
DECISIONS = 10_000
"""After which memory is read."""
STARTS, ENROLMENTS = 3, 5
TURNS, TURN_S = 3, 12.0
SIZE = Size(fridges=1, members=20, kiosks=CROWD, strangers=2, poor=2, newcomers=ENROLMENTS)


def run() -> None:
    with tempfile.TemporaryDirectory(prefix="visavox-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        base = cohort_base()
        ready = [_start(folder / f"start-{i}", base) for i in range(STARTS)]
        served, admin = stack.enter_context(api(_new(folder / "embedded"), base))
        house = prepare(served.host, admin, folder / "house", SIZE)
        ours = _target(house)
        figures: dict[str, Any] = {
            "ready_s": statistics.median([*ready, served.ready_s]),
            "enrol_to_grant_s": _enrol_to_grant(house),
            "single": _single(ours),
            **_long(ours, served),
        }
        figures |= _side_by_side(stack, folder, house, served, ours)
    record(
        "service",
        figures,
        trials={
            "starts": STARTS + 1,
            "enrolments": ENROLMENTS,
            "single_requests": SINGLE,
            "eight_seconds": EIGHT_S,
            "decisions_before_memory": DECISIONS,
            "side_by_side": f"{TURNS} turns of {TURN_S:g} s each, {KIOSKS} kiosks",
            "members": SIZE.members,
            "probes": len(ours.probes),
            "people": "personas, who do not exist",
        },
        path=LOAD,
    )


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start(folder: Path, base: Path) -> float:
    with api(_new(folder), base) as (served, _):
        return served.ready_s


def _target(house: House) -> Target:
    fridge = house.fridges[0]
    probes = [
        Probe(house.shot(number).probe(fridge.id), _granted(member))
        for number, member in fridge.members.items()
    ]
    return Target(house.host, AUTHENTICATIONS, [k.key for k in house.kiosks], probes)


def _granted(member: str) -> Any:
    """Granted to that member, who can open with it."""

    def right(answer: Answer) -> bool:
        told = answer.json()
        return bool(told["outcome"] == "granted" and told["member"]["id"] == member)

    return right


def _enrol_to_grant(house: House) -> float:
    """Median seconds from sending a newcomer's captures to their being granted by another one."""
    fridge = house.fridges[0].id
    spent = []
    with Line(house.host, house.admin) as admin, Line(house.host, house.kiosks[0].key) as kiosk:
        for number, captures in enumerate(house.newcomers):
            *shots, last = (house.shot(n) for n in captures)
            body, probe = membership("Newcomer", shots, f"new-{number}"), last.probe(fridge)
            began = time.perf_counter()
            done(admin.ask("POST", f"/v1/fridges/{fridge}/members", body))
            answer = done(kiosk.ask("POST", AUTHENTICATIONS, probe))
            spent.append(time.perf_counter() - began)
            if answer["outcome"] != "granted":
                done(admin.ask("POST", f"/v1/fridges/{fridge}/unlock"))
                spent.pop()
            done(admin.ask("DELETE", f"/v1/fridges/{fridge}/members/new-{number}"))
    if len(spent) < 3:
        raise RuntimeError(f"Only {len(spent)} of {len(house.newcomers)} newcomers were granted.")
    return statistics.median(spent)


def _single(target: Target) -> dict[str, Any]:
    hammer(target, kiosks=1, answers=20)
    seen = hammer(target, kiosks=1, answers=SINGLE)
    return {"p50_ms": seen.ms(50), "p95_ms": seen.ms(95), "errors": len(seen.wrong)}


def _long(target: Target, served: Served) -> dict[str, Any]:
    """Eight kiosks for two minutes, a crowd, and eight again up to the ten thousandth decision."""
    before, samples = SINGLE, [(0, served.rss_mb())]

    def sample(answers: int) -> None:
        samples.append((before + answers, served.rss_mb()))

    eight = hammer(target, kiosks=KIOSKS, seconds=EIGHT_S, meanwhile=sample)
    before += len(eight.seconds)
    crowd, recovered = _overload(target)
    before += len(crowd.seconds)
    if before < DECISIONS:
        more = hammer(target, kiosks=KIOSKS, answers=DECISIONS - before, meanwhile=sample)
        before += len(more.seconds)
        eight.wrong += more.wrong
    late = np.array([s for s in samples if s[0] >= DECISIONS / 2])
    slope = float(np.polyfit(late[:, 0], late[:, 1], 1)[0]) if len(late) > 2 else float("nan")
    return {
        "eight": {
            "rps": eight.rps,
            "p50_ms": eight.ms(50),
            "p99_ms": eight.ms(99),
            "errors": len(eight.wrong),
            "first_errors": eight.wrong[:3],
        },
        "overload": {
            "kiosks": CROWD,
            "granted": crowd.statuses[200],
            "busy_with_retry_after": crowd.statuses[503],
            "errors": len(crowd.wrong),
            "first_errors": crowd.wrong[:3],
            "recovered_s": recovered,
        },
        "rss_mb": served.rss_mb(),
        "rss": {
            "decisions": before,
            "at_start_mb": samples[0][1],
            "highest_mb": max(mb for _, mb in samples),
            "trend_mb_per_1000": 1000 * slope,
        },
    }


def _overload(target: Target) -> tuple[Seen, float]:
    """A crowd at once; then the seconds until a lone kiosk is answered as ever."""
    crowd = hammer(target, kiosks=CROWD, seconds=CROWD_S, busy_is_wrong=False)
    began = time.perf_counter()
    alone = hammer(target, kiosks=1, answers=1)
    if alone.wrong:
        crowd.wrong += alone.wrong
    return crowd, time.perf_counter() - began


def _side_by_side(
    stack: ExitStack, folder: Path, house: House, served: Served, ours: Target
) -> dict[str, Any]:
    """The same probes to each service, in turns: only what came at the same time is compared."""
    random_pretrained(folder / "nets", seed=1)
    nets = characterizer.load(folder / "nets")
    base = granting_base(nets, folder / "granting")
    nets.close()
    pretrained, admin = stack.enter_context(
        api(
            _new(folder / "pretrained"),
            base,
            environment={"VISAVOX_CHARACTERIZER": str(folder / "nets")},
        )
    )
    shots = {m: house.shot(n) for n, m in house.fridges[0].members.items()}
    running = {"embedded": served, "pretrained": pretrained}
    targets = {
        "embedded": ours,
        "pretrained": _any_member(pretrained.host, admin, shots, ours),
    }
    for way, options in {"baseline": [], "baseline_min_face_80": ["--min-face-size", "80"]}.items():
        running[way] = stack.enter_context(
            service(
                "tests.load.baseline",
                options,
                ready="/healthz",
                log=folder / f"{way}.log",
                # torch takes the cores that it finds; the tests' own thrift is not for it.
                environment={k: v for k, v in os.environ.items() if "NUM_THREADS" not in k},
            )
        )
        targets[way] = _baseline(running[way].host, shots, ours)
    seen, cpu = {way: Seen() for way in targets}, dict.fromkeys(targets, 0.0)
    for target in targets.values():
        hammer(target, kiosks=KIOSKS, answers=2 * KIOSKS)
    for _ in track(range(TURNS), description="Services in turns"):
        for way, target in targets.items():
            before = running[way].cpu_s()
            seen[way].add(hammer(target, kiosks=KIOSKS, seconds=TURN_S))
            cpu[way] += running[way].cpu_s() - before
    told = {
        way: {
            "rps": s.rps,
            "p50_ms": s.ms(50),
            "p95_ms": s.ms(95),
            "cpu_ms_per_decision": 1000 * cpu[way] / len(s.seconds),
            "rss_mb": running[way].rss_mb(),
            "ready_s": running[way].ready_s,
            "answers": len(s.seconds),
            "errors": len(s.wrong),
            "first_errors": s.wrong[:3],
        }
        for way, s in seen.items()
    }
    return {"side_by_side": told, "ratio_vs_baseline": _ratios(told)}


def _any_member(host: str, admin: str, shots: Mapping[str, Shot], like: Target) -> Target:
    """The API on nets of random weights: whoever is granted is right."""
    with Line(host, admin) as line:
        done(line.ask("POST", "/v1/fridges", as_json({"id": "load-0", "name": "Load"})))
        shelf = as_json({"id": "shelf", "name": "Shelf"})
        done(line.ask("POST", "/v1/fridges/load-0/compartments", shelf))
        for member, one in shots.items():
            body = membership(member, [one], member)
            done(line.ask("POST", "/v1/fridges/load-0/members", body))
        keys = [kiosk_key(line, f"kiosk-{i}", ["load-0"]) for i in range(KIOSKS)]
    return Target(host, AUTHENTICATIONS, keys, _granting(like.probes))


def _baseline(host: str, shots: Mapping[str, Shot], like: Target) -> Target:
    with Line(host) as line:
        for member, one in shots.items():
            done(line.ask("POST", f"/members/{member}", enrolment([one])))
    return Target(host, "/authentications", [None], _granting(like.probes))


def _granting(probes: Sequence[Probe]) -> list[Probe]:
    return [Probe(p.body, lambda answer: answer.json()["outcome"] == "granted") for p in probes]


def _ratios(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Ours divided by the baseline's: above 1 is more throughput, below 1 less time and memory."""

    def against(ours: str, theirs: str) -> dict[str, float]:
        return {
            name: told[ours][key] / told[theirs][key]
            for name, key in (("throughput", "rps"), ("p95", "p95_ms"), ("memory", "rss_mb"))
        }

    return {
        "means": "ours divided by the baseline's",
        **against("embedded", "baseline"),
        "pretrained": against("pretrained", "baseline"),
        # The same again where the baseline, too, looks for faces of 80 pixels and more only.
        "min_face_80": {
            "embedded": against("embedded", "baseline_min_face_80"),
            "pretrained": against("pretrained", "baseline_min_face_80"),
        },
    }
