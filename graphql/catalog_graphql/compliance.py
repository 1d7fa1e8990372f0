"""Models against the controls of one pack, and what is not known of all of them: `Query` inherits the questions."""

from typing import Annotated

import strawberry

from catalog import model
from catalog.model import AsOf
from catalog_graphql import inputs
from catalog_graphql.acts import Waiver, of_outcome
from catalog_graphql.connection import After, Connection, First, PageInfo
from catalog_graphql.desk import Desk, Info
from catalog_graphql.nodes import MODELS, Model, ModelVersion, common
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, micros, optional_time, time_of
from catalog_graphql.verdicts import ControlVerdict, control
from policies.compliance import matrix
from policies.compliance.matrix import Matrix, Position, Question
from policies.compliance.table import Filter
from policies.verdict import Verdict

Pack = Annotated[str, strawberry.argument(description="Name of the pack: the one in force, else the one at hand.")]
Environment = Annotated[
    str | None,
    strawberry.argument(description="Its bindings say how hard controls are enforced, and with which params."),
]
At = Annotated[inputs.AsOf | None, strawberry.argument(description="The point in both times; left out: now.")]
EvaluatedAt = Annotated[
    DateTime | None,
    strawberry.argument(
        description="When ages and expiries are judged; left out: at.valid, or now. Pass that of an earlier page."
    ),
]


@strawberry.type(description="What the controls of one pack say of one version of a model: a row of a matrix.")
class ComplianceRow:
    verdict: Verdict = strawberry.field(description="The worst of all.")
    target: ModelVersion | None = strawberry.field(description="The version; null where the model has none.")
    serves_in: list[str] = strawberry.field(description="Environments in which it serves, or last said so.")
    controls: list[ControlVerdict] = strawberry.field(description="In the order of the pack; empty where unjudged.")
    waivers: list[Waiver] = strawberry.field(
        description="Waivers of these controls on it, the earliest first; revoked and expired ones too."
    )
    trouble: str | None = strawberry.field(description="Why nothing was judged; null where it was.")
    next_flip_at: DateTime | None = strawberry.field(description="When time alone will change a verdict.")


@strawberry.type(description="A model with the rows of its versions.")
class ModelCompliance:
    model: Model = strawberry.field(description="The model.")
    rows: list[ComplianceRow] = strawberry.field(
        description="The current version, or every one, the latest first. Never empty."
    )


@strawberry.type(description="One page of a matrix, by model. All pages of one position are one matrix.")
class ComplianceMatrix(Connection[ModelCompliance]):
    pack: str = strawberry.field(description="The pack as NAME@VERSION.")
    pack_digest: str = strawberry.field(description="SHA-256 of the pack's normalised document (RFC 8785).")
    known: Long = strawberry.field(description="How many entries of the log it knows: pass it for the next page.")
    evaluated_at: DateTime = strawberry.field(description="When ages and expiries were judged: pass it as well.")


@strawberry.type
class Compliance:
    """Questions about one pack and every model."""

    @resolver("What the controls of one pack say of each model, without a decision and for nobody in particular.")
    async def compliance(
        self,
        info: Info,
        pack: Pack,
        environment: Environment = None,
        name: Annotated[
            str | None, strawberry.argument(description="Only models with this text in namespace or name.")
        ] = None,
        latest: Annotated[
            bool, strawberry.argument(description="Only the current version of each model, else every one.")
        ] = True,
        at: At = None,
        evaluated_at: EvaluatedAt = None,
        first: First = None,
        after: After = None,
    ) -> ComplianceMatrix:
        desk, asked = info.context, Question(pack, environment, latest)
        answering = _matrix(desk)

        def work() -> ComplianceMatrix:
            position = answering.position(desk.principal, inputs.as_of(at), micros(evaluated_at))
            held = answering.pack(position, pack)
            models = filter(Filter(name or "").takes_model, answering.models(desk.principal, position))
            page = MODELS.page(models, first, after)
            rows: dict[str, list[matrix.Row]] = {}
            for row in answering.rows(desk.principal, position, asked, page.items):
                rows.setdefault(row.model.id, []).append(row)
            made = page.connection(lambda each: _of_model(each, rows[each.id], position))
            info_: PageInfo = made.page_info
            return ComplianceMatrix(
                edges=made.edges,
                nodes=made.nodes,
                page_info=info_,
                total_count=made.total_count,
                pack=held.label,
                pack_digest=held.digest,
                known=Long(position.known),
                evaluated_at=time_of(position.evaluated_at),
            )

        return await desk.in_thread(work)

    @resolver("One row of that matrix, with every reason.")
    async def compliance_of(
        self,
        info: Info,
        target: Annotated[inputs.NodeRef, strawberry.argument(description="The version of a model.")],
        pack: Pack,
        environment: Environment = None,
        at: At = None,
        evaluated_at: EvaluatedAt = None,
    ) -> ComplianceRow:
        desk, wanted, answering = info.context, inputs.reference(target), _matrix(info.context)

        def work() -> ComplianceRow:
            position = answering.position(desk.principal, inputs.as_of(at), micros(evaluated_at))
            found = answering.row(desk.principal, position, Question(pack, environment), wanted)
            return _row(found, AsOf(position.valid, position.known))

        return await desk.in_thread(work)


def _matrix(desk: Desk) -> Matrix:
    return Matrix(desk.sources.access, desk.governance.judge, desk.now)


def _of_model(found: model.Node, rows: list[matrix.Row], position: Position) -> ModelCompliance:
    cut = AsOf(position.valid, position.known)
    return ModelCompliance(model=Model(**common(found, cut)), rows=[_row(each, cut) for each in rows])


def _row(found: matrix.Row, cut: AsOf) -> ComplianceRow:
    return ComplianceRow(
        verdict=found.verdict,
        target=ModelVersion(**common(found.version, cut)) if found.version else None,
        serves_in=list(found.serves_in),
        controls=[control(each, cut) for each in found.controls],
        waivers=[of_outcome(each, Waiver, cut) for each in found.waivers],
        trouble=found.trouble,
        next_flip_at=optional_time(found.next_flip_at),
    )
