"""Whether a check could hold for want of anything to look at.

`[].all(…)` is true, and so is `![].exists(…)`: a model without a single known dataset would pass every control about
datasets. So each list of evidence that a check loops over must be known not to be empty, by `requires`, by `applies`,
or in the check itself.
"""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from policies.evidence.document import Evidence, InputColumn, Lineage
from policies.syntax import Tree, names

_LOOPS = ("all", "exists", "exists_one", "filter", "map")
_VOUCHED = {"lineage.columnCoverage": "inputColumns", "subject.developersKnown": "subject.developedBy"}
"""What says that an empty list is knowledge: with enough coverage, no labelled column means that none reaches it."""
_COMPLETE = frozenset(
    {(Lineage, "gaps"), (InputColumn, "labels"), (None, "erasures"), (None, "openErasures")}  # None: of the document
)
"""Lists that are worked out in full: an empty one says something, or there is none that is empty."""

_HAPPENINGS = frozenset({("deployments",), ("incidents",)})
"""Lists of what happened to the subject, of which there is often nothing."""
_POPULATIONS = _HAPPENINGS | {
    (name,) for name in ("trainingRuns", "trainingDatasets", "validationDatasets", "testDatasets", "inputColumns")
}
"""Lists of what there is, not of what was shown about it: that none of some is of a kind is knowledge, as a field that
tells the kind and is missing makes the control unknown. That none of some evaluations is about bias is a lack."""

