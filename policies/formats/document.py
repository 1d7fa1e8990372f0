"""Decisions and verdicts as JSON: camelCase, what is not known left out. Every other format is made from these."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from catalog.errors import InvalidInputError
from catalog.identity import NodeKind, act_id
from policies.acts import Decide, invalid
from policies.verdict import ControlResult, GateState, ItemResult, Missing, Verdict, Witness

_CONTROL = TypeAdapter(ControlResult)
_HUMP = re.compile("[A-Z]")
BLOCKS = frozenset({Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN})
"""Verdicts that stop a release where the control is enforced by `block`."""


def control_document(result: ControlResult) -> dict[str, Any]:
    """A control's result as JSON types."""
    document: dict[str, Any] = _plain(result)
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    names = _NAMES.get(type(value))
    if names is None:
        return value
    given = ((written, getattr(value, name)) for name, written in names)
    return {written: each if type(each) is str else _plain(each) for written, each in given if each is not None}


_NAMES = {
    record: tuple((each.name, to_camel(each.name)) for each in fields(record))
    for record in (ControlResult, ItemResult, Missing, Witness)
}
"""The fields of what results are made of, and how JSON writes them."""


def control_of(document: Mapping[str, Any]) -> ControlResult:
    """The result that a JSON document says. Raises InvalidInputError with a pointer into it."""
    try:
        return _CONTROL.validate_python(_with_keys(_snake(document)))
    except ValidationError as error:
        raise invalid(error) from error


def _with_keys(document: Any) -> Any:
    """An item of a control without a loop has no key, which JSON leaves out."""
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        return document
    return {**document, "items": [{"key": None, **item} if isinstance(item, dict) else item for item in items]}


def _snake(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_HUMP.sub(lambda hump: "_" + hump[0].lower(), key): _snake(each) for key, each in value.items()}
    return [_snake(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Decision:
    """One decision: `document` is its body as the log holds it, `body` the same with types."""

    document: Mapping[str, Any]
    body: Decide

    @cached_property
    def id(self) -> str:
        """Its node id, by which `decision show` finds it."""
        return act_id(NodeKind.DECISION, self.body.id)

    @cached_property
    def state(self) -> GateState:
        return GateState(self.body.state)

    @cached_property
    def controls(self) -> tuple[ControlResult, ...]:
        return tuple(map(control_of, self.body.controls))

    @property
    def target(self) -> str:
        """What was judged, for people: NAME@VERSION."""
        target = self.body.target
        if target is None:
            return "an unknown target"
        return target.name if target.version is None else f"{target.name}@{target.version}"

    def blocking(self) -> list[ControlResult]:
        """Controls that stop the release, in the order of packs; none stops what is allowed, not even a rollback."""
        if self.state is GateState.ALLOW:
            return []
        return [each for each in self.controls if each.enforcement == "block" and each.verdict in BLOCKS]

    def citation_uri(self, result: ControlResult) -> str | None:
        """Where the cited text can be read, from the frozen pack."""
        return self._citations.get((result.pack, result.control))

    @cached_property
    def _citations(self) -> dict[tuple[str, str], str]:
        return {
            (f"{pack.name}@{pack.version}", control["id"]): control["citation"]["uri"]
            for pack in self.body.packs
            for control in pack.document.get("controls", ())
            if control.get("citation", {}).get("uri")
        }


def decision_of(document: Mapping[str, Any]) -> Decision:
    """The decision in a body of a `decide`. Raises InvalidInputError with a pointer to what is wrong."""
    try:
        decision = Decision(document, Decide.model_validate(document))
    except ValidationError as error:
        raise invalid(error) from error
    if decision.body.state not in set(GateState):
        raise InvalidInputError(f"/state is {decision.body.state}.", f"It is one of {', '.join(GateState)}.")
    _ = decision.controls  # wrong ones are found now
    return decision
