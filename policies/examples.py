"""Test data beside packs: for each control evidence that passes, that fails and that does not suffice.

A file `examples/PACK/CONTROL.yaml` holds `control` and, laid over one small document, `given` (what its cases share)
and the cases `pass`, `fail`, `unknown` and, optionally, `remedied`: the failing evidence once the remediation was
applied, which must pass. Mappings are merged by key, lists are replaced, null takes a key away. A case, or the file for
all of them, may set `evaluatedAt`, `environment`, `requester` and `params`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from catalog import rfc3339
from catalog.errors import InvalidInputError
from policies.evaluation import evaluate_pack
from policies.evidence.document import SCHEMA, Evidence
from policies.marked import MAX_BYTES
from policies.pack import PolicyPack
from policies.problem import Located, MalformedError
from policies.verdict import ControlResult, Verdict

FOLDER = "examples"
CASES = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "unknown": Verdict.UNKNOWN, "remedied": Verdict.PASS}
REQUIRED = ("pass", "fail", "unknown")

_SETTINGS = ("evaluatedAt", "environment", "requester", "params")
_DEFAULTS: Mapping[str, Any] = {
    "evaluatedAt": "2026-11-24T00:00:00Z",
    "environment": "production",
    "requester": "rita@example.org",
    "params": {},
}
_LEAST: Mapping[str, Any] = {
    "schema": SCHEMA,
    "subject": {
        "id": "datasetVersion:example",
        "kind": "MODEL_VERSION",
        "namespace": "models",
        "name": "example",
        "version": "1",
    },
    "lineage": {
        "complete": True,
        "truncated": False,
        "gaps": [],
        "depthReached": 1,
        "columnCoverage": 1.0,
        "feedback": False,
    },
}


@dataclass(frozen=True, slots=True)
class Example:
    """One case of one control. `evaluated_at` in µs; `document` is a whole evidence document."""

    control: str
    name: str
    document: Mapping[str, Any]
    evaluated_at: int
    environment: str
    requester: str
    params: Mapping[str, Any]

    @property
    def expected(self) -> Verdict:
        return CASES[self.name]


@dataclass(frozen=True, slots=True)
class Trial:
    """An example with what the control said of it."""

    example: Example
    result: ControlResult

    @property
    def holds(self) -> bool:
        return self.result.verdict is self.example.expected

    def __str__(self) -> str:
        said = "; ".join(dict.fromkeys(each.message for each in self.result.items if each.message))
        told = f"{self.example.control} {self.example.name}: {self.result.verdict}"
        return f"{told} where {self.example.expected} is expected. {said or self.result.note}"


@dataclass(frozen=True, slots=True)
class Tried:
    """All examples of a pack, and the cases that are missing."""

    trials: tuple[Trial, ...]
    missing: tuple[str, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        return (*(str(each) for each in self.trials if not each.holds), *self.missing)


def folder_of(pack_file: Path, pack: PolicyPack) -> Path:
    return pack_file.parent / FOLDER / pack.name


def try_examples(pack: PolicyPack, folder: Path) -> Tried:
    """Evaluate every example of a pack's folder. Raises MalformedError for a file that is no example."""
    controls = {each.id for each in pack.controls}
    files = sorted(folder.glob("*.yaml"))
    examples = [example for file in files for example in read_examples(file)]
    trials = tuple(_tried(pack, example) for example in examples if example.control in controls)
    had = {(each.control, each.name) for each in examples}
    missing = [
        f"{control} {name}: there is no example of it in {folder / control}.yaml."
        for control in sorted(controls)
        for name in REQUIRED
        if (control, name) not in had
    ]
    stray = [f"{each}: the pack has no such control." for each in sorted({e.control for e in examples} - controls)]
    return Tried(trials, (*missing, *stray))


def _tried(pack: PolicyPack, example: Example) -> Trial:
    single = pack.model_copy(update={"controls": tuple(each for each in pack.controls if each.id == example.control)})
    (result,) = evaluate_pack(
        PolicyPack.model_validate(single.normalised()),
        example.document,
        evaluated_at=example.evaluated_at,
        environment=example.environment,
        requester=example.requester,
        params=example.params,
    )
    return Trial(example, result)


def read_examples(file: Path) -> Iterator[Example]:
    """The cases of a file. Raises MalformedError."""
    data = _data(file)
    cases = [name for name in CASES if name in data]
    for name in sorted(data.keys() - {"control", "given", *CASES, *_SETTINGS}):
        raise _malformed(file, f"there is no case {name}", f"Cases are {', '.join(CASES)}.")
    if not isinstance(data.get("control"), str):
        raise _malformed(file, "control is missing", "Write control: and its id.")
    for name in cases:
        yield _example(file, data, name)


def _example(file: Path, data: Mapping[str, Any], name: str) -> Example:
    given = merged(data.get("given") or {}, data[name] or {})
    settings = {key: given.pop(key, data.get(key, _DEFAULTS[key])) for key in _SETTINGS}
    try:
        document = Evidence.model_validate(without_nulls(merged(_LEAST, given))).plain()
        at = rfc3339.parse(str(settings["evaluatedAt"]))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _malformed(file, f"{name}: {where}: {first['msg']}", "Write evidence as its schema has it.") from error
    except ValueError as error:
        raise _malformed(file, f"{name}: evaluatedAt: {error}", "Write it as 2026-11-24T00:00:00Z.") from error
    return Example(
        data["control"], name, document, at, settings["environment"], settings["requester"], settings["params"]
    )


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merged by key; everything else is replaced."""
    found = dict(base)
    for key, value in over.items():
        held = found.get(key)
        both = isinstance(held, Mapping) and isinstance(value, Mapping)
        found[key] = merged(held, value) if both else value  # type: ignore[arg-type]
    return found


def without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


class _Loader(yaml.SafeLoader):
    """Safe, and times stay text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _data(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
        if len(content) > MAX_BYTES:
            raise _malformed(file, "this file is larger than 1 MiB", "Keep examples small.")
        data = yaml.load(content, Loader=_Loader)
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "Check the path.") from error
    except yaml.MarkedYAMLError as error:
        line, column = (error.problem_mark.line + 1, error.problem_mark.column + 1) if error.problem_mark else (1, 1)
        raise MalformedError(
            [Located(str(file), line, column, f"this is no YAML: {error.problem}", "Correct it.")]
        ) from error
    except yaml.YAMLError as error:
        raise _malformed(file, f"this is no YAML: {error}", "Correct it.") from error
    if not isinstance(data, dict):
        raise _malformed(file, "this is no mapping", "Write control, given, pass, fail and unknown.")
    return data


def _malformed(file: Path, what: str, fix: str) -> MalformedError:
    return MalformedError([Located(str(file), 1, 1, what, fix)])
