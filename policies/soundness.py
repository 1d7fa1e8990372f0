"""What a pack must be besides well-formed: decidable, and unable to say yes for want of evidence."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from catalog.model import GapKind
from policies.compiled import CompiledControl, Compiler, inlined, trees
from policies.evidence.document import Subject
from policies.evidence.fields import fields_of
from policies.pack import GAPS, Control, Days, Param, PolicyPack, Status, TimelineEntry
from policies.problem import Path, Problem
from policies.senders import field_at
from policies.typing.shape import Scalar, evidence_shapes, within
from policies.vacuity import Scope, could_be_empty, scope, unassured

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@\d+\.\d+\.\d+")
_COLUMNS = ("inputColumns", "lineage.columnCoverage")
_UPSTREAM = (
    "trainingRuns",
    "trainingDatasets",
    "validationDatasets",
    "testDatasets",
    "trainingDigests",
    "trainingSplitGroups",
    "inputColumns",
    "lineage",
)
_OF_TRAINING = (
    "subject.developedBy",
    "subject.developersKnown",
    "subject.lastMaterialChangeAt",
    "subject.trainingFlops",
)
"""Fields of the subject that are worked out from what is upstream."""
_TYPES: Mapping[Scalar, tuple[type, ...]] = {
    Scalar.STRING: (str,),
    Scalar.BOOL: (bool,),
    Scalar.INT: (int,),
    Scalar.DOUBLE: (int, float),
}


def check_controls(controls: Sequence[tuple[int, Control]], params: Mapping[str, Param]) -> Iterator[Problem]:
    """Everything that is wrong with controls, each given with its place in the pack, and warnings about them."""
    yield from _duplicates([(("controls", number, "id"), each.id) for number, each in controls], "control")
    compiler = Compiler({name: param.type.value for name, param in params.items()})
    where = scope({name: param.min for name, param in params.items() if param.min is not None})
    used: set[str] = set()
    for number, control in controls:
        path: Path = ("controls", number)
        compiled = compiler.control(control, path)
        yield from _form(control, path, params)
        used |= {name for text in _texts(control) for name in _PLACEHOLDER.findall(text)}
        if compiled is None:
            used |= params.keys()  # what a broken expression reads is not known
            continue
        used |= {name for program in compiled.all_programs() for name in program.params}
        yield from _vacuous(control, path, where)
        yield from _reads(compiled, path)
        yield from _unused_variables(compiled, path)
    yield from compiler.problems
    for name in sorted(params.keys() - used):
        yield Problem(
            ("params", name), f"no control uses the param {name}", "Use it, or remove it.", key=True, warning=True
        )


def check_head(pack: PolicyPack) -> Iterator[Problem]:
    """What is wrong with a pack apart from its controls."""
    metadata = pack.metadata
    if metadata.status is Status.REVIEWED and not metadata.reviewed_by:
        yield Problem(
            ("metadata", "status"),
            "a reviewed pack names who reviewed it",
            "Add reviewedBy: [{name: …, role: …, at: YYYY-MM-DD}], or make it a draft.",
        )
    if metadata.supersedes is not None and not _LABEL.fullmatch(metadata.supersedes):
        yield Problem(("metadata", "supersedes"), "this names no version of a pack", "Write NAME@MAJOR.MINOR.PATCH.")
    yield from _order(pack.source.in_force, ("source", "inForce"))
    for name, param in pack.params.items():
        yield from _param(param, ("params", name))
    for number, entry in enumerate(pack.timeline):
        yield from _timeline(entry, ("timeline", number), [each.id for each in pack.controls])


def _param(param: Param, path: Path) -> Iterator[Problem]:
    if param.min is not None and param.max is not None and param.min > param.max:
        yield Problem((*path, "max"), "the greatest value is less than the least", "Exchange min and max.")
        return
    try:
        param.accept(param.default)
    except ValueError as error:
        yield Problem((*path, "default"), str(error), "Choose a default between min and max.")


def _timeline(entry: TimelineEntry, path: Path, controls: Sequence[str]) -> Iterator[Problem]:
    if entry.applies_until is not None and entry.applies_until <= entry.applies_from:
        yield Problem((*path, "appliesUntil"), "it ends before it begins", "appliesUntil is the first day without it.")
    fields = fields_of(Subject)
    for name, value in entry.when.items():
        shape = within(evidence_shapes()["subject"], (name,))
        if not isinstance(shape, Scalar):
            yield Problem((*path, "when", name), f"subject has no single value {name}", near(name, fields), key=True)
        elif type(value) not in _TYPES[shape]:
            yield Problem((*path, "when", name), f"subject.{name} is a {shape}", f"Write a {shape}; text in quotes.")
    for number, control in enumerate(entry.controls):
        if control not in controls:
            yield Problem((*path, "controls", number), f"the pack has no control {control}", near(control, controls))


def _order(days: Days, path: Path) -> Iterator[Problem]:
    if days.from_ is not None and days.to is not None and days.to <= days.from_:
        yield Problem((*path, "to"), "it ends before it begins", "`to` is the first day on which it no longer holds.")


# Form of a control -------------------------------------------------------------------------------------------------


def _form(control: Control, path: Path, params: Mapping[str, Param]) -> Iterator[Problem]:
    yield from _order(control.effective, (*path, "effective"))
    yield from _duplicates([((*path, "checks", n, "id"), each.id) for n, each in enumerate(control.checks)], "check")
    yield from _duplicates(
        [((*path, "variables", n, "name"), each.name) for n, each in enumerate(control.variables)], "variable"
    )
    for number, kind in enumerate(control.inputs.blocked_by):
        if kind not in GAPS:
            yield Problem((*path, "inputs", "blockedBy", number), f"{kind} is no kind of gap", near(kind, GAPS))
    for where, text in _placed_texts(control):
        for name in _PLACEHOLDER.findall(text):
            if name not in params:
                fix = near(name, params) if params else "Declare it under params, or remove the braces."
                yield Problem((*path, *where), f"{{{name}}} is no param of this pack", fix)


def _placed_texts(control: Control) -> Iterator[tuple[Path, str]]:
    yield ("plain",), control.plain
    yield ("remediation",), control.remediation
    for number, require in enumerate(control.requires):
        yield ("requires", number, "missing"), require.missing
    for number, check in enumerate(control.checks):
        if not check.message.startswith("="):
            yield ("checks", number, "message"), check.message


def _texts(control: Control) -> Iterator[str]:
    return (text for _, text in _placed_texts(control))


def _duplicates(named: Iterable[tuple[Path, str]], what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield Problem(path, f"there is another {what} {name}", "Give each its own name.")
        seen.add(name)


# What a control reads ----------------------------------------------------------------------------------------------


def _reads(compiled: CompiledControl, path: Path) -> Iterator[Problem]:
    control, fields = compiled.control, compiled.fields
    if control.awaits == "approvals" and not any(field.split(".")[0] == "approvals" for field in fields):
        yield Problem((*path, "awaits"), "it awaits approvals and reads none", "Check approvals, or remove `awaits`.")
    yield from _without_source(fields, path)
    yield from _unasked(control, fields, path)
    yield from _listed(control, fields, path)


def _without_source(fields: Sequence[str], path: Path) -> Iterator[Problem]:
    for field in fields:
        known = field_at(field)
        if known is None or not (known.sources or known.record):
            yield Problem(path, f"nothing can send {field}", "Read a field that a facet or an attestation carries.")


def _unasked(control: Control, fields: Sequence[str], path: Path) -> Iterator[Problem]:
    columns = [field for field in fields if field.startswith(_COLUMNS)]
    upstream = [field for field in fields if field.split(".")[0] in _UPSTREAM]
    inputs = control.inputs
    place: Path = (*path, "inputs")
    if columns and not inputs.columns:
        yield Problem(place, f"it reads {columns[0]} and does not ask for columns", "Write inputs: {columns: true}.")
    if upstream and inputs.upstream is None:
        yield Problem(
            place,
            f"it reads {upstream[0]} and does not ask for what is upstream",
            "Write inputs: {upstream: {depth: 10}}.",
        )
    if inputs.columns and not columns:
        yield Problem(
            (*place, "columns"), "it asks for columns and reads none", "Remove columns.", key=True, warning=True
        )
    if inputs.upstream and not upstream and not set(fields) & set(_OF_TRAINING):
        yield Problem(
            (*place, "upstream"),
            "it asks for what is upstream and reads nothing of it",
            "Remove upstream.",
            key=True,
            warning=True,
        )
    if inputs.upstream is None and set(inputs.blocked_by) - {GapKind.SILENT.value}:
        yield Problem(
            (*place, "blockedBy"), "gaps are found upstream, which it does not ask for", "Add upstream.", key=True
        )


def _listed(control: Control, fields: Sequence[str], path: Path) -> Iterator[Problem]:
    listed = control.inputs.fields
    place: Path = (*path, "inputs", "fields")
    if not listed:
        return
    for number, field in enumerate(listed):
        if field not in fields:
            yield Problem(
                (*place, number), f"it reads no {field}", near(field, fields), warning=field_at(field) is not None
            )
    for field in fields:
        if field not in listed:
            yield Problem(place, f"it reads {field}, which is not listed", "List it.", key=True)


def _unused_variables(compiled: CompiledControl, path: Path) -> Iterator[Problem]:
    read = {name for program in compiled.all_programs() for name in program.variables}
    for number, variable in enumerate(compiled.control.variables):
        if variable.name not in read:
            yield Problem(
                (*path, "variables", number), f"nothing reads the variable {variable.name}", "Remove it.", warning=True
            )


# Vacuous truth -----------------------------------------------------------------------------------------------------


def _vacuous(control: Control, path: Path, where: Scope) -> Iterator[Problem]:
    given = [control.applies] if control.applies else []
    given += [each.expression for each in control.requires]
    read = {each.name: tree for each in control.variables for tree in trees([each.expression])}
    known = [inlined(tree, read) for tree in trees(given)]
    if control.for_each is not None:
        (items,) = trees([control.for_each.in_])
        items = inlined(items, read)
        if unassured(items, known, where):
            yield Problem(
                (*path, "forEach", "in"),
                _COULD_PASS.format(control.for_each.in_),
                _REQUIRE.format(control.for_each.in_),
            )
        where = where.with_item(control.for_each.as_, items)
    for number, check in enumerate(control.checks):
        for tree in trees([check.expression]):
            for each in could_be_empty(inlined(tree, read), known, where):
                yield Problem((*path, "checks", number, "expression"), _COULD_PASS.format(each), _REQUIRE.format(each))


_COULD_PASS = "it would pass if {} were empty"
_REQUIRE = (
    "Add `requires: [{{expression: size({}) > 0, missing: …}}]`, or say in `applies` when there is nothing to judge."
)


def near(word: str, known: Iterable[str]) -> str:
    """A hint at what was meant."""
    listed = sorted(known)
    folded = [each for each in listed if each.casefold() == word.casefold()]
    found = folded or difflib.get_close_matches(word, listed, 1, 0.6)
    if found:
        return f"Did you mean {found[0]}?"
    return f"Known are {', '.join(listed[:12])}{', …' if len(listed) > 12 else ''}." if listed else "Remove it."
