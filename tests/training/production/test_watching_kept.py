"""What a look leaves behind, on either database."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.store.people import NOW, decision, embeddings, enrol, furnish, later
from visavox.monitoring import looks
from visavox.store import Store, database
from visavox.store.records import RunState
from visavox.training.production import watching

AT = NOW + timedelta(days=1)


def looked(store: Store, models: Path, *fridges: str) -> dict[str, watching.Found]:
    return watching.look(store, models, fridges, watching.rules(), at=AT, metaflow="WatchFlow/7")


def test_a_look_is_kept_and_asks_once(store: Store, tmp_path: Path) -> None:
    furnish(store)
    enrol(store)
    with store.begin() as unit:
        unit.decisions.add(decision(at=later(60)), probe=embeddings(3))
    first = looked(store, tmp_path, "kitchen", "gone")["kitchen"]
    again = looked(store, tmp_path, "kitchen")["kitchen"]
    assert [cause.key for cause in first.causes] == ["untrained"]
    assert first.request is not None
    assert again.request is None
    with store.read() as unit:
        (request,) = unit.retraining.pending("kitchen")
        (event,) = unit.events.page(fridges=("kitchen",), kind=watching.DUE).items
        found = looks.latest(unit, at=AT).fridges
        run = unit.runs.page(flow=looks.FLOW, limit=1).items[0]
        (noted,) = [r for r in unit.audit.records() if r.action == "retraining.ask"]
    assert (request.id, request.reason) == (first.request, "watch: untrained")
    assert event.detail["causes"] == ["untrained"]
    assert found["kitchen"].figures["decisions"] == 1
    assert set(found) == {"kitchen"}  # what is no more is not looked at
    assert (run.metaflow, run.state) == ("WatchFlow/7", RunState.DONE)
    assert noted.detail["retraining"] == request.id


def test_a_bundle_that_cannot_be_read_keeps_nobody_else_from_being_looked_at(
    store: Store, tmp_path: Path
) -> None:
    furnish(store)
    furnish(store, "roof")
    folder = tmp_path / "fridges" / "kitchen"
    folder.mkdir(parents=True)
    (folder / "live.json").write_text("{}")
    assert set(looked(store, tmp_path, "kitchen", "roof")) == {"roof"}
    with store.read() as unit:
        run = unit.runs.page(flow=looks.FLOW, limit=1).items[0]
    assert run.state is RunState.FAILED
    assert "kitchen: " in str(run.error)


def test_the_audit_log_is_walked_and_a_break_is_told(store: Store) -> None:
    furnish(store)
    with store.begin() as unit:
        unit.audit.append(at=NOW, actor="tests", action="x", subject="y")
    assert watching.verify(store, at=AT)
    with database.transaction(store._engine, writes=True) as connection:
        connection.exec_driver_sql("UPDATE audit SET action = 'z'")
    assert not watching.verify(store, at=AT + timedelta(minutes=1))
    with store.read() as unit:
        found = looks.latest(unit, at=AT + timedelta(minutes=2))
        run = unit.runs.page(flow=looks.FLOW, limit=1).items[0]
    assert found.audit is not None
    assert found.audit.figures["valid"] is False
    assert run.state is RunState.FAILED


def test_old_looks_are_not_shown(store: Store, tmp_path: Path) -> None:
    furnish(store)
    looked(store, tmp_path, "kitchen")
    with store.read() as unit:
        assert looks.latest(unit, at=AT + timedelta(days=4)).fridges == {}


def test_unknown_rules_are_refused(tmp_path: Path) -> None:
    from visavox.errors import ConfigError

    path = tmp_path / "watch.yaml"
    path.write_text("dayz: 3\n")
    with pytest.raises(ConfigError, match="dayz"):
        watching.rules(path)
    path.write_text("days: 3\n")
    assert watching.rules(path).days == 3
