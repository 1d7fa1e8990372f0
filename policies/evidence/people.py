"""Who wrote and ran things, as persons that we know.

A name in an event is a person's when an `identify` act maps it to one (`email:ann@old.example` → `ann@example.org`), or
when it is, case folded, the id of a person that such an act names or that acted on the subject.
"""

import re
from collections.abc import Iterable

from catalog.identity import NodeKind
from catalog.reading import Reading

IDENTITIES = NodeKind.POLICY.value
"""What a document depends on that looked persons up: every act of this kind can say who somebody is."""

_ACTED = (NodeKind.APPROVAL, NodeKind.WAIVER, NodeKind.ATTESTATION)
_ADDRESS = re.compile(r"[^<]*<([^<>]+)>\s*")


class People:
    """Looks persons up, in the order of the log: the last word on an alias counts."""

    def __init__(self, reading: Reading, subjects: Iterable[str]) -> None:
        identified = [act.body for act in reading.acts(NodeKind.POLICY) if act.verb == "identify"]
        self._aliases = {str(body["alias"]).casefold(): str(body["person"]) for body in identified}
        self._known = {person.casefold(): person for person in self._aliases.values()}
        for subject in subjects:
            for kind in _ACTED:
                for act in reading.acts(kind, subject):
                    if person := act.body["by"].get("person"):
                        self._known.setdefault(person.casefold(), person)

    def person_of(self, name: str) -> str | None:
        """The person behind `ann@example.org` or `Ann <ann@example.org>`; None for nobody that we know."""
        address = address_of(name)
        return self._aliases.get(f"email:{address}") or self._known.get(address)


def address_of(name: str) -> str:
    """`ann@example.org` of `Ann <ann@example.org>`, case folded; a name without brackets as a whole."""
    match = _ADDRESS.fullmatch(name)
    return (match[1] if match else name).strip().casefold()
