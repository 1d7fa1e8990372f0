"""A pack whose expressions are compiled: what the evaluation runs."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from catalog.errors import InvalidInputError
from policies.engine import Expected, ExpressionError, Program, compile_expression
from policies.pack import Check, Control, PolicyPack, Require
from policies.problem import Path, Problem
from policies.syntax import Tree, UnreadableError, names, parse
from policies.vacuity import root_of, shown


@dataclass(frozen=True, slots=True)
class CompiledRequire:
    require: Require
    program: Program
    per_item: bool  # it names the variable of the forEach


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    check: Check
    program: Program
    message: Program | None  # where the message is an expression


@dataclass(frozen=True, slots=True)
class CompiledForEach:
    name: str
    items: Program
    key: Program


@dataclass(frozen=True, slots=True)
class CompiledControl:
    control: Control
    applies: Program | None
    requires: tuple[CompiledRequire, ...]
    for_each: CompiledForEach | None
    checks: tuple[CompiledCheck, ...]
    variables: Mapping[str, Program]

    def programs(self) -> Iterator[Program]:
        """Every program that can decide the verdict."""
        if self.applies:
            yield self.applies
        yield from (each.program for each in self.requires)
        if self.for_each:
            yield from (self.for_each.items, self.for_each.key)
        yield from (each.program for each in self.checks)

    def all_programs(self) -> Iterator[Program]:
        """Those that only word a message, and variables, besides."""
        yield from self.programs()
        yield from (each.message for each in self.checks if each.message)
        yield from self.variables.values()

    @property
    def fields(self) -> tuple[str, ...]:
        """The evidence that the control reads, dotted, in order; of a record that is read in parts, the parts."""
        read = {field for program in self.programs() for field in program.fields}
        through = {field[:end] for field in read for end, letter in enumerate(field) if letter == "."}
        return tuple(sorted(read - through))


@dataclass(frozen=True, slots=True)
class CompiledPack:
    pack: PolicyPack
    controls: tuple[CompiledControl, ...]


class Compiler:
    """Compiles the controls of one pack and keeps every mistake it meets, with the path to it."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._params = params
        self.problems: list[Problem] = []

    def control(self, control: Control, path: Path) -> CompiledControl | None:
        """None where some expression does not compile."""
        before = len(self.problems)
        ranged = self._ranged(control, path)
        variables = self._variables(control, path, ranged)

        def compiled(source: str, *where: str | int, expects: Expected = "bool", item: bool = True) -> Program | None:
            seen = variables if item else {name: each for name, each in variables.items() if not _reads(each, ranged)}
            return self._compile(source, (*path, *where), expects, ranged if item else None, seen)

        applies = compiled(control.applies, "applies", item=False) if control.applies else None
        requires = [self._require(each, n, compiled, ranged) for n, each in enumerate(control.requires)]
        for_each = self._for_each(control, compiled)
        checks = [self._check(each, n, compiled) for n, each in enumerate(control.checks)]
        if len(self.problems) > before:
            return None
        return CompiledControl(
            control,
            applies,
            tuple(each for each in requires if each),
            for_each,
            tuple(each for each in checks if each),
            variables,
        )

    def _ranged(self, control: Control, path: Path) -> tuple[str, str] | None:
        """The name of the item and the list of evidence that it comes from."""
        if control.for_each is None:
            return None
        tree = _tree(control.for_each.in_)
        if tree is None:
            return None  # its own compilation says what is wrong
        read = {each.name: made for each in control.variables if (made := _tree(each.expression)) is not None}
        ranged = (control.for_each.as_, shown(root_of(inlined(tree, read))))
        try:
            compile_expression("true", as_variable=ranged)
        except InvalidInputError as error:
            self.problems.append(Problem((*path, "forEach", "in"), error.message.rstrip("."), error.remedy))
            return None
        return ranged

    def _variables(self, control: Control, path: Path, ranged: tuple[str, str] | None) -> dict[str, Program]:
        found: dict[str, Program] = {}
        for number, variable in enumerate(control.variables):
            where = (*path, "variables", number, "expression")
            program = self._compile(variable.expression, where, "value", ranged, found)
            if program:
                found[variable.name] = program
        return found

    def _require(
        self, require: Require, number: int, compiled: Callable[..., Program | None], ranged: tuple[str, str] | None
    ) -> CompiledRequire | None:
        where = ("requires", number, "expression")
        if ranged is None or not self._names_item(require.expression, ranged[0]):
            program = compiled(require.expression, *where, item=ranged is None)
        else:
            program = compiled(require.expression, *where)
        return CompiledRequire(require, program, _reads(program, ranged)) if program else None

    @staticmethod
    def _names_item(source: str, name: str) -> bool:
        tree = _tree(source)
        return tree is not None and bool({name, "variables"} & names(tree))

    def _for_each(self, control: Control, compiled: Callable[..., Program | None]) -> CompiledForEach | None:
        loop = control.for_each
        if loop is None:
            return None
        items = compiled(loop.in_, "forEach", "in", expects="list", item=False)
        key = compiled(loop.key, "forEach", "key", expects="string")
        return CompiledForEach(loop.as_, items, key) if items and key else None

    @staticmethod
    def _check(check: Check, number: int, compiled: Callable[..., Program | None]) -> CompiledCheck | None:
        program = compiled(check.expression, "checks", number, "expression")
        if not check.message.startswith("="):
            return CompiledCheck(check, program, None) if program else None
        message = compiled(check.message, "checks", number, "message", expects="string")
        return CompiledCheck(check, program, message) if program and message else None

    def _compile(
        self,
        source: str,
        path: Path,
        expects: Expected,
        ranged: tuple[str, str] | None,
        variables: Mapping[str, Program],
    ) -> Program | None:
        formula = source.startswith("=")  # a message that is an expression
        try:
            return compile_expression(
                " " + source[1:] if formula else source,
                as_variable=ranged,
                params=self._params,
                variables=variables,
                expects=expects,
            )
        except ExpressionError as error:
            own = [each for each in error.mistakes if _CONSEQUENCE not in each.what]
            for each in own or error.mistakes:
                self.problems.append(Problem(path, each.what.rstrip("."), each.fix, (each.line, each.column)))
            return None


