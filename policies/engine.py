"""Expressions of controls: compiled against the types of the evidence, evaluated over plain values.

The only module that knows the engine (CEL, by cel-expr-python; language: github.com/cel-expr/cel-spec). Typed at
compile time, so that a misspelt field is an error with line and column; untyped at run time, so that a missing field
stays missing instead of becoming its type's default.
"""

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from cel_expr_python import cel  # type: ignore[import-untyped]  # it ships stubs without saying so
from cel_expr_python.ext import ext_math, ext_optional, ext_strings  # type: ignore[import-untyped]
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from catalog.errors import InvalidInputError
from policies.functions import FUNCTIONS
from policies.typing.activation import TOP_LEVEL, Activation, DocumentError
from policies.typing.checked import checked
from policies.typing.descriptor import PACKAGE, pool
from policies.typing.reads import Path, Reads, deepest, reads_of
from policies.typing.shape import Items, Shape, Struct, at, evidence_shapes, item, params_shape, within

__all__ = ["Activation", "DocumentError", "ExpressionError", "Mistake", "Outcome", "Program", "compile_expression"]

MAX_SOURCE = 4096
"""Longest expression, bytes of UTF-8."""

Expected = Literal["bool", "string", "int", "double", "timestamp", "duration", "list", "value"]


class Mistake(NamedTuple):
    """One mistake in an expression; line and column count from 1, columns in characters."""

    line: int
    column: int
    what: str
    fix: str


class ExpressionError(InvalidInputError):
    """An expression that cannot be compiled: every mistake that was found, in the order of the text."""

    code = "INVALID_EXPRESSION"

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        first = self.mistakes[0]
        self.line, self.column = first.line, first.column
        super().__init__("; ".join(f"{each.line}:{each.column}: {each.what}" for each in self.mistakes), first.fix)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an expression gave.

    - value: `value` is a bool, int, float, str, list, dict, aware datetime or timedelta.
    - unknown: something that it reads is not there; `missing` names it as far as known, as in `Program.fields`.
    - error: it cannot be computed from what is there; `message` says why.
    """

    kind: Literal["value", "unknown", "error"]
    value: Any = None
    message: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled expression. For use by any number of threads."""

    source: str
    type: str  # of the result, in words of the language: bool, list(Dataset)
    fields: frozenset[str]  # evidence that it reads, also through variables: `trainingDatasets.licence`
    params: frozenset[str]  # names of the parameters that it reads, also through variables
    variables: frozenset[str]  # names of the variables that it reads itself
    roots: frozenset[str]  # top-level variables that it needs, also through variables
    _expression: cel.Expression = field(repr=False)
    _cel_type: cel.Type = field(repr=False)
    _paths: frozenset[Path] = field(repr=False)
    _result: frozenset[Path] = field(repr=False)
    _computed: Mapping[str, "Program"] = field(repr=False)
    _shapes: Mapping[str, Shape] = field(repr=False)
    _as_path: tuple[str, str] | None = field(repr=False)

    def evaluate(self, document: Mapping[str, Any] | Activation) -> Outcome:
        """The expression's value over some variables: see Activation for what `document` holds.

        Variables of the control are computed here, when the expression reads them, and must not be given. The same
        document always gives the same outcome. Raises DocumentError where a variable that is read is no JSON value of
        its type; MemoryError where there is not enough (see the sandbox); nothing else.
        """
        activation = document if isinstance(document, Activation) else Activation(document)
        computed = {name: self._variable(name, activation) for name in sorted(self.variables)}
        data = {name: value for name in sorted(self.roots) if (value := self._given(name, activation)) is not None}
        data |= {f"variables.{name}": _timed(each.value) for name, each in computed.items() if each.kind == "value"}
        try:
            value = self._expression.eval(data=data)
            if value.type() != cel.Type.ERROR:
                return self._outcome(value)
            return self._failure(str(value.value()), activation, computed)
        except (RuntimeError, OverflowError, TypeError) as error:
            return Outcome("error", message=_plain_words(str(error)) or type(error).__name__)

    def _given(self, name: str, activation: Activation) -> Any:
        return _timed(activation.get(name, self._shapes.get(name)))

    def _variable(self, name: str, activation: Activation) -> Outcome:
        program = self._computed[name]
        kept: dict[Hashable, Outcome] = activation.holder(program.roots).computed
        if program not in kept:
            kept[program] = program.evaluate(activation)
        return kept[program]

    def _outcome(self, value: cel.Value) -> Outcome:
        actual = value.type().name()
        if self._cel_type.name() in _SCALARS and actual != self._cel_type.name():
            return Outcome("error", message=f"the result is of type {_word(actual)} where {self.type} is declared")
        return Outcome("value", value.plain_value())

    def _failure(self, message: str, activation: Activation, computed: Mapping[str, Outcome]) -> Outcome:
        if absent := _NO_VARIABLE.match(message):
            return self._without(absent[1], computed)
        if absent := _NO_KEY.match(message):
            missing = self._missing(absent[1], activation)
            what = f"{' or '.join(missing)} is not known" if missing else f"nothing stands under the key {absent[1]}"
            return Outcome("unknown", message=what, missing=missing)
        if message.startswith(_NOT_FOUND):
            return Outcome("unknown", message=_plain_words(message.removeprefix(_NOT_FOUND)))
        return Outcome("error", message=_plain_words(message))

    def _without(self, name: str, computed: Mapping[str, Outcome]) -> Outcome:
        variable = name.removeprefix("variables.")
        if variable != name and variable in computed:
            return computed[variable]
        shown = self._shown((name,))
        return Outcome("unknown", message=f"{shown} is not known", missing=(shown,))

    def _missing(self, key: str, activation: Activation) -> tuple[str, ...]:
        """The read paths that end in a key and lead nowhere, in these variables; of several, each may be the one."""
        ends = {path[: index + 1] for path in self._paths for index, step in enumerate(path) if index and step == key}
        lacking = (path for path in ends if _lacks(self._given(path[0], activation), path[1:]))
        return tuple(sorted({self._shown(path) for path in lacking}))

    def _shown(self, path: Path) -> str:
        return ".".join(_full(path, self._as_path))


