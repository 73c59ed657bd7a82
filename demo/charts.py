"""Pictures of scores as SVG: they scale, follow the page's colours and need no library.

Every chart is a string of markup made of numbers and of escaped names.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import NormalDist
from typing import Any

import numpy as np

from demo.lab import Floats, Stream, Trials

_BINS = 56
_NAME = 11  # letters
_CLIP = 40.0  # scores beyond this are drawn at the edge
_FLOOR, _CEILING = 0.002, 0.6  # ends of the DET axes
STREAM_NAMES = {"fused": "face + voice", "face": "face alone", "voice": "voice alone"}


@dataclass(frozen=True)
class _Axis:
    """From values to pixels, clipped at both ends."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def scores(
    candidates: Sequence[Mapping[str, Any]],
    threshold: float | None,
    name_of: Callable[[str], str] = str,
) -> str:
    """Each candidate's log-likelihood ratios against what was asked for."""
    if not candidates:
        return _note("Nothing was scored, so there is nothing to draw.")
    shown = [
        (_short(name_of(str(c["member"]))), {k: c.get(k) for k in ("fused", "face", "voice")})
        for c in candidates
    ]
    values = [float(v) for _, of in shown for v in of.values() if v is not None]
    values += [threshold] if threshold is not None else []
    reach = min(_CLIP, max(8.0, *(abs(v) for v in values)) * 1.08)
    width, row, top = 520, 74, 34
    height = top + row * len(shown) + 44
    x = _Axis(-reach, reach, 104, width - 104)
    body = [_grid(x, top, height - 40, _ticks(reach))]
    for index, (name, of) in enumerate(shown):
        y = top + row * index
        body.append(_text(96, y + row / 2, name, "end", "vx-name"))
        for line, (stream, value) in enumerate(of.items()):
            at = y + 8 + line * 20
            body.append(_text(width - 96, at + 8, stream, "start", "vx-small"))
            if value is None:
                body.append(_text(width - 6, at + 8, "none", "end", "vx-small"))
                continue
            left, right = sorted((x(0), x(float(value))))
            body.append(
                f'<rect class="vx-{stream}" x="{left:.1f}" y="{at}" rx="3" '
                f'width="{max(right - left, 1.5):.1f}" height="15"/>'
            )
            body.append(_text(width - 6, at + 8, f"{value:+.1f}", "end", "vx-value"))
    if threshold is not None:
        body.append(_threshold(x(threshold), top - 6, height - 40, f"asked for {threshold:+.1f}"))
    body.append(_text(width / 2, height - 10, _LLR, "middle", "vx-small"))
    told = ", ".join(f"{n} {of['fused']:+.1f}" for n, of in shown if of["fused"] is not None)
    return _svg(width, height, body, f"Scores: {told}")


def histogram(stream: Stream, threshold: float) -> str:
    """Members' own scores upwards, strangers' best scores downwards, split at the threshold."""
    width, height, left, right = 720, 350, 56, 20
    middle, top, bottom = 170, 40, 300
    kept = [v for v in (*stream.hits, *stream.tops) if math.isfinite(v)]
    reach = min(_CLIP, max(10.0, *(abs(v) for v in kept)) if kept else 10.0)
    x = _Axis(-reach, reach, left, width - right)
    edges = np.linspace(-reach, reach, _BINS + 1)
    up, down = _counts(stream.hits, edges), _counts(stream.tops, edges)
    tallest = float(max(up.max(initial=1), down.max(initial=1)))
    wide = (x.end - x.start) / _BINS
    body = [_grid(x, top, bottom, _ticks(reach))]
    for i in range(_BINS):
        inside = (edges[i] + edges[i + 1]) / 2 >= threshold
        for count, sign, good, bad in (
            (up[i], -1, "vx-member", "vx-missed"),
            (down[i], 1, "vx-let-in", "vx-stranger"),
        ):
            if count:
                # Square roots keep a single capture visible beside a hundred.
                tall = math.sqrt(count / tallest) * (middle - top - 6)
                y = middle - tall if sign < 0 else middle
                body.append(
                    f'<rect class="{good if inside else bad}" x="{x(edges[i]) + 0.5:.1f}" '
                    f'y="{y:.1f}" width="{wide - 1:.1f}" height="{max(tall, 1):.1f}">'
                    f"<title>{int(count)} captures</title></rect>"
                )
    body.append(_line(left, middle, width - right, middle, "vx-axis"))
    body.append(_threshold(x(threshold), top - 8, bottom, f"threshold {threshold:+.1f}"))
    body.append(_text(left - 8, middle - 60, "members", "end", "vx-small", turn=True))
    body.append(_text(left - 8, middle + 60, "strangers", "end", "vx-small", turn=True))
    body.append(_text(width / 2, height - 12, _LLR, "middle", "vx-small"))
    told = f"At {threshold:+.1f}: {stream.fnir(threshold):.1%} of members' captures are not let in"
    return _svg(width, height, body, f"{told}, {stream.fpir(threshold):.1%} of strangers' are")


