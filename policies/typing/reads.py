"""Static analysis: which parts of its variables an expression reads, from its checked form.

An abstract interpretation: the value of every subexpression stands for the set of paths that it may be, or may hold
items of. Variables of `all`, `filter`, `map` and the like stand for what they range over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
_Aliases = frozenset[Path]
_NOTHING: _Aliases = frozenset()

_HOLDING = frozenset({"message_type", "list_type", "map_type", "abstract_type", "dyn"})
_FIELD_CALLS = frozenset({"_?._", "_[_]", "_[?_]"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the type checker lets through and that must not be. `offset` counts code points from 0."""

    offset: int
    message: str


@dataclass(frozen=True, slots=True)
class Reads:
    """`paths`: path → offset of one place that reads it. `result`: the paths that the whole may be or hold items of."""

    paths: Mapping[Path, int]
    result: frozenset[Path]
    faults: tuple[Fault, ...]


def reads_of(checked: Any, source: str, given: Mapping[str, frozenset[Path]]) -> Reads:
    """What a CheckedExpr made of `source` reads, each path beginning with the name of a top-level variable.

    `given`: variable → what it may be, for one whose value is computed from others.
    """
    analysis = _Analysis(checked, source, given)
    result = analysis.visit(checked.expr, {})
    return Reads(analysis.seen, result, tuple(dict.fromkeys(analysis.faults)))


def deepest(paths: Iterable[Path]) -> frozenset[Path]:
    """Paths without those that another one only passes through."""
    found = frozenset(paths)
    passed = {path[:length] for path in found for length in range(1, len(path))}
    return found - passed


class _Analysis:
    def __init__(self, checked: Any, source: str, given: Mapping[str, _Aliases]) -> None:
        self._source = source
        self._given = given
        self._types = checked.type_map
        self._positions = checked.source_info.positions
        self.seen: dict[Path, int] = {}
        self.faults: list[Fault] = []

    def visit(self, expr: Any, scope: Mapping[str, _Aliases]) -> _Aliases:
        match _kind(expr):
            case "ident_expr":
                return self._ident(expr, scope)
            case "select_expr":
                operand = self.visit(expr.select_expr.operand, scope)
                found = self._select(expr.select_expr.operand, operand, expr.select_expr.field, expr.id)
                return _NOTHING if expr.select_expr.test_only else found
            case "call_expr":
                return self._call(expr, scope)
            case "list_expr":
                return self._union(expr.list_expr.elements, scope)
            case "struct_expr":
                return self._struct(expr, scope)
            case "comprehension_expr":
                return self._comprehension(expr.comprehension_expr, scope)
        return _NOTHING

    def _ident(self, expr: Any, scope: Mapping[str, _Aliases]) -> _Aliases:
        name = expr.ident_expr.name
        if name in scope:
            return scope[name]
        if "." in name and self._source[self._positions[expr.id] :].startswith("("):
            # The checker takes has(variables.x) for variables.x, and leaves the place of the bracket as its only trace.
            self._fault(expr.id, f"has() does not apply to {name}: a variable of the control is always there")
        seen = self._saw([tuple(name.lstrip(".").split("."))], expr.id)
        return self._given.get(name, seen)

    def _select(self, operand: Any, aliases: _Aliases, field: str, at: int) -> _Aliases:
        if self._type(operand) == "map_type":
            return aliases  # a key of a map that the expression made itself
        return self._saw([(*path, field) for path in aliases], at)

    def _call(self, expr: Any, scope: Mapping[str, _Aliases]) -> _Aliases:
        call = expr.call_expr
        operands = [call.target, *call.args] if call.HasField("target") else list(call.args)
        found = [self.visit(each, scope) for each in operands]
        if call.function in _FIELD_CALLS and operands[1].HasField("const_expr"):
            key = operands[1].const_expr.string_value
            if key:
                return self._select(operands[0], found[0], key, expr.id)
        if not self._holds(expr):
            return _NOTHING
        return frozenset().union(*(each for each, operand in zip(found, operands, strict=True) if self._holds(operand)))

    def _struct(self, expr: Any, scope: Mapping[str, _Aliases]) -> _Aliases:
        if expr.struct_expr.message_name:
            self._fault(expr.id, "an expression reads evidence and cannot make any")
        self._union([entry.map_key for entry in expr.struct_expr.entries if entry.HasField("map_key")], scope)
        return self._union([entry.value for entry in expr.struct_expr.entries], scope)

    def _comprehension(self, loop: Any, scope: Mapping[str, _Aliases]) -> _Aliases:
        if self._type(loop.iter_range) != "list_type":
            self._fault(loop.iter_range.id, "only a list can be gone through: the order of a map's keys is not defined")
        items = self.visit(loop.iter_range, scope)
        begun = self.visit(loop.accu_init, scope)
        inner = {**scope, loop.iter_var: items, loop.accu_var: begun}
        self.visit(loop.loop_condition, inner)
        # Once is enough: what a macro accumulates, its next step only adds to.
        accumulated = begun | self.visit(loop.loop_step, inner)
        return self.visit(loop.result, {**scope, loop.accu_var: accumulated})

    def _union(self, expressions: Iterable[Any], scope: Mapping[str, _Aliases]) -> _Aliases:
        return frozenset().union(*(self.visit(each, scope) for each in expressions))

    def _saw(self, paths: Iterable[Path], at: int) -> _Aliases:
        found = frozenset(paths)
        for path in found:
            self.seen.setdefault(path, self._positions[at])
        return found

    def _fault(self, at: int, message: str) -> None:
        self.faults.append(Fault(self._positions[at], message))

    def _holds(self, expr: Any) -> bool:
        """Whether a value of this type may be a record, or hold some."""
        return self._type(expr) in _HOLDING

    def _type(self, expr: Any) -> str:
        """The kind of an expression's type; empty for one without parts."""
        kinds = [field.name for field, _ in self._types[expr.id].ListFields()] if expr.id in self._types else []
        return kinds[0] if kinds else ""


def _kind(expr: Any) -> str:
    return next((field.name for field, _ in expr.ListFields() if field.name.endswith("_expr")), "")
