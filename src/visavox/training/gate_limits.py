"""One limit against one report: does the figure hold, and can the data carry the claim at all?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from visavox.config import settings
from visavox.training.intervals import people_needed, rule_of_three

COSTS = ("cllr", "min_cllr")
"""Figures that are no rates: bits have no rule of three."""


@settings
class Limit:
    """The highest value that a figure of the report may have."""

    metric: str
    """Dotted name in the report, such as fused.eer."""
    at_most: float
    compare: Literal["point", "upper"] = "point"
    """`upper` asks for proof: the upper end of the figure's interval must keep the limit."""


@dataclass(frozen=True)
class Judged:
    """One sentence, and whether it speaks for the challenger."""

    passed: bool
    sentence: str


def judge_limit(report: Mapping[str, Any], limit: Limit, *, level: float) -> Judged:
    """Hold one figure against its limit."""
    value, why = number(report, limit.metric)
    if value is None:
        return Judged(False, f"{limit.metric} is missing: {why}.")
    is_rate = limit.metric.rpartition(".")[2] not in COSTS
    if is_rate:
        short = _too_few(report, limit, level)
        if short:
            return Judged(False, short)
    if limit.compare == "point":
        held, shown = value, f"{limit.metric} is {_said(value, is_rate)}"
    else:
        high = upper(report, limit.metric)
        if high is None:
            return Judged(False, f"{limit.metric} has no interval, so that nothing is proved.")
        held = high
        shown = (
            f"{limit.metric} is {_said(value, is_rate)} and may, at {level:.0%} confidence, be "
            f"{_said(high, is_rate)}"
        )
    if held > limit.at_most:
        return Judged(False, f"{shown}; {_said(limit.at_most, is_rate)} is the limit.")
    how = "measured" if limit.compare == "point" else "proved"
    people = count(report, f"{limit.metric}_people")
    behind = f" on {people:,} people" if people else ""
    return Judged(True, f"{shown}: at most {_said(limit.at_most, is_rate)}, {how}{behind}.")


def _too_few(report: Mapping[str, Any], limit: Limit, level: float) -> str:
    """Why no result of so few trials could support the claim; "" where one could."""
    if not 0 < limit.at_most < 1:
        return ""
    # Proof rests on independent people. Even a plain measurement needs trials to show the rate.
    key, unit = ("people", "independent people") if limit.compare == "upper" else ("trials",) * 2
    there = count(report, f"{limit.metric}_{key}")
    needed = people_needed(limit.at_most, level)
    if there is None:
        return f"{limit.metric} does not say on how many {unit} it rests."
    if there >= needed:
        return ""
    allowed = _said(rule_of_three(there, level), rate=True) if there else "anything"
    return (
        f"{limit.metric} rests on {there:,} {unit}: even without an error they allow for "
        f"{allowed}, and {_said(limit.at_most, rate=True)} takes {needed:,}."
    )


def number(report: Mapping[str, Any], name: str) -> tuple[float | None, str]:
    """A finite figure of the report, or why there is none."""
    value = lookup(report, name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value), ""
        return None, f"it is {value}"
    why = lookup(report, f"{name}_why")
    return None, str(why) if why else "the report does not have it"


def upper(report: Mapping[str, Any], name: str) -> float | None:
    """The upper end of a figure's interval; None where there is none, or no finite one."""
    interval = lookup(report, f"{name}_ci")
    if not isinstance(interval, list | tuple) or len(interval) != 2:
        return None
    high = interval[1]
    return float(high) if isinstance(high, int | float) and math.isfinite(high) else None


def count(report: Mapping[str, Any], name: str) -> int | None:
    value = lookup(report, name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def lookup(report: Mapping[str, Any], name: str) -> Any:
    """The value under a dotted name whose keys may hold dots themselves; None where there is none."""
    if name in report:
        return report[name]
    for at, letter in enumerate(name):
        inner = report.get(name[:at]) if letter == "." else None
        if isinstance(inner, Mapping):
            found = lookup(inner, name[at + 1 :])
            if found is not None:
                return found
    return None


def _said(value: float, rate: bool) -> str:
    return f"{100 * value:.3g} %" if rate else f"{value:.3g} bits"
