"""The pictures of a card, as SVG text that needs nothing from elsewhere.

Colours are the card's own, by class, so that they follow its light and dark.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np

from visavox.training.metrics import probit
from visavox.training.metrics.scores import Floats
from visavox.training.plots_data import verification_curve
from visavox.training.trials import FUSED, STREAMS, Trials

WIDTH, HEIGHT = 440, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 14, 46
_LEAST, _MOST = 0.0005, 0.6
_RATES = (0.001, 0.01, 0.05, 0.2, 0.5)
_BINS = 48
Axis = Callable[[Floats], Floats]
"""Rates to where it is drawn."""
_NAMES = {FUSED: "face and voice", "face": "face alone", "voice": "voice alone"}


def det(trials: Trials) -> str:
    """Misses against false matches of each stream, on probit axes as DET curves are drawn."""
    low, high = probit([_LEAST, _MOST])

    def x(rates: Floats) -> Floats:
        share = (probit(rates) - low) / (high - low)
        return np.asarray(_LEFT + share * (WIDTH - _LEFT - _RIGHT), np.float64)

    def y(rates: Floats) -> Floats:
        share = (probit(rates) - low) / (high - low)
        return np.asarray(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), np.float64)

    marks, corners = np.array(_RATES), np.array([_LEAST, _MOST])
    (left, right), (bottom, top) = x(corners), y(corners)
    parts = [
        *(_tick_x(at, f"{100 * r:g} %") for at, r in zip(x(marks), _RATES, strict=True)),
        *(_tick_y(at, f"{100 * r:g} %") for at, r in zip(y(marks), _RATES, strict=True)),
        f'<line class="guide" x1="{left:.1f}" y1="{bottom:.1f}" x2="{right:.1f}" y2="{top:.1f}"/>',
    ]
    clean = []
    for stream in STREAMS:
        curve = verification_curve(trials, stream)
        if curve.x.size == 0:
            continue
        wrong = (curve.x > 0) & (curve.y > 0)
        if not wrong.any():
            clean.append(_NAMES[stream])
        points = _stairs(curve.x, curve.y, x, y)
        parts.append(f'<polyline class="line {stream}" points="{points}"/>')
    labels = _axis("false matches (FMR)", "misses (FNMR)")
    note = ""
    if clean:
        said = f"No error at the best threshold: {', '.join(clean)}"
        note = f'<text class="note" x="{WIDTH - _RIGHT - 6}" y="{_TOP + 16}">{escape(said)}</text>'
    return _svg("Detection error trade-off", [*parts, *labels, note])


def histogram(trials: Trials, thresholds: Sequence[tuple[str, float]] = ()) -> str:
    """How the fused scores of members and of others lie; and what each risk asks for."""
    mated, nonmated = (trials.llr[FUSED][pairs] for pairs in trials.pairs(FUSED))
    both = np.concatenate([mated, nonmated])
    if both.size == 0:
        return _svg("Scores", ['<text class="note" x="230" y="160">no scores</text>'])
    low, high = (float(v) for v in np.quantile(both, [0.002, 0.998]))
    low, high = min(low, -5.0), max(high, float(mated.max(initial=5.0)), 5.0)
    edges = np.linspace(low, high, _BINS + 1)

    def x(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    shares = {
        name: np.histogram(np.clip(values, low, high), edges)[0] / max(values.size, 1)
        for name, values in (("others", nonmated), ("own", mated))
    }
    most = max(float(s.max()) for s in shares.values())

    def y(share: float) -> float:
        return HEIGHT - _BOTTOM - share / most * (HEIGHT - _TOP - _BOTTOM)

    step = max(1, round((high - low) / 6 / 5)) * 5
    ticks = range(int(np.ceil(low / step)) * step, int(high) + 1, step)
    parts = [_tick_x(x(float(t)), f"{t}") for t in ticks]
    for name, share in shares.items():
        bars = "".join(
            f"M{x(edges[i]):.1f} {y(0):.1f}V{y(float(s)):.1f}H{x(edges[i + 1]):.1f}V{y(0):.1f}Z"
            for i, s in enumerate(share)
            if s > 0
        )
        parts.append(f'<path class="bar {name}" d="{bars}"/>')
    for risk, at in thresholds:
        if low <= at <= high:
            parts.append(
                f'<line class="threshold" x1="{x(at):.1f}" y1="{_TOP}" x2="{x(at):.1f}"'
                f' y2="{HEIGHT - _BOTTOM}"><title>{escape(risk)}: {at:.2f}</title></line>'
                f'<text class="threshold end" x="{x(at) - 6:.1f}" y="{_TOP + 12}">'
                f"asked for: {at:.1f}</text>"
            )
    return _svg("Scores", [*parts, *_axis("score (natural log LLR)", "share of the pairs")])


def legend(names: Iterable[tuple[str, str]]) -> str:
    """Names beside their colours."""
    items = "".join(f'<li><i class="{kind}"></i>{escape(name)}</li>' for kind, name in names)
    return f'<ul class="legend">{items}</ul>'


STREAM_LEGEND = tuple((stream, name) for stream, name in _NAMES.items())
SCORE_LEGEND = (("own", "a member against themselves"), ("others", "against anybody else"))


def _stairs(fmr: Floats, fnmr: Floats, x: Axis, y: Axis) -> str:
    """The curve in steps, within the axes: between two thresholds nothing was measured."""
    drawn = np.column_stack([x(np.clip(fmr, _LEAST, _MOST)), y(np.clip(fnmr, _LEAST, _MOST))])
    # Rounded as it is drawn: thousands of thresholds come to a few steps.
    drawn = drawn.round(1)
    moved = np.append(True, (drawn[1:] != drawn[:-1]).any(axis=1))
    points: list[tuple[float, float]] = []
    for across, up in drawn[moved].tolist():
        at = (across, up)
        for point in ((points[-1][0], up), at) if points else (at,):
            if not points or point != points[-1]:
                points.append(point)
    return " ".join(f"{a:g},{b:g}" for a, b in _corners(points))


def _corners(points: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """Only the points at which a stair turns."""
    for i, point in enumerate(points):
        around = points[max(i - 1, 0) : i + 2]
        straight = len({p[0] for p in around}) == 1 or len({p[1] for p in around}) == 1
        if not straight or i in (0, len(points) - 1):
            yield point


def _tick_x(at: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{HEIGHT - _BOTTOM}"/>'
        f'<text class="tick mid" x="{at:.1f}" y="{HEIGHT - _BOTTOM + 17}">{escape(text)}</text>'
    )


def _tick_y(at: float, text: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" y1="{at:.1f}" x2="{WIDTH - _RIGHT}" y2="{at:.1f}"/>'
        f'<text class="tick end" x="{_LEFT - 7}" y="{at + 4:.1f}">{escape(text)}</text>'
    )


def _axis(below: str, beside: str) -> list[str]:
    middle_x, middle_y = (_LEFT + WIDTH - _RIGHT) / 2, (_TOP + HEIGHT - _BOTTOM) / 2
    return [
        f'<text class="axis mid" x="{middle_x:.0f}" y="{HEIGHT - 8}">{escape(below)}</text>',
        f'<text class="axis mid" transform="translate(13 {middle_y:.0f}) rotate(-90)">'
        f"{escape(beside)}</text>",
    ]


def _svg(title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
