"""How somebody becomes a member: good captures of one person, new to the fridge, or nothing."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.service.scene import NO_FACE, Kitchen, on_sqlite, picture, probe, sample, samples, speech
from visavox.errors import (
    AlreadyEnrolled,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    SeveralPeople,
)
from visavox.service import enrolment, events, grants, members
from visavox.service.answer import Sample
from visavox.store import Store
from visavox.store.records import DecisionOutcome
from visavox.types import SAMPLE_RATE


def kept(kitchen: Kitchen, store: Store, tmp_path: Path) -> tuple[int, int, int]:
    """Members, captures' files and pending retrainings."""
    with store.read() as unit:
        found = len(unit.members.ids("kitchen"))
        pending = len(unit.retraining.pending("kitchen"))
    files = [p for p in (tmp_path / "captures").rglob("*") if p.is_file()]
    return found, len(files), pending


def test_everything_about_a_newcomer_is_kept_at_once(
    kitchen: Kitchen, store: Store, tmp_path: Path
) -> None:
    enrolled = kitchen.enrol(0, pin="739182", locale="fr")
    member = enrolled.member
    assert (member.id, member.name, member.locale) == ("p0", "Persona 0", "fr")
    assert (member.has_pin, member.captures, enrolled.captures) == (True, 2, 2)
    assert enrolled.warnings == ()
    assert member.number.isdecimal()
    assert kept(kitchen, store, tmp_path) == (1, 4, 1)
    with store.read() as unit:
        assert unit.retraining.pending("kitchen")[0].reason == "member_enrolled"
        first = unit.captures.of("kitchen", "p0")[0]
        assert unit.captures.raw(first) == {
            "image-0": picture(0, 0, 0),
            "audio": speech(0, 0, 0),
        }
    found = members.captures(kitchen.house, kitchen.admin, "kitchen", "p0")
    assert len(found.items) == 2
    assert [
        g.compartment for g in grants.page(kitchen.house, kitchen.admin, "kitchen", "p0").items
    ] == ["left"]
    assert events.page(kitchen.house, kitchen.admin, fridge="kitchen").items[0].kind == (
        "member_enrolled"
    )


def test_a_poor_capture_refuses_them_all_with_its_reason(
    kitchen: Kitchen, store: Store, tmp_path: Path
) -> None:
    grey = Sample(images=(NO_FACE,), audio=speech(0, 0, 1))
    broken = Sample(images=(b"no picture",))
    with pytest.raises(Refused, match="2 of 3") as refusal:
        kitchen.enrol(0, samples=[sample(0), grey, broken])
    assert [(f.code, f.field) for f in refusal.value.findings] == [
        ("no_face", "captures[1].face"),
        ("capture_unreadable", "captures[2]"),
    ]
    assert all(f.next_step for f in refusal.value.findings)
    assert kept(kitchen, store, tmp_path) == (0, 0, 0)


def test_a_capture_poor_in_face_and_voice_counts_once(kitchen: Kitchen) -> None:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(3 * SAMPLE_RATE), SAMPLE_RATE, format="WAV")
    with pytest.raises(Refused, match="1 of 1") as refusal:
        kitchen.enrol(0, samples=[Sample(images=(NO_FACE,), audio=silence.getvalue())])
    assert {f.field for f in refusal.value.findings} == {"captures[0].face", "captures[0].voice"}


