"""Execution that completes lists of plain objects column by column, and leaves everything else to graphql-core.

graphql-core spends some 5 µs on each field of each object, which is 50 ms of an answer of a thousand nodes. What is
*plain* needs none of that: fields without resolver or arguments, of objects whose type follows from their class, with
values that are already what the answer shows. A list of such objects is read with one `attrgetter`, checked by the set
of its values' types, and put together by the column.

Soundness rests on two things. Whatever is not known to be plain, or turns out not to be, is given up, and graphql-core
does the same list or field again from the start: reading attributes has no effects, so its answer and its errors are
those that it would have given. And the overridden methods are private to graphql-core, so this is off, with a warning,
on every version with which the differential fuzz of the test suite has not passed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from types import NoneType
from typing import Any, TypeAlias

import graphql
import structlog
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)
from graphql.pyutils import Path, Undefined, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from catalog_graphql.unmade import Unmade

FUZZED = frozenset({"3.3.2"})  # versions of graphql-core with which the fuzz has passed

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
_CAST = "__as_strawberry_type__"
_INT = range(-(2**31), 2**31)  # GraphQL specification, section 3.5.1
_BUILT_IN = {GraphQLString.name: str, GraphQLID.name: str, GraphQLBoolean.name: bool, GraphQLInt.name: int}

logger = structlog.get_logger(__name__)


def execution() -> type[StrawberryGraphQLCoreExecutionContext] | None:
    """How operations are executed; None, which is graphql-core's own way, on a version that is not known to be safe."""
    if graphql.__version__ in FUZZED:
        return ColumnarExecution
    logger.warning("graphql.columnar_off", graphql_core=graphql.__version__, known=sorted(FUZZED))
    return None


class _NotPlainError(Exception):
    """Something for graphql-core to do."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Values of exactly this class are shown as they are, or by the name that a table gives them."""

    accepted: type
    names: Mapping[Any, str] | None = None

    def column(self, values: Sequence[Any], *, nullable: bool) -> Sequence[Any]:
        seen = set(map(type, values))
        present = values
        if seen != {self.accepted}:
            if not nullable or not seen <= {self.accepted, NoneType}:
                raise _NotPlainError
            present = [value for value in values if value is not None]
        if self.accepted is int and present and not (min(present) in _INT and max(present) in _INT):
            raise _NotPlainError
        if self.names is None:
            return values
        names = self.names
        return [None if value is None else names[value] for value in values]

    def one(self, value: Any, *, nullable: bool) -> Any:
        return self.column((value,), nullable=nullable)[0]


