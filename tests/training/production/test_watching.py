"""Production drifts, the right alarm is raised, and a retraining is asked for: once, and with why.

One fridge and its kiosk through the real service; the camera, the room and the microphone change
from chapter to chapter, a month apart.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.scene import ADMIN, Hands, Kitchen
from tests.training.production import drifting
from tests.training.production.drifting import MEMBERS, Kiosk
from visavox import store as stores
from visavox.characterizer import Characterizer
from visavox.monitoring import looks
from visavox.monitoring.drift import Verdict
from visavox.perception import Perception
from visavox.service import compartments, fridges, keys, models
from visavox.service.house import House
from visavox.service.models import Models
from visavox.store import Store, blobs
from visavox.store.keyring import Keyring
from visavox.store.records import Event, Label, Role
from visavox.tickets import Signer
from visavox.training.production import watching
from visavox.training.production.due import WatchSettings
from visavox.training.production.watching import Found

CHAPTER = 30 * 86400.0


@dataclass
class Watched:
    """The kitchen, its clock, and whoever looks."""

    kitchen: Kitchen
    clock: Hands
    root: Path
    rules: WatchSettings

    @property
    def store(self) -> Store:
        return self.kitchen.house.store

    def look(self, rules: WatchSettings | None = None) -> Found:
        found = watching.look(
            self.store, self.root / "models", ["kitchen"], rules or self.rules, at=self.clock()
        )
        return found["kitchen"]

    def chapter(self, kiosk: Kiosk) -> Found:
        """A month later, everybody comes twice, and somebody looks."""
        self.retrained()
        self.clock.pass_by(CHAPTER)
        drifting.visit(self.kitchen, self.clock, kiosk, (1, 2))
        return self.look()

    def retrained(self) -> None:
        """Whatever was asked for is done; the model is as it was."""
        at = self.clock()
        with self.store.begin() as unit:
            run = unit.runs.begin("retrain", ["kitchen"], reason="tests", at=at)
            unit.retraining.claim(run.id, ["kitchen"], at=at)
            unit.retraining.done(run.id, "kitchen", at=at)

    def events(self, kind: str) -> tuple[Event, ...]:
        with self.store.read() as unit:
            return unit.events.page(fridges=("kitchen",), kind=kind).items


@pytest.fixture(scope="module")
def watched(
    embedded: Characterizer,
    base_bundle: Path,
    sqlite_template: Path,
    keyring: Keyring,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:
    root = tmp_path_factory.mktemp("watched")
    shutil.copyfile(sqlite_template, root / "visavox.db")
    store = stores.open(
        f"sqlite:///{root / 'visavox.db'}", keyring=keyring, blobs=blobs.connect(str(root / "c"))
    )
    clock = Hands()
    with Perception(embedded, side_by_side=False) as perception:
        house = House(store, Models(root / "models", embedded), perception, Signer.made(), clock)
        models.install_base(house, ADMIN, base_bundle)
        fridges.create(house, ADMIN, id="kitchen", name="Kitchen", risk="low")
        compartments.create(house, ADMIN, "kitchen", id="left", name="Left")
        issued = keys.create(house, ADMIN, role=Role.KIOSK, name="Door", fridges=["kitchen"])
        kitchen = Kitchen(house, keys.identify(house, issued.secret, request_id="req-kiosk"))
        for who in range(MEMBERS):
            kitchen.enrol(who, samples=[Kiosk().takes(who, 0), Kiosk().takes(who, 10)])
        clock.pass_by(60)
        drifting.trained(house, "kitchen", root / "trained", clock())
        # Age has a test of its own.
        yield Watched(kitchen, clock, root, replace(watching.rules(), age=10_000))
    store.close()


@pytest.fixture
def steady(watched: Watched) -> Watched:
    """After a month of days like any other."""
    found = watched.chapter(Kiosk())
    assert found.causes == ()
    assert found.request is None
    return watched


def drifted(found: Found) -> set[str]:
    return set(found.report.drifted)


def test_days_like_any_other_ask_for_nothing(steady: Watched) -> None:
    found = steady.look()
    verdicts = {s.feature: s.verdict for s in found.report.shifts}
    assert set(verdicts.values()) <= {Verdict.STEADY, Verdict.TOO_FEW}
    assert verdicts["face.brightness"] is verdicts["voice.snr_db"] is Verdict.STEADY
    assert found.report.decisions == 2 * MEMBERS
    assert found.report.shares.jumped is None
    with steady.store.read() as unit:
        assert unit.retraining.pending("kitchen") == ()


def test_a_darker_camera_is_found_and_retrained_for_once(watched: Watched) -> None:
    found = watched.chapter(Kiosk(camera=drifting.dark))
    assert drifted(found) == {"face.brightness"}
    assert [cause.key for cause in found.causes] == ["drift:face.brightness"]
    with watched.store.read() as unit:
        (asked,) = unit.retraining.pending("kitchen")
    assert (asked.id, asked.reason) == (found.request, "watch: drift:face.brightness")
    event = watched.events(watching.DUE)[0]
    assert event.detail["retraining"] == asked.id
    assert "face.brightness has drifted" in event.detail["why"]
    # Looked at again, while it waits, when it is done, and by another after days: no second one.
    told = len(watched.events(watching.DUE))
    assert watched.look().request is None
    watched.retrained()
    assert watched.look().request is None
    watched.clock.pass_by(2 * 86400)
    assert watched.look().causes == found.causes
    assert len(watched.events(watching.DUE)) == told


def test_a_noisier_room_is_found_in_the_voice_alone(watched: Watched) -> None:
    found = watched.chapter(Kiosk(microphone=drifting.noisy))
    assert "voice.snr_db" in drifted(found)
    assert {name.split(".")[0] for name in drifted(found)} <= {"voice", "score"}
    assert found.request is not None


def test_another_microphone_is_found_in_the_voice_alone(watched: Watched) -> None:
    found = watched.chapter(Kiosk(microphone=drifting.telephone))
    assert "voice.level_db" in drifted(found)
    assert {name.split(".")[0] for name in drifted(found)} <= {"voice", "score"}
    assert found.request is not None


def test_the_look_is_kept_for_the_api_and_names_nobody(steady: Watched) -> None:
    steady.look()
    with steady.store.read() as unit:
        run = unit.runs.page(flow=looks.FLOW, limit=1).items[0]
        roster = unit.members.roster("kitchen")
    assert run.state.value == "done"
    said = run.detail["fridges"]["kitchen"]
    assert said["drift"]["face.brightness"]["verdict"] == "steady"
    assert said["drift"]["face.brightness"]["people"] == MEMBERS
    assert not any(f"'{member}'" in repr(said) for member in roster)


def test_a_member_whose_share_jumps_is_told_to_the_admin_once(steady: Watched) -> None:
    steady.clock.pass_by(8 * 86400)  # what came before is the time before
    for _ in range(12):
        steady.kitchen.ask(Kiosk().takes(3, 1))
        steady.clock.pass_by(3 * 3600)
    for _ in range(2):
        shares = steady.look().report.shares
        assert shares.jumped == "p3"
        assert shares.largest == 1.0
    (event,) = steady.events(watching.JUMP)
    assert event.detail["member"] == "p3"


def test_refusals_that_come_thick_name_their_kiosk_once(watched: Watched) -> None:
    watched.clock.pass_by(CHAPTER)
    for _ in range(4):
        watched.kitchen.ask(Kiosk().takes(70, 1))
        watched.clock.pass_by(60)
    assert [b.refusals for b in watched.look().report.bursts] == [4]
    watched.look()
    (event,) = watched.events(watching.REFUSALS)
    assert event.kiosk == watched.kitchen.kiosk.key_id
    assert event.detail["refusals"] == 4
    watched.clock.pass_by(3600)


def test_what_labels_say_is_counted_and_errors_are_a_cause(steady: Watched) -> None:
    steady.retrained()
    since, at = steady.clock() - timedelta(days=7), steady.clock()
    with steady.store.begin() as unit:
        for record in unit.decisions.page(fridges=("kitchen",), since=since).items:
            # Somebody says that all of them were strangers.
            unit.labels.put(Label(record.id, "kitchen", None, "admin", "tests", at))
    found = steady.look()
    assert found.report.accuracy.let_in.errors >= 20
    assert "errors:let_in" in [cause.key for cause in found.causes]
    assert found.request is not None


def test_old_data_and_new_captures_are_causes(watched: Watched) -> None:
    watched.clock.pass_by(CHAPTER)
    watched.retrained()
    watched.kitchen.enrol(60, samples=[Kiosk().takes(60, i) for i in range(2)])
    watched.retrained()  # the request was lost, say
    found = watched.look(replace(watched.rules, age=1, new_captures=2))
    assert [cause.key for cause in found.causes] == ["new_captures", "age"]
    assert found.request is not None


def test_two_who_look_at_once_ask_once(watched: Watched) -> None:
    from concurrent.futures import ThreadPoolExecutor

    watched.clock.pass_by(CHAPTER)
    watched.retrained()
    rules = replace(watched.rules, age=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: watched.look(rules), range(4)))
    assert sum(one.request is not None for one in found) == 1
    with watched.store.read() as unit:
        assert len(unit.retraining.pending("kitchen")) == 1
