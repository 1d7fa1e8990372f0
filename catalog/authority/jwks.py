"""The public keys of an issuer (RFC 7517), kept for a while and asked for again seldom, whatever tokens say.

Whoever sends tokens with made-up key ids must not be able to make us ask the issuer: an unknown id leads to at most one
request a minute. An issuer that does not answer leaves the keys that are known, for an hour.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from catalog.errors import RetryableError, UnauthenticatedError

PublicKey = RSAKey | ECKey | OKPKey
Fetch = Callable[[str], bytes]

MOST_BYTES = 256 * 1024
MOST_KEYS = 64
FRESH = 600.0  # seconds after which the keys are asked for again
USABLE = 3600.0  # seconds for which they are believed while the issuer does not answer
PAUSE = 60.0  # seconds between two requests
_TIMEOUT = 5.0  # seconds for a whole answer
_SHORTEST_RSA = 2048  # bits, NIST SP 800-131A

logger = structlog.get_logger(__name__)


class IssuerUnavailableError(RetryableError):
    """The keys of an issuer cannot be had, so its tokens can neither be believed nor refused."""

    code = "ISSUER_UNAVAILABLE"


class PublicKeys:
    """The keys at one place. For any number of threads, of which one at most waits for the issuer."""

    def __init__(self, place: str, fetch: Fetch | None = None, ticks: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._fetch = fetch or read_place
        self._ticks = ticks
        self._fetching = threading.Lock()
        self._keys: Mapping[str, PublicKey] = {}
        self._loaded: float | None = None
        self._asked: float | None = None

    def key(self, kid: str | None) -> PublicKey:
        """The key of this id; without one the only key there is.

        Raises UnauthenticatedError for an unknown id, IssuerUnavailableError while no keys can be had. May wait for
        the issuer, for seconds.
        """
        if self._age() >= FRESH or self._found(kid) is None:
            self._ask_again()
        if self._age() >= USABLE:
            raise IssuerUnavailableError(f"The keys at {self._place} cannot be read.", "Send the request again later.")
        found = self._found(kid)
        if found is None:
            raise UnauthenticatedError(
                "The token is signed with a key that its issuer does not publish.", "Get a new token."
            )
        return found

    def _found(self, kid: str | None) -> PublicKey | None:
        keys = self._keys
        if kid is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._loaded is None else self._ticks() - self._loaded

    def _ask_again(self) -> None:
        """Unless that was done within the last minute, or somebody is just doing it."""
        if not self._fetching.acquire(blocking=False):
            return
        try:
            now = self._ticks()
            if self._asked is not None and now - self._asked < PAUSE:
                return
            self._asked = now
            self._keys = public_keys(self._fetch(self._place))
            self._loaded = now
        except (OSError, ValueError) as error:
            logger.warning("issuer.keys_unreadable", place=self._place, reason=str(error))
        finally:
            self._fetching.release()


def public_keys(document: bytes) -> dict[str, PublicKey]:
    """The keys of a JWK set that may verify signatures, by their ids.

    Symmetric keys, keys for encryption and RSA keys under 2048 bits are left out. ValueError for what is no JWK set,
    and for one of more than 64 keys.
    """
    listed = orjson.loads(document)
    keys = listed.get("keys") if isinstance(listed, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ValueError(f"this is no JWK set of at most {MOST_KEYS} keys")
    found = [(each.get("kid"), _public(each)) for each in keys if isinstance(each, dict)]
    return {kid if isinstance(kid, str) else "": key for kid, key in found if key is not None}


def _public(jwk: Mapping[str, Any]) -> PublicKey | None:
    if jwk.get("use", "sig") != "sig":
        return None
    members = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    try:
        match jwk.get("kty"):
            case "RSA":
                return RSAKey.import_key(members) if _bits(members["n"]) >= _SHORTEST_RSA else None
            case "EC":
                return ECKey.import_key(members)
            case "OKP":
                return OKPKey.import_key(members)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        logger.warning("issuer.key_unreadable", reason=str(error) or type(error).__name__)
    return None


def _bits(modulus: str) -> int:
    """Of a number in base64url without padding; its first byte is not zero."""
    return len(modulus) * 6 // 8 * 8


def read_place(place: str) -> bytes:
    """A file or an address. OSError where it cannot be read in time, ValueError where it is too long."""
    if place.startswith(("https://", "http://")):
        return _get(place)
    with Path(place).open("rb") as file:
        return _bounded(file.read(MOST_BYTES + 1))


def _get(address: str) -> bytes:
    """Without following redirects: they lead where nobody configured."""
    import httpx

    deadline = time.monotonic() + _TIMEOUT
    content = b""
    try:
        with httpx.stream("GET", address, timeout=_TIMEOUT, follow_redirects=False) as response:
            if response.status_code != 200:
                raise OSError(f"HTTP status {response.status_code}")
            for part in response.iter_bytes():
                content = _bounded(content + part)
                if time.monotonic() > deadline:
                    raise OSError("the answer takes too long")
    except httpx.HTTPError as error:
        raise OSError(str(error) or type(error).__name__) from error
    return content


def _bounded(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    return content
