"""Retrain the fridges of one run: from a data version to models that serve, or do not.

    python flows/retrain.py run --retraining <run>
    python flows/retrain.py resume --origin-run-id <id>
    python flows/retrain.py --with kubernetes run --retraining <run>

The worker (`python -m flows worker`) starts it for whoever changed. Each step is one call, which
may be repeated at any time. On a cluster every task needs what the worker has: VISAVOX_… in its
environment, PostgreSQL, and the state folder as a volume that all of them see
(METAFLOW_KUBERNETES_PERSISTENT_VOLUME_CLAIMS).
"""

from typing import Any

from metaflow import FlowSpec, Parameter, card, current, retry, step, timeout

from visavox.training.production import steps, steps_rollout


class RetrainFlow(FlowSpec):
    """snapshot → per group of fridges: features → per family: train → judge → register → deploy →
    verify."""

    retraining = Parameter("retraining", help="The run's id, as the worker made it.", required=True)

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def start(self) -> None:
        """Fix the version of the data."""
        self.plan = steps.snapshot(self.retraining, f"{current.flow_name}/{current.run_id}")
        self.groups = self.plan["groups"]
        self.next(self.features, foreach="groups")

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def features(self) -> None:
        """Embed what is new."""
        self.group = steps.features(self.plan, self.input)
        self.families = self.plan["families"]
        self.next(self.train, foreach="families")

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def train(self) -> None:
        """Fit and prove one family."""
        self.trained = steps.train(self.plan, self.group, self.input)
        self.next(self.judge)

    @card(type="pages")
    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def judge(self, inputs: Any) -> None:
        """Choose a family, and gate it against the champion."""
        self.plan = inputs[0].plan
        self.judged = steps.judge(self.plan, [one.trained for one in inputs])
        self.html = self.judged.pop("html")
        self.next(self.register)

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def register(self, inputs: Any) -> None:
        """Make what passed a version of its fridge's model."""
        self.plan = inputs[0].plan
        self.registered = steps_rollout.register(self.plan, [one.judged for one in inputs])
        self.next(self.deploy)

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def deploy(self) -> None:
        """Let it serve, or try it beside what serves."""
        self.deployed = steps_rollout.deploy(self.plan, self.registered)
        self.next(self.verify)

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def verify(self) -> None:
        """See that it answers as it was trained to; else the former champion is back."""
        self.verified = steps_rollout.verify(self.plan, self.deployed)
        self.next(self.end)

    @retry(times=2, minutes_between_retries=0)
    @step
    def end(self) -> None:
        """Say what became of every request."""
        self.fates = steps_rollout.conclude(self.plan, self.verified)


if __name__ == "__main__":
    RetrainFlow()
