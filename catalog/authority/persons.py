"""Which person stands behind an e-mail address, a subject of an issuer, or a key.

One mapping for everything that names a human: `email:ann@example.org` (as in a commit), `oidc:ISSUER#SUBJECT`,
`key:ID`. It is what the `identify` acts of the log say, the last one for each alias. Who is mapped to nobody is an
unknown person.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.errors import InvalidInputError

_PERSON = re.compile(r"[^\s@\x00-\x1f\x7f]{1,100}@[^\s@\x00-\x1f\x7f]{1,150}")
_ALIAS = re.compile(r"(?:email:[^\s@]{1,100}@[^\s@]{1,150}|oidc:\S{1,500}#[^\x00-\x1f\x7f]{1,255}|key:[0-9a-f]{12})")


def person_id(written: str) -> str:
    """How a person is called here: an address like `ann@example.org`, case folded.

    Raises InvalidInputError for anything else, so that no machine, and no typing error, counts as one.
    """
    folded = written.strip().casefold()
    if _PERSON.fullmatch(folded) is None:
        raise InvalidInputError(f"{written!r} names no person.", "Write people like ann@example.org.")
    return folded


def alias_id(written: str) -> str:
    """An alias in its one spelling: e-mail addresses are case folded, subjects of issuers never.

    Raises InvalidInputError for anything but `email:`, `oidc:ISSUER#SUBJECT` and `key:ID`.
    """
    stripped = written.strip()
    alias = stripped.casefold() if stripped.startswith("email:") else stripped
    if _ALIAS.fullmatch(alias) is None:
        raise InvalidInputError(
            f"{written!r} is no alias of a person.", "Write email:ann@example.org, or oidc:ISSUER#SUBJECT."
        )
    return alias


class Persons:
    """The mapping as of some position of the log. Not for use by several threads while it grows."""

    def __init__(self, acts: Iterable[Mapping[str, Any]] = ()) -> None:
        self._named: dict[str, str] = {}
        self._known: set[str] = set()
        self._proposed: dict[str, tuple[str, str]] = {}  # by alias: the person, and who said so
        for act in acts:
            self.apply(act)

    def apply(self, act: Mapping[str, Any]) -> None:
        """Add the body of a policy act in log order; other verbs than those of identities say nothing here."""
        if act.get("act") == "proposeIdentity":
            self._proposed[act["alias"]] = act["person"], str(act["by"].get("person"))
        if act.get("act") != "identify":
            return
        self._proposed.pop(act["alias"], None)
        self._named[act["alias"]] = act["person"]
        self._known.add(act["person"])

    def proposer(self, alias: str, person: str) -> str | None:
        """The administrator who proposed this last for the alias, and waits for another to say so too."""
        proposed, by = self._proposed.get(alias, (None, None))
        return by if proposed == person else None

    def person_of(self, alias: str) -> str | None:
        """The person, None where nobody was named.

        The address of a known person needs no mapping of its own; one that is mapped further leads on, so that an old
        and a new address of somebody are one person.
        """
        named = self._named.get(alias)
        if named is None and alias.startswith("email:") and alias.removeprefix("email:") in self._known:
            named = alias.removeprefix("email:")
        return None if named is None else self.canonical(named)

    def canonical(self, person: str) -> str:
        """The person that an address stands for by now; itself where nothing else is said."""
        passed = {person}
        while (further := self._named.get(f"email:{person}")) is not None and further not in passed:
            passed.add(further)
            person = further
        return person
