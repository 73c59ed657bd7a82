"""What Prometheus is given, and that alert rules and dashboard ask for nothing else."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from api.metrics_decisions import _QUALITY
from api.settings import Settings
from tests.api.conftest import Caller, enrol, files
from tests.load.people import Shot
from visavox.monitoring import looks
from visavox.monitoring.features import MEASURES
from visavox.service.house import House
from visavox.service.standing import Challenge, Mode, Standing
from visavox.store.records import RunState, Trial, TrialAnswer
from visavox.training.production import watching
from visavox.types import Modality

CONFIGS = Path(__file__).parents[2] / "configs" / "monitoring"
ALERTS, TESTS, DASHBOARD = (
    CONFIGS / name for name in ("alerts.yml", "alerts.test.yml", "grafana.json")
)
_NAME = re.compile(r"visavox_[a-z0-9_]+")

Samples = dict[str, list[tuple[dict[str, str], float]]]


def scraped(client: TestClient) -> Samples:
    """All samples by name, as Prometheus reads them."""
    answer = client.get("/metrics", headers={"Authorization": "Bearer for-tests"})
    assert answer.status_code == 200
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        found.setdefault(family.name, [])
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    (found,) = [v for have, v in samples[name] if labels.items() <= have.items()]
    return found


@pytest.fixture
def api_settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", metrics_token=SecretStr("for-tests"))


@pytest.fixture
def busy(
    client: TestClient,
    house: House,
    admin: Caller,
    kiosk: Caller,
    ada: tuple[Shot, ...],
    bob: tuple[Shot, ...],
    tmp_path: Path,
) -> TestClient:
    """A house in which something of everything has happened."""
    assert enrol(admin, "kitchen", "ada", *ada[:2], compartments="top").status_code == 201
    for shown, outcome in ((ada[2], "granted"), (bob[2], "refused")):
        answer = kiosk.post(
            "/v1/authentications", data={"fridge": "kitchen"}, files=files(shown)
        ).json()
        assert answer["outcome"] == outcome
    at = house.clock() + timedelta(seconds=1)
    watching.verify(house.store, at=at)
    watching.look(house.store, tmp_path / "models", ["kitchen"], watching.rules(), at=at)
    with house.store.begin() as unit:
        run = unit.runs.begin("retrain", ["kitchen"], reason="tests", at=at)
        unit.runs.end(run.id, RunState.DONE, at=at + timedelta(seconds=40))
    return client


@pytest.fixture
def samples(busy: TestClient) -> Samples:
    return scraped(busy)


def test_decisions_leave_their_scores_and_their_quality(samples: Samples) -> None:
    assert value(samples, "visavox_decisions_total", outcome="granted") == 1
    for name in ("visavox_score_llr", "visavox_score_over_threshold"):
        assert value(samples, f"{name}_count", outcome="granted") == 1
        assert value(samples, f"{name}_count", outcome="refused") == 1
    over = {"outcome": "granted", "le": "0.0"}
    assert value(samples, "visavox_score_over_threshold_bucket", **over) == 0
    for name in ("face_brightness", "face_sharpness", "voice_snr_decibels"):
        assert value(samples, f"visavox_{name}_count") == 2
    assert 0 < value(samples, "visavox_face_brightness_sum") < 2


def test_there_is_a_histogram_for_every_measure_of_quality() -> None:
    assert set(_QUALITY) == {f"{m.value}.{name}" for m in Modality for name in MEASURES[m]}


def test_the_worker_is_seen_through_the_database(samples: Samples) -> None:
    assert value(samples, "visavox_retraining_queue") == 1
    assert value(samples, "visavox_retraining_queue_tries") == 0
    assert value(samples, "visavox_retraining_queue_age_seconds") >= 0
    assert value(samples, "visavox_run_seconds", flow="retrain", state="done") == 40
    assert value(samples, "visavox_runs", flow="watch", state="done") == 2
    assert value(samples, "visavox_members") == 1
    assert value(samples, "visavox_audit_chain_valid") == 1


def test_the_latest_look_is_shown_per_fridge(samples: Samples) -> None:
    assert value(samples, "visavox_watch_decisions", fridge="kitchen") == 2
    assert value(samples, "visavox_grants_share_max", fridge="kitchen") == 1
    assert value(samples, "visavox_grants_share_jumped", fridge="kitchen") == 0
    assert value(samples, "visavox_labels", fridge="kitchen", kind="let_in") == 0
    # Nobody has trained it, and the enrolment has asked for that.
    assert value(samples, "visavox_retraining_causes", fridge="kitchen") == 1


def test_refusals_of_the_last_five_minutes_are_counted(samples: Samples) -> None:
    assert value(samples, "visavox_kiosk_refusals", fridge="kitchen") == 1


def test_no_label_names_a_member_a_kiosk_or_a_key(
    samples: Samples, kiosk: Caller, admin: Caller
) -> None:
    told = {v for some in samples.values() for labels, _ in some for v in labels.values()}
    assert "kitchen" in told
    assert not {"ada", "Ada", kiosk.key, admin.key} & told
    names = {name for some in samples.values() for labels, _ in some for name in labels}
    assert names <= {
        "fridge", "method", "outcome", "stage", "route", "status", "le", "bundle", "base",
        "family", "characterizer", "modality", "reason", "flow", "state", "feature", "kind",
        "mode",
    }  # fmt: skip


def test_drift_is_shown_where_it_was_found(busy: TestClient, house: House) -> None:
    shift = {
        "verdict": "drifted", "psi": 2.5, "ks": 0.9, "psi_chance": 1.2, "ks_chance": 0.5,
        "p": 0.0006, "people": 14, "visits": 28,
    }  # fmt: skip
    few = {"verdict": "too_few", "people": 2, "visits": 2}
    figures = {
        "decisions": 30, "causes": ["drift:face.brightness"],
        "drift": {"face.brightness": shift, "voice.snr_db": few},
        "shares": {"largest": 0.4, "gini": 0.3, "jumped": True},
        "accuracy": {"let_in": {"errors": 1, "trials": 9}},
    }  # fmt: skip
    with house.store.begin() as unit:
        at = house.clock() + timedelta(minutes=1)
        detail = {looks.FRIDGES: {"kitchen": figures}}
        unit.runs.begin(looks.FLOW, ["kitchen"], reason="tests", at=at, detail=detail)
    found = scraped(busy)
    named = {"fridge": "kitchen", "feature": "face.brightness"}
    assert found["visavox_drifted"] == [(named, 1)]
    assert value(found, "visavox_drift_ks") == 0.9
    assert value(found, "visavox_drift_psi_chance") == 1.2
    assert value(found, "visavox_grants_share_jumped", fridge="kitchen") == 1
    assert value(found, "visavox_label_errors", kind="let_in") == 1


def test_what_the_database_knows_is_read_once_in_ten_seconds(
    busy: TestClient, house: House
) -> None:
    before = value(scraped(busy), "visavox_retraining_queue")
    with house.store.begin() as unit:
        unit.retraining.request("kitchen", reason="tests", at=datetime.now(UTC))
    assert value(scraped(busy), "visavox_retraining_queue") == before


def test_no_more_than_two_hundred_fridges_are_listed(busy: TestClient, house: House) -> None:
    figures = {
        "decisions": 1, "causes": [], "drift": {}, "accuracy": {},
        "shares": {"largest": 1.0, "gini": 0.0, "jumped": False},
    }  # fmt: skip
    told = {f"fridge-{i}": figures for i in range(230)}
    told["zz-drifts"] = figures | {"causes": ["age"]}
    with house.store.begin() as unit:
        at = house.clock() + timedelta(minutes=1)
        detail = {looks.FRIDGES: told}
        unit.runs.begin(looks.FLOW, [], reason="tests", at=at, detail=detail)
    found = scraped(busy)
    assert len(found["visavox_grants_share_max"]) == 200
    assert value(found, "visavox_retraining_causes", fridge="zz-drifts") == 1
    assert value(found, "visavox_fridges_unlisted") == 32  # the kitchen, too


# --- What asks for these


def asked(text: str) -> set[str]:
    return set(_NAME.findall(text))


def exposed(samples: Samples) -> set[str]:
    """Names that a query may use; of what has no count yet, those that it will have."""
    families = {name for name, some in samples.items() if not some}
    later = {f"{name}_{end}" for name in families for end in ("total", "bucket", "count")}
    return set(samples) | later


def test_the_alerts_ask_for_what_is_there(samples: Samples) -> None:
    rules = [r for g in yaml.safe_load(ALERTS.read_text())["groups"] for r in g["rules"]]
    missing = {n for rule in rules for n in asked(rule["expr"])} - exposed(samples)
    assert not missing
    assert len(rules) >= 10


def test_every_alert_is_tested_both_ways() -> None:
    rules = {r["alert"] for g in yaml.safe_load(ALERTS.read_text())["groups"] for r in g["rules"]}
    tested: dict[str, set[bool]] = {}
    for test in yaml.safe_load(TESTS.read_text())["tests"]:
        for case in test["alert_rule_test"]:
            tested.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert tested == {alert: {True, False} for alert in rules}


@pytest.mark.parametrize("arguments", [("check", "rules", ALERTS), ("test", "rules", TESTS)])
def test_promtool_finds_the_rules_right(arguments: tuple[str | Path, ...]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: run `make system`"
    done = subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_asks_for_what_is_there_and_shows_all_of_it(samples: Samples) -> None:
    said = json.loads(DASHBOARD.read_text())
    targets = [t["expr"] for p in said["panels"] for t in p.get("targets", ())]
    wanted = {name for expr in targets for name in asked(expr)}
    assert not wanted - exposed(samples)
    shown = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in wanted}
    families = {
        re.sub(r"_(bucket|count|sum|total|created)$", "", n)
        for n in samples
        if n.startswith("visavox_")
    }
    assert families <= shown


def test_the_dashboards_panels_do_not_overlap() -> None:
    said = json.loads(DASHBOARD.read_text())
    taken: set[tuple[int, int]] = set()
    for panel in said["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in said["panels"]]
    assert len(ids) == len(set(ids))


def test_a_comparison_is_shown_while_it_is_on(busy: TestClient, house: House) -> None:
    at = house.clock()
    slot = house.models.slot("kitchen")
    slot.folder.mkdir(parents=True, exist_ok=True)
    champion, challenger = "a" * 64, "b" * 64
    answers = TrialAnswer("granted", "match"), TrialAnswer("refused", "below_threshold")
    with house.store.begin() as unit:
        unit.trials.add(
            Trial("dec_1", "kitchen", at, "shadow", "champion", champion, challenger, answers)
        )
    slot.stand(Standing(champion, Challenge(challenger, Mode.SHADOW, 0.0, at)))
    found = scraped(busy)
    assert value(found, "visavox_experiment", fridge="kitchen", mode="shadow") == 1
    assert value(found, "visavox_experiment_trials", fridge="kitchen") == 1


def test_a_place_of_bundles_that_is_damaged_takes_no_other_figure_down(
    busy: TestClient, house: House
) -> None:
    slot = house.models.slot("kitchen")
    slot.folder.mkdir(parents=True, exist_ok=True)
    answers = TrialAnswer("granted", "match"), TrialAnswer("granted", "match")
    with house.store.begin() as unit:
        unit.trials.add(
            Trial("dec_1", "kitchen", house.clock(), "shadow", "champion", "a", "b", answers)
        )
    (slot.folder / "live.json").write_bytes(b"{")
    found = scraped(busy)
    assert found["visavox_experiment"] == []
    assert value(found, "visavox_retraining_queue") >= 0


def test_an_admin_reads_the_latest_look(
    client: TestClient, admin: Caller, kiosk: Caller, house: House, tmp_path: Path
) -> None:
    answer = admin.get("/v1/fridges/kitchen/monitoring")
    assert answer.status_code == 404
    assert "flows watch" in answer.json()["next_step"]
    watching.look(house.store, tmp_path / "models", ["kitchen"], watching.rules(), at=house.clock())
    said = admin.get("/v1/fridges/kitchen/monitoring").json()
    assert (said["fridge"], said["decisions"], said["causes"]) == ("kitchen", 0, [])
    assert said["drift"]["face.brightness"]["verdict"] == "too_few"
    assert said["shares"]["jumped"] is False
    assert kiosk.get("/v1/fridges/kitchen/monitoring").status_code == 403
    assert admin.get("/v1/fridges/nowhere/monitoring").status_code == 404
