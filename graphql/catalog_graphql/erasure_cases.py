"""Cases of erasure: what rests on each, and what is decided about it."""

from typing import Annotated, Any, cast

import strawberry

from catalog.erasure.redaction import Way
from catalog.errors import InvalidInputError
from catalog_graphql import inputs
from catalog_graphql.desk import Info
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long
from policies.erasure.casebook import CaseState, Reviewed
from policies.erasure.report import described

_STATES = {
    CaseState.OPEN: "Nothing that stands is decided about some version, or not all that rests on it is known.",
    CaseState.CLOSED: "Something that stands is decided about every version.",
}


def _explain() -> None:
    made = strawberry.enum(CaseState, name="ErasureCaseState", description="How a case of erasure stands.")
    for value in cast(Any, made).__strawberry_definition__.values:
        value.description = _STATES[CaseState(value.value)]


_explain()


@strawberry.type(description="A dataset that rows were erased from.")
class ErasedDataset:
    id: strawberry.ID = strawberry.field(description="Node id.")
    namespace: str = strawberry.field(description="Its namespace.")
    name: str = strawberry.field(description="Its name.")


@strawberry.type(description="What was decided about a version that rests on an erasure.")
class ErasureDisposition:
    id: strawberry.ID = strawberry.field(description="Id of the act.")
    way: str = strawberry.field(description="retrain, unlearn, suppress or accept.")
    by: str = strawberry.field(description="Who decided.")
    at: DateTime = strawberry.field(description="When.")
    reason: str = strawberry.field(description="Why.")
    successor: strawberry.ID | None = strawberry.field(description="The version that takes its place.")
    expires_at: DateTime | None = strawberry.field(description="End of an acceptance.")
    stands: bool = strawberry.field(description="Whether it has not run out, and its successor does without the rows.")


@strawberry.type(description="A version of a model that rests on an erasure.")
class ErasureVersion:
    id: strawberry.ID = strawberry.field(description="Node id.")
    namespace: str = strawberry.field(description="Namespace of the model.")
    name: str = strawberry.field(description="Name of the model.")
    version: str = strawberry.field(description="Name of the version.")
    open: bool = strawberry.field(description="Whether nothing that stands is decided about it.")
    path: list[strawberry.ID] = strawberry.field(description="Node ids from what was erased to it.")
    disposition: ErasureDisposition | None = strawberry.field(description="What was decided last.")


@strawberry.type(description="A stretch in which a service served such a version.")
class ErasureDeployment:
    job: strawberry.ID = strawberry.field(description="The service.")
    version: strawberry.ID = strawberry.field(description="The version.")
    environment: str | None = strawberry.field(description="Where.")
    role: str = strawberry.field(description="primary, canary or shadow.")
    since: DateTime = strawberry.field(description="The first event that says so.")
    until: DateTime | None = strawberry.field(description="The end; null while it goes on.")
    state: str = strawberry.field(description="SERVING, ENDED or UNKNOWN.")


@strawberry.type(description="A decision on such a version, or with frozen evidence that names what was erased.")
class ErasureDecision:
    id: strawberry.ID = strawberry.field(description="The decision.")
    state: str = strawberry.field(description="ALLOW, DENY, PENDING or INDETERMINATE.")
    environment: str = strawberry.field(description="For where.")
    at: DateTime = strawberry.field(description="When.")
    version: strawberry.ID | None = strawberry.field(description="The version that it is about.")


@strawberry.type(description="Something on the way that is not known.")
class ErasureGap:
    kind: str = strawberry.field(description="As in GapKind.")
    node: strawberry.ID = strawberry.field(description="What it is about.")
    name: str = strawberry.field(description="Its name, with the version.")
    reason: str = strawberry.field(description="In words.")