@dataclass(frozen=True, slots=True)
class _Below:
    """A field whose value is an object, or a list of them."""

    type: Any
    details: Any
    many: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """One field of the answer: read as `attribute`, None for `__typename`."""

    attribute: str | None
    content: "_Leaf | _Below | str"
    nullable: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """How objects of one type are shown. `of` is the class that they must have, None for any."""

    of: type | None
    keys: tuple[str, ...]
    columns: tuple[_Column, ...]
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a single object, read as `attribute` where it is a plain leaf."""

    details: Any
    attribute: str | None
    leaf: _Leaf | None
    nullable: bool


_Fields: TypeAlias = dict[str, _Field]


class ColumnarExecution(StrawberryGraphQLCoreExecutionContext):
    """One operation's execution."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._plans: dict[tuple[Any, int], tuple[Any, _Plan | None]] = {}  # keeps what an id stands for alive
        self._fields: dict[int, tuple[Any, _Fields | None]] = {}
        middleware = self.middleware_manager
        self._is_plain = not (middleware is not None and middleware.middlewares)

    # Lists -----------------------------------------------------------------------------------------------------

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Any, position_context: Any
    ) -> Any:
        plain = self._is_plain and position_context is None and type(items) in (list, Unmade) and bool(items)
        if plain and self.get_stream_usage(field_details_list, path) is None:
            try:
                return self._listed(item_type, field_details_list, items)
            except Exception:  # graphql-core does it again, and says what is wrong and where
                pass
        if plain and type(items) is Unmade:
            return self.complete_iterable_value(
                item_type, field_details_list, info, path, list(items), position_context
            )
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _listed(self, item_type: Any, details: Any, items: "list[Any] | Unmade[Any, Any]") -> list[Any]:
        nullable, of = _within(item_type)
        if isinstance(items, Unmade):
            return self._unmade(of, details, items)
        if isinstance(of, GraphQLObjectType | GraphQLInterfaceType):
            return self._objects(of, details, items, nullable=nullable)
        leaf = _leaf(of)
        if leaf is None:
            raise _NotPlainError
        return list(leaf.column(items, nullable=nullable))

    def _objects(self, of: Any, details: Any, items: Sequence[Any], *, nullable: bool) -> list[Any]:
        """Objects of a type, or of those that implement it: class by class, and back into their order."""
        places: dict[type, list[int]] = {}
        for place, item in enumerate(items):
            places.setdefault(type(item), []).append(place)
        shown: list[Any] = [None] * len(items)
        for each, indices in places.items():
            if each is NoneType:
                if not nullable:
                    raise _NotPlainError
                continue
            some = [items[index] for index in indices]
            if isinstance(of, GraphQLInterfaceType) and any(_CAST in item.__dict__ for item in some):
                raise _NotPlainError
            for index, row in zip(indices, self._rows(self._type_of(of, each), details, some, each), strict=True):
                shown[index] = row
        return shown

    def _unmade(self, of: Any, details: Any, items: "Unmade[Any, Any]") -> list[Any]:
        """Of objects that are not there yet the same, read from what they would be made of."""
        making, records = items.making, items.records
        places: dict[type, list[int]] = {}
        for place, each in enumerate(map(making.of, records)):
            places.setdefault(each, []).append(place)
        if len(places) == 1:
            (only,) = places
            return self._rows(self._type_of(of, only), details, records, only, making.attributes)
        shown: list[Any] = [None] * len(records)
        for each, indices in places.items():
            some = [records[index] for index in indices]
            rows = self._rows(self._type_of(of, each), details, some, each, making.attributes)
            for index, row in zip(indices, rows, strict=True):
                shown[index] = row
        return shown

    def _type_of(self, of: Any, of_class: type) -> Any:
        """The type of objects of one class; that class alone must decide it."""
        if isinstance(of, GraphQLObjectType):
            return of
        definition = getattr(of_class, "__strawberry_definition__", None)
        if definition is None or definition.origin is not of_class or definition.is_graphql_generic:
            raise _NotPlainError
        if definition.is_type_of or of.extensions[_DEFINITION].resolve_type:
            raise _NotPlainError
        found = self.schema.get_type(definition.name)
        if not isinstance(found, GraphQLObjectType) or not self.schema.is_sub_type(of, found):
            raise _NotPlainError
        return found

    def _rows(
        self,
        of: Any,
        details: Any,
        items: Sequence[Any],
        of_class: type,
        attributes: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Objects of one class, or records with the attributes under which these hold those of the class."""
        plan = self._plan(of, details)
        if plan.of not in (None, of_class) or issubclass(of_class, BaseException) or hasattr(of_class, "__await__"):
            raise _NotPlainError
        wanted = plan.attributes if attributes is None else [attributes[each] for each in plan.attributes]
        read = iter(_read(items, wanted))
        shown = [
            [column.content] * len(items) if column.attribute is None else self._column(column, next(read))
            for column in plan.columns
        ]
        keys = plan.keys
        return [dict(zip(keys, row, strict=True)) for row in zip(*shown, strict=True)]

    def _column(self, column: _Column, values: Sequence[Any]) -> Sequence[Any]:
        content = column.content
        if isinstance(content, _Leaf):
            return content.column(values, nullable=column.nullable)
        assert isinstance(content, _Below)
        if not content.many:
            return self._objects(content.type, content.details, values, nullable=column.nullable)
        return [self._list_below(content, value, nullable=column.nullable) for value in values]

    def _list_below(self, content: _Below, value: Any, *, nullable: bool) -> list[Any] | None:
        if value is None and nullable:
            return None
        if type(value) is not list:
            raise _NotPlainError
        return self._listed(content.type, content.details, value) if value else []

    # Plans -----------------------------------------------------------------------------------------------------

    def _plan(self, of: Any, details: Any) -> _Plan:
        key = (of, id(details))
        if key not in self._plans:
            self._plans[key] = details, self._make_plan(of, details)
        plan = self._plans[key][1]
        if plan is None:
            raise _NotPlainError
        return plan

    def _make_plan(self, of: Any, details: Any) -> _Plan | None:
        definition = of.extensions.get(_DEFINITION)
        selected, deferred, _ = self.collect_subfields(of, details)
        if definition is None or definition.is_type_of or deferred or not selected:
            return None
        columns = {key: self._make_column(of, asked) for key, asked in selected.items()}
        plain = {key: column for key, column in columns.items() if column is not None}
        if len(plain) < len(columns):
            return None
        origin = definition.origin if definition.interfaces else None  # strawberry tells such types by isinstance
        attributes = [column.attribute for column in plain.values() if column.attribute is not None]
        return _Plan(origin, tuple(plain), tuple(plain.values()), tuple(attributes))

    def _make_column(self, of: Any, asked: Any) -> _Column | None:
        if any(each.defer_usage for each in asked):
            return None
        name = asked[0].node.name.value
        if name == "__typename":
            return _Column(None, of.name, nullable=False)
        found = self.schema.get_field(of, name)
        attribute = _attribute(found)
        if found is None or attribute is None:
            return None
        nullable, shown = _within(found.type)
        if isinstance(shown, GraphQLObjectType | GraphQLInterfaceType):
            return _Column(attribute, _Below(shown, asked, many=False), nullable)
        if isinstance(shown, GraphQLList):
            streamed = any(word.name.value == "stream" for each in asked for word in each.node.directives or ())
            return None if streamed else _Column(attribute, _Below(shown.of_type, asked, many=True), nullable)
        leaf = _leaf(shown)
        return None if leaf is None else _Column(attribute, leaf, nullable)

    # Single objects --------------------------------------------------------------------------------------------

    def execute_fields(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        fields = self._fields_of(parent_type, grouped_field_set)
        if fields is None:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        results: dict[str, Any] = {}
        awaited: list[str] = []
        try:
            for key, each in fields.items():
                if each.leaf is not None and each.attribute is not None:
                    try:
                        results[key] = each.leaf.one(getattr(source_value, each.attribute), nullable=each.nullable)
                        continue
                    except Exception:  # graphql-core does it again, and says what is wrong and where
                        pass
                place = Path(path, key, parent_type.name)
                result = self.execute_field(parent_type, source_value, each.details, place, position_context)
                if result is not Undefined:
                    results[key] = result
                    if self.is_awaitable(result):
                        awaited.append(key)
        except Exception:
            if awaited:
                self.settle_in_background([results[key] for key in awaited])
            raise
        return _awaiting(results, awaited) if awaited else results

    def _fields_of(self, parent_type: Any, selected: Any) -> _Fields | None:
        """How each field is read; None where none is plain."""
        if id(selected) not in self._fields:
            made = {key: self._make_field(parent_type, asked) for key, asked in selected.items()}
            gains = self._is_plain and any(each.leaf is not None for each in made.values())
            self._fields[id(selected)] = selected, made if gains else None
        return self._fields[id(selected)][1]

    def _make_field(self, parent_type: Any, asked: Any) -> _Field:
        found = self.schema.get_field(parent_type, asked[0].node.name.value)
        attribute = _attribute(found)
        if found is None or attribute is None:
            return _Field(asked, None, None, nullable=False)
        nullable, shown = _within(found.type)
        return _Field(asked, attribute, _leaf(shown), nullable)


async def _awaiting(results: dict[str, Any], awaited: Sequence[str]) -> dict[str, Any]:
    if len(awaited) == 1:
        results[awaited[0]] = await results[awaited[0]]
    else:
        results.update(zip(awaited, await gather_with_cancel(*(results[key] for key in awaited)), strict=True))
    return results


def _within(shown: Any) -> tuple[bool, Any]:
    """Whether null is allowed, and the type besides."""
    return (False, shown.of_type) if isinstance(shown, GraphQLNonNull) else (True, shown)


def _attribute(found: GraphQLField | None) -> str | None:
    """The attribute that a field shows; None where something else than reading it is to be done."""
    definition = found.extensions.get(_DEFINITION) if found is not None and not found.args else None
    if definition is None or not definition.is_basic_field or definition.default_resolver is not getattr:
        return None
    return str(definition.python_name) if getattr(found and found.resolve, "_is_default", False) else None


def _read(items: Iterable[Any], attributes: Sequence[str]) -> list[Sequence[Any]]:
    """The attributes of many objects, a column for each."""
    if not attributes:
        return []
    found = map(attrgetter(*attributes), items)
    return [list(found)] if len(attributes) == 1 else list(zip(*found, strict=True))


def _leaf(shown: Any) -> _Leaf | None:
    """How values of a leaf type are shown; None for what is not known here."""
    if isinstance(shown, GraphQLEnumType):
        of = getattr(shown, "wrapped_cls", None)
        return None if of is None else _Leaf(of, _names(shown, of))
    if not isinstance(shown, GraphQLScalarType):
        return None
    definition = shown.extensions.get(_DEFINITION)
    if definition is None:
        accepted = _BUILT_IN.get(shown.name)
        return None if accepted is None else _Leaf(accepted)
    return _Leaf(str) if definition.serialize is str else None


def _names(shown: GraphQLEnumType, of: type[Enum]) -> dict[Enum, str]:
    names: dict[Enum, str] = {}
    for name, value in shown.values.items():
        names.setdefault(of(value.value), name)
    return names
