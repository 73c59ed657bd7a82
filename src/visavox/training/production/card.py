"""One page per fridge: what was trained, what is proved of it, and where it comes from.

It needs nothing from elsewhere, and holds ids, digests, counts and figures alone.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from visavox.service.shelf import replace
from visavox.training.evaluate_report import PERSONAS, STAND_IN
from visavox.training.gate_limits import COSTS, count, lookup
from visavox.training.production import card_charts as charts
from visavox.training.production import fridge_gate
from visavox.training.production.card_style import STYLE
from visavox.training.production.fridge_fit import Kept
from visavox.training.production.fridge_gate import Verdict

NAME = "card.html"

_FIGURES = (
    ("fused.cllr", "Cllr"),
    ("fused.eer", "EER, both"),
    ("face.eer", "EER, face alone"),
    ("voice.eer", "EER, voice alone"),
    ("served.fpir", "Strangers let in"),
    ("served.fnir", "Members turned away"),
    ("served.wrong_member", "Taken for another"),
)
_FIRST = ("as_of", "ledger_tag", "ledger_commit", "data_dvc", "commit", "run", "metaflow", "mlflow")
_WORDS = {
    "as_of": "data as of",
    "ledger_tag": "data version",
    "ledger_commit": "ledger commit",
    "data_dvc": "DVC hash",
    "data_sha256": "data SHA-256",
    "commit": "code commit",
    "metaflow": "Metaflow run",
    "mlflow": "MLflow run",
    "cohort_sha256": "cohort SHA-256",
    "config_sha256": "recipe SHA-256",
    "characterizer": "Characterizer",
}


def keep(
    verdict: Verdict, kept: Sequence[Kept], folder: Path, links: Mapping[str, str] | None = None
) -> str:
    """Write the verdict and its page into the fridge's folder; the page is returned."""
    made = page(verdict, kept, links)
    fridge_gate.keep(verdict, folder)
    replace(folder / NAME, made.encode())
    return made


def page(verdict: Verdict, kept: Sequence[Kept], links: Mapping[str, str] | None = None) -> str:
    """The whole page; `links` are addresses by the names of the lineage."""
    body = section(verdict, kept, links)
    return _page(f"{verdict.fridge}: {'passed' if verdict.passed else 'refused'}", body)


def together(pages: Mapping[str, str]) -> str:
    """The pages of several fridges as one, each behind its name."""
    parts = []
    for fridge, made in sorted(pages.items()):
        inside = made.partition("<main>")[2].partition("</main>")[0]
        opened = " open" if len(pages) == 1 else ""
        parts.append(
            f"<details{opened}><summary>{escape(fridge)}</summary><main>{inside}</main></details>"
        )
    nothing = "<main><p>No fridge was judged.</p></main>"
    return _document("Retraining", "".join(parts) or nothing)


def section(verdict: Verdict, kept: Sequence[Kept], links: Mapping[str, str] | None = None) -> str:
    """What the page says."""
    chosen = next(k for k in kept if k.digest == verdict.digest)
    about, figures, trials = chosen.about, chosen.proved.figures, chosen.proved.trials
    lineage = about["lineage"]
    levels = about["policy"]["levels"]
    asked = [(r, float(v["threshold"])) for r, v in levels.items() if r == about["risk"]]
    return "".join(
        [
            _banner(figures),
            _head(verdict),
            _numbers(about, figures, lineage),
            _verdict(verdict),
            _families(verdict, kept),
            '<section class="charts">',
            _figure("Errors at every threshold", charts.det(trials), charts.STREAM_LEGEND),
            _figure("Scores", charts.histogram(trials, asked), charts.SCORE_LEGEND),
            "</section>",
            _lineage(verdict, chosen, links or {}),
        ]
    )


def _banner(figures: Mapping[str, Any]) -> str:
    if figures.get("population") != PERSONAS:
        return ""
    return f'<p class="banner">All figures are {escape(STAND_IN)}.</p>'


def _head(verdict: Verdict) -> str:
    state, word = ("good", "passed") if verdict.passed else ("bad", "refused")
    return (
        f'<header><div><p class="over">Fridge</p><h1>{escape(verdict.fridge)}</h1></div>'
        f'<p class="badge {state}">{word}</p></header>'
        f'<p class="lead">{escape(verdict.chosen_by)}</p>'
    )


def _numbers(
    about: Mapping[str, Any], figures: Mapping[str, Any], lineage: Mapping[str, Any]
) -> str:
    counts = figures["counts"]
    shown = (
        (len(about["members"]), "members"),
        (len(lineage.get("captures", ())), "captures learned from"),
        (counts["mated_searches"], "captures held out"),
        (counts["strangers"], "strangers set aside"),
        (about["risk"], "risk"),
    )
    cells = "".join(
        f"<div><b>{escape(f'{v:,}' if isinstance(v, int) else str(v))}</b><span>{name}</span></div>"
        for v, name in shown
    )
    return f'<section class="numbers">{cells}</section>'


