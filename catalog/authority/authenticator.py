"""From the headers of a request to who is acting: the same for every door."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from catalog.authority.keys import PREFIX, TWO_PERSONS, ApiKey, KeyState
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.errors import UnauthenticatedError
from catalog.log.writer import microseconds_now
from catalog.principal import LOCAL, Principal, Scope, grants

if TYPE_CHECKING:
    from catalog.authority.tokens import BearerTokens  # whose library takes a tenth of a second to load

ANONYMOUS = "anonymous"
_SEND = "Send `Authorization: Bearer` with an API key, or with a token of a configured issuer."

logger = structlog.get_logger(__name__)


class Authenticator:
    """Tells who sends a request. For any number of threads.

    While there is no key and no issuer, everybody on a loopback address is `local`, whatever they send. A key that was
    ever made ends this, even if it counts no longer.
    """

    def __init__(
        self,
        roll: Roll,
        pepper: Pepper,
        tokens: "BearerTokens | None",
        anonymous: Iterable[Scope] = (),
        *,
        loopback: bool,
        now: Callable[[], int] = microseconds_now,
    ) -> None:
        self._roll = roll
        self._pepper = pepper
        self._tokens = tokens
        self._anonymous = tuple(anonymous)
        self._loopback = loopback
        self._now = now

    @property
    def is_open(self) -> bool:
        """Whether everybody is `local`, and may do everything."""
        return self._loopback and not self._tokens and not len(self._roll.keys)

    def principal_of(self, headers: Mapping[str, str]) -> Principal:
        """Who sends these headers (a mapping that knows no case, as Starlette's).

        Raises UnauthenticatedError for credentials that do not count, and for none where strangers may do nothing;
        IssuerUnavailableError while a token can be neither believed nor refused. May wait for the keys of an issuer.
        """
        self._roll.look()
        if self.is_open:
            return LOCAL
        credentials = _bearer(headers)
        if credentials is None:
            return self._stranger()
        if credentials.startswith(PREFIX):
            return self._key_holder(credentials)
        if not self._tokens:
            raise UnauthenticatedError("The credentials are no API key.", _SEND)
        return self._tokens.verify(credentials).principal(self._roll.persons)

    def arriving(self, headers: Mapping[str, str]) -> Principal | Awaitable[Principal]:
        """The same for an event loop: at once where nothing has to be waited for."""
        credentials = headers.get("authorization", "").rpartition(" ")[2] if self._tokens else ""
        if credentials and not credentials.startswith(PREFIX):
            return asyncio.to_thread(self.principal_of, headers)
        return self.principal_of(headers)

    def announce(self) -> None:
        """Say in the log who is let in."""
        if self.is_open:
            logger.warning(
                "access.open",
                hint="no credentials are configured: everybody on this machine is `local`, one person, and may do "
                "everything but approve for two; make the first key with `lineward keys create --bootstrap`",
            )
        else:
            logger.info("access.authenticated", keys=len(self._roll.keys), issuers=bool(self._tokens))

    def _stranger(self) -> Principal:
        if not self._anonymous:
            raise UnauthenticatedError("Nobody is let in without credentials.", _SEND)
        return Principal(ANONYMOUS, None, grants(self._anonymous))

    def _key_holder(self, text: str) -> Principal:
        keys = self._roll.keys
        key = keys.matching(text, self._pepper.secret()) if len(keys) else None  # no key, no pepper yet
        if key is None:
            raise UnauthenticatedError("The API key is not known here.", "Ask an administrator for one.")
        state = key.state(self._now())
        if state is not KeyState.ACTIVE:
            raise UnauthenticatedError(*_lapsed(key, state))
        return key.principal(self._roll.persons.person_of(key.name) or key.owner)


def _bearer(headers: Mapping[str, str]) -> str | None:
    """What a request authenticates with, None for nothing at all."""
    sent = headers.get("authorization")
    if sent is None:
        return None
    scheme, _, credentials = sent.strip().partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise UnauthenticatedError("The Authorization header is not understood.", _SEND)
    return credentials.strip()


def _lapsed(key: ApiKey, state: KeyState) -> tuple[str, str]:
    if state is KeyState.PENDING:
        shared = " and ".join(sorted(TWO_PERSONS.intersection(key.scopes)))
        return (
            f"The API key {key.id} waits for a second administrator, since it may {shared}.",
            f"Another administrator runs `lineward keys confirm {key.id}`.",
        )
    return f"The API key {key.id} is {state.value.lower()}.", "Ask an administrator for another one."
