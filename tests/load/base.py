"""Base bundles that newcomers are enrolled on: the cohort's own, and one for nets of random weights."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.bench.people import crowd
from tests.bench.report import ROOT
from visavox import bundle
from visavox.characterizer import Characterizer
from visavox.decision import Level
from visavox.training.base import FRIDGE, Newcomers, fit_base
from visavox.training.fit_settings import DiscriminatorSettings

COHORT = ROOT / "data" / "bundles" / "cohort" / FRIDGE


def cohort_base() -> Path:
    """The base bundle as `make demo` has it; made now where it is missing or out of date."""
    # DVC runs its stages with the python that it finds first.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--quiet", "base@cohort"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        check=True,
    )
    return bundle.find(COHORT)


def granting_base(nets: Characterizer, folder: Path) -> Path:
    """A base for nets of random weights, on which the best member is granted whatever the score.

    Their embeddings mean nothing, so every probe would be refused and soon the kiosk locked, which
    is answered without any work. A decision on this base costs what a real one costs.
    """
    dims = {"face_dim": nets.face_dim, "voice_dim": nets.voice_dim}
    cohort, people = crowd(300, 6, **dims, seed=2)
    made = fit_base(cohort, people, DiscriminatorSettings(), Newcomers(), seed=1)
    policy = made.fitted.policy
    policy = replace(policy, levels=_open(policy.levels), provisional=_open(policy.provisional))
    return bundle.write(
        folder,
        fridge=FRIDGE,
        discriminator=made.fitted.discriminator,
        policy=policy,
        characterizer_digest=nets.digest,
        population=nets.population,
        lineage={},
        reference=made.drift,
    )


def _open(levels: dict[str, Level]) -> dict[str, Level]:
    least = -1e9
    return {
        risk: replace(
            level, threshold=least, face_threshold=least, voice_threshold=least, margin=0.0
        )
        for risk, level in levels.items()
    }