_CONSEQUENCE = "*error*"
"""How the type checker names the type of what is already a mistake."""


def _reads(program: Program, ranged: tuple[str, str] | None) -> bool:
    """Whether a program needs the item of the forEach, itself or through a variable."""
    return ranged is not None and ranged[0] in program.roots


def inlined(tree: Tree, variables: Mapping[str, Tree]) -> Tree:
    """The tree with each `variables.NAME` written out."""
    path = tree.path
    if len(path) == 2 and path[0] == "variables" and path[1] in variables:
        return inlined(variables[path[1]], {name: each for name, each in variables.items() if name != path[1]})
    return Tree(tree.kind, tree.word, tuple(inlined(each, variables) for each in tree.parts), tree.on_receiver)


def _tree(source: str) -> Tree | None:
    try:
        return parse(source)
    except UnreadableError:
        return None


_kept: OrderedDict[str, CompiledPack] = OrderedDict()
_lock = Lock()
_MOST = 64


def compile_pack(pack: PolicyPack) -> CompiledPack:
    """The pack with its expressions compiled; kept by digest, as compiling takes a thousand times an evaluation.

    Raises InvalidInputError for a pack that the loader would have refused.
    """
    with _lock:
        if pack.digest in _kept:
            _kept.move_to_end(pack.digest)
            return _kept[pack.digest]
    compiled = _compiled(pack)
    with _lock:
        _kept[pack.digest] = compiled
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return compiled


def _compiled(pack: PolicyPack) -> CompiledPack:
    compiler = Compiler(param_types(pack))
    controls = [compiler.control(each, ("controls", number)) for number, each in enumerate(pack.controls)]
    if compiler.problems:
        first = compiler.problems[0]
        raise InvalidInputError(
            f"the pack {pack.label} cannot be evaluated: {first.what}", first.fix, pointer=first.pointer
        )
    return CompiledPack(pack, tuple(each for each in controls if each))


def param_types(pack: PolicyPack) -> dict[str, str]:
    return {name: param.type.value for name, param in pack.params.items()}


def trees(sources: Any) -> list[Tree]:
    """Those of the expressions that can be read."""
    return [tree for source in sources if (tree := _tree(source)) is not None]
