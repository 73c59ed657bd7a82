"""Where a figure comes from: the commit, the data and the machine that made it."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from visavox.manifest import NAME as MANIFEST

UNKNOWN = "unknown"

# What a pipeline run itself writes into git's tree does not make its code another code.
_WRITTEN_BY_RUNS = (":(exclude)dvc.lock", ":(exclude)**/dvc.lock", ":(exclude)reports")


@dataclass(frozen=True, slots=True)
class Commit:
    """The code that ran; `dirty` when tracked files differ from it."""

    sha: str
    dirty: bool


def commit(folder: Path | None = None) -> Commit:
    """The commit of the checkout that `folder` (the working directory) lies in."""
    sha = _git(folder, "rev-parse", "HEAD")
    if sha is None:
        return Commit(UNKNOWN, dirty=True)
    changed = _git(
        folder, "status", "--porcelain", "--untracked-files=no", "--", ":/", *_WRITTEN_BY_RUNS
    )
    return Commit(sha, dirty=changed != "")


def measured() -> dict[str, Any]:
    """What stands beside every figure: when, from which code, and on what machine."""
    code = commit()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": code.sha,
        "dirty": code.dirty,
        "processor": processor(),
        "cores": cores(),
        "python": platform.python_version(),
    }


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def processor() -> str:
    """The processor's trade name."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or UNKNOWN


def digest(values: Mapping[str, Any]) -> str:
    """One name for a configuration: SHA-256 of its canonical JSON."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def data_hash(dataset: Path) -> str:
    """The content of a dataset: SHA-256 of its manifest, which names every file's own."""
    manifest = dataset / MANIFEST
    if not manifest.is_file():
        return UNKNOWN
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def dvc_hash(out: Path, *, lock: Path = Path("dvc.lock")) -> str:
    """The hash under which DVC has `out`, as the lock file of the last repro says."""
    if not lock.is_file():
        return UNKNOWN
    locked = yaml.safe_load(lock.read_text(encoding="utf-8")) or {}
    for made in locked.get("stages", {}).values():
        for entry in made.get("outs", ()):
            if entry["path"] == out.as_posix():
                return str(entry["md5"])
    return UNKNOWN


def _git(folder: Path | None, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