Types = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in an expression stand for: top-level parts of the evidence, and variables of loops."""

    types: Types
    least: Mapping[str, float]  # param → the least value that it can have

    def with_item(self, name: str, of: Tree) -> "Scope":
        return Scope({**self.types, name: _element(type_of(of, self))}, self.least)


def scope(least: Mapping[str, float]) -> Scope:
    return Scope({_alias(name, field): field.annotation for name, field in Evidence.model_fields.items()}, least)


def could_be_empty(check: Tree, given: Sequence[Tree], where: Scope) -> list[str]:
    """The lists, as written, that nothing keeps from being empty although the check would then hold.

    With `given` (what `applies` and `requires` say) there is something to judge already, and then no incident and no
    deployment is an answer.
    """
    found = _when_true(check, where, _known_from(given, where))
    happened = (each for each in found if not (given and root_of(each).path in _HAPPENINGS))
    return list(dict.fromkeys(shown(each) for each in happened))


def unassured(items: Tree, given: Iterable[Tree], where: Scope) -> bool:
    """Whether the list of a `forEach` could be empty."""
    return _counts(items, where) and not _known(items, _known_from(given, where))


# When does it hold for want of elements? ---------------------------------------------------------------------------


def _when_true(tree: Tree, where: Scope, known: frozenset[Tree]) -> Iterator[Tree]:
    match tree.kind, tree.word:
        case "operator", "&&":
            known = _known_from(tree.parts, where, known)
            for part in tree.parts:
                yield from _when_true(part, where, known)
        case "operator", "||":
            for part in tree.parts:
                yield from _when_true(part, where, known)
        case "choice", _:
            condition, yes, no = tree.parts
            yield from _when_true(yes, where, _known_from((condition,), where, known))
            yield from _when_true(no, where, known)
        case "operator", "!":
            yield from _when_false(tree.parts[0], where, known)
        case "operator", "==" | "<=" | "<" | ">=" | ">":
            yield from _unknown(_empty_where(tree, where, ("==", "<=", "<")), where, known)
        case "call", "all" if _is_loop(tree):
            yield from _unknown((tree.parts[0],), where, known)
            yield from _when_true(tree.parts[2], _inside(tree, where), known)
        case "call", "exists" | "exists_one" if _is_loop(tree):
            yield from _when_true(tree.parts[2], _inside(tree, where), known)
        case "call", "disjoint":
            yield from _unknown((each for each in tree.parts if _is_universe(each)), where, known)


def _when_false(tree: Tree, where: Scope, known: frozenset[Tree]) -> Iterator[Tree]:
    match tree.kind, tree.word:
        case "operator", "!":
            yield from _when_true(tree.parts[0], where, known)
        case "operator", "&&" | "||":
            for part in tree.parts:
                yield from _when_false(part, where, known)
        case "operator", ">" | ">=" | "!=" | "<=" | "<":
            yield from _unknown(_empty_where(tree, where, ("!=", ">=", ">")), where, known)
        case "operator", "in":
            yield from _unknown((each for each in tree.parts[1:] if _is_universe(each)), where, known)
        case "call", "exists" | "exists_one" if _is_loop(tree):
            yield from _unknown((tree.parts[0],), where, known)
            yield from _when_false(tree.parts[2], _inside(tree, where), known)
        case "call", "all" if _is_loop(tree):
            yield from _when_false(tree.parts[2], _inside(tree, where), known)
        case "call", "hasPrefix":
            yield from _unknown(tree.parts[:1], where, known)
        case "call", "intersects":
            yield from _unknown((each for each in tree.parts if _is_universe(each)), where, known)


def _unknown(lists: Iterable[Tree], where: Scope, known: frozenset[Tree]) -> Iterator[Tree]:
    for each in lists:
        if _counts(each, where) and not _known(each, known):
            yield each


def _known(items: Tree, known: frozenset[Tree]) -> bool:
    items = _base(items)
    if (items.kind, items.word) == ("operator", "+"):
        return any(_known(each, known) for each in items.parts)
    root = root_of(items)
    return items in known or _complete(root) in known or (root in known and root.path in _POPULATIONS)


def _counts(items: Tree, where: Scope) -> bool:
    """Whether an empty list there means that nothing is known, and not that there is none."""
    root = root_of(items)
    owner = _model(type_of(root.parts[0], where)) if root.kind == "select" else None
    return (owner, root.word) not in _COMPLETE and _is_open(root, where)


def _is_open(root: Tree, where: Scope) -> bool:
    """A list that is always there, empty where nothing was said. One that may be missing is unknown then, unless it may
    be there in part.
    """
    if ".".join(root.path) in _VOUCHED.values():
        return True
    annotation = type_of(root, where)
    return annotation is not None and type(None) not in get_args(annotation) and _element(annotation) is not None


def _is_universe(items: Tree) -> bool:
    """A list about the whole subject, of which not being a member proves something."""
    return items.kind in ("name", "select") and len(items.path) <= 2


# What is known not to be empty? ------------------------------------------------------------------------------------


def _known_from(given: Iterable[Tree], where: Scope, known: frozenset[Tree] = frozenset()) -> frozenset[Tree]:
    """The lists that cannot be empty where all of these are true; `known` are some that are not, anyhow."""
    given = tuple(given)
    found = known.union(*(_assured(tree, where, known) for tree in given))
    return found if found == known else _known_from(given, where, found)


def _assured(tree: Tree, where: Scope, known: frozenset[Tree]) -> Iterator[Tree]:
    """The lists that cannot be empty where the tree is true."""
    match tree.kind, tree.word:
        case "operator", "&&":
            for part in tree.parts:
                yield from _assured(part, where, known)
        case "operator", "||":
            first, second = (set(_assured(part, where, known)) for part in tree.parts)
            yield from first & second
        case "operator", ">" | ">=" | "<" | "<=" | "!=" | "==":
            sign, items, other = _sides(tree)
            if items is not None and _is_more_than_none(sign, other, where):
                yield from _with_bases(items)
        case "operator", "in":
            yield from _with_bases(tree.parts[1])
        case "call", "exists" | "exists_one" if _is_loop(tree):
            yield from _with_bases(Tree("call", "filter", tree.parts, on_receiver=True))
        case "call", "all" if _is_loop(tree):
            looks = _known(tree.parts[0], known)
            inner = _assured(tree.parts[2], where, known)
            yield from (each for each in inner if looks or tree.parts[1].word in names(each))
    yield from _vouched(tree)


def _vouched(tree: Tree) -> Iterator[Tree]:
    is_enough = tree.kind == "operator" and tree.word in (">=", ">", "==") and tree.parts[1] not in _NOTHING
    reads = [tree, tree.parts[0]] if is_enough else [tree]
    for each in reads:
        if (vouches := _VOUCHED.get(".".join(each.path))) is not None:
            yield _complete(_tree(vouches))
    if tree.kind == "call" and tree.word == "has" and tree.parts[0].word == "classifiedAt":
        yield _complete(Tree("select", "labels", tree.parts[0].parts))


_NOTHING = tuple(Tree("literal", word) for word in ("false", "0", "0.0"))


def _complete(items: Tree) -> Tree:
    """Says of a list that it holds all there is: then a part of it may be empty, too."""
    return Tree("complete", parts=(items,))


def _tree(path: str) -> Tree:
    first, *rest = path.split(".")
    tree = Tree("name", first)
    for word in rest:
        tree = Tree("select", word, (tree,))
    return tree


def _with_bases(items: Tree) -> Iterator[Tree]:
    """A part of a list that is not empty proves the same of the list."""
    items = _base(items)
    yield items
    if items.kind == "call" and items.word == "filter":
        yield from _with_bases(items.parts[0])


def _is_more_than_none(sign: str, count: Tree, where: Scope) -> bool:
    """Whether a size that compares so is at least 1."""
    if count == _NO_ITEMS:
        return sign == "!="
    least = _least(count, where)
    if least is None or sign not in _LOWEST:
        return False
    return count == Tree("literal", "0") if sign == "!=" else least >= _LOWEST[sign]


_LOWEST = {">": 0, ">=": 1, "==": 1, "!=": 0}
_NO_ITEMS = Tree("list")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _sides(tree: Tree) -> tuple[str, Tree | None, Tree]:
    """Sign, list and other side of a comparison of a list's size, or of a list with `[]`; else the list is None."""
    one, other = tree.parts
    if other == _NO_ITEMS or _sized(one) is not None:
        return tree.word, one if other == _NO_ITEMS else _sized(one), other
    if one == _NO_ITEMS or _sized(other) is not None:
        return _FLIPPED[tree.word], other if one == _NO_ITEMS else _sized(other), one
    return tree.word, None, other