def compile_expression(
    source: str,
    *,
    as_variable: tuple[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    variables: Mapping[str, Program] | None = None,
    expects: Expected = "bool",
) -> Program:
    """Compiles an expression of a control.

    `as_variable`: name of the `forEach` variable and the evidence list it ranges over, dotted. `params`: name → type
    word (int, float, string, bool, list<string>). `variables`: those that may be read as `variables.NAME`, compiled
    before with the same `as_variable` and `params`. `expects`: type of the result; "value" takes every type that a
    variable can have.

    Raises ExpressionError with every mistake, InvalidInputError for a name that expressions cannot have and for a
    forEach that ranges over no list.
    """
    scope = _Scope.of(as_variable, params or {}, variables or {})
    if len(source.encode()) > MAX_SOURCE:
        raise ExpressionError([Mistake(1, 1, f"the expression is longer than {MAX_SOURCE} bytes", _TOO_LONG)])
    typing, running = _environments(scope)
    try:
        typed = typing.compile(source)
    except RuntimeError as error:
        raise ExpressionError(_mistakes(str(error), source, scope)) from error
    _check_result(typed.return_type().name(), expects)
    serialized = typed.serialize()
    reads = _reads(serialized, source, scope)
    _check_reads(reads, source, scope)
    return _program(source, typed.return_type(), reads, running.deserialize(serialized), scope)


# What an expression may name ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scope:
    """Equal scopes have equal names of equal types."""

    key: tuple[Hashable, ...]
    shapes: Mapping[str, Shape] = field(compare=False)  # of every variable but the computed ones
    params: Struct = field(compare=False)
    computed: Mapping[str, Program] = field(compare=False)
    as_path: tuple[str, str] | None = field(compare=False)

    @classmethod
    def of(
        cls, as_variable: tuple[str, str] | None, params: Mapping[str, str], variables: Mapping[str, Program]
    ) -> "_Scope":
        _check_names(params)
        _check_names(variables)
        struct = params_shape(params)
        shapes: dict[str, Shape] = {**evidence_shapes(), **TOP_LEVEL, "params": struct}
        if as_variable is not None:
            name, path = as_variable
            shape = at(path)
            if not isinstance(shape, Items):
                raise InvalidInputError(f"{path} is no list of the evidence.", _near(path, _lists()) or _RANGE)
            if name in shapes or name == "variables" or not _NAME.fullmatch(name):
                raise InvalidInputError(f"{name} cannot name the items of {path}.", "Take a word not in use yet.")
            shapes[name] = shape.of
        computed = tuple((name, each._cel_type.name()) for name, each in variables.items())
        return cls((as_variable, tuple(struct.fields.items()), computed), shapes, struct, variables, as_variable)

    @property
    def declared(self) -> dict[str, cel.Type]:
        computed = {f"variables.{name}": each._cel_type for name, each in self.computed.items()}
        return {name: _cel_type(shape) for name, shape in self.shapes.items()} | computed

    @property
    def names(self) -> list[str]:
        return [*self.shapes, *(f"variables.{name}" for name in self.computed)]


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WORD = "Use letters, digits and _, a digit not first."
_RANGE = "A forEach ranges over a list such as trainingDatasets or deployments."
_TOO_LONG = "Give parts of it names under `variables`, or make several checks of it."


def _check_names(names: Iterable[str]) -> None:
    written: dict[str, str] = {}  # as protobuf compares them: max_age is maxAge
    for name in names:
        if not _NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be named in expressions.", _WORD)
        other = written.setdefault(name.replace("_", "").casefold(), name)
        if other != name:
            raise InvalidInputError(f"{other} and {name} are the same but for their writing.", "Rename one of them.")


def _lists() -> list[str]:
    return [name for name, shape in evidence_shapes().items() if isinstance(shape, Items)]


def _cel_type(shape: Shape) -> cel.Type:
    match shape:
        case Items(of):
            return cel.Type.List(_cel_type(of))
        case Struct(name):
            return cel.Type(f"{PACKAGE}.{name}")
        case _:
            return cel.Type(shape.value)


@lru_cache(maxsize=64)
def _environments(scope: _Scope) -> tuple[cel.Env, cel.Env]:
    """What expressions are checked in, and what they run in: there every name may be anything, or missing."""
    typing = cel.NewEnv(
        descriptor_pool=pool(scope.params), variables=scope.declared, extensions=_extensions(), functions=_functions()
    )
    untyped = dict.fromkeys(scope.names, cel.Type.DYN)
    return typing, cel.NewEnv(variables=untyped, extensions=_extensions(), functions=_functions())


def _extensions() -> list[cel.CelExtensionBase]:
    """No bindings: chained, they double memory in a few characters."""
    return [ext_strings.ExtStrings(), ext_optional.ExtOptional(), ext_math.ExtMath()]


def _functions() -> list[cel.FunctionDecl]:
    return [
        cel.FunctionDecl(
            each.name,
            [
                cel.Overload(
                    f"lineward_{each.name}",
                    cel.Type(each.result),
                    [cel.Type(word) for word in each.parameters],
                    each.is_method,
                    each.run,
                )
            ],
        )
        for each in FUNCTIONS
    ]


def _reads(serialized: bytes, source: str, scope: _Scope) -> Reads:
    results = {f"variables.{name}": each._result for name, each in scope.computed.items()}
    try:
        return reads_of(checked(serialized), source, results)
    except ValueError as error:
        raise ExpressionError([_TOO_DEEP]) from error


def _program(source: str, result: cel.Type, reads: Reads, expression: cel.Expression, scope: _Scope) -> Program:
    variables = frozenset(path[1] for path in reads.paths if path[0] == "variables")
    through = [scope.computed[name] for name in variables]
    own = frozenset(path for path in reads.paths if path[0] != "variables")
    paths = own.union(*(each._paths for each in through))
    evidence = (_full(path, scope.as_path) for path in paths if path[0] not in {"params", *TOP_LEVEL})
    return Program(
        source=source,
        type=_word(result.name()),
        fields=frozenset(".".join(path) for path in deepest(evidence)),
        params=frozenset(path[1] for path in paths if path[0] == "params" and len(path) > 1),
        variables=variables,
        roots=frozenset(path[0] for path in paths),
        _expression=expression,
        _cel_type=result,
        _paths=paths,
        _result=reads.result,
        _computed=scope.computed,
        _shapes=scope.shapes,
        _as_path=scope.as_path,
    )


def _timed(value: Any) -> Any:
    """A value with its times as messages: the engine takes those anywhere, datetimes only after it has compiled."""
    match value:
        case datetime():
            moment = Timestamp()
            moment.FromDatetime(value)
            return moment
        case timedelta():
            duration = Duration()
            duration.FromTimedelta(value)
            return duration
        case list() if value and isinstance(value[0], datetime | timedelta):
            return [_timed(each) for each in value]
        case _:
            return value


def _full(path: Path, as_path: tuple[str, str] | None) -> Path:
    """The path in the document: that of the list instead of the name of its items."""
    return (*as_path[1].split("."), *path[1:]) if as_path and path[0] == as_path[0] else path


def _lacks(value: Any, steps: Path) -> bool:
    if isinstance(value, list):
        return any(_lacks(each, steps) for each in value)
    if not isinstance(value, dict) or not steps:
        return False
    return len(steps) == 1 if steps[0] not in value else _lacks(value[steps[0]], steps[1:])


# What is wrong with an expression ----------------------------------------------------------------------------------

_TOO_DEEP = Mistake(1, 1, "the expression is nested too deeply", _TOO_LONG)
_SCALARS = frozenset({"BOOL", "STRING", "INT", "DOUBLE", "TIMESTAMP", "DURATION"})
_UNUSABLE = ("TYPE", "NULL", "BYTES", "UINT")


def _check_result(actual: str, expects: Expected) -> None:
    word = _word(actual)
    if "optional_type" in actual:
        what = f"the result is an {word}, which is no value yet"
        raise ExpressionError([Mistake(1, 1, what, "Add .orValue(…) with what holds where it is missing.")])
    if expects == "value":
        fits = not actual.startswith(_UNUSABLE)
    elif expects == "list":
        fits = actual.startswith("LIST<")
    else:
        fits = actual == expects.upper()
    if not fits:
        wanted = "a value that can be kept" if expects == "value" else f"of type {expects}"
        raise ExpressionError([Mistake(1, 1, f"the result is {word}, not {wanted}", _FIX_RESULT)])


_FIX_RESULT = "Compare it with something, or convert it."


def _check_reads(reads: Reads, source: str, scope: _Scope) -> None:
    mistakes = [Mistake(*_place(source, each.offset), each.message, _FIX_FAULT) for each in reads.faults]
    for path, offset in reads.paths.items():
        shape = scope.shapes.get(path[0])
        if shape is None or within(shape, path[1:]) is not None:
            continue
        known = next(n for n in range(len(path), 0, -1) if within(shape, path[1:n]) is not None)
        mistakes.append(_no_field(_place(source, offset), path[known], item(within(shape, path[1:known]))))
    if mistakes:
        raise ExpressionError(mistakes)


_FIX_FAULT = "Say it without: docs/reference/expressions.md has what expressions may do."


def _place(source: str, offset: int) -> tuple[int, int]:
    return source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset)