@strawberry.type(description="What rests on an erasure, and what is decided: the answer to a request (GDPR, Art. 17).")
class ErasureReport:
    id: strawberry.ID | None = strawberry.field(description="Id of the case; null for a preview.")
    state: CaseState | None = strawberry.field(description="How the case stands.")
    basis: str | None = strawberry.field(description="The ground in law.")
    reason: str | None = strawberry.field(description="Why.")
    opened_by: str | None = strawberry.field(description="Who told of it.")
    opened_at: DateTime | None = strawberry.field(description="When.")
    due_at: DateTime | None = strawberry.field(description="One month later: GDPR, Art. 12(3).")
    erased_before: DateTime = strawberry.field(description="Versions begun before held the rows.")
    entries: list[Long] = strawberry.field(description="Positions of the log whose bodies went.")
    datasets: list[ErasedDataset] = strawberry.field(description="Where rows went from.")
    versions: list[ErasureVersion] = strawberry.field(description="Versions of models that rest on it.")
    deployments: list[ErasureDeployment] = strawberry.field(description="Where these serve, or served.")
    decisions: list[ErasureDecision] = strawberry.field(description="Decisions that rest on it.")
    gaps: list[ErasureGap] = strawberry.field(description="What is not known on the ways to them.")
    truncated: bool = strawberry.field(description="Whether the walk was cut: there may be more.")
    as_of: DateTime = strawberry.field(description="The instant at which acceptances were judged.")
    known: Long = strawberry.field(description="How many entries of the log were known.")


@strawberry.input(description="What is decided about one version that rests on an erasure.")
class DisposeErasureInput:
    id: strawberry.ID = strawberry.field(description="Id of the case: of the proposal, or of the erasure.")
    version: inputs.NodeRef = strawberry.field(description="The version.")
    way: str = strawberry.field(description="retrain, unlearn, suppress or accept.")
    reason: str = strawberry.field(description="Why, and where it is on file.")
    successor: inputs.NodeRef | None = strawberry.field(
        default=None, description="For retrain: the version trained without the rows."
    )
    expires_at: DateTime | None = strawberry.field(default=None, description="For accept: when it ceases.")


@strawberry.type
class CaseQuestions:
    """Questions about cases: `Query` inherits them."""

    @resolver("What rests on an erasure, or would on one of rows of a dataset now, and what is decided.")
    async def erasure_report(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Id of a case.")] = None,  # noqa: A002
        about: Annotated[
            inputs.NodeRef | None, strawberry.argument(description="A dataset, for a preview of a case.")
        ] = None,
    ) -> ErasureReport:
        desk, book = info.context, info.context.governance.case_book
        if id is not None and about is None:
            return _report(await desk.in_thread(lambda: book.case(desk.principal, str(id))))
        if about is None or id is not None:
            raise InvalidInputError("Name a case or a dataset, not both.", "Give id or about.")
        wanted = inputs.reference(about)
        return _report(await desk.in_thread(lambda: book.about(desk.principal, wanted)))

    @resolver("Every case of erasure, in the order of their opening.")
    async def erasure_cases(
        self,
        info: Info,
        state: Annotated[CaseState | None, strawberry.argument(description="Only these; left out: all.")] = None,
    ) -> list[ErasureReport]:
        desk = info.context
        found = await desk.in_thread(lambda: desk.governance.case_book.cases(desk.principal))
        return [_report(each) for each in found if state in (None, each.state)]


@strawberry.type
class CaseActs:
    """Acts about cases: `Mutation` inherits them."""

    @resolver("Decide what is done about a version that rests on an erasure.")
    async def dispose_erasure(
        self,
        info: Info,
        input: Annotated[DisposeErasureInput, strawberry.argument(description="The decision.")],  # noqa: A002
    ) -> ErasureReport:
        desk = info.context
        version = inputs.reference(input.version)
        successor = inputs.reference(input.successor) if input.successor else None
        found = await desk.in_thread(
            lambda: desk.governance.case_book.dispose(
                desk.principal,
                str(input.id),
                version,
                cast(Way, input.way),
                input.reason,
                successor=successor,
                expires_at=input.expires_at,
            )
        )
        return _report(found)


def _report(found: Reviewed) -> ErasureReport:
    told = described(found)
    plain = {name: told[name] for name in ("id", "basis", "reason", "entries", "truncated", "known")}
    return ErasureReport(
        **plain,
        state=found.state if told["id"] else None,
        opened_by=told["openedBy"],
        opened_at=told["openedAt"],
        due_at=told["dueAt"],
        erased_before=told["erasedBefore"],
        datasets=[ErasedDataset(**each) for each in told["datasets"]],
        versions=[_version(each) for each in told["versions"]],
        deployments=[ErasureDeployment(**each) for each in told["deployments"]],
        decisions=[ErasureDecision(**each) for each in told["decisions"]],
        gaps=[ErasureGap(**each) for each in told["gaps"]],
        as_of=told["asOf"],
    )


def _version(told: dict[str, Any]) -> ErasureVersion:
    said = told.pop("disposition")
    if said is not None:
        expires = said.pop("expiresAt")
        said = ErasureDisposition(**said, expires_at=expires)
    return ErasureVersion(**told, disposition=said)
