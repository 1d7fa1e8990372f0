"""What kind of value each part of the evidence is, read from its models: the one source of the types in expressions."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from policies.evidence.document import Evidence

UNREAD = frozenset({"schema", "facts"})  # parts of the document that are about it, not evidence


class Scalar(StrEnum):
    """A value without parts. Times in the document are strings; `evaluatedAt` and what expressions make are not."""

    STRING = "string"
    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values of one shape."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Struct:
    """A value with named parts, each of which may be missing."""

    name: str
    fields: Mapping[str, "Shape"]


_PARAM_TYPES = {"string": Scalar.STRING, "bool": Scalar.BOOL, "int": Scalar.INT, "float": Scalar.DOUBLE}

Shape = Scalar | Items | Struct


@cache
def evidence_shapes() -> Mapping[str, Shape]:
    """Top-level variable → its shape: every part of the evidence document that expressions may read."""
    fields = _struct(Evidence).fields
    return {name: shape for name, shape in fields.items() if name not in UNREAD}


def params_shape(params: Mapping[str, str]) -> Struct:
    """Parameters of a pack, given as name → type word (int, float, string, bool, list<string>).

    Raises ValueError for another word.
    """
    return Struct("Params", {name: _param(word) for name, word in params.items()})


def at(path: str) -> Shape | None:
    """The shape at a dotted path from the top of the document, through the items of lists; None where nothing is."""
    first, *rest = path.split(".")
    return within(evidence_shapes().get(first), rest)


def within(shape: Shape | None, steps: list[str] | tuple[str, ...]) -> Shape | None:
    """The shape that steps lead to from another one, through the items of lists."""
    for step in steps:
        inner = item(shape)
        shape = inner.fields.get(step) if isinstance(inner, Struct) else None
    return shape


def item(shape: Shape | None) -> Shape | None:
    """The shape of the items, however deep; of what is no list, its own."""
    while isinstance(shape, Items):
        shape = shape.of
    return shape


def _param(word: str) -> Shape:
    if word == "list<string>":
        return Items(Scalar.STRING)
    if word not in _PARAM_TYPES:
        raise ValueError(f"{word!r} is no type of a parameter: int, float, string, bool or list<string>")
    return _PARAM_TYPES[word]


@cache
def _struct(model: type[BaseModel]) -> Struct:
    fields = {
        field.alias or name: _shape(field.annotation, f"{model.__name__}.{name}")
        for name, field in model.model_fields.items()
    }
    return Struct(model.__name__, fields)


_SCALARS = {str: Scalar.STRING, bool: Scalar.BOOL, int: Scalar.INT, float: Scalar.DOUBLE}


def _shape(annotation: object, where: str) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape(arguments[0], where)
    if origin in (Union, types.UnionType):
        (known,) = (each for each in arguments if each is not type(None))
        return _shape(known, where)
    if origin is tuple and arguments[1:] == (...,):
        return Items(_shape(arguments[0], where))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _struct(annotation)
    if isinstance(annotation, type) and annotation in _SCALARS:
        return _SCALARS[annotation]
    raise TypeError(f"{where}: {annotation} has no counterpart in expressions")