_REPORTED = re.compile(
    r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[INVALID_ARGUMENT\])?$", re.M
)
_NO_FIELD = re.compile(r"undefined field '(.+)' not found in struct '(.+)'")
_NO_NAME = re.compile(r"undeclared reference to '(.+)' \(in container ''\)")
_NO_OVERLOAD = re.compile(r"found no matching overload for '(.+)' applied to '(.+)'")


def _mistakes(report: str, source: str, scope: _Scope) -> list[Mistake]:
    if "recursion" in report:
        return [_TOO_DEEP]
    lines = source.split("\n")
    found = [
        _mistake(max(int(line), 1), max(int(column), 1), what, lines, scope)
        for line, column, what in _REPORTED.findall(report)
    ]
    return found or [Mistake(1, 1, _plain_words(report), "")]


def _mistake(line: int, column: int, what: str, lines: list[str], scope: _Scope) -> Mistake:
    if match := _NO_FIELD.fullmatch(what):
        name, struct = match[1], match[2].removeprefix(f"{PACKAGE}.")
        return _no_field(_named(lines, line, column, name), name, _struct(struct, scope))
    if match := _NO_NAME.fullmatch(what):
        return _no_name(_named(lines, line, column, match[1]), match[1], scope)
    if match := _NO_OVERLOAD.fullmatch(what):
        operator, operands = _operator(match[1]), _word(match[2])
        fix = _MIXED if "double" in operands and "int" in operands else "Make both sides of one type."
        return Mistake(line, column, f"{operator} does not take {operands}", fix)
    return Mistake(line, column, _plain_words(what), _SYNTAX if what.startswith("Syntax error") else "")


