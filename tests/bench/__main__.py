"""`python -m tests.bench decision retrain service shadow …`: measure these, into reports/."""

import importlib
import sys

GROUPS = ("decision", "retrain", "personas", "service", "demo", "shadow", "retraining", "drift")


def main() -> None:
    chosen = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        sys.exit(f"There is no bench {unknown[0]!r}; choose from {', '.join(GROUPS)}.")
    for name in chosen:
        importlib.import_module(f"tests.bench.{name}").run()


if __name__ == "__main__":
    main()
