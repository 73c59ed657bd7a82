"""Retraining, comparison and erasure, as short texts for the page. JSON in, escaped HTML out."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from demo import cards
from demo.retraining import STEPS, Progress

_SIGNS = {"done": "✓", "failed": "✕", "begun": "…", "skipped": "–", "": "·"}


def retraining(now: Progress, *, asked: str = "") -> str:
    """The steps of a run, each with how it stands; `asked` says what it is for."""
    if now.ended is not None:
        good = now.passed
        title = "Retrained, and live" if good else "Not promoted"
        sign, mood = ("✓", "good") if good else ("✕", "bad")
    elif now.given_up:
        sign, title, mood = "!", "Still waiting", "warn"
    else:
        sign, title, mood = "…", "Retraining", "warn"
    body = [f"<p>{escape(asked)}</p>" if asked else ""]
    if now.run is None:
        body.append(
            "<p>No worker has taken it on. Is one running? <code>make demo</code> starts it.</p>"
            if now.given_up
            else "<p>The change is kept; a worker takes it on in a moment.</p>"
        )
    elif now.given_up:
        body.append("<p>It takes longer than this page waits: look at the runs below.</p>")
    body.append(_steps(now))
    if now.ended is not None and now.ended.get("error"):
        body.append(f'<p class="vx-warning">{escape(str(now.ended["error"]))}</p>')
    facts = [f"run {now.run}" if now.run else ""]
    if now.ended is not None:
        facts += [f"data {now.ended['data_version']}"] if now.ended.get("data_version") else []
        facts += [str(now.ended["metaflow"])] if now.ended.get("metaflow") else []
    return cards.card(sign, title, mood, "".join(body), [f for f in facts if f])


def _steps(now: Progress) -> str:
    lines = []
    for step, name, meaning in STEPS:
        state, detail = now.state(step)
        told = _told(step, detail) or meaning
        lines.append(
            f'<li class="vx-step vx-step-{state or "open"}"><span aria-hidden="true">'
            f"{_SIGNS.get(state, '·')}</span><b>{escape(name)}</b> <i>{escape(told)}</i></li>"
        )
    return f'<ol class="vx-steps">{"".join(lines)}</ol>'


def _told(step: str, detail: Mapping[str, Any]) -> str:
    """What a step found out, where it says something to a person."""
    said = []
    if reasons := detail.get("reasons"):
        said.append(str(reasons[0]) if isinstance(reasons, list) else str(reasons))
    if family := detail.get("family"):
        said.insert(0, str(family))
    if step == "snapshot" and detail.get("commit"):
        said.append(f"commit {str(detail['commit'])[:8]}")
    if version := detail.get("version"):
        said.append(f"version {version}")
    if digest := detail.get("digest") or detail.get("bundle"):
        said.append(f"bundle {str(digest)[:8]}…")
    if error := detail.get("error"):
        said = [str(error)]
    return ", ".join(said)


def runs(found: Sequence[Mapping[str, Any]]) -> str:
    """The latest runs, one a line."""
    if not found:
        return '<p class="vx-quiet">No run yet.</p>'
    lines: list[tuple[str, object]] = []
    for run in found:
        why = str(run.get("reason") or "").replace("_", " ")
        error = f": {run['error']}" if run.get("error") else ""
        lines.append(
            (
                cards.moment(run.get("started_at")),
                f"{run.get('state')} · {run.get('step')} · {why}{error}",
            )
        )
    return cards.facts_table(lines)


def receipt(told: Mapping[str, Any], name: str) -> str:
    """What was removed where, and the proof that the fridge forgot."""
    document = told.get("document")
    document = document if isinstance(document, Mapping) else {}
    complete = told.get("state") == "complete"
    rows = [(key.replace("_", " "), _short(value)) for key, value in _plain(document)]
    if not complete:
        body = (
            f"<p>{escape(name)} cannot be let in any more, from this moment on. The receipt is"
            " signed once the retrained model is live and has been asked.</p>"
        )
        return cards.card("…", "Receipt to come", "warn", body, [f"receipt {told.get('id')}"])
    proof = document.get("proof")
    proof = proof if isinstance(proof, Mapping) else {}
    answer = str(proof.get("answer") or "nobody").replace("_", " ")
    body = (
        f"<p>Signed: what was removed where, and that the new model takes {escape(name)}'s last"
        f" probe for <b>{escape(answer)}</b>. Check it offline:"
        " <code>visavox receipt verify</code>.</p>" + cards.facts_table(rows)
    )
    signature = str(told.get("signature") or "")[:24]
    facts = [f"receipt {told.get('id')}", f"signature {signature}…" if signature else ""]
    return cards.card("✓", "Receipt", "good", body, [f for f in facts if f])


def _plain(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _plain(value, f"{name} ")
        elif isinstance(value, list):
            found.append((name, f"{len(value)}"))
        elif value is not None:
            found.append((name, value))
    return found


def _short(value: object) -> str:
    text = str(value)
    return f"{text[:28]}…" if len(text) > 40 else text


def standing(model: Mapping[str, Any]) -> str:
    """Champion, challenger and the one before, by digest."""
    challenger = model.get("challenger")
    tried = "none"
    if isinstance(challenger, Mapping):
        mode, share = str(challenger.get("mode")), float(challenger.get("share") or 0)
        how = "decides nothing" if mode == "shadow" else f"decides {share:.0%} of requests"
        tried = f"{str(challenger.get('digest'))[:12]}… ({mode}: {how})"
    rows = [
        ("champion", _digest(model.get("bundle"))),
        ("challenger", tried),
        ("the one before", _digest(model.get("previous"))),
        ("family", model.get("family") or "–"),
        ("trained on", (model.get("lineage") or {}).get("as_of", "–")),
    ]
    return cards.facts_table(rows)


def _digest(value: Any) -> str:
    return f"{str(value)[:12]}…" if value else "none"


def experiment(told: Mapping[str, Any], name_of: Callable[[str], str] = str) -> str:
    """Where an A/B comparison stands, in figures and words."""
    rows = [(key.replace("_", " "), _named(value, name_of)) for key, value in _plain(told)]
    return cards.facts_table(rows)


def _named(value: object, name_of: Callable[[str], str]) -> str:
    return f"{value:.4g}" if isinstance(value, float) else name_of(_short(value))