def _empty_where(tree: Tree, where: Scope, signs: tuple[str, ...]) -> Iterator[Tree]:
    """The list whose emptiness decides a comparison with one of these signs, `==` and `!=` only against none."""
    sign, items, other = _sides(tree)
    is_of_some = sign in ("==", "!=") and other != _NO_ITEMS and (_least(other, where) or 0) > 0
    if items is not None and sign in signs and not is_of_some:
        yield items


def _least(count: Tree, where: Scope) -> float | None:
    if count.kind == "literal" and count.word.isdigit():
        return int(count.word)
    return where.least.get(count.path[1]) if count.path[:1] == ("params",) and len(count.path) == 2 else None


# Shapes ------------------------------------------------------------------------------------------------------------


def _sized(tree: Tree) -> Tree | None:
    """The list whose size a tree is."""
    return tree.parts[0] if tree.kind == "call" and tree.word in ("size", "distinctCount") and tree.parts else None


def _base(items: Tree) -> Tree:
    """A list that is empty exactly when this one is: what is only mapped keeps its size."""
    return _base(items.parts[0]) if _is_loop(items) and items.word == "map" and len(items.parts) == 3 else items


def root_of(items: Tree) -> Tree:
    """The list of evidence that a filtered, mapped or joined one comes from, or begins with."""
    is_made = (_is_loop(items) and items.word in ("filter", "map")) or (items.kind, items.word) == ("operator", "+")
    return root_of(items.parts[0]) if is_made else items


def _is_loop(tree: Tree) -> bool:
    return tree.kind == "call" and tree.on_receiver and tree.word in _LOOPS and len(tree.parts) >= 3


def _inside(tree: Tree, where: Scope) -> Scope:
    return where.with_item(tree.parts[1].word, tree.parts[0])


def type_of(tree: Tree, where: Scope) -> Any:
    """The annotation of what a path leads to, in the models of the evidence; None for what is not evidence."""
    if tree != root_of(tree):
        return type_of(root_of(tree), where)
    if tree.kind == "name":
        return where.types.get(tree.word)
    if tree.kind != "select":
        return None
    model = _model(type_of(tree.parts[0], where))
    fields = (
        {} if model is None else {_alias(name, field): field.annotation for name, field in model.model_fields.items()}
    )
    return fields.get(tree.word)


def _alias(name: str, field: Any) -> str:
    return str(field.alias or name)


def _bare(annotation: Any) -> Any:
    """Without what says that it may be missing, and without notes."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _element(annotation: Any) -> Any:
    bare = _bare(annotation)
    return get_args(bare)[0] if get_origin(bare) is tuple else None


def shown(tree: Tree) -> str:
    """The tree as text, for a message."""
    parts = [shown(each) for each in tree.parts]
    match tree.kind:
        case "select":
            return f"{parts[0]}.{tree.word}"
        case "call" if tree.on_receiver:
            return f"{parts[0]}.{tree.word}({', '.join(parts[1:])})"
        case "call":
            return f"{tree.word}({', '.join(parts)})"
        case "operator" if len(parts) == 2:
            return f"{parts[0]} {tree.word} {parts[1]}"
        case "operator":
            return tree.word + parts[0]
        case "choice":
            return f"{parts[0]} ? {parts[1]} : {parts[2]}"
        case "index":
            return f"{parts[0]}[{parts[1]}]"
        case "list":
            return f"[{', '.join(parts)}]"
        case _:
            return tree.word