_MIXED = "Write whole numbers that meet a double as 1.0, or convert with double(…)."
_SYNTAX = "Equality is ==, and is &&, or is ||, not is !; texts stand between single quotes."


def _no_field(place: tuple[int, int], name: str, shape: Shape | None) -> Mistake:
    if isinstance(shape, Struct):
        fields = list(shape.fields)
        known = f"Its fields: {', '.join(fields)}." if fields else "The pack declares no parameters."
        return Mistake(*place, f"{shape.name} has no field {name}", _near(name, fields) or known)
    return Mistake(*place, f"a value has no field {name}", "Only records of the evidence have fields.")


def _no_name(place: tuple[int, int], name: str, scope: _Scope) -> Mistake:
    """A name that nothing has. `place` is that of its first part, behind `variables.` of its second."""
    computed = [f"variables.{each}" for each in scope.computed]
    if name.startswith("variables."):
        fix = _near(name, computed) or f"The control has {', '.join(computed) or 'no variables'}."
        return Mistake(*place, f"the control has no variable {name.removeprefix('variables.')}", fix)
    first = name.partition(".")[0]
    near = _near(first, [*scope.names, *(each.name for each in FUNCTIONS)])
    return Mistake(*place, f"{first} is neither a variable nor a function", near or _NAMES)


