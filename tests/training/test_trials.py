"""Searches made as the service would, what is read off them, and their file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from visavox.decision import Level, Policy
from visavox.errors import DataError, NotEnoughData
from visavox.manifest import Row
from visavox.table import EmbeddingTable, Scores
from visavox.training import trials
from visavox.training.evaluate_searches import Fridge, embeddings_at, searches
from visavox.training.trials import STREAMS, Kind, Served, Trials
from visavox.types import (
    FACE_QUALITY,
    VOICE_QUALITY,
    Embedding,
    Embeddings,
    Modality,
    Reason,
    Rejected,
)

Crowd = Callable[..., Trials]

NAN = float("nan")
NEVER = Rejected(Modality.VOICE, Reason.TOO_QUIET, "Speak up.")


def policy(threshold: float = 2.0) -> Policy:
    level = Level(
        fpir=0.01, threshold=threshold, face_threshold=threshold, voice_threshold=99.0, margin=1.0
    )
    return Policy(members=2, strangers=10, captures=20, levels={"normal": level})


def embedding(direction: int, names: tuple[str, ...]) -> Embedding:
    vector = np.zeros(4, np.float32)
    vector[direction] = 1.0
    return Embedding(vector, dict.fromkeys(names, 0.5))


def seen(direction: int, *, voice: bool = True, face: bool = True) -> Embeddings:
    return Embeddings(
        embedding(direction, FACE_QUALITY)
        if face
        else Rejected(Modality.FACE, Reason.NO_FACE, "Come closer."),
        embedding(direction, VOICE_QUALITY) if voice else NEVER,
    )


@dataclass(frozen=True)
class Directions:
    """Each member owns a direction: LLR 8 along it, -8 across."""

    members: tuple[str, ...]
    axes: tuple[int, ...]

    def score(self, table: EmbeddingTable) -> Scores:
        face = 16.0 * table.face.vectors[:, list(self.axes)].astype(np.float64) - 8.0
        voice = 16.0 * table.voice.vectors[:, list(self.axes)].astype(np.float64) - 8.0
        both = np.nansum([face, voice], axis=0)
        gone = np.isnan(face) & np.isnan(voice)
        return Scores(self.members, face, voice, np.where(gone, NAN, both))


FRIDGES = (
    Fridge("a", Directions(("ann", "bob"), (0, 1)), policy()),
    Fridge("b", Directions(("cy",), (2,)), policy()),
)


def row(capture: str, person: str, fridge: str, split: str, **more: object) -> Row:
    return replace(Row(capture, person, fridge, "s", split), **more)  # type: ignore[arg-type]


ROWS = (
    row("e0", "ann", "a", "enrol"),
    row("p0", "ann", "a", "probe", slices={"tone": "dark"}),
    row("p1", "bob", "a", "probe"),
    row("p2", "cy", "b", "probe"),
    row("x0", "zoe", "", "stranger", slices={"tone": "light"}),
    row("x1", "yan", "", "stranger"),
    row("k0", "ann", "a", "attack", attack="print"),
    row("t0", "tom", "", "train"),
)
SEEN = {
    "e0": seen(0),
    "p0": seen(0),
    "p1": seen(0),  # bob, taken for ann
    "p2": seen(2, voice=False),
    "x0": seen(3),
    "x1": seen(1, voice=False, face=False),
    "k0": seen(0),
    "t0": seen(0),
}


def table(names: tuple[str, ...] = tuple(SEEN)) -> EmbeddingTable:
    return EmbeddingTable.of(names, [SEEN[n] for n in names], face_dim=4, voice_dim=4)


@pytest.fixture(scope="module")
def made() -> Trials:
    return searches(FRIDGES, ROWS, table(), risk="normal")


def told(made: Trials) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (
            made.fridges[made.fridge[s]],
            made.captures.names[made.capture[s]],
            Kind(made.kind[s]).name,
            Served(made.served[s]).name,
            made.members[made.granted[s]][1] if made.granted[s] >= 0 else None,
        )
        for s in range(made.searches)
    ]


def test_members_search_at_home_and_strangers_everywhere(made: Trials) -> None:
    assert told(made) == [
        ("a", "p0", "MEMBER", "GRANTED", "ann"),
        ("a", "p1", "MEMBER", "GRANTED", "ann"),
        ("a", "x0", "STRANGER", "REFUSED", None),
        ("a", "x1", "STRANGER", "RETRY", None),
        ("a", "k0", "ATTACK", "GRANTED", "ann"),
        ("b", "p2", "MEMBER", "GRANTED", "cy"),
        ("b", "x0", "STRANGER", "REFUSED", None),
        ("b", "x1", "STRANGER", "RETRY", None),
    ]


def test_a_search_granted_to_another_member_is_missed(made: Trials) -> None:
    members = made.of(Kind.MEMBER)
    assert made.missed[members].tolist() == [False, True, False]


def test_own_and_best_other_scores_are_told_apart(made: Trials) -> None:
    found = made.mated("face")
    assert found.own.tolist() == [8.0, -8.0, 8.0]
    assert found.other.tolist() == [-8.0, 8.0, -np.inf]  # cy has nobody beside her
    np.testing.assert_array_equal(made.mated("voice").own, [8.0, -8.0, NAN])
    strangers = made.of(Kind.STRANGER)
    np.testing.assert_array_equal(made.top("fused")[strangers], [-16.0, NAN, -16.0, NAN])


def test_pairs_leave_out_attacks_and_what_could_not_be_scored(made: Trials) -> None:
    mated, nonmated = made.pairs("voice")
    assert mated.size == 2  # p0, p1; p2 was not heard
    assert nonmated.size == 2 + 2 + 1  # p0 and p1 against the other; x0 at both fridges
    assert made.kind[made.search[np.concatenate([mated, nonmated])]].max() < Kind.ATTACK


def test_captures_carry_reasons_and_slices(made: Trials) -> None:
    of = made.captures
    assert dict(zip(of.names, of.voice_rejected, strict=True))["p2"] == "too_quiet"
    assert dict(zip(of.names, of.face_rejected, strict=True))["x1"] == "no_face"
    assert of.slices["tone"][of.names.index("x0")] == "light"
    assert of.slices["tone"][of.names.index("p1")] == ""
    assert "e0" not in of.names


def test_a_row_of_a_table_is_what_the_pipeline_would_hand_on() -> None:
    again = embeddings_at(table(), list(SEEN).index("p2"))
    assert isinstance(again.face, Embedding)
    assert again.face.quality == dict.fromkeys(FACE_QUALITY, 0.5)
    assert again.face.vector.tolist() == [0, 0, 1, 0]
    assert isinstance(again.voice, Rejected)
    assert again.voice.reason is Reason.TOO_QUIET


def test_progress_is_told_after_each_fridge() -> None:
    calls: list[int] = []
    searches(FRIDGES, ROWS, table(), risk="normal", done=lambda: calls.append(1))
    assert len(calls) == len(FRIDGES)


def test_a_fridge_without_members_has_searches_without_pairs() -> None:
    empty = Fridge("c", Directions((), ()), policy())
    found = searches((*FRIDGES, empty), ROWS, table(), risk="normal")
    assert np.isnan(found.top("fused")[found.fridge == 2]).all()
    assert (found.served[found.fridge == 2] == Served.REFUSED).all()
    np.testing.assert_array_equal(
        found.top("fused")[found.fridge < 2],
        searches(FRIDGES, ROWS, table(), risk="normal").top("fused"),
    )


@pytest.mark.parametrize(
    ("rows", "names", "problem"),
    [
        (ROWS, tuple(SEEN)[:3], "4 captures of the manifest have no features, 'p2' first"),
        ((*ROWS, row("p9", "eve", "a", "probe")), None, "does not know them"),
        ((*ROWS, row("x9", "bob", "", "stranger")), None, "The stranger 'bob' is a member"),
        ((*ROWS, row("p9", "eve", "z", "probe")), None, "The fridges z of the manifest are not"),
        (ROWS[:4], None, "no captures of the split 'stranger'"),
        (ROWS[4:], None, "no captures of the split 'probe'"),
    ],
)
def test_a_dataset_that_does_not_fit_is_refused(
    rows: tuple[Row, ...], names: tuple[str, ...] | None, problem: str
) -> None:
    more = {name: seen(0) for name in ("p9", "x9")} | SEEN
    every = names or tuple(more)
    whole = EmbeddingTable.of(every, [more[n] for n in every], face_dim=4, voice_dim=4)
    with pytest.raises(DataError, match=problem):
        searches(FRIDGES, rows, whole, risk="normal")


def test_no_fridge_is_no_evaluation() -> None:
    with pytest.raises(NotEnoughData, match="no fridge"):
        searches((), ROWS, table(), risk="normal")


def test_trials_come_back_from_their_file_as_they_were(made: Trials, tmp_path: Path) -> None:
    again = trials.read(trials.write(made, tmp_path / "deep" / "trials.safetensors"))
    assert told(again) == told(made)
    assert again.captures == made.captures
    assert again.members == made.members
    np.testing.assert_array_equal(again.start, made.start)
    np.testing.assert_array_equal(again.member, made.member)
    for stream in STREAMS:
        np.testing.assert_array_equal(again.llr[stream], made.llr[stream])


def test_the_same_trials_are_the_same_file(crowd: Crowd, tmp_path: Path) -> None:
    paths = [trials.write(crowd(seed=s), tmp_path / f"{i}") for i, s in enumerate((1, 1, 2))]
    one, same, other = (p.read_bytes() for p in paths)
    assert one == same
    assert one != other


def test_a_missing_or_foreign_file_is_told_by_name(made: Trials, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no trials at"):
        trials.read(tmp_path / "none")
    (tmp_path / "noise").write_bytes(b"\x00" * 40)
    with pytest.raises(DataError, match="cannot be read"):
        trials.read(tmp_path / "noise")
    whole = trials.write(made, tmp_path / "whole").read_bytes()
    (tmp_path / "newer").write_bytes(whole.replace(rb"\"format\": 1", rb"\"format\": 2"))
    with pytest.raises(DataError, match="format is 2, not 1"):
        trials.read(tmp_path / "newer")


def test_arrays_that_do_not_fit_together_are_refused(made: Trials) -> None:
    with pytest.raises(DataError, match="kind is not one number per search"):
        replace(made, kind=made.kind[1:])
    with pytest.raises(DataError, match="do not span the pairs"):
        replace(made, start=made.start + 1)
    with pytest.raises(DataError, match="not one LLR per pair"):
        replace(made, llr={"fused": made.llr["fused"]})


def test_taking_searches_keeps_their_scores_and_numbers_the_rest_by_name(crowd: Crowd) -> None:
    whole = crowd(fridges=3, seed=4)
    picked = np.random.default_rng(0).permutation(whole.of(Kind.MEMBER))[:10]
    part = whole.take(picked)
    assert part.searches == 10
    assert part.captures.names == tuple(sorted(set(part.captures.names)))
    for new, old in enumerate(picked):
        assert part.fridges[part.fridge[new]] == whole.fridges[whole.fridge[old]]
        assert part.people[part.person[new]] == whole.people[whole.person[old]]
        ours, theirs = slice(*part.start[new : new + 2]), slice(*whole.start[old : old + 2])
        np.testing.assert_array_equal(part.llr["fused"][ours], whole.llr["fused"][theirs])
        np.testing.assert_array_equal(part.member[ours], whole.member[theirs])


def test_equal_searches_are_numbered_alike_wherever_their_captures_stood(crowd: Crowd) -> None:
    whole = crowd(fridges=3)
    count = len(whole.captures)
    backwards = replace(
        whole,
        captures=whole.captures.take(np.arange(count)[::-1]),
        capture=count - 1 - whole.capture,
        fridges=whole.fridges[::-1],
        fridge=2 - whole.fridge,
    )
    picked = np.arange(0, whole.searches, 3)
    one, other = whole.take(picked), backwards.take(picked)
    assert one.captures == other.captures
    assert one.fridges == other.fridges
    np.testing.assert_array_equal(one.capture, other.capture)
    np.testing.assert_array_equal(one.fridge, other.fridge)
