"""What a document may ask for: its cost is bounded before it is validated, so that nested lists cannot multiply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from strawberry.extensions import ValidationCache

from catalog.errors import InvalidInputError

BUDGET = 300_000
DEPTH = 20
_SIZES = {
    "versions": 20,
    "intervals": 20,
    "search": 20,
    "models": 20,
    "deployments": 20,
    "decisions": 20,
    "events": 20,
    "lineage": 500,
}
_SIZES |= {
    "facets": 10,
    "parameters": 10,
    "evaluations": 10,
    "paths": 5,
    "producers": 2,
    "approvals": 5,
    "waivers": 5,
    "attestations": 10,
    "controls": 20,
    "checks": 10,
}
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Values that the answer may hold, and levels of selections."""

    values: int = 0
    depth: int = 0


@dataclass(slots=True)
class _Pricing:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Cost] = field(default_factory=dict)

    def of(self, selected: SelectionSetNode | None) -> Cost:
        found = [self._of_selection(each) for each in (selected.selections if selected else ())]
        return Cost(sum(each.values for each in found), max((each.depth for each in found), default=0))

    def _of_selection(self, selection: object) -> Cost:
        if isinstance(selection, FieldNode):
            below = self.of(selection.selection_set)
            return Cost(1 + self._size(selection) * below.values, 1 + below.depth)
        if isinstance(selection, InlineFragmentNode):
            return self.of(selection.selection_set)
        assert isinstance(selection, FragmentSpreadNode)
        return self._of_fragment(selection.name.value)

    def _of_fragment(self, name: str) -> Cost:
        """A fragment that spreads itself, or does not exist, is refused by validation; here it is free."""
        if name not in self.known:
            self.known[name] = Cost()
            fragment = self.fragments.get(name)
            self.known[name] = self.of(fragment.selection_set if fragment else None)
        return self.known[name]

    def _size(self, selected: FieldNode) -> int:
        for argument in selected.arguments or ():
            if argument.name.value in ("first", "limit"):
                return self._number(argument.value, _SIZES.get(selected.name.value, 1))
        return _SIZES.get(selected.name.value, 1)

    def _number(self, value: object, default: int) -> int:
        if isinstance(value, IntValueNode):
            return min(int(value.value[:6]), _MOST)
        if isinstance(value, VariableNode):
            given = self.variables.get(value.name.value, default)
            return min(given, _MOST) if isinstance(given, int) else default
        return default


def cost(document: DocumentNode, variables: Mapping[str, Any]) -> Cost:
    """The dearest operation of a document, its lists taken at the length asked for or at their default."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    pricing = _Pricing(fragments, variables)
    found = [
        pricing.of(each.selection_set) for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    return Cost(max((each.values for each in found), default=0), max((each.depth for each in found), default=0))


class BoundedValidation(ValidationCache):
    """Validates only what is affordable; valid documents are remembered."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None
        # strawberry runs the first operation where the specification (section 6.1) wants an error
        unnamed = context._provided_operation_name is None and _is_ambiguous(document)
        complaint = _UNNAMED if unnamed else _complaint(cost(document, context.variables or {}))
        if complaint is None:
            yield from super().on_validate()
            return
        context.pre_execution_errors = [GraphQLError(complaint.message, original_error=complaint)]
        yield


_UNNAMED = InvalidInputError("The document has several operations.", "Name the one to run in operationName.")


def _is_ambiguous(document: DocumentNode) -> bool:
    return sum(isinstance(each, OperationDefinitionNode) for each in document.definitions) > 1


def _complaint(priced: Cost) -> InvalidInputError | None:
    if priced.depth > DEPTH:
        return InvalidInputError(f"The query is {priced.depth} levels deep.", f"Ask for at most {DEPTH} at once.")
    if priced.values > BUDGET:
        return InvalidInputError(
            f"The answer may have {priced.values:,} values.",
            f"Ask for less at once, with a smaller first or limit: at most {BUDGET:,} values.",
        )
    return None
