"""Section 9: which service served which model version, when, in which role."""

from dataclasses import dataclass

from catalog.graph.record import EventRecord, Processing, Serving
from tests.reference.answers import Served
from tests.reference.derivations import Use
from tests.reference.flows import Flows
from tests.reference.runs import Run, Runs

HEARTBEAT = 300.0
SECOND = 1_000_000


@dataclass(frozen=True)
class Claim:
    """One event says: this version of this model serves in this role."""

    model: str
    version: str
    role: str
    share: float | None


class Deployments:
    def __init__(self, runs: Runs, flows: Flows) -> None:
        self.runs = runs
        self.flows = flows
        self.models = {
            use.dataset
            for event in runs.records
            for use in [*event.inputs, *event.outputs, *([event.subject] if event.subject else [])]
            if use.model
        }

    def all(self) -> list[Served]:
        services = [run for run in self.runs.all if self.runs.processing(run) is Processing.SERVICE]
        served = [interval for run in services for interval in self._of_run(run)]
        return sorted(served, key=lambda one: (one.since, one.run, one.model, one.version, one.role))

    def _of_run(self, run: Run) -> list[Served]:
        open_since: dict[Claim, int] = {}
        ended: list[Served] = []
        for event in run.events:
            claims = self._claims(run, event)
            models = {claim.model for claim in claims}
            for claim in [c for c in open_since if event.terminal or (c.model in models and c not in claims)]:
                ended.append(_served(run, claim, open_since.pop(claim), event.at, "ENDED"))
            for claim in claims if not event.terminal else ():
                open_since.setdefault(claim, event.at)
        state = "UNKNOWN" if self._silent(run) else "SERVING"
        still = [_served(run, claim, since, None, state) for claim, since in open_since.items()]
        return [one for one in ended if one.until != one.since] + still

    def _silent(self, run: Run) -> bool:
        heartbeat = self.runs.window(run) or HEARTBEAT
        return self.runs.now - run.last > 3 * heartbeat * SECOND

    def _claims(self, run: Run, event: EventRecord) -> set[Claim]:
        serving = self._serving(run, event)
        named: dict[Use, tuple[str, float | None]] = {}
        for use in event.inputs:
            if use.dataset in self.models:
                named[use.dataset, use.version] = (serving.role, serving.share)
        for model in event.serving.models if event.serving else ():
            named[model.dataset, model.version] = (model.role, model.share)
        for use in event.inputs:
            if use.dataset in self.models and use.role is not None:
                named[use.dataset, use.version] = (use.role, use.share)
        return {
            Claim(dataset, self._version(run, event, dataset, version), role, share)
            for (dataset, version), (role, share) in named.items()
        }

    @staticmethod
    def _serving(run: Run, event: EventRecord) -> Serving:
        """The run's facet as of an event."""
        so_far = [one.serving for one in run.events if one.order <= event.order and one.serving is not None]
        return so_far[-1] if so_far else Serving()

    def _version(self, run: Run, event: EventRecord, dataset: str, version: str | None) -> str:
        found, _ = self.flows.resolve(dataset, event.at, event.at, run.id, version)
        return found.versions[0] if found.versions else dataset


def _served(run: Run, claim: Claim, since: int, until: int | None, state: str) -> Served:
    return Served(run.job, run.id, claim.model, claim.version, claim.role, claim.share, since, until, state)
