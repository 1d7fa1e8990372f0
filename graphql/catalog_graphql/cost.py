"""What a document asks for, measured before it is validated: each fragment once, however often it is spread.

A fragment that spreads another twice doubles the operation, and forty of them fit into a kilobyte. So fragments are
measured from the innermost outwards, and a spread adds what is known of its fragment: the work is that of reading the
document, the numbers are those of the expanded operation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    IntValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from strawberry.extensions import ValidationCache

from catalog.errors import ForbiddenError, InvalidInputError, LinewardError
from catalog_graphql.connection import DEFAULT_FIRST
from catalog_graphql.limits import DocumentLimits, Limits
from catalog_graphql.trusted import Admission

_SIZES = {"lineage": 500, "events": DEFAULT_FIRST, "paths": 5, "producers": 2, "legs": 20}
_INTROSPECTION = {"types": 100, "args": 2, "interfaces": 2, "inputFields": 5, "enumValues": 5, "possibleTypes": 5}
_SHARED = frozenset({"nodes", "edges"})  # their length is that of the list which they are pages of
_OTHERS = 10  # of a list that says nothing of its length
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Measure:
    """Of a selection set with everything below it, fragments in their places.

    `values` may the answer hold; `depth` counts fields below fields, `nesting` selection sets in selection sets.
    """

    values: int = 0
    depth: int = 0
    nesting: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0


@dataclass(slots=True)
class Walk:
    """Measures one document. `visited` counts the selections that were looked at: each of the document once."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    sizes: Mapping[str, int]
    visited: int = 0
    _known: dict[str, Measure] = field(default_factory=dict)

    def operation(self, operation: OperationDefinitionNode) -> Measure:
        self._learn(operation.selection_set)
        return self._of(operation.selection_set)

    def _learn(self, selected: SelectionSetNode) -> None:
        """Measure the fragments that are spread here, those first that they spread; without recursion over them.

        A fragment that spreads itself is refused by validation, and so is one that does not exist: both are free.
        """
        pending = list(self._unknown(selected))
        begun: set[str] = set()
        while pending:
            name = pending[-1]
            fragment = self.fragments.get(name)
            below = [] if fragment is None or name in begun else list(self._unknown(fragment.selection_set))
            begun.add(name)
            if waited_for := [each for each in below if each not in begun]:
                pending += waited_for
                continue
            pending.pop()
            if name not in self._known:
                self._known[name] = Measure() if fragment is None else self._of(fragment.selection_set)

    def _unknown(self, selected: SelectionSetNode) -> Iterator[str]:
        return (name for name in _spreads(selected) if name not in self._known)

    def _of(self, selected: SelectionSetNode | None) -> Measure:
        """Nesting without fragments is bounded by graphql-core's parser, so recursion is safe."""
        found = [self._of_selection(each) for each in (selected.selections if selected else ())]
        if not found:
            return Measure()
        return Measure(
            values=sum(each.values for each in found),
            depth=max(each.depth for each in found),
            nesting=1 + max(each.nesting for each in found),
            fields=sum(each.fields for each in found),
            aliases=sum(each.aliases for each in found),
            directives=sum(each.directives for each in found),
            root_fields=sum(each.root_fields for each in found),
        )

    def _of_selection(self, selection: SelectionNode) -> Measure:
        self.visited += 1
        own = len(selection.directives or ())
        if isinstance(selection, FieldNode):
            below = self._of(selection.selection_set)
            return Measure(
                values=1 + self._size(selection) * below.values,
                depth=1 + below.depth,
                nesting=below.nesting,
                fields=1 + below.fields,
                aliases=(selection.alias is not None) + below.aliases,
                directives=own + below.directives,
                root_fields=1,
            )
        below = self._below(selection)
        return Measure(
            below.values,
            below.depth,
            below.nesting,
            below.fields,
            below.aliases,
            own + below.directives,
            below.root_fields,
        )

    def _below(self, selection: SelectionNode) -> Measure:
        if isinstance(selection, FragmentSpreadNode):
            return self._known.get(selection.name.value, Measure())
        return self._of(getattr(selection, "selection_set", None))

    def _size(self, selected: FieldNode) -> int:
        default = self.sizes.get(selected.name.value, 1)
        for argument in selected.arguments or ():
            if argument.name.value in ("first", "limit"):
                return self._number(argument.value, default)
        return default

    def _number(self, value: ValueNode, default: int) -> int:
        """The length that is asked for. What is no length fails later; until then it counts as the longest."""
        if isinstance(value, IntValueNode):
            return _length(int(value.value)) if len(value.value) < 8 else _MOST
        if isinstance(value, VariableNode):
            given = self.variables.get(value.name.value)
            return default if given is None else _length(given)
        return default if isinstance(value, NullValueNode) else _MOST


def walk(document: DocumentNode, variables: Mapping[str, Any], sizes: Mapping[str, int]) -> Walk:
    """A walk over a document, with the variables given and the defaults of those that were not."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    return Walk(fragments, _defaults(_operations(document)) | dict(variables), sizes)


def measure(document: DocumentNode, variables: Mapping[str, Any], sizes: Mapping[str, int]) -> Measure:
    """The most of everything that one of the document's operations asks for."""
    walking = walk(document, variables, sizes)
    found = [walking.operation(each) for each in _operations(document)] or [Measure()]
    return Measure(*(max(column) for column in zip(*map(_columns, found), strict=True)))


