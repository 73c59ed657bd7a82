"""Can the dataset be believed? Nothing that is measured on may have been trained on.

Splits are by identity and session. Each check names the captures that break it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from visavox.errors import DataError
from visavox.manifest import Manifest, Row, sha256

MEMBERS = ("enrol", "probe")
_APART = ("stranger", "cohort", "train", "validation")
_SHOWN = 5
_FRIDGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # becomes a folder's name


def check(manifest: Manifest) -> None:
    """Raise DataError where splits of one dataset overlap, or a row cannot be what it says."""
    _check_names(manifest)
    _check_files(manifest)
    _check_sessions(manifest)
    _check_identities(manifest)
    _check_probes(manifest)


def check_apart(manifest: Manifest, cohort: Manifest) -> None:
    """Raise DataError where someone, or some file, of `manifest` is in its cohort too."""
    known = {r.person for r in cohort}
    _refuse(
        "people are in the cohort that the fridges are trained against",
        [r for r in manifest if r.person in known],
        "Leave them out of one of the two, or give namesakes different names.",
    )
    hashes = {f.sha256 for r in cohort for f in r.files}
    _refuse(
        "files are in the cohort too",
        [r for r in manifest if any(f.sha256 in hashes for f in r.files)],
        "Remove the copies.",
    )


def verify_files(manifest: Manifest) -> None:
    """Raise DataError where a row's file is missing, or is not the one whose hash is written."""
    missing, altered = [], []
    for row in manifest:
        for file in row.files:
            path = manifest.root / file.path
            if not path.is_file():
                missing.append(row)
            elif sha256(path.read_bytes()) != file.sha256:
                altered.append(row)
    _refuse("files are missing", missing, "Fetch them (`dvc pull`), or remove the rows.")
    _refuse(
        "files are not those that the manifest's SHA-256 names",
        altered,
        "Restore them (`dvc checkout`), or write the new hashes into the manifest.",
    )


def _check_names(manifest: Manifest) -> None:
    _refuse(
        "captures name neither picture, sound nor clip",
        [r for r in manifest if not r.files],
        "Name a file, or remove the row.",
    )
    _refuse(
        "captures have files without a SHA-256",
        [r for r in manifest if not all(f.sha256 for f in r.files)],
        "Write the hashes into the manifest.",
    )
    _refuse(
        "captures of members or attacks name no fridge, or one that cannot be a folder's name",
        [
            r
            for r in manifest
            if (r.fridge or r.split in (*MEMBERS, "attack")) and not _FRIDGE.fullmatch(r.fridge)
        ],
        "Name fridges with up to 64 letters, digits, '.', '_' and '-'.",
    )


def _check_files(manifest: Manifest) -> None:
    owners = _grouped((f.sha256, r) for r in manifest for f in r.files)
    _refuse(
        "files stand in two splits",
        [r for rows in owners.values() if len({r.split for r in rows}) > 1 for r in rows],
        "Keep each file in one split only.",
    )


def _check_sessions(manifest: Manifest) -> None:
    sessions = _grouped(
        ((r.fridge, r.person, r.session), r) for r in manifest if r.split in MEMBERS
    )
    _refuse(
        "captures of one session are in both enrol and probe",
        [r for rows in sessions.values() if len({r.split for r in rows}) > 1 for r in rows],
        "Probe with captures of another session.",
    )


def _check_identities(manifest: Manifest) -> None:
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for row in manifest:
        if row.split in MEMBERS:
            roles[row.person].add("member")
        elif row.split in _APART:
            roles[row.person].add(row.split)
    _refuse(
        "people play two parts that must be played by different people",
        [r for r in manifest if r.split != "attack" and len(roles[r.person]) > 1],
        "Give each person one part: member, stranger, cohort, train or validation.",
    )


def _check_probes(manifest: Manifest) -> None:
    enrolled = {(r.fridge, r.person) for r in manifest.of(split="enrol")}
    _refuse(
        "captures probe, or attack, members who are not enrolled",
        [
            r
            for r in manifest
            if r.split in ("probe", "attack") and (r.fridge, r.person) not in enrolled
        ],
        "Enrol them, or make them strangers.",
    )


def _grouped(pairs: Iterable[tuple[object, Row]]) -> dict[object, list[Row]]:
    groups: defaultdict[object, list[Row]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return groups


def _refuse(what: str, rows: list[Row], next_step: str) -> None:
    names = list(dict.fromkeys(r.capture for r in rows))
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise DataError(f"Some {what}: {', '.join(names[:_SHOWN])}{more}.", next_step=next_step)
