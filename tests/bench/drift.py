"""How often drift is found where there is none, and where there is some: reports/monitoring.json.

Windows are drawn from the kept cohort, 120 personas who came three times each; one of the three
visits plays the enrolment. `python -m tests.bench drift`, five minutes.
"""

from collections.abc import Callable

import numpy as np

from tests import cohort
from tests.bench.report import ROOT, record
from visavox import characterizer
from visavox.monitoring import chance, drift, features
from visavox.monitoring.drift import Shift, Verdict
from visavox.monitoring.report import TESTS

MONITORING = ROOT / "reports" / "monitoring.json"
LOOKS, MEMBERS = 400, 20
WINDOWS = 40
SIZES = (8, 12, 20, 50)
CHANGES: dict[str, tuple[str, Callable[[float], float]]] = {
    "light_0.55": ("face.brightness", lambda x: x * 0.55),
    "light_0.8": ("face.brightness", lambda x: x * 0.8),
    "snr_minus_10_db": ("voice.snr_db", lambda x: x - 10),
    "snr_minus_5_db": ("voice.snr_db", lambda x: x - 5),
}

Grid = dict[str, features.Floats]


def run() -> None:
    grid, rng = visits(), np.random.default_rng(0)
    figures: dict[str, float] = {}
    for level in (0.05, drift.FALSE_ALARMS):
        some = [
            any(s.verdict in (Verdict.SLIGHT, Verdict.DRIFTED) for s in look(grid, rng, level))
            for _ in range(LOOKS)
        ]
        figures[f"false_alarms_stated_{level:g}"] = float(np.mean(some))
    for members in SIZES:
        for name, (feature, change) in CHANGES.items():
            found = [
                one(grid[feature], rng, members, drift.FALSE_ALARMS, change).verdict
                is Verdict.DRIFTED
                for _ in range(WINDOWS)
            ]
            figures[f"found_{name}_{members}_members"] = float(np.mean(found))
    for members in (6, 8, 10):
        found = [often(rng, members).verdict is Verdict.DRIFTED for _ in range(WINDOWS)]
        figures[f"found_3_sd_in_5_visits_{members}_members"] = float(np.mean(found))
    for people in (20, 50, 100):
        above = [steady_psi(grid["voice.snr_db"], rng, people) > 0.2 for _ in range(LOOKS)]
        figures[f"steady_psi_above_0.2_{people}_people"] = float(np.mean(above))
    for feature, values in grid.items():
        within = float(np.nanmean(np.nanvar(values, axis=1, ddof=1)))
        figures[f"share_of_people_{feature}"] = 1 - within / float(np.nanvar(values))
    trials = {"looks": LOOKS, "members": MEMBERS, "visits": 2, "windows": WINDOWS}
    record("drift", figures, trials=trials, path=MONITORING)


def visits() -> Grid:
    """Per feature, (people, visits)."""
    table, people, sessions = cohort.read(characterizer.load())
    rows = np.unique(people, return_inverse=True)[1]
    columns = np.array(sessions, dtype=int)
    found = {}
    for name, values in features.of_captures(table, features.centres(table)).items():
        grid = np.full((rows.max() + 1, columns.max() + 1), np.nan)
        grid[rows, columns] = values
        found[name] = grid[np.isfinite(grid).sum(axis=1) > 1]
    return found


def look(grid: Grid, rng: np.random.Generator, level: float) -> list[Shift]:
    """All features of one fridge where nothing has changed."""
    return [one(values, rng, MEMBERS, level, float, feature=name) for name, values in grid.items()]


def one(
    values: features.Floats,
    rng: np.random.Generator,
    members: int,
    level: float,
    change: Callable[[float], float],
    *,
    feature: str = "x",
) -> Shift:
    chosen = rng.permuted(values[rng.choice(len(values), members, replace=False)], axis=1)
    before = {str(i): float(v[0]) for i, v in enumerate(chosen)}
    now = {
        str(i): [change(float(x)) for x in v[1:] if np.isfinite(x)] for i, v in enumerate(chosen)
    }
    return drift.against_people(feature, before, now, level=level, tests=TESTS)


def often(rng: np.random.Generator, members: int) -> Shift:
    """Drawn, for no cohort came so often: five visits each, moved by three times what varies
    between visits, which is what 0.55 of the light does."""
    own = 2.2 * rng.standard_normal(members)
    before = {str(i): float(o + rng.standard_normal()) for i, o in enumerate(own)}
    now = {str(i): list(o + 3 + rng.standard_normal(5)) for i, o in enumerate(own)}
    return drift.against_people("x", before, now, level=drift.FALSE_ALARMS, tests=TESTS)


def steady_psi(values: features.Floats, rng: np.random.Generator, people: int) -> float:
    """The plain PSI of two visits of the same people, in tenths of the first."""
    chosen = rng.permuted(values[rng.choice(len(values), people, replace=False)], axis=1)
    chosen = chosen[np.isfinite(chosen[:, :2]).all(axis=1)]
    edges = drift.quantiles(chosen[:, 0])
    bins = np.searchsorted(edges, chosen[:, :2], side="right")
    shares = [np.bincount(b, minlength=len(edges) + 1) / len(chosen) for b in bins.T]
    return float(chance.psi(shares[0], shares[1], len(chosen)))
