"""Let other nets take over: the base and every fridge's model are made anew, and change as one.

    python -m flows characterize <folder of the nets>      makes the run, and starts this
    python flows/characterize.py run --retraining <run>
    python flows/characterize.py --with kubernetes run --retraining <run>

Nothing that serves is touched before the last step. The service serves the new set from its next
start on; `python -m flows characterize --back` names the former one again.
"""

from typing import Any

from metaflow import FlowSpec, Parameter, card, current, retry, step, timeout

from visavox.training.production import characterizing, steps


class CharacterizeFlow(FlowSpec):
    """nets, data → cohort, base → per group of fridges: features → per family: train → judge →
    promote as one, or nothing."""

    retraining = Parameter("retraining", help="The run's id.", required=True)

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=60)
    @step
    def start(self) -> None:
        """Take the nets in, and fix the version of the data."""
        name = f"{current.flow_name}/{current.run_id}"
        self.plan = characterizing.begin(self.retraining, name)
        self.next(self.prepare)

    @timeout(minutes=240)
    @step
    def prepare(self) -> None:
        """See the strangers anew, prove the nets on them, fit the newcomers' base."""
        self.prepared = characterizing.prepare(self.plan)
        self.groups = self.plan["groups"]
        self.next(self.features, foreach="groups")

    @retry(times=2, minutes_between_retries=0)
    @timeout(minutes=240)
    @step
    def features(self) -> None:
        """Embed every capture from its raw parts."""
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
        """Choose a family for each fridge, and gate it."""
        self.plan = inputs[0].plan
        self.judged = steps.judge(self.plan, [one.trained for one in inputs])
        self.html = self.judged.pop("html")
        self.next(self.promote)

    @timeout(minutes=60)
    @step
    def promote(self, inputs: Any) -> None:
        """All of it takes over, or nothing does."""
        self.plan = inputs[0].plan
        self.chosen = characterizing.promote(self.plan, [one.judged for one in inputs])
        self.next(self.end)

    @step
    def end(self) -> None:
        """The run has said what became of it."""


if __name__ == "__main__":
    CharacterizeFlow()