def _verdict(verdict: Verdict) -> str:
    against = "the champion " + verdict.champion[:12] if verdict.champion else "no champion yet"
    groups = (
        ("bad", "Refused because", verdict.reasons),
        ("good", "Proved", verdict.claims),
        ("open", "Neither proved nor disproved", verdict.unproved),
    )
    parts = [f'<h2>Gate</h2><p class="quiet">Compared with {escape(against)}.</p>']
    for kind, title, sentences in groups:
        if sentences:
            items = "".join(f"<li>{escape(s)}</li>" for s in sentences)
            parts.append(f'<h3>{title}</h3><ul class="said {kind}">{items}</ul>')
    return f"<section>{''.join(parts)}</section>"


def _families(verdict: Verdict, kept: Sequence[Kept]) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for _, name in _FIGURES)
    rows = []
    for one in kept:
        mine = one.digest == verdict.digest
        mark = ' <span class="tag">chosen</span>' if mine else ""
        rows.append(_row(f"{escape(one.family)}{mark}", one.proved.figures, "chosen" * mine))
        if one.champion is not None:
            label = f'{escape(one.family)} <span class="tag open">champion’s recipe</span>'
            rows.append(_row(label, one.champion.figures, ""))
    return (
        "<section><h2>Families</h2>"
        '<p class="quiet">On captures that were held out, and strangers whom no training has met;'
        f" below each figure its {_level(kept)} interval.</p>"
        f'<div class="wide"><table><thead><tr><th>Family</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _row(label: str, figures: Mapping[str, Any], kind: str) -> str:
    cells = "".join(f"<td>{_cell(figures, name)}</td>" for name, _ in _FIGURES)
    return f'<tr class="{kind}"><th scope="row">{label}</th>{cells}</tr>'


def _cell(figures: Mapping[str, Any], name: str) -> str:
    value, ends = lookup(figures, name), lookup(figures, f"{name}_ci")
    if value is None:
        return f"–<small>{escape(str(lookup(figures, f'{name}_why') or 'not measured'))}</small>"
    low, high = ends if ends else (None, None)
    people = count(figures, f"{name}_people")
    behind = f' title="on {people:,} people"' if people else ""
    unit = " bits" if name.rpartition(".")[2] in COSTS else " %"
    factor = 1 if unit == " bits" else 100
    between = f"{_short(low, factor)} – {_short(high, factor)}"
    return f"<span{behind}>{_short(value, factor)}{unit}</span><small>{between}</small>"


def _short(value: float | None, factor: int) -> str:
    if value is None:
        return "?"
    shown = factor * value
    # An interval's end of 1e-14 % is the resolution of its arithmetic, not of the data.
    return "0" if factor > 1 and shown < 0.005 else f"{shown:.3g}"


def _level(kept: Sequence[Kept]) -> str:
    return f"{kept[0].proved.figures['level']:.0%}"


def _figure(title: str, svg: str, names: Sequence[tuple[str, str]]) -> str:
    return f"<figure><h2>{title}</h2>{svg}{charts.legend(names)}</figure>"


def _lineage(verdict: Verdict, chosen: Kept, links: Mapping[str, str]) -> str:
    lineage = chosen.about["lineage"]
    plain = {k: v for k, v in lineage.items() if k not in ("captures", "members")}
    order = [k for k in _FIRST if k in plain] + [k for k in plain if k not in _FIRST]
    shown = {"bundle": verdict.digest, **{k: plain[k] for k in order}}
    rows = "".join(
        f"<dt>{escape(_WORDS.get(k, k))}</dt><dd>{_linked(k, v, links)}</dd>"
        for k, v in shown.items()
    )
    captures = "".join(f"<li>{escape(str(c))}</li>" for c in lineage.get("captures", ()))
    learned = (
        f"<details><summary>Captures it learned from ({len(lineage['captures'])})</summary>"
        f'<ul class="ids">{captures}</ul></details>'
        if captures
        else ""
    )
    return f"<section><h2>Lineage</h2><dl>{rows}</dl>{learned}</section>"


def _linked(name: str, value: object, links: Mapping[str, str]) -> str:
    said = escape(str(value).lower() if isinstance(value, bool) else str(value))
    address = links.get(name, "")
    if address.startswith(("https://", "http://", "/")):
        return f'<a href="{escape(address)}">{said}</a>'
    return said


def _page(title: str, body: str) -> str:
    return _document(title, f"<main>{body}</main>")


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
