"""A log of acts in a list, and what stands on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from catalog import instant
from catalog.authority.administration import Administration, KeyRequest
from catalog.authority.keys import KeyRegistry, digest_of
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.log.entry import Entry, EntryType, Receipt, Submission
from catalog.principal import Principal, Scope, grants

NOW = 1_800_000_000_000_000  # µs
DAY = 86_400_000_000
PEPPER = b"p" * 32


@dataclass
class ActLog:
    """Entries at consecutive positions, received at `now`."""

    entries: list[Entry] = field(default_factory=list)
    now: int = NOW

    def append(self, submission: Submission) -> Receipt:
        seq = len(self.entries)
        self.entries.append(
            Entry(seq, self.now, submission.type, submission.actor, submission.source, (), submission.body, b"")
        )
        return Receipt(seq, b"", False)

    def say(self, kind: EntryType, act: Mapping[str, Any]) -> None:
        body = orjson.dumps(act)
        self.append(Submission(kind, "test", body, body))

    def acts(self, types: Sequence[EntryType], start: int, limit: int) -> list[Entry]:
        return [entry for entry in self.entries[start:] if entry.type in types][:limit]

    def clock(self) -> int:
        return self.now


def by(person: str | None, principal: str | None = None) -> dict[str, Any]:
    """Who acted, with a bearer token unless a principal is named."""
    told = {} if person is None else {"person": person}
    return {"principal": principal or f"oidc:https://issuer.example#{person}", "roles": [], **told}


def creation(
    key: str, who: Mapping[str, Any], owner: str, scopes: Sequence[Scope], expires: int | None = None
) -> dict[str, Any]:
    return {
        "act": "createKey",
        "by": who,
        "key": key,
        "digest": digest_of(key, PEPPER).hex(),
        "owner": owner,
        "scopes": [scope.value for scope in scopes],
        "namespaces": ["*"],
        "roles": [],
    } | ({} if expires is None else {"expiresAt": instant.text(expires)})


def registry(log: ActLog) -> KeyRegistry:
    found = KeyRegistry()
    for entry in log.entries:
        found.apply(entry)
    return found


def person(name: str, *scopes: Scope) -> Principal:
    """Somebody who signed in with a token."""
    return Principal(f"oidc:https://issuer.example#{name}", name, grants(scopes))


ANN, BOB = person("ann@example.org", Scope.ADMIN), person("bob@example.org", Scope.ADMIN)


def administration(log: ActLog, pepper: Pepper, *, can_recover: bool = True) -> tuple[Administration, Roll]:
    roll = Roll(log)
    return Administration(roll, log.append, pepper, can_recover=can_recover, now=log.clock), roll


def request(owner: str, *scopes: Scope, **more: Any) -> KeyRequest:
    return KeyRequest.model_validate({"owner": owner, "scopes": list(scopes), **more})
