"""Policy documents from files: every mistake of a file at once, each with its line, its column and what to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from catalog.errors import InvalidInputError, NotFoundError
from policies.binding import PolicyBinding, WaiverDocument
from policies.marked import MAX_BYTES, Marked, Place, read
from policies.pack import API_VERSION, Check, Control, Document, Param, PolicyPack
from policies.problem import Located, MalformedError, Path, Problem
from policies.scalar import Identifier
from policies.soundness import check_controls, check_head, near

_M = TypeVar("_M", bound=BaseModel)

KINDS: Mapping[str, type[Document]] = {
    "PolicyPack": PolicyPack,
    "PolicyBinding": PolicyBinding,
    "Waiver": WaiverDocument,
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds, and what is doubtful about it."""

    file: str
    documents: tuple[Document, ...]
    warnings: tuple[Located, ...]

    @property
    def packs(self) -> tuple[PolicyPack, ...]:
        return tuple(each for each in self.documents if isinstance(each, PolicyPack))


def load(path: FilePath) -> Loaded:
    """The documents of a YAML file. NotFoundError for no file, MalformedError with all that is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {path}", "Check the path.") from error
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", "Name a YAML file.") from error
    return load_text(content, str(path))


def load_text(content: bytes, file: str) -> Loaded:
    """The documents of a YAML text. Raises MalformedError."""
    found: list[Document] = []
    problems: list[Located] = []
    marked = read(content, file)
    if not marked:
        raise MalformedError([Located(file, 1, 1, "there is no document in this file", "Write a PolicyPack.")])
    for each in marked:
        document, said = _validated(each.data)
        problems += (_located(problem, each, file) for problem in said)
        if document is not None:
            found.append(document)
    problems = sorted(set(problems), key=lambda each: (each.line, each.column, each.what))
    if any(not each.warning for each in problems):
        raise MalformedError(problems)
    return Loaded(file, tuple(found), tuple(problems))


def load_pack(path: FilePath) -> PolicyPack:
    """The one pack of a file."""
    loaded = load(path)
    if len(loaded.packs) != 1:
        raise InvalidInputError(f"{path} holds {len(loaded.packs)} packs", "Keep one pack in a file.")
    return loaded.packs[0]


def parse_document(data: Mapping[str, Any]) -> Document:
    """A document that came as JSON, such as a normalised one out of the log.

    Raises InvalidInputError with a JSON pointer to the first mistake; the message counts the others.
    """
    document, problems = _validated(data)
    errors = [each for each in problems if not each.warning]
    if document is None or errors:
        first, more = errors[0], len(errors) - 1
        raise InvalidInputError(
            f"{first.pointer or '/'}: {first.what}{f' (and {more} more)' if more else ''}.",
            first.fix,
            pointer=first.pointer,
        )
    return document


def _located(problem: Problem, marked: Marked, file: str) -> Located:
    place = _place(problem, marked)
    return Located(file, place.line, place.column, problem.what, problem.fix, problem.warning)


def _place(problem: Problem, marked: Marked) -> Place:
    if problem.within is not None:
        return marked.within(problem.path, *problem.within)
    return marked.key(problem.path) if problem.key else marked.value(problem.path)


# From data to a document -------------------------------------------------------------------------------------------


def _validated(data: Any) -> tuple[Document | None, list[Problem]]:
    """The document, and everything that is wrong with it; no document where that keeps it from being one."""
    if not isinstance(data, Mapping):
        return None, [Problem((), "this is no mapping of keys and values", f"Begin with apiVersion: {API_VERSION}.")]
    kind = data.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        what = "kind is missing" if kind is None else f"there is no kind of document {kind}"
        return None, [Problem(("kind",), what, f"Write kind: {', '.join(KINDS)}.")]
    document, problems = None, []
    try:
        document = model.model_validate(data)
    except ValidationError as error:
        problems = _described(error, model)
    if model is PolicyPack:
        problems += check_controls(_whole_controls(data), _whole_params(data))
        if isinstance(document, PolicyPack):
            problems += check_head(document)
    return document, problems


def _whole_controls(data: Mapping[str, Any]) -> list[tuple[int, Control]]:
    """The controls that are well-formed, so that one mistake does not hide the others."""
    listed = data.get("controls")
    return [
        (number, control)
        for number, each in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
        and (control := _valid(Control, each) or _valid(Control, _mended(each, number))) is not None
    ]


def _mended(data: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A control without the parts that are malformed, so that its expressions can be checked all the same."""
    try:
        Control.model_validate(data)
    except ValidationError as error:
        wrong = {each["loc"][0] for each in error.errors(include_url=False)}
        kept = {key: value for key, value in data.items() if key not in wrong or key in _READ_BY_OTHERS}
        if "checks" in wrong and isinstance(data.get("checks"), list):
            kept["checks"] = [each if _valid(Check, each) else _STAND_IN["checks"][0] for each in data["checks"]]
        return {**_STAND_IN, "id": f"malformed-{number}", **kept}
    return dict(data)


_READ_BY_OTHERS = frozenset({"variables", "forEach", "requires", "applies"})
"""Parts without which the expressions of others would seem to be wrong."""
_STAND_IN: Mapping[str, Any] = {
    "title": "malformed",
    "citation": {"article": "malformed"},
    "plain": "malformed",
    "severity": "low",
    "assurance": "automatic",
    "checks": [{"id": "malformed", "expression": "true", "message": "malformed"}],
    "remediation": "malformed",
}


