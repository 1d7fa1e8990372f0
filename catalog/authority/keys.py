"""API keys as the log holds them: who owns one, what it may do where, and whether it counts.

A key is `lw_ID_SECRET`: 48 bits to find it by and 256 bits of secret, both hexadecimal. The log has HMAC-SHA-256 of
the whole text under the pepper, never the text. What a key may do follows from the KEY entries before a position of
the log and from nothing else: an act that was not allowed at its place in the log, because another came first, has no
effect, whatever was checked when it was accepted.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from secrets import token_hex
from typing import Any

import orjson

from catalog import rfc3339
from catalog.errors import CorruptLogError
from catalog.log.entry import Entry, EntryType
from catalog.principal import LOCAL, Principal, Scope, grants

TWO_PERSONS = frozenset({Scope.APPROVE, Scope.WAIVE, Scope.REDACT})
"""Scopes that nobody gives to somebody else alone."""

PREFIX = "lw_"
_TEXT = re.compile(r"lw_(?P<id>[0-9a-f]{12})_[0-9a-f]{64}")


class KeyState(StrEnum):
    """What a key is at an instant. Only ACTIVE ones authenticate."""

    ACTIVE = "ACTIVE"
    PENDING = "PENDING"  # a second administrator has yet to confirm it
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. Times in µs; it expires at `expires`, which is the first instant without it."""

    id: str
    digest: bytes
    owner: str
    scopes: tuple[Scope, ...]
    namespaces: tuple[str, ...]
    roles: tuple[str, ...]
    created: int
    created_by: Mapping[str, Any]
    expires: int | None = None
    pending: bool = False
    confirmed_by: Mapping[str, Any] | None = None
    revoked: int | None = None
    revoked_by: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The actor in the log, and the key's alias of its owner."""
        return f"key:{self.id}"

    def state(self, now: int) -> KeyState:
        if self.revoked is not None:
            return KeyState.REVOKED
        if self.expires is not None and now >= self.expires:
            return KeyState.EXPIRED
        return KeyState.PENDING if self.pending else KeyState.ACTIVE

    def may(self, scope: Scope, now: int) -> bool:
        return scope in self.scopes and self.state(now) is KeyState.ACTIVE

    def principal(self, person: str) -> Principal:
        return Principal(self.name, person, grants(self.scopes, self.namespaces), self.roles)


def new_key() -> tuple[str, str]:
    """An id and the whole text of a fresh key."""
    key = token_hex(6)
    return key, f"{PREFIX}{key}_{token_hex(32)}"


def key_id(text: str) -> str | None:
    """The id in a key's text, None for what is none."""
    match = _TEXT.fullmatch(text)
    return match["id"] if match else None


def digest_of(text: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, text.encode(), sha256)