_NAMES = "docs/reference/expressions.md lists what expressions may name."


def _near(name: str, names: list[str]) -> str:
    found = difflib.get_close_matches(name, names, 3)
    folded = [each for each in names if each.casefold() == name.casefold()]
    near = list(dict.fromkeys([*folded, *found]))
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _struct(name: str, scope: _Scope) -> Struct | None:
    waiting = list(scope.shapes.values())
    seen: set[str] = set()
    while waiting:
        shape = item(waiting.pop())
        if isinstance(shape, Struct) and shape.name not in seen:
            if shape.name == name:
                return shape
            seen.add(shape.name)
            waiting.extend(shape.fields.values())
    return None


def _named(lines: list[str], line: int, column: int, name: str) -> tuple[int, int]:
    """Where the name itself stands: reports point at the dot or the bracket beside it."""
    before, first = lines[line - 1][:column], name.partition(".")[0]
    if first not in (name, "variables"):
        return line, before.rfind(first) + 1
    name = name.rpartition(".")[2]
    if called := re.search(rf"\b{re.escape(name)}\s*\($", before):
        return line, called.start() + 1
    word = re.compile(rf"\b{re.escape(name)}\b")
    for number in range(line, len(lines) + 1):
        start = column - 1 if number == line else 0
        if found := word.search(lines[number - 1], start):
            return number, found.start() + 1
    return line, column


# Words -------------------------------------------------------------------------------------------------------------

_NOT_FOUND = "NOT_FOUND: "
_NO_KEY = re.compile(r'NOT_FOUND: Key not found in map : "?(.*?)"?$', re.S)
_NO_VARIABLE = re.compile(r'UNKNOWN: No value with name "(.+)" found in Activation')
_STATUS = re.compile(r"^(?:[A-Z]+_?[A-Z]+(?:_[A-Z]+)*: )+")


def _plain_words(message: str) -> str:
    """A message of the engine without its status codes."""
    return (
        _STATUS.sub("", message)
        .removesuffix(" [INVALID_ARGUMENT]")
        .removesuffix(" [CANCELLED]")
        .replace(f"{PACKAGE}.", "")
        .strip()
    )


def _word(kind: str) -> str:
    """A type as the language writes it: list(Dataset), optional(string), timestamp."""
    plain = kind.replace(f"{PACKAGE}.", "").replace("optional_type", "optional")
    plain = re.sub(r"\bgoogle\.protobuf\.(Timestamp|Duration)", r"\1", plain)
    plain = re.sub(r"\b(?:[A-Z]{3,9}|Timestamp|Duration)\b", lambda match: match[0].lower(), plain)
    return plain.replace("<", "(").replace(">", ")")


def _operator(name: str) -> str:
    return name.replace("_", "").removeprefix("@") if not name.isidentifier() else name
