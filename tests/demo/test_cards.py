from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import visavox
from demo import cards
from demo.problems import ApiProblem, DemoProblem, FieldProblem
from visavox.types import Reason

NASTY = '<img src=x onerror="alert(1)">'
NAMES = {"f00m00": "Alex"}

GRANTED: dict[str, Any] = {
    "id": "dec_1",
    "at": "2026-11-28T19:40:00.5Z",
    "kiosk": "key_1",
    "method": "biometric",
    "outcome": "granted",
    "member": {"id": "f00m00", "name": "Alex", "locale": "en"},
    "compartments": [{"id": "top", "name": "Top shelf"}],
    "reasons": ["match"],
    "next_step": "Open the fridge.",
    "modalities": {"face": "accepted", "voice": "too_quiet"},
    "scores": {"threshold": 3.7, "candidates": [{"member": "f00m00", "fused": 9.0}]},
    "models": {"characterizer": "aa", "bundle": "bb", "base": None},
    "provisional": True,
    "expires_at": "2026-11-28T19:40:08.5Z",
    "ticket": "abc.def",
}


class Text(HTMLParser):
    """Only what a person would read."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 (the parser's)
        self.tags.append(tag)


def read(markup: str) -> str:
    parser = Text()
    parser.feed(markup)
    return " ".join("".join(parser.words).split())


def name_of(member: str) -> str:
    return NAMES.get(member, member)


def test_a_grant_says_who_what_opens_and_until_when() -> None:
    text = read(cards.decision(GRANTED, name_of))
    for expected in ("Granted: Alex", "Open the fridge.", "Top shelf", "19:40:08", "provisional"):
        assert expected in text
    assert "too quiet" in text


def test_a_ticket_is_never_put_on_the_page() -> None:
    assert "abc.def" not in cards.decision(GRANTED, name_of)


def test_a_lock_says_how_long() -> None:
    told = {**GRANTED, "outcome": "locked", "member": None, "ticket": None, "retry_after_s": 29.6}
    assert "listens again in 30 s" in read(cards.decision(told))


def test_an_outcome_of_tomorrow_is_shown_all_the_same() -> None:
    assert "Unknown" in read(cards.decision({"id": "dec_2", "outcome": "pondering"}))


@pytest.mark.parametrize(
    "markup",
    [
        cards.decision({**GRANTED, "next_step": NASTY, "reasons": [NASTY], "id": NASTY}),
        cards.decision({**GRANTED, "member": {"id": NASTY, "name": NASTY}}),
        cards.decision({**GRANTED, "compartments": [NASTY], "modalities": {NASTY: NASTY}}),
        cards.problem(DemoProblem(NASTY, next_step=NASTY)),
        cards.problem(
            ApiProblem(
                NASTY,
                next_step=NASTY,
                status=422,
                code=NASTY,
                request_id=NASTY,
                fields=(FieldProblem(NASTY, NASTY, NASTY, NASTY),),
            )
        ),
        cards.enrolled({"id": NASTY, "warnings": [{"code": NASTY, "detail": NASTY}]}, NASTY),
        cards.erased({"erased": {"captures": NASTY}}, NASTY, {"records": NASTY}),
        cards.lineage({"id": NASTY, "models": {NASTY: NASTY}}, {"lineage": {NASTY: NASTY}}),
        cards.banner(NASTY),
        cards.chips([NASTY]),
        cards.waiting(NASTY),
    ],
)
def test_nothing_that_others_wrote_becomes_markup(markup: str) -> None:
    parser = Text()
    parser.feed(markup)
    assert "img" not in parser.tags
    assert "onerror" in "".join(parser.words)


def test_a_problem_names_the_capture_and_the_member_it_is_about() -> None:
    error = ApiProblem(
        "2 of 3 captures are not good enough.",
        next_step="Hold still.",
        status=422,
        code="refused",
        request_id="r1",
        retry_after="4",
        fields=(
            FieldProblem("captures[1].face", "Blurred.", "Hold still."),
            FieldProblem("", "A member already.", "Look.", member="f00m00"),
            FieldProblem("pin", "Too short.", "Longer."),
        ),
    )
    text = read(cards.problem(error, name_of))
    assert "Capture 2, face: Blurred." in text
    assert "Alex: A member already." in text
    assert "pin: Too short." in text
    assert "request r1 · again in 4 s" in text
    assert 'role="alert"' in cards.problem(error)


def test_enrolment_says_what_the_admin_should_know() -> None:
    told = {
        "id": "mem_1",
        "number": "13",
        "provisional": True,
        "warnings": [{"code": "looks_like", "member": "f00m00", "detail": "They look alike."}],
    }
    text = read(cards.enrolled(told, "Ariel", name_of, left_out=2))
    for expected in ("Ariel is enrolled", "stricter", "Left out: 2", "(Alex)", "number 13"):
        assert expected in text


def test_proof_of_erasure_is_whole_or_says_that_it_is_not() -> None:
    told = {"erased": {"captures": 5, "blobs": 10, "key_destroyed": True, "audit_seq": 41}}
    text = read(cards.erased(told, "Alex", {"valid": True, "records": 42}))
    assert "data key destroyed yes" in text.replace("destroyedyes", "destroyed yes")
    assert "BROKEN" in read(cards.erased(told, "Alex", {"valid": False, "records": 42}))


def test_lineage_of_another_bundle_is_not_claimed_for_a_decision() -> None:
    model = {"bundle": "bb", "lineage": {"git": {"commit": "1234abc"}, "seeds": [1, 2]}}
    assert "1234abc" in cards.lineage(GRANTED, model)
    assert "1, 2" in cards.lineage(GRANTED, model)
    assert "1234abc" not in cards.lineage(GRANTED, {**model, "bundle": "cc"})


def test_instants_are_read_or_left_alone() -> None:
    assert cards.moment("2026-11-28T19:40:00.5Z") == "28 Nov 19:40:00"
    assert cards.moment("soon") == "soon"
    assert cards.moment(None) == ""


def test_the_banner_says_that_nobody_is_real() -> None:
    assert "people who do not exist" in cards.banner()


def test_events_are_those_that_the_service_writes() -> None:
    source = Path(visavox.__file__).parent
    said = "".join(p.read_text() for f in ("service", "store") for p in (source / f).glob("*.py"))
    assert [kind for kind in cards.EVENTS if f'"{kind}"' not in said] == []


def test_a_poor_capture_is_told_in_words_and_not_by_its_code() -> None:
    body = {
        "errors": [
            {
                "field": "captures[0].face",
                "problem": f"The face was rejected: {code}.",
                "next_step": "Hold still.",
                "code": code,
            }
            for code in [reason.value for reason in Reason]
        ]
    }
    text = read(cards.problem(ApiProblem.of(422, {}, body)))
    assert "Capture 1, face: Face blurred. Hold still." in text
    assert [r.value for r in Reason if "_" in r.value and r.value in text] == []
