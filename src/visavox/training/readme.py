"""The README's tables, made from reports/: `make readme`. A test holds the two together."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visavox.errors import DataError

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Line:
    """One figure: where it stands in its report, how it reads, and what it aims at."""

    label: str
    key: str  # slashes between levels, because keys hold dots
    show: Callable[[Any], str]
    aim: str = ""


def percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def plain(digits: int, unit: str = "") -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}{unit}"


TABLES: Mapping[str, tuple[str, Sequence[Line]]] = {
    "accuracy": (
        "evaluate.json",
        (
            Line("fused FNIR at FPIR 0.3 %", "fused/fnir_at_fpir_0.3pct", percent, "≤ 1 %"),
            Line("fused EER", "fused/eer", percent, "≤ 0.5 %"),
            Line("fused Cllr", "fused/cllr", plain(4, " bit"), "≤ 0.05"),
            Line("face alone, EER", "face/eer", percent, "≤ 6 %"),
            Line("voice alone, EER", "voice/eer", percent, "≤ 6 %"),
        ),
    ),
    "speed": (
        "bench.json",
        (
            Line("one decision, median", "decision_ms_median", plain(1, " ms"), "≤ 60 ms"),
            Line(
                "against eager torch, `embedded`",
                "ratio_vs_eager/embedded",
                plain(1, " ×"),
                "≥ 8 ×",
            ),
            Line(
                "against eager torch, `pretrained` architectures",
                "ratio_vs_eager/pretrained",
                plain(1, " ×"),
                "≥ 2 ×",
            ),
            Line("retraining, 20 members", "retrain_20_s", plain(2, " s"), "≤ 3 s"),
            Line("retraining, 200 members", "retrain_200_s", plain(2, " s"), "≤ 15 s"),
            Line("persona captures per second and core", "persona_captures_per_s", plain(1), "≥ 5"),
            Line("`make demo`, first time", "demo_cold_s", plain(0, " s"), "≤ 600 s"),
            Line("`make demo`, second time", "demo_warm_s", plain(0, " s"), "≤ 60 s"),
        ),
    ),
    "service": (
        "load.json",
        (
            Line("one kiosk, median", "single/p50_ms", plain(0, " ms"), "≤ 80 ms"),
            Line("one kiosk, 95 of 100 within", "single/p95_ms", plain(0, " ms"), "≤ 150 ms"),
            Line("eight kiosks, decisions per second", "eight/rps", plain(1), "≥ 20"),
            Line("eight kiosks, 99 of 100 within", "eight/p99_ms", plain(0, " ms"), "≤ 1000 ms"),
            Line("eight kiosks, errors in two minutes", "eight/errors", plain(0), "0"),
            Line("memory after 10,000 decisions", "rss_mb", plain(0, " MB"), "≤ 400 MB"),
            Line("start to ready", "ready_s", plain(1, " s"), "≤ 5 s"),
            Line("enrolment to first grant", "enrol_to_grant_s", plain(2, " s"), "≤ 2 s"),
            Line(
                "throughput against eager torch, `embedded`",
                "ratio_vs_baseline/throughput",
                plain(1, " ×"),
                "≥ 5 ×",
            ),
            Line(
                "throughput against eager torch, `pretrained` architectures",
                "ratio_vs_baseline/pretrained/throughput",
                plain(1, " ×"),
                "≥ 2 ×",
            ),
            Line(
                "memory against eager torch, `embedded`",
                "ratio_vs_baseline/memory",
                plain(2, " ×"),
                "≤ 0.33 ×",
            ),
        ),
    ),
}


def find(report: Mapping[str, Any], key: str) -> Any:
    """The value at `a/b/c`, or None where the report does not hold it."""
    value: Any = report
    for part in key.split("/"):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def table(report: Mapping[str, Any], lines: Sequence[Line]) -> str:
    rows = ["| figure | measured | 95 % interval | aim |", "|---|---|---|---|"]
    for line in lines:
        value = find(report, line.key)
        interval = find(report, line.key + "_ci")
        shown = "not measured" if value is None else line.show(value)
        span = f"{line.show(interval[0])} – {line.show(interval[1])}" if interval else ""
        rows.append(f"| {line.label} | {shown} | {span} | {line.aim} |")
    return "\n".join(rows)


def fill(text: str, reports: Mapping[str, Mapping[str, Any]]) -> str:
    """`text` with every marked table made anew."""
    for name, (file, lines) in TABLES.items():
        begin, end = f"<!-- table: {name}, from reports/{file} -->", f"<!-- end: {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise DataError(
                f"README.md has no place for the table {name!r}.",
                next_step=f"Put back the lines `{begin}` and `{end}`.",
            )
        made = f"{begin}\n{table(reports[file], lines)}\n{end}"
        text = pattern.sub(lambda _, made=made: made, text)  # type: ignore[misc]
    return text


def read_reports(root: Path) -> dict[str, Mapping[str, Any]]:
    """The reports that the tables need; an absent one reads as empty."""
    files = {file for file, _ in TABLES.values()}
    folder = root / "reports"
    return {
        f: json.loads((folder / f).read_text("utf-8")) if (folder / f).is_file() else {}
        for f in files
    }


def main() -> None:
    path = ROOT / "README.md"
    before = path.read_text("utf-8")
    after = fill(before, read_reports(ROOT))
    path.write_text(after, "utf-8")
    sys.stdout.write("README.md is up to date.\n" if before == after else "README.md rewritten.\n")


if __name__ == "__main__":
    main()
