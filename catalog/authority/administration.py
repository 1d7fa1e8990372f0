"""What administrators do: make, confirm and revoke keys, and say who somebody is. Each act is an entry of the log."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from catalog import instant, rfc3339
from catalog.authority.keys import ApiKey, KeyState, digest_of, new_key, takes_two
from catalog.authority.pepper import Pepper
from catalog.authority.persons import alias_id, person_id
from catalog.authority.roll import Roll
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.writer import microseconds_now
from catalog.principal import EVERYWHERE, LOCAL, Principal, Scope

Name = Annotated[str, Field(min_length=1, max_length=200)]
Glob = Annotated[str, Field(min_length=1, max_length=500)]


class KeyRequest(BaseModel):
    """What a new key is to be; names as in JSON. `expiresAt` is RFC 3339."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1), AfterValidator(lambda said: tuple(dict.fromkeys(said)))]
    namespaces: Annotated[tuple[Glob, ...], Field(min_length=1, max_length=100)] = EVERYWHERE
    roles: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    expiresAt: str | None = None  # noqa: N815 - the JSON name


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its text, which nobody can be shown again."""

    key: ApiKey
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose an alias was said to be. `pending`: it counts once another administrator says the same."""

    alias: str
    person: str
    pending: bool


class Administration:
    """Validates and appends under one lock. For any number of threads.

    `append` returns when the entry is durable. `can_recover` says that somebody administers by a bearer token, so that
    the last administrator's key may go.
    """

    def __init__(
        self,
        roll: Roll,
        append: Callable[[Submission], Receipt],
        pepper: Pepper,
        *,
        can_recover: bool = False,
        now: Callable[[], int] = microseconds_now,
    ) -> None:
        self._roll = roll
        self._append = append
        self._pepper = pepper
        self._can_recover = can_recover
        self._now = now
        self._lock = threading.Lock()

    @property
    def roll(self) -> Roll:
        return self._roll

    def keys(self, by: Principal) -> list[tuple[ApiKey, KeyState]]:
        """Every key that was ever made. Raises ForbiddenError without `admin`."""
        by.require(Scope.ADMIN)
        self._roll.catch_up()
        now = self._now()
        return [(key, key.state(now)) for key in self._roll.keys.all()]

    def create(self, by: Principal, wanted: KeyRequest) -> NewKey:
        """Make a key. One that lets somebody else approve, waive or redact, or administer beside others who could
        agree, is PENDING until another person confirms it.

        Raises ForbiddenError without `admin`, InvalidInputError for what no key can be.
        """
        by.require(Scope.ADMIN)
        with self._lock:
            self._roll.catch_up()
            self._still(by)
            now = self._now()
            owner = self._roll.persons.canonical(person_id(wanted.owner))
            expires = _expiry(wanted.expiresAt, now)
            self._check_first(by, wanted, owner)
            admits = Scope.ADMIN in wanted.scopes and bool(self._roll.keys.administrators(now))
            if by.person is None and (admits or takes_two(wanted.scopes, owner, None)):
                raise ForbiddenError(
                    f"{by.name} is no person, so it cannot be one of two that let somebody approve or administer.",
                    "Make the key as a person who administers.",
                )
            key, text = new_key()
            digest = digest_of(text, self._pepper.secret() if len(self._roll.keys) else self._pepper.secret_or_new())
            self._act(EntryType.POLICY, by, now, {"act": "identify", "alias": f"key:{key}", "person": owner})
            made = {
                "act": "createKey",
                "key": key,
                "digest": digest.hex(),
                "owner": owner,
                "scopes": [scope.value for scope in wanted.scopes],
                "namespaces": list(wanted.namespaces),
                "roles": list(wanted.roles),
            }
            self._act(EntryType.KEY, by, now, made | ({} if expires is None else {"expiresAt": instant.text(expires)}))
            return NewKey(self._found(key), text)

    def confirm(self, by: Principal, key: str) -> ApiKey:
        """The second administrator's word. Raises ForbiddenError for the first one again, ConflictError for a key
        that waits for nobody."""
        by.require(Scope.ADMIN)
        with self._lock:
            self._roll.catch_up()
            self._still(by)
            found, now = self._found(key), self._now()
            if found.state(now) is not KeyState.PENDING:
                raise ConflictError(f"The key {key} waits for nobody: it is {found.state(now).lower()}.")
            if not self._roll.keys.may_confirm(found, by.as_json(), now):
                raise ForbiddenError(
                    f"{by.name} may not confirm the key {key}: its maker and its confirmer are two persons.",
                    "Another administrator confirms it.",
                )
            self._act(EntryType.KEY, by, now, {"act": "confirmKey", "key": key})
            return self._found(key)

    def revoke(self, by: Principal, key: str, reason: str | None = None) -> ApiKey:
        """For good, by an administrator or the key's owner; a key that is revoked stays so.

        Raises ConflictError where nobody would be left who can make keys.
        """
        with self._lock:
            self._roll.catch_up()
            self._still(by)
            if not self._owns(by, key):
                by.require(Scope.ADMIN)
            found, now = self._found(key), self._now()
            if found.revoked is not None:
                return found
            self._check_last(found, now)
            said = {} if reason is None else {"reason": reason}
            self._act(EntryType.KEY, by, now, {"act": "revokeKey", "key": key} | said)
            return self._found(key)

    def identify(self, by: Principal, alias: str, person: str) -> Identity:
        """Say whose an e-mail address or a subject of an issuer is.

        Whoever says who somebody is could be two persons, or another one. So where a second administrator is there to
        agree, it waits until another one says the same.

        Raises ForbiddenError without `admin`, InvalidInputError for other aliases: a key has its owner for good.
        """
        by.require(Scope.ADMIN)
        named, whom = alias_id(alias), person_id(person)
        if named.startswith("key:"):
            raise InvalidInputError(f"{named} has an owner already.", "Make another key for the other person.")
        with self._lock:
            self._roll.catch_up()
            self._still(by)
            now = self._now()
            waits = self._takes_another(by, named, whom, now)
            verb = "proposeIdentity" if waits else "identify"
            self._act(EntryType.POLICY, by, now, {"act": verb, "alias": named, "person": whom})
        return Identity(named, whom, waits)

    # Under the lock --------------------------------------------------------------------------------------------

    def _still(self, by: Principal) -> None:
        """Whether the caller's own credentials count now: they may have been revoked, or the log closed to `local`."""
        key = self._roll.keys.get(by.name.removeprefix("key:"))
        lapsed = key is not None and key.state(self._now()) is not KeyState.ACTIVE
        if lapsed or (by.name == LOCAL.name and len(self._roll.keys)):
            raise ForbiddenError(f"{by.name} may do this no longer.", "Use an administrator's key.")

    def _takes_another(self, by: Principal, alias: str, person: str, now: int) -> bool:
        """Whether another administrator could agree, and none has."""
        others = {key.owner for key in self._roll.keys.administrators(now)} - {by.person}
        proposer = self._roll.persons.proposer(alias, person)
        agreed = proposer is not None and by.person is not None and by.person != proposer
        return bool(others) and not agreed

    def _check_first(self, by: Principal, wanted: KeyRequest, owner: str) -> None:
        """Whoever makes the first key is nobody afterwards: that key has to administer, and to count at once."""
        if by.name != LOCAL.name:
            return
        if Scope.ADMIN not in wanted.scopes or takes_two(wanted.scopes, owner, by.person):
            raise InvalidInputError(
                "The first key administers the others, and nobody is there yet to agree that it may approve, waive or "
                "redact.",
                "Make it with --scope admin, and further keys with it.",
                pointer="/scopes",
            )

    def _check_last(self, key: ApiKey, now: int) -> None:
        if not self._can_recover and [each.id for each in self._roll.keys.administrators(now)] == [key.id]:
            raise ConflictError(
                f"The key {key.id} is the only one that can make others.", "Make another administrator's key first."
            )

    def _owns(self, by: Principal, key: str) -> bool:
        found = self._roll.keys.get(key)
        return found is not None and found.owner == by.person

    def _found(self, key: str) -> ApiKey:
        found = self._roll.keys.get(key)
        if found is None:
            raise NotFoundError(f"There is no key {key}.", "`lineward keys list` shows them.")
        return found

    def _act(self, kind: EntryType, by: Principal, now: int, act: dict[str, Any]) -> None:
        common: dict[str, Any] = {"v": 1, "id": str(uuid4()), "at": instant.text(now), "by": by.as_json()}
        body = rfc8785.dumps(common | act)
        self._append(Submission(kind, by.name, body, body, source="authority", event_time=now))
        self._roll.catch_up()


def key_request(document: Any) -> KeyRequest:
    """InvalidInputError with a pointer for what is none."""
    try:
        return KeyRequest.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise InvalidInputError(
            f"{pointer or 'the request'} is wrong: {first['msg']}.",
            f"Scopes are {', '.join(Scope)}." if pointer.startswith("/scopes") else "See the reference of keys.",
            pointer=pointer,
        ) from error


def _expiry(written: str | None, now: int) -> int | None:
    if written is None:
        return None
    try:
        expires = rfc3339.parse(written)
    except ValueError as error:
        raise InvalidInputError(
            f"expiresAt is wrong: {error}.", "Write it as 2027-01-31T00:00:00Z.", pointer="/expiresAt"
        ) from error
    if expires <= now:
        raise InvalidInputError("expiresAt is in the past.", "Name a time to come.", pointer="/expiresAt")
    return expires