def _whole_params(data: Mapping[str, Any]) -> dict[str, Param]:
    listed = data.get("params")
    return {
        str(name): param
        for name, each in (listed.items() if isinstance(listed, Mapping) else ())
        if _is_identifier(name) and (param := _valid(Param, each)) is not None
    }


def _is_identifier(name: Any) -> bool:
    try:
        _IDENTIFIER.validate_python(name)
    except ValidationError:
        return False
    return True


_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def _valid(model: type[_M], data: Any) -> _M | None:
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


# What pydantic says, in our words ----------------------------------------------------------------------------------


def _described(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """One problem a place: of the branches of a union, what the first says."""
    found: dict[Path, Problem] = {}
    for each in error.errors(include_url=False, include_input=True):
        path = _path(each["loc"], model)
        found.setdefault(path, _described_one(each, path, model))
    filled = {path[:end] for path in found for end in range(len(path))}
    misspelt = {(*each.path[:-1], name) for each in found.values() if each.key for name in _meant(each)}
    return [each for path, each in found.items() if (each.key or path not in misspelt) and path not in filled]


def _meant(problem: Problem) -> Iterator[str]:
    """The key that an unknown one was meant to be."""
    if problem.fix.startswith("Did you mean "):
        yield problem.fix.removeprefix("Did you mean ").removesuffix("?")


def _path(location: tuple[int | str, ...], model: type[BaseModel]) -> Path:
    """The keys and indexes; without the branches of unions that pydantic puts between them."""
    path: Path = ()
    annotation: Any = model
    for part in location:
        if part == "[key]":
            break
        inner = _inside(annotation, part)
        if inner is _NOWHERE and not isinstance(part, int) and not _is_model(annotation):
            continue
        path = (*path, part)
        annotation = inner
    return path


def _described_one(error: ErrorDetails, path: Path, model: type[BaseModel]) -> Problem:
    name = str(path[-1]) if path else ""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return Problem(path, f"{name} is missing", f"Add {name}.")
    if kind == "extra_forbidden":
        return Problem(path, f"there is no key {name} here", near(name, _keys(model, path[:-1])), key=True)
    if kind in ("enum", "literal_error"):
        return Problem(path, f"{error['input']} is none of {context['expected']}", _one_of(error))
    if kind in ("flag", "whole", "day", "instant", "param"):
        fix = _FIXES.get(kind, "Write one of its type.")
        return Problem(path, f"{name}: {error['msg']}", fix)
    if kind == "string_type":
        return Problem(path, f"{name} must be text", "Write one text; lists and mappings do not belong here.")
    if kind == "string_pattern_mismatch":
        return Problem(
            path, f"{error['input']} does not fit here", _SHAPES.get(context["pattern"], "Write it otherwise.")
        )
    if kind == "model_type":
        return Problem(path, f"{name} must be a mapping", f"Its keys: {', '.join(_keys(model, path))}.")
    if kind in ("tuple_type", "dict_type"):
        return Problem(
            path, f"{name} must be a {'list' if kind == 'tuple_type' else 'mapping'}", "See docs/reference/packs.md."
        )
    if kind == "too_short":
        return Problem(path, f"{name} is empty", "Write at least one.")
    return Problem(path, f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}", "See docs/reference/packs.md.")


_FIXES = {
    "flag": "Write true or false, without quotes.",
    "whole": "Write digits only.",
    "day": "Write 2027-12-02.",
    "instant": "Write 2027-12-02T09:00:00Z, or 2027-12-02.",
}
_SHAPES = {
    r"^\d+\.\d+\.\d+$": "Write a version MAJOR.MINOR.PATCH, such as 1.0.0.",
    r"^sha256:[0-9a-f]{64}$": "Write sha256: and 64 hexadecimal digits.",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$": "Write letters, digits, dots, dashes and underscores, at most 100.",
    r"^[A-Za-z][A-Za-z0-9]{0,63}$": "Write a letter, then letters and digits, as expressions name it.",
}


def _one_of(error: ErrorDetails) -> str:
    expected = str(error.get("ctx", {})["expected"]).replace(" or ", ", ").replace("'", "")
    return near(str(error["input"]), expected.split(", "))


_NOWHERE = object()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _inside(annotation: Any, part: int | str) -> Any:
    """The annotation of a key or index of a value of the given one."""
    for each in _branches(annotation):
        if _is_model(each):
            fields = {field.alias or name: field.annotation for name, field in each.model_fields.items()}
            if part in fields:
                return fields[str(part)]
        elif get_origin(each) is tuple and isinstance(part, int):
            return get_args(each)[0]
        elif get_origin(each) is dict:
            return get_args(each)[1]
    return _NOWHERE


def _branches(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        yield from _branches(arguments[0])
    elif get_origin(annotation) in (tuple, dict) or not arguments:
        yield annotation
    else:
        for each in arguments:
            yield from _branches(each)


def _keys(model: type[BaseModel], path: Path) -> Sequence[str]:
    """The keys that a mapping at the path may have."""
    annotation: Any = model
    for part in path:
        annotation = _inside(annotation, part)
    models: Iterable[type[BaseModel]] = (each for each in _branches(annotation) if _is_model(each))
    return [field.alias or name for each in models for name, field in each.model_fields.items()]
