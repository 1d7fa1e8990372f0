"""A record of the document while it is being written: values, and who said each of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from catalog.model import Facet, Node
from catalog.reading import Reading
from policies.evidence.document import Record
from policies.evidence.fields import fields_of
from policies.evidence.said import part_in
from policies.standing import StandingAttestation

Authoritative = Callable[[str, str], bool]
"""Whether an actor's word on entities of a namespace counts: (actor, namespace)."""


class Assurance(StrEnum):
    VERIFIED = "VERIFIED"  # two parties told the same digest
    ATTESTED = "ATTESTED"
    REPORTED = "REPORTED"
    SELF_DECLARED = "SELF_DECLARED"  # by somebody without authority there: not used


@dataclass(frozen=True, slots=True)
class Voice:
    """Who said something, when, and how sure it is."""

    actor: str
    at: str
    assurance: Assurance
    recorded_at: str | None = None


class Draft:
    """Values by dotted path. Empty values and such of another type than the field's are left out."""

    def __init__(self, record: type[Record], **known: Any) -> None:
        self._fields = fields_of(record)
        self.values: dict[str, Any] = {}
        self.voices: dict[str, Voice] = {}
        for name, value in known.items():
            self.put(name, value)

    def __getitem__(self, path: str) -> Any:
        return part_in(self.values, path)

    def has_field(self, path: str) -> bool:
        return path in self._fields

    def put(self, path: str, value: Any, voice: Voice | None = None) -> None:
        """State a field, over what was stated before. A voice without authority is noted, and its word left out."""
        if value is None or not self._fields[path].accepts(value):
            return
        if voice is not None:
            self.voices[path] = voice
            if voice.assurance is Assurance.SELF_DECLARED:
                return
        *above, name = path.split(".")
        place = self.values
        for each in above:
            place = place.setdefault(each, {})
        place[name] = value

    def facts(self, pointer: str) -> Iterator[dict[str, Any]]:
        """The voices as `facts` of the document, under the record's place in it."""
        for path, voice in self.voices.items():
            told = {
                "pointer": f"{pointer}/{path.replace('.', '/')}",
                "actor": voice.actor,
                "at": voice.at,
                "assurance": voice.assurance.value,
            }
            yield told if voice.recorded_at is None else told | {"recordedAt": voice.recorded_at}


def voice_of(act: StandingAttestation) -> Voice:
    by = act.said.by
    return Voice(by.person or by.principal, act.said.at, Assurance.ATTESTED, act.said.at)


class Governance:
    """Facets that policies read, each with the authority of its sender."""

    def __init__(self, reading: Reading, authoritative: Authoritative) -> None:
        self._reading = reading
        self._authoritative = authoritative

    def of(self, node: Node, names: Iterable[str]) -> dict[str, tuple[Mapping[str, Any], Voice]]:
        """Facets in force on a node by name: the body and whose word it is.

        Authority comes before time: what a sender without it says later hides nothing, and shows where nothing else is.
        """
        wanted, namespace = list(names), node.namespace or ""
        trusted = self._reading.facets(node.id, wanted, said_by=lambda actor: self._authoritative(actor, namespace))
        known = {facet.name for facet in trusted}
        missing = [name for name in wanted if name not in known]
        others = self._reading.facets(node.id, missing) if missing else []
        found = {}
        for facet in (*trusted, *others):
            body = orjson.loads(facet.body)
            if isinstance(body, Mapping):
                found[facet.name] = (body, self.voice(facet, namespace))
        return found

    def voice(self, facet: Facet, namespace: str) -> Voice:
        return self.heard(facet.actor, facet.at, namespace)

    def heard(self, actor: str, at: str, namespace: str) -> Voice:
        trusted = self._authoritative(actor, namespace)
        return Voice(actor, at, Assurance.REPORTED if trusted else Assurance.SELF_DECLARED)
