"""Where the commands about keys act: at a running server, or in a data folder that no server holds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from catalog.authority.administration import Administration, Identity, key_request
from catalog.authority.authenticator import Authenticator
from catalog.authority.credential import bearer
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.authority.routes import described
from catalog.authority.tokens import BearerTokens
from catalog.commands.failure import CheckFailedError, UnreachableError
from catalog.commands.options import settings
from catalog.commands.remote import client_of
from catalog.composition import create_log
from catalog.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    UnauthenticatedError,
)
from catalog.log.entry import Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.writer import LogWriter, microseconds_now
from catalog.principal import LOCAL, Principal
from catalog.settings import Settings

Described = dict[str, Any]


class Keyring(Protocol):
    """Keys as the HTTP routes show them: see `catalog.authority.routes.described`."""

    def list(self) -> list[Described]: ...

    def create(self, wanted: Mapping[str, Any]) -> tuple[Described, str]: ...

    def confirm(self, key: str) -> Described: ...

    def revoke(self, key: str, reason: str | None) -> Described: ...

    def identify(self, alias: str, person: str) -> Identity: ...


# A running server ----------------------------------------------------------------------------------------------

_KINDS: dict[int, type[LinewardError]] = {
    400: InvalidInputError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RetryableError,
    503: RetryableError,
}


@dataclass(frozen=True, slots=True)
class ServerKeyring:
    client: httpx.Client

    def list(self) -> list[Described]:
        found: list[Described] = self._ask("GET", "/keys")["keys"]
        return found

    def create(self, wanted: Mapping[str, Any]) -> tuple[Described, str]:
        answer = self._ask("POST", "/keys", wanted)
        return answer["key"], answer["secret"]

    def confirm(self, key: str) -> Described:
        found: Described = self._ask("POST", f"/keys/{quote(key, safe='')}/confirm", {})["key"]
        return found

    def revoke(self, key: str, reason: str | None) -> Described:
        said = {} if reason is None else {"reason": reason}
        found: Described = self._ask("POST", f"/keys/{quote(key, safe='')}/revoke", said)["key"]
        return found

    def identify(self, alias: str, person: str) -> Identity:
        answer = self._ask("POST", "/people", {"alias": alias, "person": person})
        return Identity(answer["alias"], answer["person"], answer["pending"])

    def _ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self.client.request(method, f"/api/v1{path}", json=document, headers=bearer())
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnreachableError(
                f"{self.client.base_url} does not answer as a Lineward server: {error or type(error).__name__}",
                "Check --url, or start one with `lineward serve`.",
            ) from error
        if answer.is_success:
            return content
        told = content.get("error") if isinstance(content, dict) else None
        refused = told if isinstance(told, dict) else {}
        kind = _KINDS.get(answer.status_code, LinewardError)
        raise kind(
            str(refused.get("message") or f"the server answers with HTTP status {answer.status_code}"),
            str(refused.get("remedy", "")),
        )


# A data folder -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FolderKeyring:
    administration: Administration
    by: Principal

    def list(self) -> list[Described]:
        return [described(key, state) for key, state in self.administration.keys(self.by)]

    def create(self, wanted: Mapping[str, Any]) -> tuple[Described, str]:
        made = self.administration.create(self.by, key_request(wanted))
        return described(made.key, made.key.state(microseconds_now())), made.text

    def confirm(self, key: str) -> Described:
        found = self.administration.confirm(self.by, key)
        return described(found, found.state(microseconds_now()))

    def revoke(self, key: str, reason: str | None) -> Described:
        found = self.administration.revoke(self.by, key, reason)
        return described(found, found.state(microseconds_now()))

    def identify(self, alias: str, person: str) -> Identity:
        return self.administration.identify(self.by, alias, person)


@contextmanager
def opened(url: str | None, data: Path | None, *, reading: bool = False) -> Iterator[Keyring]:
    """The keys of a server, else those of a folder.

    A folder that already has keys asks for LINEWARD_API_KEY like a server. LogLockedError while a server holds it,
    NotFoundError where there is no log.
    """
    if url is not None:
        with client_of(url) as client:
            yield ServerKeyring(client)
        return
    configured = settings(data=data)
    with LogReader.open(configured.data) as log:
        roll = Roll(log)
        with _appending(configured, reading) as append:
            yield _keyring(configured, roll, append, caller(configured, roll))


@contextmanager
def first_key(data: Path | None) -> Iterator[Keyring]:
    """A folder, created if need be, that has seen no key yet. Raises CheckFailedError for one that has."""
    configured = settings(data=data)
    with _appending(configured) as append, LogReader.open(configured.data) as log:
        roll = Roll(log)
        if len(roll.keys):
            raise CheckFailedError(
                "There is an administrator's key already, or there was one.",
                "Make further keys with it; if it is lost, let an issuer in LINEWARD_ISSUERS grant admin.",
            )
        yield _keyring(configured, roll, append, LOCAL)


Append = Callable[[Submission], Receipt]


@contextmanager
def _appending(configured: Settings, reading: bool = False) -> Iterator[Append]:
    if reading:
        yield nothing
    else:
        with create_log(configured.data) as store, LogWriter(store) as writer:
            yield lambda submission: writer.submit(submission).result()


def nothing(submission: Submission) -> Receipt:
    """What appends where nothing may be appended."""
    raise AssertionError(f"a {submission.type} entry while only reading")


def _keyring(configured: Settings, roll: Roll, append: Append, by: Principal) -> FolderKeyring:
    return FolderKeyring(Administration(roll, append, Pepper(configured.data, configured.key_pepper)), by)


def caller(configured: Settings, roll: Roll) -> Principal:
    """Who runs the command, by LINEWARD_API_KEY. UnauthenticatedError for nobody where the folder has seen keys."""
    pepper = Pepper(configured.data, configured.key_pepper)
    authenticator = Authenticator(roll, pepper, BearerTokens(configured.issuers), loopback=True)
    try:
        return authenticator.principal_of(bearer())
    except UnauthenticatedError as error:
        raise UnauthenticatedError(error.message, "Set LINEWARD_API_KEY to a key of your own.") from error