class KeyRegistry:
    """The keys as of some position of the log: entries are applied in log order, each once."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def __len__(self) -> int:
        """How many were ever made, those that no longer count included."""
        return len(self._keys)

    def get(self, key: str) -> ApiKey | None:
        return self._keys.get(key)

    def all(self) -> list[ApiKey]:
        """In the order of their making."""
        return list(self._keys.values())

    def matching(self, text: str, pepper: bytes) -> ApiKey | None:
        """The key of this text, whatever its state; None where the secret is not its own.

        Takes as long for an unknown id as for a wrong secret.
        """
        found = self._keys.get(key_id(text) or "")
        expected = found.digest if found else bytes(sha256().digest_size)
        genuine = hmac.compare_digest(digest_of(text, pepper), expected)
        return found if genuine else None

    def administrators(self, now: int) -> list[ApiKey]:
        return [key for key in self.all() if key.may(Scope.ADMIN, now)]

    def apply(self, entry: Entry) -> None:
        """Add an entry; others than KEY entries, and erased ones, say nothing.

        Raises CorruptLogError for a body that no door of ours can have written.
        """
        if entry.type is not EntryType.KEY or entry.body is None:
            return
        try:
            self._apply(orjson.loads(entry.body), entry.recorded)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptLogError(
                f"entry {entry.seq} is no {entry.type} that Lineward wrote: {error}", "Restore the log from a backup."
            ) from error

    def _apply(self, act: Mapping[str, Any], recorded: int) -> None:
        verb, by = act["act"], act["by"]
        if verb == "createKey":
            self._create(act, recorded)
            return
        key = self._keys.get(act["key"])
        if key is None:
            return
        if verb == "confirmKey" and self.may_confirm(key, by, recorded):
            self._keys[key.id] = replace(key, pending=False, confirmed_by=by)
        elif verb == "revokeKey" and self.may_revoke(key, by, recorded):
            self._keys[key.id] = replace(key, revoked=recorded, revoked_by=by)

    def _create(self, act: Mapping[str, Any], recorded: int) -> None:
        by, key = act["by"], act["key"]
        if key in self._keys or not self._administers(by, recorded):
            return
        scopes = tuple(Scope(each) for each in act["scopes"])
        expires = act.get("expiresAt")
        self._keys[key] = ApiKey(
            key,
            bytes.fromhex(act["digest"]),
            act["owner"],
            scopes,
            tuple(act["namespaces"]),
            tuple(act["roles"]),
            recorded,
            by,
            None if expires is None else rfc3339.parse(expires),
            pending=takes_two(scopes, act["owner"], by.get("person")) or self._admits(scopes, act, recorded),
        )

    def _admits(self, scopes: tuple[Scope, ...], act: Mapping[str, Any], now: int) -> bool:
        """Whether a key makes somebody else an administrator where there is another one already who can agree.

        Else one administrator could make a second one of themselves, and the two let anybody approve.
        """
        maker = act["by"].get("person")
        others = any(key.owner != maker for key in self.administrators(now))
        return Scope.ADMIN in scopes and act["owner"] != maker and others

    def may_confirm(self, key: ApiKey, by: Mapping[str, Any], now: int) -> bool:
        """Whether this principal, as the log names it, is the second administrator that a pending key waits for."""
        first, second = _somebody(key.created_by), _somebody(by)
        distinct = first is not None and second is not None and first != second
        return distinct and key.state(now) is KeyState.PENDING and self._administers(by, now)

    def may_revoke(self, key: ApiKey, by: Mapping[str, Any], now: int) -> bool:
        """An administrator's to do, or the owner's own."""
        own = by.get("person") == key.owner and self._acts(by, now)
        return key.revoked is None and (own or self._administers(by, now))

    def _administers(self, by: Mapping[str, Any], now: int) -> bool:
        """Whether an act was an administrator's at its place in the log.

        What a bearer token granted was known to the server alone, and is taken from it.
        """
        key = self._key_of(by)
        return self._acts(by, now) and (key is None or key.may(Scope.ADMIN, now))

    def _acts(self, by: Mapping[str, Any], now: int) -> bool:
        """Whether these credentials counted: everybody is `local` until there is a key, nobody after."""
        if by["principal"] == LOCAL.name:
            return not self._keys
        if not str(by["principal"]).startswith("key:"):
            return True
        key = self._key_of(by)
        return key is not None and key.state(now) is KeyState.ACTIVE

    def _key_of(self, by: Mapping[str, Any]) -> ApiKey | None:
        return self._keys.get(str(by["principal"]).removeprefix("key:"))


def _somebody(by: Mapping[str, Any]) -> str | None:
    """The person who acted; a machine is none, and neither is whoever sits at an open laptop."""
    person: str | None = by.get("person")
    return None if person == LOCAL.person else person


def takes_two(scopes: tuple[Scope, ...], owner: str, creator: str | None) -> bool:
    """Whether a key waits for a second administrator: it lets somebody else than its maker approve, waive or redact."""
    return owner != creator and not TWO_PERSONS.isdisjoint(scopes)
