"""Look at all fridges, and ask for a retraining where one is due.

    python flows/watch.py run                              once; from cron, or a schedule of Argo's
    python flows/watch.py --with kubernetes run

`python -m flows watch` does the same in one process, which is enough for some hundred fridges.
"""

from typing import Any

from metaflow import FlowSpec, current, retry, step

from visavox.training.production import watching_steps


class WatchFlow(FlowSpec):
    """groups → per group of fridges: look → end."""

    @retry(times=2, minutes_between_retries=1)
    @step
    def start(self) -> None:
        """See that the audit log holds, and which fridges there are."""
        self.groups = watching_steps.begin()
        self.next(self.look, foreach="groups")

    @retry(times=2, minutes_between_retries=1)
    @step
    def look(self) -> None:
        """Judge what their kiosks saw; ask for what is due."""
        name = f"{current.flow_name}/{current.run_id}"
        self.found = watching_steps.look(self.input, name)
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        """What there is to say."""
        self.told = watching_steps.told([one.found for one in inputs])
        self.next(self.end)

    @step
    def end(self) -> None:
        """Say it."""
        print("\n".join(self.told) or "nothing is due")  # noqa: T201 (Metaflow keeps what a step prints)


if __name__ == "__main__":
    WatchFlow()
