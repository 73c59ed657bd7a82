"""A running API made ready for load: fridges, members, kiosks, and captures with known answers.

`prepare` speaks HTTP only, so any deployment can be made ready, near or far. What it leaves is a
folder that the locustfile reads, on this machine or copied to the machines of Locust's workers:

    house.json    host, keys, fridges; which capture is whose
    captures/     0.jpg, 0.wav, 1.jpg, …

It keeps only captures whose answer is beyond doubt (the score lies `CLEAR` from the threshold and
`FAR` before the next member's), so that under load every other answer is a fault of the service and not a near miss of the nets.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.load.people import Shot, enrolment, poor_shot, shot, who
from tests.load.wire import Answer, Body, Line, as_json

CLEAR = 1.0
"""Natural logarithm of a likelihood ratio: newcomers move thresholds by less than this."""

FAR = 12.0
"""The same for a member's lead over the next one: more than any risk setting asks for."""

CONSENT = ("consent", "true")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is prepared."""

    fridges: int = 2
    members: int = 6
    """Of each fridge."""
    kiosks: int = 8
    """Keys of role kiosk, dealt to the fridges in turn."""
    enrolled: int = 3
    """Captures of each member's enrolment."""
    probes: int = 2
    """Captures of each member at the kiosk."""
    strangers: int = 8
    poor: int = 4
    newcomers: int = 4
    """People for the admin to enrol and delete."""


@dataclass(frozen=True, slots=True)
class KioskKey:
    key: str = field(repr=False)
    fridge: str


@dataclass(frozen=True, slots=True)
class Fridge:
    """Captures by number, and what each is answered with."""

    id: str
    members: dict[int, str]
    """Granted, to this member."""
    strangers: list[int]
    """Refused."""
    poor: list[int]
    """To be tried again."""