def det(trials: Trials, chosen: str, threshold: float) -> str:
    """Misses of members against false acceptances of strangers, on normal-deviate axes."""
    width, height, left, bottom = 720, 400, 64, 346
    floor, ceiling = _deviate(_FLOOR), _deviate(_CEILING)
    x = _Axis(floor, ceiling, left, width - 20)
    y = _Axis(floor, ceiling, bottom, 20)
    body = []
    for rate in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4):
        at = _deviate(rate)
        label = f"{rate:.1%}" if rate < 0.01 else f"{rate:.0%}"
        body.append(_line(x(at), 20, x(at), bottom, "vx-grid"))
        body.append(_line(left, y(at), width - 20, y(at), "vx-grid"))
        body.append(_text(x(at), bottom + 14, label, "middle", "vx-small"))
        body.append(_text(left - 6, y(at), label, "end", "vx-small"))
    strangers = trials.streams[chosen].tops.size
    if strangers:
        # Rule of three: zero errors in n trials prove no less than 3/n.
        proven = x(_deviate(min(3 / strangers, _CEILING)))
        body.append(
            f'<rect class="vx-unproven" x="{left}" y="20" width="{proven - left:.1f}" '
            f'height="{bottom - 20}"><title>{strangers} captures of strangers cannot prove '
            f"a rate below {3 / strangers:.1%}</title></rect>"
        )
        body.append(_text(left + 8, 32, "too few strangers to prove", "start", "vx-small"))
    for name, stream in trials.streams.items():
        fpir, fnir = stream.curve()
        if fpir.size:
            points = " ".join(
                f"{x(_deviate(a)):.1f},{y(_deviate(b)):.1f}" for a, b in _stairs(fpir, fnir)
            )
            thick = " vx-chosen" if name == chosen else ""
            body.append(f'<polyline class="vx-line-{name}{thick}" points="{points}"/>')
    for line, name in enumerate(trials.streams):
        body.append(
            _line(width - 160, 40 + 20 * line, width - 136, 40 + 20 * line, f"vx-line-{name}")
        )
        body.append(_text(width - 128, 40 + 20 * line, STREAM_NAMES[name], "start", "vx-small"))
    of = trials.streams[chosen]
    here = (of.fpir(threshold), of.fnir(threshold))
    if not any(map(math.isnan, here)):
        a, b = x(_deviate(here[0])), y(_deviate(here[1]))
        body.append(f'<circle class="vx-here" cx="{a:.1f}" cy="{b:.1f}" r="7"/>')
    body.append(_line(left, bottom, width - 20, bottom, "vx-axis"))
    body.append(_line(left, 20, left, bottom, "vx-axis"))
    body.append(
        _text((left + width) / 2, height - 8, "strangers let in (FPIR)", "middle", "vx-small")
    )
    body.append(
        _text(16, (20 + bottom) / 2, "members not let in (FNIR)", "middle", "vx-small", turn=True)
    )
    told = f"At the threshold: FPIR {here[0]:.1%}, FNIR {here[1]:.1%}"
    return _svg(width, height, body, f"DET curve of {STREAM_NAMES[chosen]}. {told}")


_LLR = "log-likelihood ratio: left speaks against, right speaks for"


def _short(name: str) -> str:
    """As much of a name as there is room for."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _stairs(fpir: Floats, fnir: Floats) -> list[tuple[float, float]]:
    """Corners between the steps: nothing lies on a slope between two thresholds."""
    corners = [(float(fpir[0]), float(fnir[0]))]
    for a, b in zip(fpir[1:], fnir[1:], strict=True):
        previous = corners[-1]
        if (float(a), float(b)) != previous:
            corners += [(float(a), previous[1]), (float(a), float(b))]
    return list(dict.fromkeys(corners))


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(float(rate), _FLOOR), _CEILING))


def _counts(values: Floats, edges: Floats) -> Floats:
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0].astype(np.float64)


def _ticks(reach: float) -> list[float]:
    step = next(s for s in (2, 5, 10, 20) if reach / s <= 5)
    count = int(reach // step)
    return [float(step * k) for k in range(-count, count + 1)]


def _grid(x: _Axis, top: float, bottom: float, ticks: Sequence[float]) -> str:
    lines = [_line(x(t), top, x(t), bottom, "vx-zero" if t == 0 else "vx-grid") for t in ticks]
    labels = [
        _text(x(t), bottom + 12, f"{t:+.0f}" if t else "0", "middle", "vx-small") for t in ticks
    ]
    return "".join((*lines, *labels))


def _threshold(at: float, top: float, bottom: float, label: str) -> str:
    anchor = "start" if at < 360 else "end"
    gap = 6 if anchor == "start" else -6
    return _line(at, top, at, bottom, "vx-threshold") + _text(
        at + gap, top - 4, label, anchor, "vx-mark"
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str, *, turn: bool = False) -> str:
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    anchor = "middle" if turn else anchor
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" dy="0.35em" text-anchor="{anchor}"{turned}>'
        f"{escape(text)}</text>"
    )


def _svg(width: float, height: float, body: Sequence[str], told: str) -> str:
    return (
        f'<svg class="vx-chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(told, quote=True)}">{"".join(body)}</svg>'
    )


def _note(text: str) -> str:
    return f'<p class="vx-quiet">{escape(text)}</p>'
