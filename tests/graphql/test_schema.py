"""The schema is the manual: complete, current and as promised."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DangerousChangeType,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    parse,
    validate,
)

from catalog_graphql.snapshot import sdl

GRAPHQL = Path(__file__).parents[2] / "graphql"
SCHEMA = build_schema(sdl())
OPERATIONS = sorted((GRAPHQL / "operations").glob("*.graphql"))


def test_the_snapshot_is_current() -> None:
    assert (GRAPHQL / "schema.graphql").read_text() == sdl(), "run python -m catalog_graphql.snapshot"


def test_everything_has_a_description() -> None:
    own = [named for name, named in SCHEMA.type_map.items() if not name.startswith("__") and named.ast_node]

    assert len(own) > 50
    assert [place for named in own for place, text in _places(named) if not (text or "").strip()] == []


def _places(named: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    yield named.name, named.description
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in named.fields.items():
            yield f"{named.name}.{name}", field.description
            for argument, about in field.args.items():
                yield f"{named.name}.{name}({argument})", about.description
    if isinstance(named, GraphQLInputObjectType):
        for name, entry in named.fields.items():
            yield f"{named.name}.{name}", entry.description
    if isinstance(named, GraphQLEnumType):
        for name, value in named.values.items():
            yield f"{named.name}.{name}", value.description


PROMISED = """
input AsOf { valid: DateTime  known: Long }
input NodeRef @oneOf { id: ID  dataset: DatasetRef  job: NameRef  run: ID  model: DatasetRef  field: FieldRef }
input NameRef { namespace: String!  name: String! }
input DatasetRef { namespace: String!  name: String!  version: String }
input FieldRef { dataset: DatasetRef!  path: String! }
input ModelFilter { namespace: String }
enum Direction { UPSTREAM DOWNSTREAM BOTH }
enum Grain { JOB RUN FIELD }
enum Basis { EXPLICIT COLUMN INFERRED ROLLUP }
type Query {
  node(id: ID!, at: AsOf, atLeast: String): Node
  find(ref: NodeRef!, at: AsOf, atLeast: String): Node
  search(text: String!, kinds: [NodeKind!], at: AsOf, first: Int, after: String): NodeConnection!
  lineage(of: NodeRef!, direction: Direction! = UPSTREAM, depth: Int! = 5, grain: Grain! = RUN,
          limit: Int! = 500, indirect: Boolean! = true, history: Boolean! = false, at: AsOf,
          atLeast: String): LineageGraph!
  paths(from: NodeRef!, to: NodeRef!, at: AsOf, first: Int! = 5): [LineagePath!]!
  models(filter: ModelFilter, at: AsOf, first: Int, after: String): ModelConnection!
  deployments(environment: String, model: NodeRef, at: AsOf, first: Int, after: String): DeploymentConnection!
  prediction(deployment: NodeRef!, requestId: String, at: DateTime): PredictionTrace
  log: LogStatus!
}
type Subscription { runs(job: NodeRef): Run! }
interface Node { id: ID!  kind: NodeKind!  namespace: String  name: String!  facets(names: [String!]): [Facet!]! }
type LineageGraph { root: Node!  nodes: [Node!]!  edges: [LineageEdge!]!  depthReached: Int!  truncated: Truncation
                    gaps: [Gap!]!  snapshot: Snapshot! }
type LineageEdge { from: ID!  to: ID!  basis: Basis!  transformations: [Transformation!]!  firstSeen: DateTime
                   lastSeen: DateTime  runs: Int  stale: Boolean  events(first: Int): [LogEntry!]! }
type LogStatus { size: Long!  root: String!  projection: ProjectionStatus! }
type ProjectionStatus { store: String!  offset: Long!  lagSeconds: Float!  digest: String }
type Snapshot { logSize: Long!  root: String!  valid: DateTime  known: Long! }
"""


REFERRED = """
scalar DateTime
scalar Long
enum NodeKind { DATASET DATASET_VERSION MODEL MODEL_VERSION FIELD JOB DEPLOYMENT RUN }
type Run implements Node { id: ID!  kind: NodeKind!  namespace: String  name: String!
                           facets(names: [String!]): [Facet!]! }
type NodeConnection { pageInfo: PageInfo! }
type ModelConnection { pageInfo: PageInfo! }
type DeploymentConnection { pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean!  endCursor: String }
type Facet { name: String! }
type LogEntry { seq: Long! }
type LineagePath { nodes: [Node!]! }
type PredictionTrace { approver: PredictionLeg! }
type PredictionLeg { node: Node  reason: String }
type Transformation { type: TransformationType!  subtype: String  masking: Boolean! }
enum TransformationType { DIRECT INDIRECT }
type Truncation { reason: TruncationReason! }
enum TruncationReason { DEPTH LIMIT }
type Gap { node: ID! }
"""


def test_the_names_and_types_that_users_hold_on_to_are_there() -> None:
    promised = build_schema(PROMISED + REFERRED)
    defaults = DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE

    assert find_breaking_changes(promised, SCHEMA) == []
    assert [change for change in find_dangerous_changes(promised, SCHEMA) if change.type is defaults] == []


def test_a_reference_takes_exactly_one_name() -> None:
    named = SCHEMA.type_map["NodeRef"]

    assert isinstance(named, GraphQLInputObjectType)
    assert named.is_one_of


@pytest.mark.parametrize("path", OPERATIONS, ids=lambda path: path.stem)
def test_the_stored_operations_fit_the_schema(path: Path) -> None:
    assert validate(SCHEMA, parse(path.read_text())) == []