def test_captures_of_several_people_are_refused(
    kitchen: Kitchen, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(SeveralPeople) as refusal:
        kitchen.enrol(0, samples=[sample(0), sample(0, 0, 1), sample(5)])
    assert "captures[2]" in {f.field for f in refusal.value.findings}
    assert kept(kitchen, store, tmp_path) == (0, 0, 0)


def test_one_face_with_two_voices_is_refused(kitchen: Kitchen) -> None:
    with pytest.raises(SeveralPeople):
        kitchen.enrol(0, samples=[sample(0), sample(0, 0, 1, voice=5)])


def test_somebody_who_is_a_member_already_is_told_from_a_newcomer(
    kitchen: Kitchen, store: Store, tmp_path: Path
) -> None:
    kitchen.enrol(0)
    before = kept(kitchen, store, tmp_path)
    again = [sample(0, 2, 0), sample(0, 2, 1)]
    with pytest.raises(AlreadyEnrolled) as refusal:
        kitchen.enrol(0, id="twin", name="Somebody Else", samples=again)
    assert [(f.code, f.member) for f in refusal.value.findings] == [("already_enrolled", "p0")]
    assert kept(kitchen, store, tmp_path) == before
    taken = kitchen.enrol(0, id="twin", samples=again, accept_warnings=True)
    assert [(w.code, w.member) for w in taken.warnings] == [("already_enrolled", "p0")]


def test_who_has_a_members_face_or_voice_alone_is_let_in_with_a_warning(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    looks = kitchen.enrol(5, samples=[sample(0, 2, 0, voice=5), sample(0, 2, 1, voice=5)])
    assert [(w.code, w.member) for w in looks.warnings] == [("looks_like", "p0")]
    sounds = kitchen.enrol(7, samples=[sample(7, 2, 0, voice=0), sample(7, 2, 1, voice=0)])
    assert ("sounds_like", "p0") in [(w.code, w.member) for w in sounds.warnings]


def test_people_who_have_nothing_in_common_raise_no_warning(kitchen: Kitchen) -> None:
    for who in range(4):
        assert kitchen.enrol(who).warnings == ()


def test_a_face_without_a_voice_is_taken_with_a_warning(kitchen: Kitchen) -> None:
    enrolled = kitchen.enrol(0, samples=[Sample(images=(picture(0, 0, i),)) for i in range(2)])
    assert [w.code for w in enrolled.warnings] == ["face_only"]
    assert enrolled.usable_at_once


def test_nobody_is_enrolled_without_consent(kitchen: Kitchen) -> None:
    with pytest.raises(Invalid) as refusal:
        kitchen.enrol(0, consent=False)
    assert refusal.value.findings[0].field == "consent"


@on_sqlite
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"locale": "de"}, "locale"),
        ({"pin": "123456"}, "pin"),
        ({"samples": []}, "captures"),
        ({"samples": [Sample()] * 11}, "captures"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_looked_at(
    kitchen: Kitchen, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        kitchen.enrol(0, **given)
    assert refusal.value.findings[0].field == field


def test_an_unknown_compartment_or_fridge_is_not_found(kitchen: Kitchen) -> None:
    with pytest.raises(NotFound, match="middle"):
        kitchen.enrol(0, compartments=("middle",))
    with pytest.raises(NotFound, match="cellar"):
        enrolment.enrol(
            kitchen.house, kitchen.admin, "cellar", name="A", consent=True, samples=samples(0)
        )


def test_a_kiosk_enrols_nobody(kitchen: Kitchen) -> None:
    with pytest.raises(Forbidden):
        enrolment.enrol(
            kitchen.house, kitchen.kiosk, "kitchen", name="A", consent=True, samples=samples(0)
        )


def test_an_id_is_given_once(kitchen: Kitchen, store: Store, tmp_path: Path) -> None:
    kitchen.enrol(0)
    before = kept(kitchen, store, tmp_path)
    with pytest.raises(Conflict):
        kitchen.enrol(1, id="p0")
    assert kept(kitchen, store, tmp_path) == before


def test_more_captures_make_a_member_better_known(kitchen: Kitchen, store: Store) -> None:
    kitchen.enrol(0)
    first = kitchen.ask(probe(0)).decision.candidates[0].fused
    added = enrolment.add(kitchen.house, kitchen.admin, "kitchen", "p0", [sample(0, 2, 0)])
    assert (added.captures, added.member.captures) == (1, 3)
    answer = kitchen.ask(probe(0))
    assert answer.decision.outcome is DecisionOutcome.GRANTED
    assert answer.decision.candidates[0].fused != first
    with store.read() as unit:
        reasons = {r.reason for r in unit.retraining.pending("kitchen")}
    assert reasons == {"member_enrolled", "captures_added"}


def test_captures_of_somebody_else_are_not_added(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    with pytest.raises(SeveralPeople) as refusal:
        enrolment.add(kitchen.house, kitchen.admin, "kitchen", "p0", [sample(5)])
    assert refusal.value.findings[0].field == "captures[0]"
    added = enrolment.add(
        kitchen.house, kitchen.admin, "kitchen", "p0", [sample(5)], accept_warnings=True
    )
    assert added.member.captures == 3


def test_captures_of_another_member_are_not_added(kitchen: Kitchen) -> None:
    kitchen.enrol(0)
    kitchen.enrol(5)
    with pytest.raises((SeveralPeople, AlreadyEnrolled)):
        enrolment.add(kitchen.house, kitchen.admin, "kitchen", "p0", [sample(5, 2, 0)])


def test_a_member_has_so_many_captures_at_the_most(kitchen: Kitchen) -> None:
    small = kitchen.set(captures_of_a_member=2)
    small.enrol(0)
    with pytest.raises(Conflict, match="2 are enough"):
        enrolment.add(small.house, small.admin, "kitchen", "p0", [sample(0, 2, 0)])
