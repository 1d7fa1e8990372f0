"""The payload of a statement as it is written on the command line, typed by the statement's own model."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, get_args, get_origin

import orjson
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from catalog.errors import InvalidInputError
from policies.attestation.strict_json import parse
from policies.evidence.fields import ATTESTABLE, attestable_field
from policies.statements import FieldStatement, StatementType


def given(kind: StatementType, settings: Iterable[str], statement: str | None) -> dict[str, Any]:
    """The payload of `--set` and `--statement`; a property that is set goes before one of the statement.

    Raises InvalidInputError for a property that the type does not have, and for a value that it cannot have.
    """
    payload = {} if statement is None else _read(statement)
    values: dict[str, list[str]] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise InvalidInputError(f"--set {setting} sets nothing", "Write KEY=VALUE.")
        values.setdefault(key, []).append(value)
    for key, told in values.items():
        _place(payload, key, _value(kind, key, told, values))
    return payload


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as algorithm:hex."""
    try:
        with path.open("rb") as file:
            return f"sha256:{file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", "Name the document.") from error


def properties_of(kind: StatementType) -> str:
    """Its properties with their types; those with a star have to be said."""
    return ", ".join(
        f"{name}{'*' if info.is_required() else ''}: {_type_name(info.annotation)}" for name, info in _flat(kind.model)
    )


def _read(statement: str) -> dict[str, Any]:
    """The JSON of `-`, of a text in braces, or of a file."""
    if statement == "-":
        return parse(sys.stdin.read(), "standard input")
    if statement.lstrip().startswith("{"):
        return parse(statement, "--statement")
    try:
        return parse(Path(statement).read_text("utf-8"), statement)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidInputError(f"{statement} cannot be read: {reason}", "Name a file of JSON, or -.") from error


# Values ------------------------------------------------------------------------------------------------------------


def _value(kind: StatementType, key: str, told: Sequence[str], all_told: Mapping[str, Sequence[str]]) -> Any:
    known = dict(_flat(kind.model))
    if key not in known:
        raise InvalidInputError(
            f"--set {key}: a statement of the type {kind.name} has no such property",
            f"Its properties are {properties_of(kind)}.",
        )
    annotation = _annotation(known[key])
    if _is_list(annotation):
        return _list(told)
    if len(told) > 1:
        raise InvalidInputError(f"--set {key} is given {len(told)} times, and is no list", "Set it once.")
    if kind.model is FieldStatement and key == "value":
        return _of_field((all_told.get("path") or ("",))[-1], told)
    return _scalar(key, annotation, told[0])


def _list(told: Sequence[str]) -> Any:
    return orjson.loads(told[0]) if len(told) == 1 and _is_json(told[0], list) else list(told)


def _scalar(key: str, annotation: Any, told: str) -> Any:
    """The text where the property is text, else the JSON that it is."""
    if _accepts_text(annotation):
        return told
    try:
        return orjson.loads(told)
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(
            f"--set {key}={told} is no {_type_name(annotation)}", "Write a number, true or false, or JSON."
        ) from error


def _of_field(path: str, told: Sequence[str]) -> Any:
    """A value of an evidence field, in the type that the field has."""
    text = told[0]
    parsed = orjson.loads(text) if _is_json(text, object) else text
    fields = [field for field in (attestable_field(kind, path) for kind in ATTESTABLE) if field is not None]
    return next((value for field in fields for value in (parsed, text) if field.accepts(value)), parsed)


def _is_json(text: str, kind: type) -> bool:
    try:
        return isinstance(orjson.loads(text), kind)
    except orjson.JSONDecodeError:
        return False


def _place(payload: dict[str, Any], path: str, value: Any) -> None:
    *above, name = path.split(".")
    for each in above:
        payload = payload.setdefault(each, {})
    payload[name] = value


# Types -------------------------------------------------------------------------------------------------------------


def _flat(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Properties by name, those of parts behind a dot."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{info.alias or name}"
        part = _part(info.annotation)
        if part is None:
            yield path, info
        else:
            yield from _flat(part, f"{path}.")


def _part(annotation: Any) -> type[BaseModel] | None:
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _annotation(info: FieldInfo) -> Any:
    annotation: Any = info.annotation
    return annotation


def _inside(annotation: Any) -> Iterator[Any]:
    """A type and what it is put together from, notes left out."""
    yield annotation
    if get_origin(annotation) is not tuple:
        for each in get_args(annotation):
            yield from _inside(each)


def _is_list(annotation: Any) -> bool:
    return any(get_origin(each) is tuple for each in _inside(annotation))


def _accepts_text(annotation: Any) -> bool:
    """Whether it is text of some form, whatever that form is."""
    try:
        TypeAdapter(annotation).validate_python("text", strict=True)
    except ValidationError as error:
        return not any(each["type"].endswith(("_type", "_parsing")) for each in error.errors())
    return True


def _type_name(annotation: Any) -> str:
    if annotation is JsonValue:
        return "JSON"
    if _is_list(annotation):
        return "list"
    inside = list(_inside(annotation))
    return next((name for kind, name in _NAMES if kind in inside), "text")


_NAMES = ((bool, "true or false"), (int, "whole number"), (float, "number"))