@dataclass(frozen=True, slots=True)
class House:
    """What the locustfile needs to know."""

    host: str
    admin: str = field(repr=False)
    kiosks: list[KioskKey]
    fridges: list[Fridge]
    newcomers: list[list[int]]
    folder: Path

    def shot(self, number: int) -> Shot:
        files = self.folder / "captures"
        return Shot((files / f"{number}.jpg").read_bytes(), (files / f"{number}.wav").read_bytes())

    def fridge(self, id: str) -> Fridge:  # noqa: A002 (the API's own word)
        return next(f for f in self.fridges if f.id == id)

    def write(self) -> None:
        values = asdict(self)
        del values["folder"]
        path = self.folder / "house.json"
        path.touch(mode=0o600)  # it holds keys
        path.write_text(json.dumps(values, indent=1), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "House":
        values = json.loads((folder / "house.json").read_text("utf-8"))
        return cls(
            host=values["host"],
            admin=values["admin"],
            kiosks=[KioskKey(**k) for k in values["kiosks"]],
            fridges=[
                Fridge(**{**f, "members": {int(n): m for n, m in f["members"].items()}})
                for f in values["fridges"]
            ],
            newcomers=values["newcomers"],
            folder=folder,
        )


def prepare(host: str, admin: str, folder: Path, size: Size, *, prefix: str = "load") -> House:
    """Make fridges `<prefix>-0`, … with members and kiosks, and find captures with clear answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "captures").mkdir(exist_ok=True)
    kept = _Kept(folder / "captures")
    people = iter(range(1_000_000))
    outsiders = [shot(who(next(people)), 0) for _ in range(size.strangers)]
    blurred = [poor_shot(who(next(people)), i) for i in range(size.poor)]
    newcomers = [
        [kept.add(shot(someone, i)) for i in range(2)]
        for someone in (who(next(people)) for _ in range(size.newcomers))
    ]
    names = [f"{prefix}-{i}" for i in range(size.fridges)]
    with Line(host, admin) as line:
        for name in names:
            done(line.ask("POST", "/v1/fridges", as_json({"id": name, "name": f"Load {name}"})))
            compartment = {"id": "shelf", "name": "Shelf"}
            done(line.ask("POST", f"/v1/fridges/{name}/compartments", as_json(compartment)))
        kiosks = [
            KioskKey(kiosk_key(line, f"{prefix}-kiosk-{i}", [names[i % len(names)]]), n)
            for i, n in enumerate(names[i % len(names)] for i in range(size.kiosks))
        ]
        fridges = []
        for name in names:
            probes = _enrol(line, name, people, size)
            asking = next(k.key for k in kiosks if k.fridge == name)
            with Line(host, asking) as kiosk:
                judge = _Judge(line, kiosk, name)
                fridges.append(
                    Fridge(
                        name,
                        {kept.add(s): m for s, m in probes if judge.clear(s, "granted", m)},
                        [kept.add(s) for s in outsiders if judge.clear(s, "refused")],
                        [kept.add(s) for s in blurred if judge.clear(s, "retry")],
                    )
                )
    for fridge in fridges:
        if not (fridge.members and fridge.strangers and fridge.poor):
            raise RuntimeError(f"{fridge.id} has no clear answer of each kind: {fridge}")
    house = House(host, admin, kiosks, fridges, newcomers, folder)
    house.write()
    return house


def kiosk_key(admin: Line, name: str, fridges: Sequence[str]) -> str:
    """A new key of role kiosk; its secret."""
    asked = {"role": "kiosk", "name": name, "fridges": list(fridges)}
    return str(done(admin.ask("POST", "/v1/keys", as_json(asked)))["secret"])


def done(answer: Answer) -> Any:
    """The JSON of a success; anything else is no start for a load test."""
    if answer.status not in (200, 201, 204):
        raise RuntimeError(f"The API answered {answer.status}: {answer.content.decode()}")
    return answer.json() if answer.content else None


def membership(name: str, shots: Sequence[Shot], member: str | None = None) -> Body:
    """An enrolment's body; the newcomer may open the one compartment there is."""
    fields = [("name", name), CONSENT, ("accept_warnings", "true"), ("compartments", "shelf")]
    return enrolment(shots, [*fields, *([("id", member)] if member else [])])


def _enrol(line: Line, fridge: str, people: Iterator[int], size: Size) -> list[tuple[Shot, str]]:
    """Members of one fridge; what they will show at the kiosk, and who they are."""
    probes: list[tuple[Shot, str]] = []
    while len({member for _, member in probes}) < size.members:
        index = next(people)
        member = f"m{index}"
        shots = [shot(who(index), i) for i in range(size.enrolled + size.probes)]
        asked = membership(f"Member {index}", shots[: size.enrolled], member)
        answer = line.ask("POST", f"/v1/fridges/{fridge}/members", asked)
        if answer.status == 422:  # a capture was poor: the next one, please
            continue
        done(answer)
        probes += [(s, member) for s in shots[size.enrolled :]]
    return probes


@dataclass(frozen=True, slots=True)
class _Kept:
    folder: Path
    numbers: list[int] = field(default_factory=list)

    def add(self, one: Shot) -> int:
        number = len(self.numbers)
        self.numbers.append(number)
        (self.folder / f"{number}.jpg").write_bytes(one.image)
        (self.folder / f"{number}.wav").write_bytes(one.audio)
        return number


@dataclass(frozen=True, slots=True)
class _Judge:
    admin: Line
    kiosk: Line
    fridge: str

    def clear(self, one: Shot, outcome: str, member: str | None = None) -> bool:
        """Whether the API answers so, with some distance from any other answer."""
        asked = one.probe(self.fridge)
        answer = done(self.kiosk.ask("POST", "/v1/authentications", asked))
        if answer["outcome"] != "granted":  # or the fridge would lock
            done(self.admin.ask("POST", f"/v1/fridges/{self.fridge}/unlock", as_json({})))
        if answer["outcome"] != outcome or (member and answer["member"]["id"] != member):
            return False
        if outcome == "retry":
            return True
        told = done(self.admin.ask("GET", f"/v1/decisions/{answer['id']}"))["scores"]
        leads = [c["fused"] for c in told["candidates"]]
        distance = leads[0] - told["threshold"]
        if outcome == "refused":
            return bool(distance <= -CLEAR)
        return bool(distance >= CLEAR and (len(leads) < 2 or leads[0] - leads[1] >= FAR))