@cache
def list_sizes(schema: GraphQLSchema) -> Mapping[str, int]:
    """How long the list behind a field's name is taken to be where a query does not say: every list of the schema."""
    found = {
        name: _OTHERS
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, each in kind.fields.items()
        if name not in _SHARED and _is_list(each.type)
    }
    connections = {
        name: DEFAULT_FIRST
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, each in kind.fields.items()
        if get_named_type(each.type).name.endswith("Connection")
    }
    return found | connections | _SIZES | _INTROSPECTION


class BoundedValidation(ValidationCache):
    """Validates only what is affordable and permitted; valid documents are remembered.

    Who asks and how much that one may is read from a context that has an `admission` (see `catalog_graphql.trusted`);
    without one, the limits are those of a reader.
    """

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = self._admission.limits.tokens
        yield

    def on_validate(self) -> Iterator[None]:
        complaint = self._complaint()
        if complaint is None:
            yield from super().on_validate()
            return
        self.execution_context.pre_execution_errors = [GraphQLError(complaint.message, original_error=complaint)]
        yield

    @property
    def _admission(self) -> Admission:
        found = getattr(self.execution_context.context, "admission", None)
        return found if isinstance(found, Admission) else _OPEN

    def _complaint(self) -> LinewardError | None:
        context, admission = self.execution_context, self._admission
        document = context.graphql_document
        assert document is not None
        # strawberry runs the first operation where the specification (section 6.1) wants an error
        if context._provided_operation_name is None and len(_operations(document)) > 1:
            return _UNNAMED
        if not admission.knows(context.query):
            return _UNKNOWN
        if not admission.may_explore and _explores(document):
            return _HIDDEN
        sizes = list_sizes(context.schema._schema)
        return _excess(measure(document, context.variables or {}, sizes), admission.limits)


_OPEN = Admission(Limits().document)
_UNNAMED = InvalidInputError("The document has several operations.", "Name the one to run in operationName.")
_UNKNOWN = ForbiddenError(
    "This server runs only the operations that it was given.",
    "Send one of them word for word, or its SHA-256 as documentId; whoever runs the server adds others.",
)
_HIDDEN = ForbiddenError("You may not ask for the schema.", "Use a key with the scope lineage:read.")


def _excess(found: Measure, limits: DocumentLimits) -> InvalidInputError | None:
    """A complaint of the first limit that is exceeded."""
    asked = {
        "is {} fields deep": (found.depth, limits.depth),
        "nests {} selections": (found.nesting, limits.nesting),
        "has {} aliases": (found.aliases, limits.aliases),
        "has {} fields at its root": (found.root_fields, limits.root_fields),
        "has {} directives": (found.directives, limits.directives),
        "has {} fields, fragments included": (found.fields, limits.fields),
        "may be answered by {} values": (found.values, limits.values),
    }
    for told, (count, most) in asked.items():
        if count > most:
            return InvalidInputError(
                f"The operation {told.format(_shown(count))}.",
                f"Ask for less at once: at most {most:,}; a smaller first or limit counts, too.",
            )
    return None


def _shown(count: int) -> str:
    """Doubled often enough, a number has more digits than Python writes."""
    return f"{count:,}" if count < 10**15 else "more than 10^15"


def _columns(found: Measure) -> tuple[int, ...]:
    return tuple(getattr(found, name) for name in Measure.__slots__)


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]


def _defaults(operations: Sequence[OperationDefinitionNode]) -> dict[str, Any]:
    """Of variables that are not given; the longest where operations disagree."""
    found: dict[str, int] = {}
    for operation in operations:
        for variable in operation.variable_definitions or ():
            if isinstance(variable.default_value, IntValueNode):
                name = variable.variable.name.value
                found[name] = max(found.get(name, 0), _length(int(variable.default_value.value[:7])))
    return found


def _length(given: Any) -> int:
    """A count is never below nothing: what is added for one list is not taken off for another."""
    return min(max(int(given), 0), _MOST) if isinstance(given, int | float) and abs(given) < _MOST else _MOST


def _spreads(selected: SelectionSetNode) -> Iterator[str]:
    pending: list[SelectionSetNode | None] = [selected]
    while pending:
        current = pending.pop()
        for each in current.selections if current else ():
            if isinstance(each, FragmentSpreadNode):
                yield each.name.value
            else:
                pending.append(getattr(each, "selection_set", None))


def _explores(document: DocumentNode) -> bool:
    """Whether a field of introspection stands anywhere; `__typename` tells nothing that the query does not."""
    for each in document.definitions:
        pending = [getattr(each, "selection_set", None)]
        while pending:
            current = pending.pop()
            for selection in current.selections if current else ():
                if isinstance(selection, FieldNode) and selection.name.value in ("__schema", "__type"):
                    return True
                pending.append(getattr(selection, "selection_set", None))
    return False


def _is_list(kind: GraphQLOutputType) -> bool:
    return isinstance(get_nullable_type(kind), GraphQLList) and is_composite_type(get_named_type(kind))
