"""One fridge retrained from cached features: cohort, members, bundle written and read back."""

import tempfile
import time
from pathlib import Path

from tests.bench.people import crowd
from tests.bench.report import record
from visavox import bundle, characterizer
from visavox.training.fit import DiscriminatorSettings, prepare
from visavox.training.train import fit_fridge

TURNS = 3
SIZES = (20, 200, 2_000)
COHORT = 1200
"""People, as in configs/data/cohort.yaml."""


def run() -> None:
    nets = characterizer.load("embedded")
    dims = {"face_dim": nets.face_dim, "voice_dim": nets.voice_dim}
    cohort, strangers = crowd(COHORT, 6, **dims, seed=2)
    fastest: dict[int, float] = {}
    for members in SIZES:
        enrolment, names = crowd(members, 5, **dims, seed=1)
        spent = []
        for _ in range(TURNS):
            began = time.perf_counter()
            background = prepare(cohort, strangers, DiscriminatorSettings(), seed=1)
            fitted, drift = fit_fridge(background, enrolment, names, seed=1)
            with tempfile.TemporaryDirectory() as folder:
                made = bundle.write(
                    Path(folder),
                    fridge="bench",
                    discriminator=fitted.discriminator,
                    policy=fitted.policy,
                    characterizer_digest=nets.digest,
                    population=nets.population,
                    lineage={},
                    reference=drift,
                )
                bundle.load(made, characterizer_digest=nets.digest)
            spent.append(time.perf_counter() - began)
        fastest[members] = sorted(spent)[TURNS // 2]
    record(
        "retrain",
        {f"retrain_{members}_s": seconds for members, seconds in fastest.items()},
        trials={"turns": TURNS, "cohort_people": COHORT, "captures_per_member": 5},
    )
