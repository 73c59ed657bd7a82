"""What a challenger in the shadow costs a request: reports/bench.json.

Judging alone and with a duel are timed in turns on the same probes; so are the transactions that
keep the decision, with the trial's row and without. The nets, which take most of a request, are not
in it: a challenger is judged on the same embeddings.
"""

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests import cohort
from tests.bench.report import record
from tests.challenging import ADMIN, challenged
from visavox import characterizer
from visavox import store as stores
from visavox.perception import Perception
from visavox.service import authentication, compartments, duel, fridges, keys, models
from visavox.service.conclusion import Verdict, conclude
from visavox.service.house import Actor, House
from visavox.service.models import Models
from visavox.service.snapshot import Snapshot
from visavox.store import blobs
from visavox.store.keyring import Keyring, MasterKey
from visavox.store.records import Role
from visavox.table import Column, EmbeddingTable
from visavox.tickets import Signer
from visavox.types import FACE_QUALITY, VOICE_QUALITY, Embedding, Embeddings

TURNS = 400
SIZES = (20, 100)
ENROLLED, PROBE = (0, 1), 2
"""Sessions of the kept cohort that members are enrolled with, and that they come with."""


def run() -> None:
    figures = {}
    for members in SIZES:
        spent = _spent(members)
        for part in ("judge", "keep"):
            adds = spent[f"{part}_shadow"] - spent[f"{part}_alone"]
            figures[f"shadow_{part}_adds_ms_{members}"] = round(adds, 3)
            figures[f"shadow_{part}_alone_ms_{members}"] = round(spent[f"{part}_alone"], 3)
    record("shadow", figures, trials={"turns": TURNS, "members": list(SIZES)})


def _spent(members: int) -> dict[str, float]:
    """Milliseconds per request, the median of each."""
    nets = characterizer.load()
    with tempfile.TemporaryDirectory(prefix="visavox-bench-") as name:
        house, kiosk, probes = _house(Path(name), nets, members)
        with house.store.read() as unit:
            both = house.models.snapshot(unit, unit.fridges.get("kitchen"))
        alone = replace(both, challenger=None, trial=None)
        times: dict[str, list[float]] = {}
        for turn in range(TURNS):
            seen = probes[turn % len(probes)]

            def judge(found: Snapshot, seen: Embeddings = seen) -> Verdict:
                return authentication.judge(house, found, seen)

            for kind, snapshot in (("alone", alone), ("shadow", both)):
                began, at = time.perf_counter(), house.clock()
                verdict = duel.fought(snapshot, judge, kiosk=kiosk.key_id, at=at)
                judged = time.perf_counter()
                conclude(house, kiosk, verdict, arrived=at)
                kept = time.perf_counter()
                times.setdefault(f"judge_{kind}", []).append(1e3 * (judged - began))
                times.setdefault(f"keep_{kind}", []).append(1e3 * (kept - judged))
        house.perception.close()
        house.store.close()
    nets.close()
    return {kind: statistics.median(spent) for kind, spent in times.items()}


def _house(folder: Path, nets: Any, members: int) -> tuple[House, Actor, list[Embeddings]]:
    keyring = Keyring.of(MasterKey.made())
    opened = stores.open(
        f"sqlite:///{folder / 'visavox.db'}",
        keyring=keyring,
        blobs=blobs.connect(str(folder / "captures")),
    )
    opened.migrate()
    house = House(
        opened,
        Models(folder / "models", nets),
        Perception(nets, side_by_side=False),
        Signer.made(),
    )
    models.install_base(house, ADMIN, cohort.base_bundle(folder / "base", nets))
    fridges.create(house, ADMIN, id="kitchen", name="Kitchen")
    compartments.create(house, ADMIN, "kitchen", id="top", name="Top")
    table, people, sessions = cohort.read(nets)
    probes = []
    with opened.begin() as unit:
        for i, (person, session) in enumerate(zip(people, sessions, strict=True)):
            number = people.index(person) // cohort.SESSIONS
            whole = table.face.present[i] and table.voice.present[i]
            if number >= members or not whole:
                continue
            seen, at = _embeddings(table, i), house.clock()
            if session == str(PROBE):
                probes.append(seen)
                continue
            member = f"m{number}"
            if member not in unit.members.ids("kitchen"):
                given: dict[str, Any] = {"name": member, "locale": "en", "consent_at": at, "at": at}
                unit.members.add("kitchen", member, **given)
                unit.grants.put("kitchen", member, "top", at=at)
            unit.captures.add("kitchen", member, embeddings=seen, raw={}, at=at)
    challenged(house, "kitchen", folder / "trained")
    issued = keys.create(house, ADMIN, role=Role.KIOSK, name="Door", fridges=["kitchen"])
    return house, keys.identify(house, issued.secret, request_id="bench"), probes


def _embeddings(table: EmbeddingTable, row: int) -> Embeddings:
    def cell(column: Column, names: tuple[str, ...]) -> Embedding:
        quality = dict(zip(names, map(float, column.quality[row]), strict=True))
        return Embedding(column.vectors[row], quality)

    return Embeddings(cell(table.face, FACE_QUALITY), cell(table.voice, VOICE_QUALITY))
