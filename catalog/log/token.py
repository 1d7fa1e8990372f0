"""Read tokens: "at least as new as what I wrote", as an opaque string.

A token names a log by its origin and a size; a reader that has projected so many entries has seen the write.
The checksum catches mangled copies. It is no signature: whoever invents a token only delays himself.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256

from catalog.errors import InvalidInputError, WrongLogError

_VERSION = b"\x01"
_CHECKSUM = 4
_MAX_SIZE = 2**63 - 1


def encode(origin: str, size: int) -> str:
    """The token for the first `size` entries (0 to 2^63 - 1) of the log `origin`."""
    if not 0 <= size <= _MAX_SIZE:
        raise InvalidInputError(f"{size} is no log size", "use a size that the log answered")
    content = _VERSION + size.to_bytes(8, "big") + origin.encode()
    return urlsafe_b64encode(content + _checksum(content)).rstrip(b"=").decode()


def decode(token: str) -> tuple[str, int]:
    """(origin, size) of a token; InvalidInputError for anything that `encode` did not make."""
    try:
        data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        content, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
        origin, size = content[9:].decode(), int.from_bytes(content[1:9], "big")
    except (Base64Error, UnicodeError) as error:
        raise _rubbish() from error
    genuine = len(content) >= 9 and checksum == _checksum(content) and content[:1] == _VERSION
    # Base64 has several spellings of the same bytes; only ours is a token.
    if not genuine or size > _MAX_SIZE or encode(origin, size) != token:
        raise _rubbish()
    return origin, size


def position(token: str, origin: str) -> int:
    """The size that a token asks of the log `origin`; WrongLogError if it belongs to another one."""
    owner, size = decode(token)
    if owner != origin:
        raise WrongLogError(
            f"the token belongs to the log {owner}, not to {origin}",
            "use a token of this server, or leave it out",
        )
    return size


def _checksum(content: bytes) -> bytes:
    return sha256(content).digest()[:_CHECKSUM]


def _rubbish() -> InvalidInputError:
    return InvalidInputError("this is no read token", "use a token exactly as a write answered it")
