"""What was released when, and what the gate had said: decisions and deployments on one line of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import strawberry

from catalog import model
from catalog.act import Act
from catalog.identity import NodeKind, base_version
from catalog.model import AsOf
from catalog.principal import Scope
from catalog.reading import Reading
from catalog_graphql import inputs
from catalog_graphql.connection import After, Connection, First, Listing, Page
from catalog_graphql.decisions import Decision, chosen, decision
from catalog_graphql.desk import Info
from catalog_graphql.enums import ReleaseOutcome
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, micros, time_of
from catalog_graphql.service import DeploymentInterval, interval
from policies.lapse import GateStanding, Stretch, gated, stretches


@strawberry.input(description="Which decisions and deployments to list. Conditions are joined by and.")
class ReleaseFilter:
    of: inputs.NodeRef | None = strawberry.field(default=None, description="Only this model, or this version of one.")
    name_contains: str | None = strawberry.field(
        default=None, description="Only models with this text in their name, in either case."
    )
    environment: str | None = strawberry.field(default=None, description="Only this environment.")
    outcomes: list[ReleaseOutcome] | None = strawberry.field(default=None, description="Only these; left out: all.")
    since: DateTime | None = strawberry.field(default=None, description="Nothing before this time.")
    until: DateTime | None = strawberry.field(default=None, description="Nothing from this time on.")


@strawberry.type(description="Either a decision of the gate, or a deployment that began.")
class Release:
    at: DateTime = strawberry.field(description="When it was decided, or when the service of the version began.")
    outcome: ReleaseOutcome = strawberry.field(description="What it says, or how it stands to the gate.")
    decision: Decision | None = strawberry.field(description="The decision; null for a deployment.")
    deployment: DeploymentInterval | None = strawberry.field(
        description="The latest interval of the service of that version there; null for a decision."
    )


@strawberry.type(description="One page of decisions and deployments, the latest first.")
class ReleaseConnection(Connection[Release]):
    environments: list[str] = strawberry.field(description="All environments that any of them names, filtered or not.")


@dataclass(frozen=True, slots=True)
class _Happening:
    """A decision or a stretch of service, with the name of the model that it is about. `at` in µs."""

    at: int
    id: str
    environment: str | None
    versions: frozenset[str]
    model: tuple[str, str]
    act: Act | None = None
    stretch: Stretch | None = None
    outcome: ReleaseOutcome | None = None


def _place(happening: _Happening) -> tuple[str, str, str]:
    """In time; decisions of one instant in the order of the log."""
    seq = -1 if happening.act is None else happening.act.seq
    return f"{happening.at:020d}", f"{seq + 1:020d}", happening.id


TIMELINE: Listing[_Happening] = Listing("releases", _place, descending=True)


@strawberry.type
class Timeline:
    """The question about releases: `Query` inherits it."""

    @resolver("Decisions of the gate and deployments, the latest first; with at.valid those until then.")
    async def releases(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            ReleaseFilter | None, strawberry.argument(description="Which ones; left out: all.")
        ] = None,
        at: Annotated[
            inputs.AsOf | None, strawberry.argument(description="The point in both times; left out: now.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> ReleaseConnection:
        wanted, given = filter or ReleaseFilter(), inputs.as_of(at)
        info.context.principal.require(Scope.POLICY_READ)

        def question(reading: Reading) -> tuple[Page[_Happening], list[str]]:
            happened = list(_happened(reading))
            listed = _listed(reading, happened, wanted, given.valid)
            page = TIMELINE.page(listed, first, after)
            shown = tuple(replace(each, outcome=_outcome(reading, each)) for each in page.items)
            named = {each.environment for each in happened if each.environment}
            return Page(page.listing, shown, page.start, page.total), sorted(named)

        cut, (page, environments) = await info.context.open(AsOf(known=given.known), None, question)
        made = page.connection(lambda each: _release(each, cut))
        return ReleaseConnection(
            edges=made.edges,
            nodes=made.nodes,
            page_info=made.page_info,
            total_count=made.total_count,
            environments=environments,
        )


def _happened(reading: Reading) -> Iterator[_Happening]:
    for act in chosen(reading, None, None):
        target = act.body.get("target") or {}
        versions = frozenset({target["node"], base_version(target["node"])}) if target else frozenset[str]()
        named = (str(target.get("namespace", "")), str(target.get("name", "")))
        yield _Happening(act.at, act.id, act.body["environment"], versions, named, act=act)
    deployed = reading.deployments()
    models = reading.describe({each.model for each in deployed})
    for job in sorted({each.job for each in deployed}):
        for each in stretches(one for one in deployed if one.job == job):
            last = each.deployments[-1]
            found = models.get(last.model)
            named = ("", "") if found is None else (found.namespace or "", found.name)
            versions = frozenset({last.model_version, base_version(last.model_version)})
            yield _Happening(each.since, last.id, last.environment, versions, named, stretch=each)


def _listed(
    reading: Reading, happened: Iterable[_Happening], wanted: ReleaseFilter, valid: int | None
) -> Iterator[_Happening]:
    subject = reading.find(inputs.reference(wanted.of)) if wanted.of else None
    if wanted.of and subject is None:
        return
    text = (wanted.name_contains or "").casefold()
    since, until = micros(wanted.since), micros(wanted.until)
    for each in happened:
        if (
            (subject is None or _is_about(each, subject))
            and text in each.model[1].casefold()
            and wanted.environment in (None, each.environment)
            and (since is None or each.at >= since)
            and (until is None or each.at < until)
            and (valid is None or each.at <= valid)
            and (wanted.outcomes is None or _comes_to(reading, each, wanted.outcomes))
        ):
            yield each


def _is_about(happening: _Happening, subject: model.Node) -> bool:
    if subject.kind is NodeKind.MODEL:
        return happening.model == (subject.namespace or "", subject.name)
    return subject.id in happening.versions


def _comes_to(reading: Reading, happening: _Happening, outcomes: Iterable[ReleaseOutcome]) -> bool:
    """Deployments are judged only where somebody asks for how they stand."""
    wanted = set(outcomes)
    if happening.stretch is not None and wanted.isdisjoint(ReleaseOutcome(each) for each in GateStanding):
        return False
    return _outcome(reading, happening) in wanted


def _outcome(reading: Reading, happening: _Happening) -> ReleaseOutcome:
    if happening.act is not None:
        return ReleaseOutcome(str(happening.act.body["state"]))
    assert happening.stretch is not None  # it is the one or the other
    served = happening.stretch.deployments
    return ReleaseOutcome(gated(reading, served[-1], served).state.value)


def _release(happening: _Happening, cut: AsOf) -> Release:
    assert happening.outcome is not None  # what is shown was judged
    return Release(
        at=time_of(happening.at),
        outcome=happening.outcome,
        decision=None if happening.act is None else decision(happening.act, cut),
        deployment=None if happening.stretch is None else interval(happening.stretch.deployments[-1], cut),
    )
