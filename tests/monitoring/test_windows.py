"""From what the store keeps to what is watched."""

from dataclasses import replace

import numpy as np
import pytest

from tests.store.people import NOW, decision, enrol, furnish, later
from visavox.monitoring import features, windows
from visavox.monitoring.features import MARGIN, SCORE
from visavox.monitoring.windows import Eyes, Period
from visavox.store import Store
from visavox.store.records import DecisionOutcome, DecisionRecord, Method
from visavox.types import Candidate, Embedding, Embeddings, Modality, Reason, Rejected

WINDOW = Period(NOW, later(3600))
NETS = "c" * 64
EYES = Eyes(NETS, {m: np.zeros(64) for m in Modality})
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def seen_embeddings(seed: int = 1) -> Embeddings:
    rng = np.random.default_rng(seed)
    face, voice = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 64)).astype(np.float32))
    return Embeddings(
        Embedding(face, {"size": 200, "sharpness": 0.6, "brightness": 0.4, "frontal": 0.9}),
        Embedding(voice, {"speech_s": 2.0, "snr_db": 25.0, "level_db": -24.0}),
    )


def kept(store: Store, *records: DecisionRecord) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        for i, record in enumerate(records):
            unit.decisions.add(record, probe=seen_embeddings(i))


@on_sqlite
def test_a_probe_gives_its_quality_its_norms_and_its_scores(store: Store) -> None:
    kept(store, decision(at=later(5)))
    with store.read() as unit:
        (one,) = windows.seen(unit, "kitchen", WINDOW, eyes=EYES, bundle="b" * 64)
    assert set(features.FEATURES) == set(one.features)
    assert one.features["face.brightness"] == pytest.approx(0.4)
    assert one.features["face.norm"] == pytest.approx(1.0)  # from the origin, of a unit vector
    assert one.features[SCORE] == 9.25
    assert one.features[MARGIN] == 9.25 + 1.5
    assert (one.granted, one.likely, one.failed) == ("zoe", "zoe", False)
    assert one.reasons == {"face": "no_face", "voice": "accepted"}


@on_sqlite
def test_without_eyes_no_probe_is_opened(store: Store) -> None:
    kept(store, decision(at=later(5)))
    with store.read() as unit:
        (one,) = windows.seen(unit, "kitchen", WINDOW)
    assert one.features == {}


@on_sqlite
def test_scores_of_another_bundle_and_norms_of_other_nets_are_left_out(store: Store) -> None:
    kept(store, decision(at=later(5)))
    other = Eyes("d" * 64, EYES.centres)
    with store.read() as unit:
        (one,) = windows.seen(unit, "kitchen", WINDOW, eyes=other, bundle="e" * 64)
    assert not {SCORE, MARGIN, "face.norm", "voice.norm"} & set(one.features)
    assert "voice.snr_db" in one.features


@on_sqlite
def test_what_was_too_dark_to_judge_is_dark_all_the_same(store: Store) -> None:
    dark = Rejected(
        Modality.FACE, Reason.FACE_TOO_DARK, "More light.", {"brightness": 0.03, "contrast": 0.01}
    )
    nobody = replace(
        decision(None, at=later(5)), rejected=(dark,), candidates=(Candidate("zoe", -2, None, -2),)
    )
    furnish(store)
    enrol(store)
    probe = replace(seen_embeddings(), face=dark)
    with store.begin() as unit:
        unit.decisions.add(nobody, probe=probe)
    with store.read() as unit:
        (one,) = windows.seen(unit, "kitchen", WINDOW, eyes=EYES)
    assert one.features["face.brightness"] == pytest.approx(0.03)
    assert (one.likely, one.failed) == (None, True)
    assert one.reasons["face"] == "face_too_dark"


@on_sqlite
def test_the_latest_are_taken_where_there_are_too_many_and_others_are_not_asked_for(
    store: Store,
) -> None:
    kept(
        store,
        *(decision(at=later(i)) for i in range(5)),
        decision(at=later(-1)),
        decision(at=later(3600)),
    )
    furnish(store, "roof")
    with store.begin() as unit:
        unit.decisions.add(replace(decision(None, at=later(4)), fridge="roof"))
    with store.read() as unit:
        seen = windows.seen(unit, "kitchen", replace(WINDOW, most=3))
    assert [one.at for one in seen] == [later(4), later(3), later(2)]


@on_sqlite
def test_a_pin_and_an_erased_probe_tell_of_no_capture(store: Store) -> None:
    pin = replace(
        decision(at=later(2)), method=Method.PIN, characterizer=None, candidates=(), rejected=()
    )
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.decisions.add(pin)
        unit.decisions.add(decision(at=later(3)))  # its probe was swept
    with store.read() as unit:
        swept, typed = windows.seen(unit, "kitchen", WINDOW, eyes=EYES)
    assert typed.features == {}
    assert (typed.granted, typed.biometric, typed.reasons) == ("zoe", False, {})
    assert swept.features == {}
    assert swept.outcome == DecisionOutcome.GRANTED.value


@on_sqlite
def test_members_are_compared_with_their_first_capture(store: Store) -> None:
    furnish(store)
    enrol(store, captures=2)
    with store.begin() as unit:
        unit.captures.add(
            "kitchen", "zoe", embeddings=seen_embeddings(9), raw={"image": b"x"}, at=later(9),
            characterizer=NETS,
        )  # fmt: skip
    with store.read() as unit:
        found = windows.enrolled(unit, "kitchen", {"zoe": None, "nobody": None}, EYES)
        first = unit.captures.of("kitchen", "zoe")[0].embeddings.face
    assert isinstance(first, Embedding)
    assert found["face.brightness"] == {"zoe": first.quality["brightness"]}
    # The first that has it: earlier ones were not measured, or were seen by other nets.
    assert found["voice.level_db"] == {"zoe": pytest.approx(-24.0)}
    assert found["face.norm"] == {"zoe": pytest.approx(1.0)}
