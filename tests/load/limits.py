"""What a run of Locust must reach: figures of its statistics, and the limits they are held against."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

DECISIONS = "authenticate"
"""What the names of all requests for a decision begin with."""

_TEXTS = {
    "max_p95_ms": "Highest 95th percentile of any kind of decision, in milliseconds.",
    "max_p99_ms": "Highest 99th percentile of any kind of decision, in milliseconds.",
    "max_failures": "Highest share of requests that failed or were answered wrongly.",
    "min_rps": "Fewest decisions a second, over the whole run.",
    "min_decisions": "Fewest decisions of each kind: a run that asks nothing has shown nothing.",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Each can be given as `--max-p95-ms` or as VISAVOX_LOAD_MAX_P95_MS."""

    max_p95_ms: float = 500
    max_p99_ms: float = 1_000
    max_failures: float = 0
    min_rps: float = 0
    min_decisions: float = 1

    @classmethod
    def options(cls) -> Iterator[tuple[str, float, str]]:
        for limit in fields(cls):
            yield limit.name, float(limit.default), _TEXTS[limit.name]  # type: ignore[arg-type]

    @classmethod
    def of(cls, options: Any) -> "Limits":
        return cls(**{limit.name: float(getattr(options, limit.name)) for limit in fields(cls)})


def summary(stats: Any, *, users: int | None) -> dict[str, Any]:
    """Locust's statistics by kind of request, as plain numbers."""
    total = stats.total
    seconds = max((total.last_request_timestamp or 0) - (total.start_time or 0), 1e-9)
    kinds = {
        entry.name: {
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            "rps": entry.num_requests / seconds,
            **{f"p{p}_ms": entry.get_response_time_percentile(p / 100) for p in (50, 95, 99)},
        }
        for entry in sorted(stats.entries.values(), key=lambda e: e.name)
    }
    faults = [
        {"name": e.name, "fault": str(e.error), "times": e.occurrences}
        for e in stats.errors.values()
    ]
    return {
        "users": users,
        "seconds": seconds,
        "requests": total.num_requests,
        "failures": total.num_failures,
        "decisions_rps": sum(k["rps"] for n, k in kinds.items() if n.startswith(DECISIONS)),
        "kinds": kinds,
        "faults": faults,
    }


def missed(figures: dict[str, Any], limits: Limits) -> list[str]:
    """The limits that these figures miss, in words; nothing when all are held."""
    faults = []
    decisions = {n: k for n, k in figures["kinds"].items() if n.startswith(DECISIONS)}
    if not decisions:
        faults.append("no decision was asked for")
    for name, kind in decisions.items():
        for percentile, limit in ((95, limits.max_p95_ms), (99, limits.max_p99_ms)):
            if kind[f"p{percentile}_ms"] > limit:
                faults.append(
                    f"{name}: p{percentile} is {kind[f'p{percentile}_ms']:g} ms, not {limit:g} ms"
                )
        if kind["requests"] < limits.min_decisions:
            faults.append(
                f"{name}: {kind['requests']} decisions, not {limits.min_decisions:g} or more"
            )
    share = figures["failures"] / max(figures["requests"], 1)
    if share > limits.max_failures:
        told = "; ".join(f"{f['times']} × {f['name']}: {f['fault']}" for f in figures["faults"])
        faults.append(f"{share:.2%} of the requests failed, not {limits.max_failures:.2%} ({told})")
    if figures["decisions_rps"] < limits.min_rps:
        faults.append(f"{figures['decisions_rps']:.1f} decisions a second, not {limits.min_rps:g}")
    return faults
